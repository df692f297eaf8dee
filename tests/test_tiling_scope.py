"""A tiling that was mended is mended again by a look at what changed: the same, bit for bit."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
import shapely.affinity
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import SchemaError
from gridmap.rules import TilingRule
from gridmap.sketch import sketch_grids
from gridmap.tiling import again, knit, scope
from gridmap.tiling.again import repair_again, repair_and_tell

NOBODY = pd.Index([], dtype="str")


def frame(shapes, codes, towns, name="territory"):
    """Return polygons that name their town."""
    index = pd.Index(codes, dtype="str", name=name)
    return GeoDataFrame({"parent": pd.array(towns, dtype="str")}, geometry=list(shapes),
                        index=index, crs="EPSG:32651")


def draw_city(seed, size, side):
    """Return seamless cells of any shape, and ``side`` times ``side`` towns made of them."""
    chance = np.random.default_rng(seed)
    corner = np.array([[0.0, 0.0], [4e5, 3.3e6]])[seed % 2]
    box = shapely.box(*corner, *(corner + 1000))
    spots = shapely.MultiPoint(chance.uniform(0, 1000, (size, 2)) + corner)
    cells = shapely.intersection(
        shapely.get_parts(shapely.voronoi_polygons(spots, extend_to=box)), box)
    one = np.ones(len(cells), dtype="int64")
    cells = chance.permutation(knit.knit(cells, one, one, snap_m=0.0).shapes)
    middle = shapely.get_coordinates(shapely.centroid(cells)) - corner
    column, row = np.clip(middle * side // 1000, 0, side - 1).astype(int).T
    towns = np.array([f"T{x}{y}" for x, y in zip(column, row, strict=True)])
    names = sorted(set(towns))
    land = [shapely.coverage_union_all(cells[towns == name]) for name in names]
    return (frame(cells, [f"C{i:03}" for i in range(len(cells))], towns),
            frame(land, names, [None] * len(names)))


def spoil_one(shape, kind, chance):
    """Return a polygon with a fault of a kind."""
    largest = max(shapely.get_parts(shape), key=shapely.area)
    corners = shapely.get_coordinates(largest.exterior)[:-1]
    if kind in ("grow", "shrink"):
        spoilt = shape.buffer(chance.uniform(0.5, 6) * (1 if kind == "grow" else -1),
                              join_style="mitre")
    elif kind in ("shift", "hair"):
        reach = 5 if kind == "shift" else 0.02
        spoilt = shapely.affinity.translate(shape, *chance.uniform(-reach, reach, 2))
    elif kind == "coarse":
        spoilt = shapely.simplify(shape, 8)
    elif kind == "corner":
        corners[chance.integers(len(corners))] += chance.uniform(-12, 12, 2)
        spoilt = shapely.Polygon(corners)
    elif kind == "twist":
        corners[[0, 1]] = corners[[1, 0]]
        spoilt = shapely.Polygon(corners)
    else:
        crumb = shapely.box(*(corners[0] + 30), *(corners[0] + 30.5))
        spoilt = shapely.MultiPolygon([largest, crumb])
    return shape if spoilt.is_empty or "Polygon" not in spoilt.geom_type else spoilt


KINDS = ("grow", "shrink", "shift", "hair", "coarse", "corner", "twist", "part")


def spoil(polygons, count, chance):
    """Return polygons, some of them with faults."""
    shapes = polygons.geometry.to_numpy().copy()
    for at in chance.integers(0, len(shapes), count):
        shapes[at] = spoil_one(shapes[at], chance.choice(KINDS), chance)
    return polygons.set_geometry(
        geopandas.GeoSeries(shapes, index=polygons.index, crs=polygons.crs))


def edit(polygons, towns, what, chance):
    """Return polygons and their towns with a small change."""
    code = polygons.index[chance.integers(len(polygons))]
    if what == "drop":
        return polygons.drop(index=code), towns
    if what == "add":
        return pd.concat([polygons, polygons.loc[[code]].rename(index={code: "NEW"})]), towns
    if what == "elsewhere":
        return polygons.assign(parent=polygons["parent"].where(
            polygons.index != code, towns.index[0])), towns
    if what == "town":
        return polygons, spoil(towns, 1, chance)
    return spoil(polygons, int(what), chance), towns


def places(*pairs):
    """Return the boxes of what is not the same in pairs of frames."""
    boxes = []
    for old, new in pairs:
        here, there = ({(code, str(parent), shape.wkb) for code, parent, shape in zip(
            frame.index, frame["parent"], frame.geometry, strict=True)} for frame in (old, new))
        boxes += [shapely.box(*shapely.from_wkb(wkb).bounds) for *_, wkb in sorted(here ^ there)]
    return np.array(boxes, dtype=object)


def check_same(one, two):
    """Raise unless two outcomes are the same to the last bit."""
    assert one.polygons.index.equals(two.polygons.index)
    assert one.polygons.geometry.to_wkb().equals(two.polygons.geometry.to_wkb())
    pd.testing.assert_frame_equal(one.changes, two.changes, check_exact=True)
    assert one.took.equals(two.took)
    assert one.alone == two.alone


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), size=st.integers(60, 220), side=st.sampled_from([1, 2, 3]),
    faults=st.integers(0, 5),
    what=st.sampled_from(["1", "1", "2", "drop", "add", "elsewhere", "town"]),
    overlaps=st.sampled_from(["border", "order", "compact"]),
    snap_m=st.sampled_from([0.0, 0.01, 0.5]),
)
def test_what_is_mended_round_an_edit_is_what_all_would_be(
    seed, size, side, faults, what, overlaps, snap_m
):
    chance = np.random.default_rng(seed)
    rule = TilingRule(overlaps=overlaps, snap_m=snap_m)
    cells, towns = draw_city(seed, size, side)
    cells = spoil(cells, faults, chance)
    before = repair_and_tell(cells, towns, rule=rule)
    now, towns_now = edit(cells, towns, what, chance)
    whole = repair_and_tell(now, towns_now, rule=rule)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(again, "MOST", 1.0)  # the city is small
        part = before.alone or repair_again(
            now, towns_now, rule=rule, took=before.took,
            places=places((cells, now), (towns, towns_now)))
    if not before.alone:
        check_same(part, whole)


def blocks(side):
    """Return square polygons of 10 m, ``side`` times ``side``, and their only parent."""
    at = np.array([(x, y) for y in range(side) for x in range(side)]) * 10.0
    cells = shapely.box(*at.T, *(at + 10).T)
    return (frame(cells, [f"C{i:03}" for i in range(len(cells))], ["P"] * len(cells)),
            frame([shapely.union_all(cells)], ["P"], [None]))


def push(cells, code, by):
    """Return cells, one of them moved to the east."""
    return cells.set_geometry(cells.geometry.where(
        cells.index != code, cells.translate(by, 0)))


def test_only_what_lies_near_is_looked_at(monkeypatch):
    cells, parent = blocks(20)
    moved = push(cells, "C210", 3.0)
    seen = []
    compare = shapely.coverage_invalid_edges
    monkeypatch.setattr(shapely, "coverage_invalid_edges",
                        lambda shapes: (seen.append(len(shapes)), compare(shapes))[1])
    part = repair_again(moved, parent, rule=TilingRule(), took=NOBODY,
                        places=places((cells, moved)))
    assert max(seen) < 80
    check_same(part, repair_and_tell(moved, parent, rule=TilingRule()))
    assert max(seen) == 400


def test_what_took_part_before_takes_part_again():
    cells, parent = blocks(20)
    broken = push(cells, "C021", 3.0)
    before = repair_and_tell(broken, parent, rule=TilingRule())
    assert before.took.tolist() == [
        "C000", "C001", "C002", "C020", "C021", "C022", "C040", "C041", "C042"]
    both = push(broken, "C338", -3.0)
    part = repair_again(both, parent, rule=TilingRule(), took=before.took,
                        places=places((broken, both)))
    check_same(part, repair_and_tell(both, parent, rule=TilingRule()))
    assert set(before.took) < set(part.took)


def test_a_change_that_is_felt_farther_than_was_thought_is_followed(monkeypatch):
    felt = []
    remember = scope.Felt.__init__

    def tell(self, polygons):
        felt.append(int(polygons.sum()))
        remember(self, polygons)

    monkeypatch.setattr(scope.Felt, "__init__", tell)
    cells, parent = blocks(20)
    moved = push(cells, "C210", 3.0)
    inside = shapely.box(102, 102, 103, 103)  # only a part of where it changed
    part = repair_again(moved, parent, rule=TilingRule(), took=NOBODY, places=np.array([inside]))
    assert felt
    check_same(part, repair_and_tell(moved, parent, rule=TilingRule()))


def test_where_most_would_be_looked_at_it_is_left_to_the_whole():
    cells, parent = blocks(6)
    moved = push(cells, "C014", 3.0)
    assert repair_again(moved, parent, rule=TilingRule(), took=NOBODY,
                        places=places((cells, moved))) is None


def test_parents_that_are_empty_are_told():
    grids, parent = sketch_grids("A....", "A...."), sketch_grids("PPPPP", "PPPPP")
    rule = TilingRule(lake_m2=1e9)
    assert not repair_and_tell(grids, sketch_grids("P....", "P...."), rule=rule).alone
    assert repair_and_tell(grids, parent.assign(parent=None), rule=rule).alone


def test_an_unknown_parent_is_told_as_by_the_whole():
    cells, parent = blocks(20)
    two = pd.concat([parent, parent.rename(index={"P": "Q"})])
    lost = cells.assign(parent=cells["parent"].where(cells.index != "C003", "R"))
    with pytest.raises(SchemaError, match="territories name a parent that the parent frame does "
                                          "not have, in C003"):
        repair_again(lost, two, rule=TilingRule(), took=NOBODY, places=places((cells, lost)))
