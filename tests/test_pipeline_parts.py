"""Attaching and measuring again after small edits: the outcome is that of the whole."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import Kept

from gridmap import coverage
from gridmap.attach import points
from gridmap.coverage import measure, reach
from gridmap.pipeline import (
    arrow,
    attach_again,
    changed,
    demand_again,
    fill,
    measure_again,
    service,
)
from gridmap.sketch import sketch_grids, sketch_points

SNAP_M = 0.01
PLACES = st.tuples(st.integers(-1, 13), st.integers(-1, 9)).map(
    lambda at: (at[0] * 0.5 + 0.25 * (at[1] % 2), at[1] * 0.5))
DRAWINGS = (("AABBCC", "AABBCC", "DDDEEC", "DDDEEE"), ("AABBCC", "AABBCC", "DDDDEC", "DDDEEE"),
            ("AABBCC", "AABBCC", "DDDFEC", "DDDEEE"), ("AABBCC", "AAABCC", "DDDEEC", "DDDEEE"),
            ("AABBCC", "AABBCC", "DDD00C", "DDD000"))  # 0 takes the borders of D and C, too


def in_pieces(table):
    """Return a table as the store gives large ones: in pieces that have words of their own."""
    at, column = table.column_names.index("kind"), table["kind"]
    half = len(table) // 2
    return pa.concat_tables(
        table.slice(start, rows).set_column(
            at, "kind", column.slice(start, rows).combine_chunks().dictionary_encode())
        for start, rows in ((0, half), (half, len(table) - half)))


@st.composite
def towns(draw):
    """Return elements: points and buildings, with households of any kind, and some edits."""
    places = draw(st.lists(PLACES, min_size=4, max_size=24))
    homes = sketch_points(*places)
    size = len(homes)
    number = st.sampled_from(draw(st.sampled_from([(0, 1, 3), (0.1, 0.2, 0.7, np.nan)])))
    kinds = st.sampled_from(["address", "building", "shop"])
    homes = homes.assign(
        households=[draw(number) for _ in range(size)], people=np.nan, floors=2.0,
        kind=pd.Series([draw(kinds) for _ in range(size)], dtype="str", index=homes.index))
    wide = homes["kind"] == "building"
    if draw(st.booleans()):
        shapes = homes.geometry.where(~wide, homes.buffer(0.3, cap_style="square"))
        homes = homes.set_geometry(shapes)
    edits = draw(st.lists(st.tuples(st.sampled_from(["move", "count", "drop", "add", "kind"]),
                                    st.integers(0, size - 1), PLACES), max_size=4))
    return homes, edits


def edit(homes, edits):
    """Return elements after some edits."""
    for what, row, place in edits:
        row = min(row, len(homes) - 1)
        if what == "drop" and len(homes) > 2:
            homes = homes.drop(homes.index[row])
        elif what == "add":
            more = homes.iloc[[row]].set_axis(
                pd.Index([f"d{len(homes)}{row}"], dtype="str", name="element"))
            more = more.set_geometry(shapely.points([place]), crs=homes.crs)
            homes = pd.concat([homes.iloc[:row], more, homes.iloc[row:]])
            homes = homes[~homes.index.duplicated()]
        else:
            homes = homes.copy()
            at = homes.index[row]
            if what == "move":
                homes.loc[[at], "geometry"] = homes.geometry.loc[[at]].translate(0.5, 0.25)
            else:
                homes.loc[at, *{"count": ("households",), "kind": ("kind",)}[what]] = {
                    "count": 5, "kind": "shop"}[what]
    return homes


def both(homes, edits, drawings):
    """Return what attaching gives again, and what it gives as a whole."""
    old_grids, grids = (sketch_grids(*DRAWINGS[number]) for number in drawings)
    first = fill.attach_frame("elements", homes, old_grids, snap_m=SNAP_M)
    after = edit(homes, edits)
    table, old = in_pieces(arrow.to_table(after)), in_pieces(arrow.to_table(homes))
    land = attach_again.compare_grids(*map(arrow.to_table, (old_grids, grids)), grids)
    again = attach_again.attach_again(
        "elements", attach_again.Past(old, Kept(first._asdict())),
        attach_again.Now(table, land, changed.compare_tables(old, table), SNAP_M))
    return again, fill.attach_frame("elements", after, grids, snap_m=SNAP_M)


def assert_same(again, whole):
    """Assert that what was attached in part is what was attached as a whole."""
    pd.testing.assert_frame_equal(arrow.to_frame(again.columns), arrow.to_frame(whole.columns))
    for name in ("by_grid", "rejects", "ledger"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(whole, name),
                                      check_exact=True)


@settings(max_examples=25, deadline=None)
@given(towns(), st.tuples(*[st.integers(0, 4)] * 2), st.booleans())
def test_attached_again_is_attached_as_a_whole(town, drawings, laid):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attach_again, "MOST", 1.1)
        patch.setattr(points, "FEW_POINTS", 1 if laid else points.FEW_POINTS)
        again, whole = both(*town, drawings)
    if again is not None:
        assert_same(again[0], whole)


def many_homes(size=400):
    """Return homes all over the town, some of them buildings."""
    chance = np.random.default_rng(3)
    homes = sketch_points(*chance.uniform((0, 0), (6, 4), (size, 2)).round(2))
    homes = homes.assign(households=chance.integers(0, 4, size) * 0.1, people=1, floors=1.0)
    homes.loc[homes.index[::7], "kind"] = "building"
    wide = homes.buffer(0.05, cap_style="square")
    return homes.set_geometry(homes.geometry.where(homes["kind"] != "building", wide))


@pytest.mark.parametrize("laid", [False, True])
@pytest.mark.parametrize("drawing", [0, 1, 2, 3, 4])
def test_only_rows_near_a_change_are_attached(monkeypatch, drawing, laid):
    monkeypatch.setattr(points, "FEW_POINTS", 1 if laid else points.FEW_POINTS)
    monkeypatch.setattr(attach_again, "MOST", 0.7)
    again, whole = both(many_homes(), [("move", 3, None), ("count", 9, None)], (0, drawing))
    assert_same(again[0], whole)
    looked_at = int(again[1].split(" of ")[0])
    assert looked_at == 2 if drawing == 0 else 2 < looked_at < 280


def test_a_row_on_a_border_goes_to_a_new_grid_and_is_missed_where_it_was():
    homes = sketch_points((3.0, 0.5), (3.0, 1.5), (0.5, 0.5), *[(0.5, 3.5)] * 9).assign(people=2)
    again, whole = both(homes, [], (0, 4))
    assert_same(again[0], whole)
    assert again[0].by_grid["people"].loc[["0", "D"]].tolist() == [4, 2]


@pytest.mark.parametrize("change", [
    lambda homes: homes.iloc[::-1],
    lambda homes: homes.drop(columns="people"),
    lambda homes: homes.assign(people=np.nan),
    lambda homes: homes.assign(people=1.0),
    lambda homes: homes.assign(kind=homes["kind"].where(homes.index != "e1", "shop")),
    lambda homes: homes.set_geometry(homes.centroid),
])
def test_where_a_part_does_not_tell_the_whole_all_is_attached(change):
    homes, grids = many_homes(), sketch_grids(*DRAWINGS[0])
    first = fill.attach_frame("elements", homes, grids, snap_m=SNAP_M)
    old, new = arrow.to_table(homes), arrow.to_table(change(homes))
    land = attach_again.compare_grids(*[arrow.to_table(grids)] * 2, grids)
    assert attach_again.attach_again(
        "elements", attach_again.Past(old, Kept(first._asdict())),
        attach_again.Now(new, land, changed.compare_tables(old, new), SNAP_M)) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*[st.floats(-5, 20)] * 4), max_size=9), st.lists(PLACES, min_size=1))
def test_no_row_that_meets_a_box_is_left_out(corners, places):
    boxes = np.array([[min(a, c), min(b, d), max(a, c), max(b, d)] for a, b, c, d in corners])
    homes = sketch_points(*places)
    if not len(boxes):
        return
    near = arrow.find_meeting(arrow.to_table(homes), boxes)
    stands = homes.geometry.to_numpy()[:, None]
    meets = shapely.intersects(stands, shapely.box(*boxes.T)).any(axis=1)
    assert not (meets & ~near).any()


# --- demand and reach -------------------------------------------------------------------------


def place(homes, drawing, far=0.0):
    """Return elements with the grid of each, as tables."""
    attached = fill.attach_frame("elements", homes, drawn(drawing, far), snap_m=SNAP_M)
    return service.Placed(in_pieces(arrow.to_table(homes)), attached.columns)


def drawn(number, far=0.0):
    """Return a drawing of grids, so far to the north and east."""
    grids = sketch_grids(*DRAWINGS[number])
    return grids.set_geometry(grids.translate(far, far))


def boards(*places, **columns_):
    """Return assets of two kinds."""
    some = sketch_points(*places).rename_axis("asset").assign(radius_m=1.5, **columns_)
    some.loc[some.index[::2], "kind"] = "board"
    return some


@settings(max_examples=25, deadline=None)
@given(towns(), st.lists(PLACES, min_size=1, max_size=5), st.integers(0, 4), st.booleans())
def test_demand_and_reach_again_are_those_of_the_whole(town, stands, drawing, sized):
    homes, edits = town
    after = edit(homes, edits)
    old, now = place(homes, 0), place(after, drawing)
    assets = boards(*stands, **({"capacity": 3.0} if sized else {}))
    moved = assets.set_geometry(assets.geometry.where(
        assets.index != assets.index[-1], assets.translate(0.5, 0)))
    found = service.find_demand(old)
    rows = changed.compare_tables(old.elements, now.elements)
    again = demand_again.find_demand_again(now, old.columns["grid"], rows, Kept(found))[0]
    whole = service.find_demand(now)
    for name in ("rows", "spots"):
        pd.testing.assert_frame_equal(arrow.to_frame(Kept(again).table(name)), whole[name])
    reached = service.measure_reach(*service.read_demand(old, Kept(found)), assets)
    demand, spots = service.read_demand(now, Kept(whole))
    for later in (assets, moved):
        tables = arrow.to_table(assets), arrow.to_table(later)
        mended = service.measure_reach_again(
            lambda: demand, spots.xy, found["spots"].to_numpy(), tables, Kept(reached))[0]
        fresh = service.measure_reach(demand, spots, later)
        assert mended["kinds"] == fresh["kinds"]
        for name in ("spots", "places"):
            assert (mended[name] is None) == (fresh[name] is None)
            if fresh[name] is not None:
                pd.testing.assert_frame_equal(mended[name], fresh[name], check_exact=True)
        public = after.assign(grid=arrow.to_frame(now.columns)["grid"].array)
        asked = reach.find_demand(public)
        for name in ("xy", "households", "people", "buildings"):
            np.testing.assert_array_equal(getattr(demand, name), getattr(asked, name))
        assert demand.grid.tolist() == asked.grid.tolist()
        known = reach.measure_reach(asked, later)
        for kind, one in service.read_reach(spots, Kept(fresh)).items():
            for mine, other in zip(one, known[kind], strict=True):
                np.testing.assert_array_equal(mine, other)


def add_up(placed, assets, grids):
    """Return demand, reach and what they add up to."""
    found = Kept(service.find_demand(placed))
    demand, spots = service.read_demand(placed, found)
    reached = Kept(service.measure_reach(demand, spots, assets))
    return found, reached, coverage.add_reach(
        demand, service.read_reach(spots, reached), grids, place_m=1.0)


@settings(max_examples=12, deadline=None)
@given(towns(), st.lists(PLACES, min_size=2, max_size=5), st.tuples(*[st.integers(0, 4)] * 2),
       st.sampled_from(["none", "move", "radius", "gone"]), st.sampled_from([0.0, 1000.3]))
def test_what_is_added_up_again_is_added_up_as_a_whole(town, stands, drawings, change, far):
    homes, edits = town
    homes, assets = (some.set_geometry(some.translate(far, far))
                     for some in (homes, boards(*stands)))
    later = {"none": assets, "gone": assets.iloc[1:], "radius": assets.assign(radius_m=2.0),
             "move": assets.set_geometry(assets.translate(0.5, 0))}[change]
    after = edit(homes, edits)
    old, now = place(homes, drawings[0], far), place(after, drawings[1], far)
    rows = changed.compare_tables(old.elements, now.elements)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "PLACE_M", 1.0)
        patch.setattr(measure_again, "MOST", 1.1)
        found, reached, added = add_up(old, assets, drawn(drawings[0], far))
        demand, reach_now, whole = add_up(now, later, drawn(drawings[1], far))
        tables = ((None, None) if change == "none" else
                  (found.table("spots"), reached.table("spots")))
        again = measure_again.add_again(
            measure_again.Past(old, added, *tables),
            measure_again.Now(now, rows, demand, reach_now), drawn(drawings[1], far))
    if again is None:
        assert change == "gone"
        return
    for mine, other in zip(again[0], whole, strict=True):
        pd.testing.assert_frame_equal(mine, other, check_exact=True)
    mended = demand_again.find_demand_again(now, old.columns["grid"], rows, found)[0]
    for name in ("rows", "spots"):
        pd.testing.assert_frame_equal(arrow.to_frame(Kept(mended).table(name)), demand[name])


def test_only_grids_and_squares_near_a_change_are_added_up(monkeypatch):
    monkeypatch.setattr(measure, "PLACE_M", 0.5)
    homes, assets = many_homes(), boards((0.5, 0.5), (5, 3), (2, 2))
    after = edit(homes, [("count", 9, None)])
    old, now = place(homes, 0), place(after, 0)
    added = add_up(old, assets, drawn(0))[2]
    demand, reached, whole = add_up(now, assets, drawn(0))
    kept = added._replace(sums=added.sums * 2.0)
    rows = changed.compare_tables(old.elements, now.elements)
    again = measure_again.add_again(
        measure_again.Past(old, kept, None, None),
        measure_again.Now(now, rows, demand, reached), drawn(0))
    anew = (again[0].sums == whole.sums).all(axis=1)
    assert anew.sum() == 1
    grid = service.read_demand(now, demand)[0].grid
    assert again[1] == f"{(grid == anew.idxmax()).sum()} of {len(grid)} places"


def test_sums_that_places_share_are_added_up_as_a_whole():
    homes, assets = many_homes(), boards((0.5, 0.5), (5, 3), capacity=9.0)
    placed = place(homes, 0)
    found, reached, added = add_up(placed, assets, drawn(0))
    rows = changed.compare_tables(placed.elements, placed.elements)
    assert measure_again.add_again(
        measure_again.Past(placed, added, None, None),
        measure_again.Now(placed, rows, found, reached), drawn(0)) is None
