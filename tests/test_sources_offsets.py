"""Shifted coordinates come back to 1e-7 m, by numba and by numpy with the same bits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.sources import from_bd09, from_gcj02, offsets, to_bd09, to_gcj02

WAYS = [(to_gcj02, from_gcj02), (to_bd09, from_bd09)]
BOUND_M = 1e-7


def metres_apart(one, two):
    lon, lat = (np.asarray(a) - np.asarray(b) for a, b in zip(one, two, strict=True))
    return np.hypot(lon * np.cos(np.radians(one[1])), lat) * 111_320


def plain_gcj02(lon, lat):
    """Return the shift as tools write it down, with one sine for every wave."""
    x, y, turn = lon - 105, lat - 35, np.pi
    both = (20 * np.sin(6 * x * turn) + 20 * np.sin(2 * x * turn)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + both
    north += (20 * np.sin(y * turn) + 40 * np.sin(y / 3 * turn)) * 2 / 3
    north += (160 * np.sin(y / 12 * turn) + 320 * np.sin(y * turn / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + both
    east += (20 * np.sin(x * turn) + 40 * np.sin(x / 3 * turn)) * 2 / 3
    east += (150 * np.sin(x / 12 * turn) + 300 * np.sin(x / 30 * turn)) * 2 / 3
    axis, squared = 6378245.0, 0.00669342162296594323
    bent = 1 - squared * np.sin(np.radians(lat)) ** 2
    lon = lon + np.degrees(east / (axis / np.sqrt(bent) * np.cos(np.radians(lat))))
    return lon, lat + np.degrees(north / (axis * (1 - squared) / bent**1.5))


def plain_bd09(lon, lat):
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * np.pi * 3000 / 180)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * np.pi * 3000 / 180)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def all_over(size, seed=0):
    rng = np.random.default_rng(seed)
    west, south, east, north = offsets.EXTENT
    lon, lat = rng.uniform(west, east, size), rng.uniform(south, north, size)
    lon[: size // 10] = 105 + np.linspace(-0.05, 0.05, size // 10)  # the corner of the root
    lat[1] = 35.0
    return lon, lat


def test_the_shift_is_the_one_that_tools_write_down():
    places = all_over(20_000)
    gcj = plain_gcj02(*places)
    assert metres_apart(to_gcj02(*places), gcj).max() < 1e-8
    assert metres_apart(to_bd09(*places), plain_bd09(*gcj)).max() < 1e-8


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_a_round_trip_over_the_whole_extent_ends_where_it_began(there, back):
    places = all_over(100_000)
    assert metres_apart(back(*there(*places)), places).max() < BOUND_M


@settings(deadline=None)
@given(st.floats(72.1, 137.8).filter(lambda lon: abs(lon - 105) > 1e-11), st.floats(0.9, 55.8),
       st.sampled_from(WAYS))
def test_any_place_comes_back(lon, lat, ways):
    there, back = ways
    assert metres_apart(back(*there([lon], [lat])), ([lon], [lat])).max() < BOUND_M


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_on_105_degrees_east_where_the_shift_folds_it_is_off_by_the_fold(there, back):
    lat = np.linspace(10, 50, 401)
    lon = np.full(401, 105.0)
    assert metres_apart(back(*there(lon, lat)), (lon, lat)).max() < 4e-7


@pytest.mark.parametrize("ways", WAYS)
def test_compiled_and_plain_give_the_same_bits(ways, monkeypatch):
    shifts = pytest.importorskip("gridmap.sources.shifts")
    if not shifts.HAS_NUMBA:
        pytest.skip("numba is not installed")
    places = all_over(20_000)
    plain = [way(*places) for way in ways]
    monkeypatch.setattr(offsets, "_MANY", 1)
    assert np.array_equal(plain, [way(*places) for way in ways])


@pytest.mark.parametrize(("there", "back"), WAYS)
def test_only_places_inside_the_extent_move_and_all_of_them_come_back(there, back):
    extent = (122.0, 36.5, 122.7, 37.5)  # a part of Weihai
    west, south, east, north = extent
    corners = np.array([[west, south], [west, north], [east, south], [east, north]])
    outside = corners + np.array([[-2, -2], [-2, 2], [2, -2], [2, 2]])
    lon, lat = np.concatenate([corners, outside]).T
    moved = there(lon, lat, extent=extent)
    assert (metres_apart(moved, (lon, lat)) > 100).tolist() == [True] * 4 + [False] * 4
    assert metres_apart(back(*moved, extent=extent), (lon, lat)).max() < BOUND_M


@pytest.mark.parametrize("way", [to_gcj02, from_gcj02, to_bd09, from_bd09])
def test_missing_and_endless_places_stay_as_they_are(way):
    lon, lat = way([np.nan, 122.0, np.inf, 0.0], [37.0, np.nan, 37.0, 0.0])
    assert np.array_equal(lon, [np.nan, 122.0, np.inf, 0.0], equal_nan=True)
    assert np.array_equal(lat, [37.0, np.nan, 37.0, 0.0], equal_nan=True)
    assert way(np.empty((0, 2)), np.empty((0, 2)))[0].shape == (0, 2)
