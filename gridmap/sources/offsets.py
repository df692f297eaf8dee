"""Shifted coordinates: GCJ-02 and BD-09 to WGS 84 and back.

Maps published in mainland China shift coordinates by some hundred metres (GCJ-02), and
some providers shift them once more (BD-09). The shift is a smooth function of the place
without a closed inverse, so the way back is a fixed-point iteration.
"""

from __future__ import annotations

from collections.abc import Callable

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
_STILL, _ROUNDS = 1e-13, 40


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
    inside = _inside(lon, lat, extent)
    east, north = _shift(lon, lat)
    return np.where(inside, lon + east, lon), np.where(inside, lat + north, lat)


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
    inside = _inside(lon, lat, extent)
    back = _undo(_forward_gcj02, lon, lat)
    return np.where(inside, back[0], lon), np.where(inside, back[1], lat)


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
    inside = _inside(lon, lat, extent)
    moved = _forward_bd09(*_forward_gcj02(lon, lat))
    return np.where(inside, moved[0], lon), np.where(inside, moved[1], lat)


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
    inside = _inside(lon, lat, extent)
    gcj = _undo(_forward_bd09, lon, lat)
    back = _undo(_forward_gcj02, *gcj)
    return np.where(inside, back[0], lon), np.where(inside, back[1], lat)


def _arrays(lon: ArrayLike, lat: ArrayLike) -> Pair:
    return np.asarray(lon, dtype="float64"), np.asarray(lat, dtype="float64")


def _inside(
    lon: NDArray[np.float64], lat: NDArray[np.float64], extent: tuple[float, float, float, float]
) -> NDArray[np.bool_]:
    west, south, east, north = extent
    held: NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return held


def _shift(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Pair:
    """Return the shift of GCJ-02 in degrees east and north."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    turn_x, turn_y = np.pi * x, np.pi * y
    both = 20.0 * np.sin(6.0 * turn_x) + 20.0 * np.sin(2.0 * turn_x)
    north_m = (
        -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
        + (both + 20.0 * np.sin(turn_y) + 40.0 * np.sin(turn_y / 3.0)
           + 160.0 * np.sin(turn_y / 12.0) + 320.0 * np.sin(turn_y / 30.0)) * 2.0 / 3.0
    )
    east_m = (
        300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
        + (both + 20.0 * np.sin(turn_x) + 40.0 * np.sin(turn_x / 3.0)
           + 150.0 * np.sin(turn_x / 12.0) + 300.0 * np.sin(turn_x / 30.0)) * 2.0 / 3.0
    )
    latitude = np.radians(lat)
    bent = 1.0 - _ECCENTRICITY * np.sin(latitude) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY) / (bent * np.sqrt(bent))
    parallel_m = _AXIS_M / np.sqrt(bent) * np.cos(latitude)
    return np.degrees(east_m / parallel_m), np.degrees(north_m / meridian_m)


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
    guess_lon, guess_lat = lon, lat
    for _ in range(_ROUNDS):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        east, north = lon - there_lon, lat - there_lat
        guess_lon, guess_lat = guess_lon + east, guess_lat + north
        step = np.fmax(np.abs(east), np.abs(north))
        if not (step > _STILL).any():  # missing places compare as False
            break
    return guess_lon, guess_lat
