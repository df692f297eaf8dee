"""Shifted coordinates: GCJ-02 and BD-09 to WGS 84 and back.

Maps published in mainland China shift coordinates by some hundred metres (GCJ-02), and
some providers shift them once more (BD-09). The shift is a smooth function of the place
without a closed inverse, so the way back is Newton's method.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]

#: West, south, east, north of the box inside which coordinates are shifted, in degrees. It
#: holds parts of neighbouring countries too, so a caller names a smaller one where it matters.
EXTENT = (72.004, 0.8293, 137.8347, 55.8271)

#: A step of Newton's method squares the error: after one below this many degrees, less than
#: 1e-13 degrees (1e-8 m) is left.
_SHORT_STEP = {"gcj02": 1.5e-6, "bd09": 3e-7}

#: Within this many degrees of 105° E the formula has a root with a corner, where slopes mean
#: nothing; there plain iteration goes on until nothing moves by more than _STILL degrees. On
#: the meridian itself the shift folds: places up to 2.5e-7 m apart come to lie on each other.
_CORNER_LON, _CORNER, _STILL, _ROUNDS = 105.0, 0.02, 1e-13, 60

_BLOCK = 16_384  # places worked on at a time: small enough to stay near the processor

#: Below this many places numba would take longer to load than it saves.
_MANY = 200_000


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
    return _only_inside(extent, lon, lat, _in_blocks("gcj02", lon, lat, _forward), lon, lat)


def from_gcj02(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift GCJ-02 coordinates back to WGS 84, to 1e-7 m.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Of the unshifted places: what comes from a place inside goes back to it, all others
        stay.

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
    back = _in_blocks("gcj02", lon, lat, _undo)
    return _only_inside(extent, lon, lat, back, *back)


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
    moved = _in_blocks("bd09", *_in_blocks("gcj02", lon, lat, _forward), _forward)
    return _only_inside(extent, lon, lat, moved, lon, lat)


def from_bd09(
    lon: ArrayLike, lat: ArrayLike, *, extent: tuple[float, float, float, float] = EXTENT
) -> Pair:
    """Shift BD-09 coordinates back to WGS 84, to 1e-7 m.

    Parameters
    ----------
    lon, lat : array_like of float
        Degrees. Missing values stay missing.
    extent : (west, south, east, north), default EXTENT
        Of the unshifted places: what comes from a place inside goes back to it, all others
        stay.

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
    back = _in_blocks("gcj02", *_in_blocks("bd09", lon, lat, _undo), _undo)
    return _only_inside(extent, lon, lat, back, *back)


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")


def _only_inside(
    extent: tuple[float, float, float, float], lon: Floats, lat: Floats, moved: Pair,
    true_lon: Floats, true_lat: Floats,
) -> Pair:
    """Take the moved place where the unshifted one lies in the extent, else the place itself."""
    west, south, east, north = extent
    inside = (true_lon >= west) & (true_lon <= east)
    inside &= (true_lat >= south) & (true_lat <= north)
    if inside.all():
        return moved
    return np.where(inside, moved[0], lon), np.where(inside, moved[1], lat)


#: Gives the shift of each place (east, north) and its four slopes.
_Shift = Callable[[Floats, Floats], tuple[Floats, ...]]


def _in_blocks(name: str, lon: Floats, lat: Floats, way: Callable[..., Pair]) -> Pair:
    """Move places there or back, some thousand at a time."""
    from . import shifts  # numba is slow to load

    formula = getattr(shifts, name)
    quick = shifts.HAS_NUMBA and lon.size >= _MANY
    engine: Any = shifts.compiled if quick else shifts.by_numpy
    room = np.empty((6, _BLOCK))

    def shift(x: Floats, y: Floats) -> tuple[Floats, ...]:  # one room for all blocks
        out = tuple(room[:, : x.size])
        engine(formula, x, y, out)
        return out

    flat_lon, flat_lat = lon.ravel(), lat.ravel()
    there = np.empty((2, flat_lon.size))
    with np.errstate(all="ignore"):  # places far outside the extent, and the corner
        for start in range(0, flat_lon.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            there[:, block] = way(shift, flat_lon[block], flat_lat[block], _SHORT_STEP[name])
    return there[0].reshape(lon.shape), there[1].reshape(lat.shape)


def _forward(shift: _Shift, lon: Floats, lat: Floats, _: float) -> Pair:
    east, north, *_slopes = shift(lon, lat)
    return lon + east, lat + north


def _undo(
    shift: _Shift, lon: Floats, lat: Floats, short: float
) -> Pair:
    """Find the places that are moved to (lon, lat); each round moves only those that still do."""
    x, y = lon.copy(), lat.copy()
    moving: Any = slice(None)  # all, which spares copies
    for _ in range(_ROUNDS):
        guess = x[moving], y[moving]
        away = lon[moving] - guess[0], lat[moving] - guess[1]
        east, north = _newton(*away, shift(*guess))
        x[moving] += east
        y[moving] += north
        still = np.abs(east) + np.abs(north) > short  # missing ones are False
        if not still.any():
            break
        moving = np.flatnonzero(still) if isinstance(moving, slice) else moving[still]
    corner = np.flatnonzero(np.abs(lon - _CORNER_LON) < _CORNER)
    if corner.size:
        x[corner], y[corner] = _iterate(shift, lon[corner], lat[corner])
    return x, y


def _newton(lon: Floats, lat: Floats, told: tuple[Floats, ...]) -> Pair:
    """Return the step from a guess that lies (lon, lat) away before it is shifted."""
    east, north, east_by_lon, east_by_lat, north_by_lon, north_by_lat = told
    lon, lat = lon - east, lat - north
    one, two = 1.0 + east_by_lon, 1.0 + north_by_lat
    scale = 1.0 / (one * two - east_by_lat * north_by_lon)
    return (two * lon - east_by_lat * lat) * scale, (one * lat - north_by_lon * lon) * scale


def _iterate(shift: _Shift, lon: Floats, lat: Floats) -> Pair:
    x, y = lon.copy(), lat.copy()
    for _ in range(_ROUNDS):
        east, north, *_slopes = shift(x, y)
        east, north = lon - x - east, lat - y - north
        x, y = x + east, y + north
        if not (np.abs(east) + np.abs(north) > _STILL).any():
            break
    return x, y
