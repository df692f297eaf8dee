"""Faults of tilings are found, counted and told."""

from __future__ import annotations

import geopandas
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame

from gridmap.errors import CRSError, SchemaError, TilingError
from gridmap.rules import TilingRule
from gridmap.sketch import sketch_grids
from gridmap.tiling import check, faults


def layer(shapes: dict[str, object], index: str = "grid") -> GeoDataFrame:
    codes = pd.Index(shapes, dtype="str", name=index)
    return GeoDataFrame(geometry=geopandas.GeoSeries(list(shapes.values()), index=codes),
                        crs="EPSG:32651")


def test_a_seamless_layer_has_no_faults():
    grids = sketch_grids("AAB", "ACB")
    parent = sketch_grids("PPP", "PPP")
    check.check_tiling(grids, parent)
    assert len(faults.find_gaps(grids, parent)) == 0
    assert len(faults.find_overlaps(grids)) == 0
    assert len(faults.find_outside(grids, parent)) == 0


def test_a_gap_names_its_neighbours_but_not_who_meets_it_in_a_corner():
    gaps = faults.find_gaps(sketch_grids("DAC", "B.B", "EAF"))
    assert gaps["neighbours"].tolist() == ["A, B"]


def test_a_gap_open_to_the_outside_needs_a_parent_to_be_seen():
    grids, parent = sketch_grids("AAA", "A..", "BBB"), sketch_grids("PPP", "PPP", "PPP")
    assert len(faults.find_gaps(grids)) == 0
    assert faults.find_gaps(grids, parent)[["area_m2", "open"]].values.tolist() == [[2.0, True]]


def test_a_large_wide_hole_without_parent_is_a_lake_and_a_thin_one_a_gap():
    rule = TilingRule(lake_m2=4, lake_width_m=1)
    lake = sketch_grids("AAAA", "A..B", "A..B", "AABB")
    assert len(faults.find_gaps(lake, rule=rule)) == 0
    thin = sketch_grids("AAAAAA", "A....B", "AAAABB")
    assert faults.find_gaps(thin, rule=rule)["area_m2"].tolist() == [4.0]


def test_a_hole_of_the_parent_is_no_gap():
    ring = sketch_grids("AAA", "A.B", "ABB")
    assert len(faults.find_gaps(ring, sketch_grids("PPP", "P.P", "PPP"))) == 0


def test_three_polygons_over_one_place_make_three_pairs():
    box = shapely.box(0, 0, 2, 2)
    overlaps = faults.find_overlaps(layer({"C": box, "A": box, "B": box}))
    assert overlaps[["first", "second"]].values.tolist() == [["A", "B"], ["A", "C"], ["B", "C"]]


def test_an_enclave_without_a_hole_for_it_overlaps():
    overlaps = faults.find_overlaps(
        layer({"A": shapely.box(0, 0, 9, 9), "B": shapely.box(4, 4, 5, 5)}))
    assert overlaps["area_m2"].tolist() == [1.0]


def test_a_fault_thinner_than_the_snapping_distance_is_let_pass():
    grids = layer({"A": shapely.box(0, 0, 1, 9), "B": shapely.box(1.004, 0, 2, 9)})
    parent = layer({"P": shapely.box(0, 0, 2, 9)}, "parent")
    check.check_tiling(grids, parent)
    with pytest.raises(TilingError, match=r"leave 1 gap, 0\.0 m² in all: between A, B"):
        check.check_tiling(grids, parent, rule=TilingRule(snap_m=0.001))


def test_children_must_stay_inside_the_parent_that_they_name():
    grids = sketch_grids("AB").assign(parent=["P", "P"])
    parents = sketch_grids("PQ")
    outside = faults.find_outside(grids, parents.loc[["P", "Q"]])
    assert outside[["id", "area_m2", "whole"]].values.tolist() == [["B", 1.0, True]]
    assert len(faults.find_outside(grids.drop(columns="parent"), parents)) == 0


def test_small_parts_and_small_polygons_are_slivers():
    two = shapely.MultiPolygon([shapely.box(0, 0, 9, 9), shapely.box(20, 0, 20.1, 1)])
    slivers = faults.find_slivers(layer({"A": two, "B": shapely.box(30, 0, 30.5, 1)}))
    assert slivers[["id", "parts"]].values.tolist() == [["B", 1], ["A", 2]]


def test_the_message_counts_every_kind_of_fault_and_carries_the_codes():
    shapes = {"G1": shapely.box(0, 0, 10, 10), "G2": shapely.box(9, 0, 20, 10),
              "G3": shapely.box(21, 0, 30, 11)}
    parent = layer({"P": shapely.box(0, 0, 30, 10)}, "parent")
    with pytest.raises(TilingError) as caught:
        check.check_tiling(layer(shapes), parent)
    assert str(caught.value) == (
        "grids overlap in 1 place, 10.0 m² in all: G1/G2 (10.0 m²); they leave 1 gap, 10.0 m² in "
        "all: between G2, G3 (10.0 m²); they leave their parent in 1 place, 9.0 m² in all: G3 "
        "(9.0 m²). Grids of a tiling may share borders only. See them with find_overlaps(grids) "
        "and find_gaps(grids, parent) and find_outside(grids, parent), or mend them with "
        "repair_tiling(grids, parent)."
    )
    assert caught.value.rows == ("G1", "G2", "G3")


def test_a_ring_that_crosses_itself_is_told():
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    with pytest.raises(TilingError, match="have 1 ring that crosses or touches itself: A"):
        check.check_tiling(layer({"A": bow}))


def test_rows_without_a_polygon_are_named_together():
    with pytest.raises(SchemaError, match=r"geometry is missing or empty in A; .* not a polygon"):
        faults.find_gaps(layer({"A": None, "B": shapely.Point(0, 0)}))
    twice = pd.concat([sketch_grids("A"), sketch_grids("A")])
    with pytest.raises(SchemaError, match="the index repeats A"):
        faults.find_overlaps(twice)


def test_degrees_are_refused():
    with pytest.raises(CRSError, match="polygons is in EPSG:4326, which is in degrees"):
        faults.find_gaps(sketch_grids("AB").to_crs(4326))


def test_an_unknown_parent_is_named():
    grids = sketch_grids("AB").assign(parent=["P", "X"])
    with pytest.raises(SchemaError, match=r"grids name a parent that .* does not have, in B"):
        faults.find_outside(grids, sketch_grids("PQ"))


def test_an_empty_layer_leaves_its_parent_as_one_gap():
    parent = sketch_grids("PP")
    assert faults.find_gaps(parent.iloc[:0], parent)["area_m2"].tolist() == [2.0]
    assert len(faults.find_gaps(parent.iloc[:0])) == 0


@pytest.mark.real
def test_villages_of_taiwan_overlap_in_one_place_and_have_seven_odd_rings(real_data):
    path = real_data / "tw_villages" / "taiwan_admin_2021.gpkg"
    villages = geopandas.read_file(path, layer="villages").to_crs(3826).set_index("VILLCODE")
    assert (~villages.is_valid).sum() == 7
    overlaps = faults.find_overlaps(villages)
    assert overlaps["area_m2"].round(2).tolist() == [4.66, 4.66, 4.66]
    assert len(faults.find_gaps(villages)) == 0
