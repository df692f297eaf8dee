"""Shifted coordinates: GCJ-02 and BD-09 to WGS 84 and back.

Maps published in mainland China shift coordinates by some hundred metres (GCJ-02), and
some providers shift them once more (BD-09). The shift is a smooth function of the place
without a closed inverse, so the way back is a fixed-point iteration.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]

#: West, south, east, north of the box inside which coordinates are shifted, in degrees. It
#: holds parts of neighbouring countries too, so a caller names a smaller one where it matters.
EXTENT = (72.004, 0.8293, 137.8347, 55.8271)

_AXIS_M = 6378245.0  # Krasovsky 1940, semi-major axis
_ECCENTRICITY = 0.00669342162296594323  # Krasovsky 1940, first eccentricity squared
_BD_TURN = np.pi * 3000.0 / 180.0

#: The error shrinks about 400 times a round, and slower only close to 105° E, where the
#: formula has a root; rounds end when nothing moves by more than this many degrees.
_STILL, _ROUNDS = 3e-11, 40  # after a step so short, what is left is under 1e-12 degrees

_BLOCK = 16_384  # places worked on at a time


def to_gcj02(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift WGS 84 coordinates to GCJ-02.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Places outside are not shifted.

    Returns
    -------
    (lon, lat) : arrays of float64

    References
    ----------
    The formula is unpublished officially; the form used here is the one that open
    conversion tools agree on.

    Examples
    --------
    >>> lon, lat = to_gcj02([122.1], [37.5])
    >>> print(f"{lon[0]:.6f} {lat[0]:.6f}")
    122.105075 37.501040
    """
    lon, lat = _arrays(lon, lat)
    moved = _in_blocks(_forward_gcj02, lon, lat)
    return _only_inside(extent, lon, lat, moved)


def from_gcj02(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift GCJ-02 coordinates back to WGS 84, to 1e-7 m.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Places outside are not shifted.

    Returns
    -------
    (lon, lat) : arrays of float64

    Examples
    --------
    >>> lon, lat = from_gcj02(*to_gcj02([122.1], [37.5]))
    >>> print(f"{lon[0]:.9f} {lat[0]:.9f}")
    122.100000000 37.500000000
    """
    lon, lat = _arrays(lon, lat)
    back = _undo(_forward_gcj02, lon, lat)
    return _only_inside(extent, lon, lat, back)


def to_bd09(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift WGS 84 coordinates to BD-09.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Places outside are not shifted.

    Returns
    -------
    (lon, lat) : arrays of float64

    Examples
    --------
    >>> lon, lat = to_bd09([122.1], [37.5])
    >>> bool(abs(lon[0] - 122.1) > 0.01)
    True
    """
    lon, lat = _arrays(lon, lat)
    moved = _in_blocks(lambda x, y: _forward_bd09(*_forward_gcj02(x, y)), lon, lat)
    return _only_inside(extent, lon, lat, moved)


def from_bd09(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift BD-09 coordinates back to WGS 84, to 1e-7 m.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Places outside are not shifted.

    Returns
    -------
    (lon, lat) : arrays of float64

    Examples
    --------
    >>> lon, lat = from_bd09(*to_bd09([122.1], [37.5]))
    >>> print(f"{lon[0]:.9f} {lat[0]:.9f}")
    122.100000000 37.500000000
    """
    lon, lat = _arrays(lon, lat)
    gcj = _undo(_forward_bd09, lon, lat)
    back = _undo(_forward_gcj02, *gcj)
    return _only_inside(extent, lon, lat, back)


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")


def _only_inside(
    extent: tuple[float, float, float, float], lon: NDArray[np.float64],
    lat: NDArray[np.float64], moved: Pair,
) -> Pair:
    """Take the moved place where the place lies in the extent, else the place itself."""
    west, south, east, north = extent
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return np.where(inside, moved[0], lon), np.where(inside, moved[1], lat)


def _shift(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pair:
    """Return the shift of GCJ-02 in degrees east and north."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    across, along = _waves(x), _waves(y)
    both = 20.0 * across.six + 20.0 * across.two
    north_m = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
        + (both + 20.0 * along.one + 40.0 * along.third + 160.0 * along.twelfth
           + 320.0 * along.thirtieth) * 2.0 / 3.0
    )
    east_m = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
        + (both + 20.0 * across.one + 40.0 * across.third + 150.0 * across.twelfth
           + 300.0 * across.thirtieth) * 2.0 / 3.0
    )
    sine = np.sin(np.radians(lat))
    bent = 1.0 - _ECCENTRICITY * sine**2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY) / (bent * np.sqrt(bent))
    parallel_m = _AXIS_M / np.sqrt(bent) * np.sqrt(1.0 - sine**2)
    return np.degrees(east_m / parallel_m), np.degrees(north_m / meridian_m)


class _Waves(NamedTuple):
    """Sines of an angle of 180° a degree, and of its multiples and parts."""

    six: NDArray[np.float64]
    two: NDArray[np.float64]
    one: NDArray[np.float64]
    third: NDArray[np.float64]
    twelfth: NDArray[np.float64]
    thirtieth: NDArray[np.float64]


def _waves(degrees: NDArray[np.float64]) -> _Waves:
    """Return all sines that the formula needs, from the sine and cosine of a sixtieth.

    The formulas for double, triple and fivefold angles are several times faster than six
    sines, and differ from them by less than 1e-10 m in the end.
    """
    sine, cosine = np.sin(degrees * (np.pi / 60.0)), np.cos(degrees * (np.pi / 60.0))
    sine_2, cosine_2 = sine * sine, cosine * cosine
    thirtieth = 2.0 * sine * cosine
    twelfth = sine * (5.0 + sine_2 * (16.0 * sine_2 - 20.0))
    sixth = 2.0 * twelfth * cosine * (5.0 + cosine_2 * (16.0 * cosine_2 - 20.0))
    cosine_third = 1.0 - 2.0 * sixth**2
    third = 2.0 * sixth * (1.0 - 2.0 * twelfth**2)
    one = third * (3.0 - 4.0 * third**2)
    two = 2.0 * one * cosine_third * (4.0 * cosine_third**2 - 3.0)
    return _Waves(two * (3.0 - 4.0 * two**2), two, one, third, twelfth, thirtieth)


def _forward_gcj02(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pair:
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def _forward_bd09(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pair:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BD_TURN)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BD_TURN)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _undo(
    forward: Callable[[NDArray[np.float64], NDArray[np.float64]], Pair],
    lon: NDArray[np.float64], lat: NDArray[np.float64],
) -> Pair:
    """Find the place that ``forward`` moves to (lon, lat), by fixed-point iteration."""
    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    there = np.empty((2, flat_lon.size))
    for start in range(0, flat_lon.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        there[:, block] = _undo_block(forward, flat_lon[block], flat_lat[block])
    return there[0].reshape(lon.shape), there[1].reshape(lat.shape)


def _undo_block(
    forward: Callable[[NDArray[np.float64], NDArray[np.float64]], Pair],
    lon: NDArray[np.float64], lat: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Move all places of a block round by round, and after each only those that still move."""
    guess = np.array([lon, lat])
    moving = np.arange(lon.size)
    for _ in range(_ROUNDS):
        there_lon, there_lat = forward(guess[0, moving], guess[1, moving])
        step = np.array([lon[moving] - there_lon, lat[moving] - there_lat])
        guess[:, moving] += step
        still = np.fmax(np.abs(step[0]), np.abs(step[1])) > _STILL  # missing ones are False
        if not still.any():
            break
        if still.mean() < 0.5:
            moving = moving[still]
    return guess


def _in_blocks(
    forward: Callable[[NDArray[np.float64], NDArray[np.float64]], Pair],
    lon: NDArray[np.float64], lat: NDArray[np.float64],
) -> Pair:
    """Apply a shift block by block: small enough to stay near the processor, twice as fast."""
    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    there = np.empty((2, flat_lon.size))
    for start in range(0, flat_lon.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        there[:, block] = forward(flat_lon[block], flat_lat[block])
    return there[0].reshape(lon.shape), there[1].reshape(lat.shape)
