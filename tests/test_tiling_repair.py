"""Tilings are mended where they are broken, and nowhere else."""

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

from gridmap import schema
from gridmap.errors import ProfileError, SchemaError
from gridmap.rules import TilingRule
from gridmap.sketch import sketch_grids
from gridmap.tiling import check
from gridmap.tiling.repair import repair_tiling


def layer(shapes: dict[str, object], index: str = "grid") -> GeoDataFrame:
    codes = pd.Index(shapes, dtype="str", name=index)
    return GeoDataFrame(geometry=geopandas.GeoSeries(list(shapes.values()), index=codes),
                        crs="EPSG:32651")


def wkb(polygons: GeoDataFrame) -> dict[str, bytes]:
    return dict(zip(polygons.index, polygons.geometry.to_wkb(), strict=True))


def told(changes: pd.DataFrame) -> list[tuple[str, str, float]]:
    rows = zip(changes["what"], changes["id"], changes["area_m2"].round(3), strict=True)
    return sorted(rows, key=str)


PARENT = sketch_grids("PPPPPPPP", "PPPPPPPP", "PPPPPPPP").loc[["P"]]


def test_a_seamless_layer_keeps_every_bit():
    grids = sketch_grids("AAB", "ACB")
    repaired, changes = repair_tiling(grids, sketch_grids("PPP", "PPP"))
    assert wkb(repaired) == wkb(grids)
    assert len(changes) == 0
    schema.check_frame(changes, schema.CHANGES, argument="changes")


def test_a_gap_goes_to_the_longest_border_and_a_tie_to_the_first_code():
    assert told(repair_tiling(sketch_grids("BBB", "B.A", "BAA"))[1]) == [("gap filled", "A", 1.0)]
    assert told(repair_tiling(sketch_grids("BBB", "B.A", "BBB"))[1]) == [("gap filled", "B", 1.0)]


def test_a_gap_open_to_the_outside_is_filled_up_to_the_parent():
    grids = sketch_grids("AAA", "A..", "BBB")
    parent = sketch_grids("PPP", "PPP", "PPP")
    repaired, changes = repair_tiling(grids, parent)
    check.check_tiling(repaired, parent)
    assert told(changes) == [("gap filled", "A", 2.0)]
    assert changes[["before", "after"]].values.tolist() == [["4.00 m²", "6.00 m²"]]


def test_a_lake_stays_where_there_is_no_parent():
    rule = TilingRule(lake_m2=4, lake_width_m=1)
    lake = sketch_grids("AAAA", "A..B", "A..B", "AABB")
    repaired, changes = repair_tiling(lake, rule=rule)
    assert wkb(repaired) == wkb(lake)
    assert len(changes) == 0


def test_declared_holes_stay_open_with_and_without_a_parent():
    grids = sketch_grids("AAAA", "A.BB", "AAB.")
    parent = sketch_grids("PPPP", "PPPP", "PPPP")
    holes = layer({"pond": shapely.box(0.9, 0.8, 2, 2)}, "name")
    repaired, changes = repair_tiling(grids, parent, holes=holes)
    check.check_tiling(repaired, parent, holes=holes)
    assert told(changes) == [("gap filled", "B", 1.0)]
    again, _ = repair_tiling(grids, holes=holes)
    assert wkb(again) == wkb(grids)


@pytest.mark.parametrize(("overlaps", "winner"), [("order", "A"), ("border", "B")])
def test_an_overlap_goes_by_the_rule(overlaps, winner):
    # the shared square lies in a notch of B: three of its sides border on B alone
    shapes = {"A": shapely.box(0, 0, 3, 3), "B": shapely.box(2, -3, 6, 6)}
    repaired, changes = repair_tiling(layer(shapes), rule=TilingRule(overlaps=overlaps))
    check.check_tiling(repaired)
    loser = {"A": "B", "B": "A"}[winner]
    assert told(changes)[-1] == ("overlap decided", loser, 3.0)
    assert repaired.geometry[winner].area == layer(shapes).geometry[winner].area


@pytest.mark.parametrize(("senior", "winner"), [
    (("police", "civil"), "B"), (("civil", "police"), "A"), (("civil",), "A"), (("fire",), "A"),
    (("police",), "B"),
])
def test_an_overlap_goes_to_the_senior_scheme(senior, winner):
    # within a scheme, and among schemes that are not named, the code that sorts first wins
    shapes = {"A": shapely.box(0, 0, 3, 3), "B": shapely.box(2, -3, 6, 6)}
    beats = layer(shapes, "work_grid").assign(scheme=["civil", "police"])
    rule = TilingRule(overlaps="seniority", seniority=senior)
    for rows in (["A", "B"], ["B", "A"]):
        repaired, changes = repair_tiling(beats.loc[rows], rule=rule)
        assert repaired.index.tolist() == rows
        assert repaired.geometry[winner].area == beats.geometry[winner].area
        assert told(changes)[-1] == ("overlap decided", {"A": "B", "B": "A"}[winner], 3.0)
        again, more = repair_tiling(repaired, rule=rule)
        assert wkb(again) == wkb(repaired)
        assert len(more) == 0


def test_seniority_needs_a_scheme_and_names():
    rule = TilingRule(overlaps="seniority", seniority=("police",))
    with pytest.raises(SchemaError, match="but there is no column scheme"):
        repair_tiling(layer({"A": shapely.box(0, 0, 3, 3)}), rule=rule)
    for entries in ({"overlaps": "seniority"}, {"seniority": ("police",)}):
        with pytest.raises(ProfileError, match="give both or neither"):
            TilingRule(**entries)


def test_the_compact_rule_gives_an_overlap_to_whom_it_makes_rounder():
    shapes = {"A": shapely.box(0, 0, 12, 2), "B": shapely.box(10, 0, 14, 2)}
    repaired, _ = repair_tiling(layer(shapes), rule=TilingRule(overlaps="compact"))
    assert repaired.area.to_dict() == {"A": 20.0, "B": 8.0}


def test_an_enclave_keeps_its_land_whatever_the_rule():
    shapes = {"A": shapely.box(0, 0, 9, 9), "B": shapely.box(4, 4, 5, 5)}
    for overlaps in ("border", "order", "compact"):
        repaired, _ = repair_tiling(layer(shapes), rule=TilingRule(overlaps=overlaps))
        assert repaired.area.to_dict() == {"A": 80.0, "B": 1.0}


def test_of_two_equal_polygons_the_first_code_stays_and_the_other_is_told():
    box = shapely.box(0, 0, 2, 2)
    repaired, changes = repair_tiling(layer({"B": box, "A": box}))
    assert repaired.index.tolist() == ["A"]
    assert ("swallowed", "B", 4.0) in told(changes)


def test_what_leaves_the_parent_is_cut_off_and_told():
    grids = layer({"A": shapely.box(0, 0, 4, 3), "B": shapely.box(4, -2, 9, 3)})
    parent = layer({"P": shapely.box(0, 0, 8, 3)}, "parent")
    repaired, changes = repair_tiling(grids, parent)
    check.check_tiling(repaired, parent)
    assert told(changes) == [("cut at the parent", "B", 13.0)]


def test_children_are_cut_at_their_own_parent_and_fill_it():
    parents = layer({"P": shapely.box(0, 0, 4, 4), "Q": shapely.box(4, 0, 8, 4)}, "parent")
    grids = layer({"P1": shapely.box(0, 0, 5, 2), "P2": shapely.box(0, 2, 3, 4),
                   "Q1": shapely.box(5, 0, 8, 4)}).assign(parent=["P", "P", "Q"])
    repaired, changes = repair_tiling(grids, parents)
    check.check_tiling(repaired, parents)
    assert repaired.area.groupby(repaired["parent"]).sum().to_dict() == {"P": 16.0, "Q": 16.0}
    assert told(changes) == [("cut at the parent", "P1", 2.0), ("gap filled", "P2", 2.0),
                             ("gap filled", "Q1", 4.0)]


def test_a_polygon_cut_in_two_gives_its_smaller_part_away():
    # B crosses A; by order B wins and A would fall into two parts
    shapes = {"X": shapely.box(0, 0, 10, 2), "B": shapely.box(6, -1, 7, 3)}
    repaired, changes = repair_tiling(
        layer({"A": shapes["B"], "X": shapes["X"]}), rule=TilingRule(overlaps="order"))
    assert repaired.geom_type.tolist() == ["Polygon", "Polygon"]
    assert ("part given", "X", 6.0) in told(changes)
    assert ("part joined", "A", 6.0) in told(changes)


def test_a_gap_past_many_polygons_is_shared_out_among_them():
    above = {f"A{i}": shapely.box(i * 10, 0.5, i * 10 + 10, 10) for i in range(5)}
    below = {f"B{i}": shapely.box(i * 10, -10, i * 10 + 10, 0) for i in range(5)}
    parent = layer({"P": shapely.box(0, -10, 50, 10)}, "parent")
    repaired, changes = repair_tiling(layer({**above, **below}), parent)
    check.check_tiling(repaired, parent)
    assert changes["area_m2"].tolist() == pytest.approx([5.0] * 5)


def test_a_moat_round_a_polygon_drawn_too_small_goes_back_to_it_whole():
    grids = sketch_grids("AAABBB", "AAABBB", "AAXXBB", "CCXXDD", "CCCDDD", side_m=10)
    small = grids.geometry.where(grids.index != "X", grids.buffer(-1, join_style="mitre"))
    repaired, changes = repair_tiling(grids.set_geometry(small))
    assert told(changes) == [("gap filled", "X", 76.0)]
    assert repaired.area.equals(grids.area)


def test_a_part_of_the_parent_that_nobody_borders_on_is_told_and_left():
    parent = sketch_grids("PP.P")
    repaired, changes = repair_tiling(sketch_grids("AB.."), parent)
    assert changes[["what", "area_m2"]].values.tolist() == [["gap left", 1.0]]
    assert repaired.area.tolist() == [1.0, 1.0]


def test_an_island_keeps_its_part_and_a_bow_tie_becomes_one_part():
    island = shapely.MultiPolygon([shapely.box(0, 0, 4, 4), shapely.box(8, 0, 9, 1)])
    eight = shapely.Polygon([(4, 0), (6, 2), (6, 4), (4, 4), (4, 2), (5.5, 0.5), (5.5, 0)])
    repaired, changes = repair_tiling(layer({"A": island, "B": eight}))
    assert repaired.is_valid.all()
    assert shapely.get_num_geometries(repaired.geometry.array).tolist() == [2, 1]
    assert "made valid" in set(changes["what"])


def test_borders_closer_than_the_snapping_distance_become_one():
    grids = layer({"A": shapely.box(0, 0, 1, 9),
                   "B": shapely.Polygon([(1.004, 0), (2, 0), (2, 9), (0.997, 9), (1.003, 5)])})
    parent = layer({"P": shapely.box(0, 0, 2, 9)}, "parent")
    repaired, changes = repair_tiling(grids, parent)
    assert shapely.coverage_is_valid(repaired.geometry.array)
    assert repaired.area.sum() == pytest.approx(18.0, abs=1e-9)
    assert set(changes["what"]) == {"border matched"}


def test_a_multipolygon_layer_stays_one():
    one = layer({"A": shapely.MultiPolygon([shapely.box(0, 0, 2, 1)]),
                 "B": shapely.MultiPolygon([shapely.box(1.5, 0, 3, 1)])})
    assert repair_tiling(one)[0].geom_type.tolist() == ["MultiPolygon", "MultiPolygon"]


def test_other_columns_and_the_order_of_rows_stay():
    grids = sketch_grids("BBB", "B.A", "BAA").loc[["B", "A"]].assign(colour=["red", "blue"])
    repaired, _ = repair_tiling(grids)
    assert repaired.index.tolist() == ["B", "A"]
    assert repaired["colour"].tolist() == ["red", "blue"]
    assert grids.area.sum() == 8.0


def voronoi(seed: int, size: int) -> tuple[GeoDataFrame, GeoDataFrame]:
    rng = np.random.default_rng(seed)
    box = shapely.box(0, 0, 1000, 1000)
    cells = shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, 1000, (size, 2))),
                                     extend_to=box, ordered=True)
    shapes = shapely.intersection(shapely.get_parts(cells), box)
    # to whole millimetres all at once, so that the layer is seamless to begin with
    shapes = shapely.set_precision(shapes, 1 / 1024, mode="pointwise")
    codes = [f"G{i:02d}" for i in range(size)]
    grids = layer(dict(zip(codes, shapes, strict=True)))
    repaired, _ = repair_tiling(grids, layer({"P": box}, "parent"))
    return repaired, layer({"P": box}, "parent")


def spoil(grids: GeoDataFrame, faults_: list[tuple[int, str]]) -> GeoDataFrame:
    shapes = grids.geometry.to_dict()
    for place, kind in faults_:
        code = grids.index[place % len(grids)]
        shape = shapes[code]
        if kind == "grow":
            shapes[code] = shape.buffer(3, join_style="mitre")
        elif kind == "shrink":
            shapes[code] = shape.buffer(-2, join_style="mitre")
        elif kind == "shift":
            shapes[code] = shapely.affinity.translate(shape, 2.5, -1.5)
        elif kind == "coarse":
            shapes[code] = shapely.simplify(shape, 5)
        else:
            xy = shapely.get_coordinates(shape)[:-1]
            xy[[0, 1]] = xy[[1, 0]]  # two corners in the wrong order
            shapes[code] = shapely.Polygon(xy)
        if shapes[code].is_empty or shapes[code].geom_type != "Polygon":
            shapes[code] = shape
    return layer(shapes)


KINDS = st.sampled_from(["grow", "shrink", "shift", "coarse", "twist"])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    size=st.integers(4, 40),
    wrong=st.lists(st.tuples(st.integers(0, 39), KINDS), min_size=1, max_size=6),
    overlaps=st.sampled_from(["border", "order", "compact"]),
)
def test_any_mixture_of_faults_is_mended_once_and_for_all(seed, size, wrong, overlaps):
    whole, parent = voronoi(seed, size)
    broken = spoil(whole, wrong)
    rule = TilingRule(overlaps=overlaps)
    repaired, changes = repair_tiling(broken, parent, rule=rule)
    check.check_tiling(repaired, parent)
    assert repaired.area.sum() == pytest.approx(1e6, rel=1e-9)
    assert repaired.index.equals(broken.index)
    assert set(repaired.geom_type) == {"Polygon"}
    # every polygon that changed is named, and none that keeps its bytes
    before, after = wkb(broken), wkb(repaired)
    assert {code for code in before if before[code] != after[code]} == set(changes["id"])
    # far from the faults nothing is touched
    spoiled = {broken.index[place % size] for place, _ in wrong}
    near = shapely.union_all(
        [*whole.geometry[list(spoiled)].buffer(9), *broken.make_valid()[list(spoiled)].buffer(9)])
    far = ~whole.intersects(near)
    assert all(before[code] == after[code] for code in broken.index[far])
    # twice is once
    again, more = repair_tiling(repaired, parent, rule=rule)
    assert wkb(again) == after
    assert len(more) == 0


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    wrong=st.lists(st.tuples(st.integers(0, 19), KINDS), min_size=1, max_size=6),
    order=st.permutations(range(20)),
)
def test_the_order_of_rows_does_not_matter(seed, wrong, order):
    whole, parent = voronoi(seed, 20)
    broken = spoil(whole, wrong)
    straight, changes = repair_tiling(broken, parent)
    mixed, changes_too = repair_tiling(broken.iloc[list(order)], parent)
    assert wkb(mixed) == wkb(straight)
    pd.testing.assert_frame_equal(changes, changes_too)


@pytest.mark.real
def test_units_of_chiayi_are_mended_across_their_town_border(real_data):
    path = real_data / "tw_base_units" / "chiayi_city_1505.parquet"
    units = geopandas.read_parquet(path).to_crs(3826).set_index("CODEBASE")
    repaired, changes = repair_tiling(units)
    check.check_tiling(repaired)
    assert len(repaired) == 1505
    assert shapely.coverage_is_valid(repaired.geometry.array)
    touched = set(changes["id"])
    kept = repaired.index[~repaired.index.isin(touched)]
    assert len(touched) < 120
    assert wkb(repaired.loc[kept]) == wkb(units.loc[kept])
    assert repaired.area.sum() == pytest.approx(units.area.sum(), rel=1e-5)
