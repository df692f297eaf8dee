"""The search for grids: tight ranges, any number of workers, and more effort."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import SizeRule
from gridmap.zoning import batches, measure_partition, partition
from gridmap.zoning.kernels import trade


def communities(count: int, *, side: int = 8, seed: int = 0) -> GeoDataFrame:
    """Return communities side by side, each of squares of 100 m with 0 to 30 households."""
    rng = np.random.default_rng(seed)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(count * side), np.arange(side)))
    households = rng.integers(0, 30, len(x))
    return GeoDataFrame(
        {"territory": [f"C{at:03}" for at in x // side], "kind": "block",
         "households": households, "people": 2 * households},
        geometry=shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100),
        index=pd.Index([f"u{n:05}" for n in range(len(x))], name="unit", dtype="str"),
        crs="EPSG:32651",
    ).astype({"territory": "str", "kind": "str"})


def row_of_units(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the graph of units in a row."""
    near = [[v for v in (u - 1, u + 1) if 0 <= v < size] for u in range(size)]
    start = np.cumsum([0, *map(len, near)])
    return start, np.concatenate(near).astype(np.int64)


def square_of_units(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the graph of the squares of a chessboard."""
    near = []
    for u in range(side * side):
        x, y = u % side, u // side
        beside = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)]
        near.append([b * side + a for a, b in beside if 0 <= a < side and 0 <= b < side])
    return np.cumsum([0, *map(len, near)]), np.concatenate(near).astype(np.int64)


@pytest.mark.parametrize("seed", range(6))
def test_grids_within_two_per_cent_of_each_other_are_found(seed):
    units = communities(1, seed=seed)
    mean = units["households"].sum() / 5
    size = SizeRule(minimum=0.99 * mean, target=mean, maximum=1.01 * mean)
    drawn = partition(units, size)
    totals = measure_partition(units, drawn.assignment, size).totals
    assert len(drawn.grids) == 5
    assert totals["contiguous_share"] == 1
    assert totals["in_range_share"] == 1


def test_any_number_of_workers_draws_the_same_bytes(monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 100)  # so that there is work for all of them
    units = communities(9)
    size = SizeRule(minimum=130, target=150, maximum=170)
    one, two, five = (partition(units, size, workers=n, effort="draft") for n in (1, 2, 5))
    for other in (two, five):
        assert one.grids.to_wkb().equals(other.grids.to_wkb())
        assert one.assignment.equals(other.assignment)
        assert one.changes.equals(other.changes)


def test_what_is_drawn_together_changes_nothing(monkeypatch):
    units = communities(9)
    size = SizeRule(minimum=130, target=150, maximum=170)
    drawn = []
    for together in (1, 200, 10_000):
        monkeypatch.setattr(batches, "BATCH", together)
        drawn.append(partition(units, size, effort="draft").assignment)
    assert drawn[0].equals(drawn[1])
    assert drawn[0].equals(drawn[2])


def test_a_unit_is_traded_for_a_smaller_one():
    start, neighbour = square_of_units(4)
    mass = np.zeros(16)
    mass[[0, 1, 14]] = 2.0, 5.0, 3.0  # the second of the first row, the third of the last
    label = (np.arange(16) % 4 // 2).astype(np.int32)  # 7 left, 3 right
    made = trade.even_out(start, neighbour, mass, label, 10)
    assert made == 1
    assert np.bincount(label, mass).tolist() == [5.0, 5.0]
    assert (label[1], label[14]) == (1, 0)


@settings(max_examples=50, deadline=None)
@given(mass=st.lists(st.integers(0, 20), min_size=16, max_size=16), grids=st.integers(1, 4))
def test_trades_keep_grids_whole_and_make_them_more_alike(mass, grids):
    start, neighbour = square_of_units(4)
    mass = np.array(mass, float)
    label = (np.arange(16) // 4 * grids // 4).astype(np.int32)
    before = np.bincount(label, mass).var()
    made = trade.even_out(start, neighbour, mass, label, 50)
    after = np.bincount(label, mass).var()
    assert (after < before) == (made > 0)
    for grid in range(grids):
        members = set(np.flatnonzero(label == grid).tolist())
        reached, waiting = set(), [min(members)]
        while waiting:
            unit = waiting.pop()
            if unit not in reached:
                reached.add(unit)
                near = neighbour[start[unit]:start[unit + 1]].tolist()
                waiting += [v for v in near if v in members]
        assert reached == members


def test_a_trade_never_tears_a_grid():
    start, neighbour = row_of_units(5)
    mass = np.array([9.0, 1.0, 1.0, 1.0, 1.0])
    label = np.array([0, 0, 0, 1, 1], np.int32)
    trade.even_out(start, neighbour, mass, label, 10)
    assert label.tolist() == [0, 1, 1, 1, 1]


def test_more_effort_draws_rounder_grids():
    units = communities(1, side=24)
    size = SizeRule(minimum=300, target=350, maximum=400)
    found = {
        effort: measure_partition(
            units, partition(units, size, effort=effort).assignment, size
        ).by_grid["compactness"].mean()
        for effort in ("draft", "best")
    }
    assert found["best"] > found["draft"]
