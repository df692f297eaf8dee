"""Tilings of which a part changed: what is said of the part holds for the whole."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gridmap import errors, tiling
from gridmap.pipeline import changed
from gridmap.rules import TilingRule
from gridmap.sketch import sketch_grids

RULE = TilingRule(lake_m2=2.0, lake_width_m=0.5)
BEFORE = ("AABB", "AABB", "CCDD", "CCDD")
CELLS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from("AABBCCDDE.")),
                 max_size=4)


def tiles(grids):
    """Say whether the whole is proven."""
    try:
        tiling.check_tiling(grids, rule=RULE)
    except errors.TilingError:
        return False
    return True


def still(old, new):
    """Say whether the part tells that the whole tiles."""
    return tiling.is_tiling_still(old, new, changed.find_changed(old, new), rule=RULE)


@settings(max_examples=80, deadline=None)
@given(CELLS, st.tuples(st.integers(0, 3), st.sampled_from([0, 0, 0.25, 1])))
@example([], (1, 1))
def test_what_still_tiles_is_proven_as_a_whole(cells, push):
    rows = [list(row) for row in BEFORE]
    for row, column, letter in cells:
        rows[row][column] = letter
    old, new = sketch_grids(*BEFORE), sketch_grids(*map("".join, rows))
    pushed = np.arange(len(new)) == push[0]
    new = new.set_geometry(new.geometry.where(~pushed, new.translate(push[1], 0)))
    # Only land that is gone at the edge still tiles without being told to.
    alike = shapely.equals(*(shapely.union_all(one.geometry.to_numpy()) for one in (old, new)))
    assert still(old, new) == (tiles(new) and bool(alike))


@pytest.mark.parametrize("rows", [
    BEFORE, ("ABBB", "AABB", "CCDD", "CCDD"), ("AABB", "AACB", "CCDD", "CCDD"),
    ("AABB", "AABB", "CCDD", "CCED")])
def test_ground_that_changes_hands_is_told_by_the_part(rows):
    assert still(sketch_grids(*BEFORE), sketch_grids(*rows))


@pytest.mark.parametrize("rows", [
    ("AABB", "AABB", "CC.D", "CCDD"), ("AABB", "AABB", "CCDD", "CC.."),
    ("EAABB", "EAABB", "ECCDD", "ECCDD")])
def test_a_gap_or_more_ground_is_not_told_by_the_part(rows):
    assert not still(sketch_grids(*BEFORE), sketch_grids(*rows))


def test_an_overlap_within_the_same_outline_is_not_told_by_the_part():
    old = sketch_grids("AABB")
    new = old.set_geometry([shapely.box(0, 0, 1.5, 1), shapely.box(1, 0, 4, 1)])
    assert not still(old, new)
    assert not tiles(new)


def test_what_was_two_and_becomes_one_twice_is_not_told_by_the_part():
    old = sketch_grids("AB")
    whole = shapely.union_all(old.geometry.to_numpy())
    assert not still(old, old.set_geometry([whole, whole]))
