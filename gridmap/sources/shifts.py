"""The formulas of GCJ-02 and BD-09, written so that numbers and whole arrays both fit.

Only sums, products, roots and floors: numba turns a loop over them into vector instructions,
and numpy gives the same bits where numba is absent. Sines come from a polynomial and from the
formulas for double, triple and fivefold angles; with them come the slopes of the shift, which
the way back needs, for next to nothing.

Importing this module imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, pi
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Formula = TypeVar("Formula", bound=Callable[..., Any])

try:
    from numba import njit
    from numba.extending import register_jitable

    HAS_NUMBA = True
except ImportError:
    HAS_NUMBA = False


def _formula(function: Formula) -> Formula:
    """Return a function that compiled loops may call, and that stays plain Python."""
    return register_jitable(inline="always")(function) if HAS_NUMBA else function


_AXIS_M = 6378245.0  # Krasovsky 1940, semi-major axis
_ECCENTRICITY = 0.00669342162296594323  # Krasovsky 1940, first eccentricity squared
_RADIAN = pi / 180.0

_BD_EAST, _BD_NORTH = 0.0065, 0.006  # degrees
_BD_RADIUS, _BD_ANGLE = 0.00002, 0.000003  # degrees and radians
_BD_HALVES = 3000.0 / 180.0  # half turns of its waves to a degree

#: Added and taken away again, it rounds to whole numbers; a call of a function of the C
#: library, such as floor, would keep a loop from becoming vector instructions.
_ROUND = 1.5 * 2.0**52

#: Coefficients of z, z³, … and of 1, z², …: the next terms are below 1e-17 at a quarter turn.
_S = tuple((-1.0) ** k / factorial(2 * k + 1) for k in range(11))
_C = tuple((-1.0) ** k / factorial(2 * k) for k in range(12))
_S0, _S1, _S2, _S3, _S4, _S5, _S6, _S7, _S8, _S9, _S10 = _S
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8, _C9, _C10, _C11 = _C


@_formula
def _turn(halves: Any) -> Any:
    """Return the sine and the cosine of a number of half turns."""
    whole = halves + _ROUND - _ROUND
    odd = whole - 2.0 * (0.5 * whole + _ROUND - _ROUND)
    sign = 1.0 - 2.0 * odd * odd
    z = pi * (halves - whole)
    q = z * z
    sine = z * (_S0 + q * (_S1 + q * (_S2 + q * (_S3 + q * (_S4 + q * (_S5 + q * (_S6 + q * (
        _S7 + q * (_S8 + q * (_S9 + q * _S10))))))))))
    cosine = _C0 + q * (_C1 + q * (_C2 + q * (_C3 + q * (_C4 + q * (_C5 + q * (_C6 + q * (
        _C7 + q * (_C8 + q * (_C9 + q * (_C10 + q * _C11))))))))))
    return sign * sine, sign * cosine


@_formula
def _twice(s: Any, c: Any) -> Any:
    return 2.0 * s * c, 1.0 - 2.0 * s * s


@_formula
def _thrice(s: Any, c: Any) -> Any:
    return s * (3.0 - 4.0 * s * s), c * (4.0 * c * c - 3.0)


@_formula
def _fivefold(s: Any, c: Any) -> Any:
    s2, c2 = s * s, c * c
    return s * (5.0 + s2 * (16.0 * s2 - 20.0)), c * (5.0 + c2 * (16.0 * c2 - 20.0))


@_formula
def _waves(degrees: Any, twelfth_m: float, thirtieth_m: float) -> Any:
    """Sum the waves along one axis; return them with their slopes, and the quickest angle."""
    s60, c60 = _turn(degrees / 60.0)
    s30, c30 = _twice(s60, c60)
    s12, c12 = _fivefold(s60, c60)
    s6, c6 = _twice(s12, c12)
    s3, c3 = _twice(s6, c6)
    s1, c1 = _thrice(s3, c3)
    metres = 20.0 * s1 + 40.0 * s3 + twelfth_m * s12 + thirtieth_m * s30
    slope = pi * (20.0 * c1 + 40.0 / 3.0 * c3 + twelfth_m / 12.0 * c12 + thirtieth_m / 30.0 * c30)
    return metres, slope, s1, c1


@_formula
def gcj02(lon: Any, lat: Any) -> Any:
    """Return the shift of GCJ-02 in degrees (east, north) and its four slopes.

    Slopes: east by lon, east by lat, north by lon, north by lat. At 105° E, where a root has
    its corner, they mean nothing; the shift is right everywhere.
    """
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    bend = 0.05 * x / (root * root * root)
    across, across_by, s1, c1 = _waves(x, 150.0, 300.0)
    along, along_by, _, _ = _waves(y, 160.0, 320.0)
    s2, c2 = _twice(s1, c1)
    s6, c6 = _thrice(s2, c2)
    both, both_by = 20.0 * (s6 + s2), 20.0 * pi * (6.0 * c6 + 2.0 * c2)
    north = (-100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
             + (both + along) * (2.0 / 3.0))
    east = (300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
            + (both + across) * (2.0 / 3.0))
    sine, cosine = _turn(lat / 180.0)
    bent = 1.0 - _ECCENTRICITY * sine * sine
    flat = np.sqrt(bent)
    degree_north = bent * flat / (_AXIS_M * (1.0 - _ECCENTRICITY) * _RADIAN)
    degree_east = flat / (_AXIS_M * cosine * _RADIAN)
    tilt = _ECCENTRICITY * sine * cosine / bent
    east, north = east * degree_east, north * degree_north
    return (
        east, north,
        (1.0 + 0.2 * x + 0.1 * y + bend + (both_by + across_by) * (2.0 / 3.0)) * degree_east,
        (2.0 + 0.1 * x) * degree_east + east * (sine / cosine - tilt) * _RADIAN,
        (2.0 + 0.1 * y + 2.0 * bend + both_by * (2.0 / 3.0)) * degree_north,
        (3.0 + 0.4 * y + 0.1 * x + along_by * (2.0 / 3.0)) * degree_north
        - 3.0 * north * tilt * _RADIAN,
    )


@_formula
def bd09(lon: Any, lat: Any) -> Any:
    """Return the shift from GCJ-02 to BD-09 in degrees (east, north) and its four slopes."""
    across, across_by = _turn(lon * _BD_HALVES)
    along, along_by = _turn(lat * _BD_HALVES)
    radius = np.sqrt(lon * lon + lat * lat)
    longer = _BD_RADIUS * along
    angle = _BD_ANGLE * across_by  # below 1e-5, so that two terms are exact
    sine, gap = angle - angle * angle * angle / 6.0, 0.5 * angle * angle
    grown = longer / radius
    east, north = -gap * lon - sine * lat, -gap * lat + sine * lon
    wave = pi * _BD_HALVES
    out, round_ = _BD_RADIUS * wave * along_by / radius, _BD_ANGLE * wave * across
    return (
        east + grown * (lon + east) + _BD_EAST, north + grown * (lat + north) + _BD_NORTH,
        round_ * lat, out * lon - angle, angle - round_ * lon, out * lat,
    )


Arrays = tuple[NDArray[np.float64], ...]


def by_numpy(formula: Callable[..., Any], lon: Any, lat: Any, out: Arrays) -> None:
    """Write what a formula gives for each place to six arrays."""
    for array, values in zip(out, formula(lon, lat), strict=True):
        array[:] = values


if HAS_NUMBA:

    @njit(cache=True, nogil=True, error_model="numpy")
    def _many_gcj02(lon, lat, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
        for i in range(lon.shape[0]):
            a[i], b[i], c[i], d[i], e[i], f[i] = gcj02(lon[i], lat[i])

    @njit(cache=True, nogil=True, error_model="numpy")
    def _many_bd09(lon, lat, a, b, c, d, e, f):  # type: ignore[no-untyped-def]
        for i in range(lon.shape[0]):
            a[i], b[i], c[i], d[i], e[i], f[i] = bd09(lon[i], lat[i])

    _LOOPS = {gcj02: _many_gcj02, bd09: _many_bd09}


def compiled(formula: Callable[..., Any], lon: Any, lat: Any, out: Arrays) -> None:
    """Write what a formula gives for each place to six arrays; the same bits as `by_numpy`."""
    _LOOPS[formula](lon, lat, *out)
