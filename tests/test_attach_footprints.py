"""Footprints to polygons: by largest share or by point, and shares that add up."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import (
    attach_elements,
    attach_footprints,
    build_locator,
    measure_footprint_shares,
    sketch_grids,
    sketch_points,
)
from gridmap.attach.cutting import cut_footprints
from gridmap.errors import SchemaError
from gridmap.schema import CROSSWALK, check_frame
from gridmap.sketch import CRS


def buildings(*shapes):
    index = pd.Index([f"b{n}" for n in range(len(shapes))], name="element", dtype="str")
    columns = {"kind": pd.Series("building", index, dtype="str"), "count": pd.Series(1, index)}
    return geopandas.GeoDataFrame(columns, geometry=list(shapes), index=index, crs=CRS)


def overlapping(*boxes):
    codes = pd.Index([chr(65 + n) for n in range(len(boxes))], name="grid", dtype="str")
    return geopandas.GeoDataFrame(geometry=list(boxes), index=codes, crs=CRS)


def test_largest_share_wins_and_the_code_settles_a_tie():
    homes = buildings(shapely.box(0.1, 0.1, 0.9, 0.9), shapely.box(0.8, 0.2, 1.7, 0.8),
                      shapely.box(0.5, 0.2, 1.5, 0.8))
    attached = attach_footprints(homes, sketch_grids("AB"))
    assert attached.elements["grid"].tolist() == ["A", "B", "A"]
    assert attached.elements["how"].tolist() == ["inside", "largest", "border"]
    assert attached.by_grid["count_building"].tolist() == [2, 1]


def test_a_building_half_in_the_sea_goes_to_its_only_grid():
    pier = buildings(shapely.box(1.9, 0.2, 4.0, 0.8), shapely.box(5.0, 0.2, 6.0, 0.8))
    attached = attach_footprints(pier, sketch_grids("AB"))
    assert attached.elements["grid"].fillna("").tolist() == ["B", ""]
    assert attached.rejects[["id", "note"]].values.tolist() == [["b1", "outside every grid"]]


def test_point_rule_takes_a_point_inside():
    homes = buildings(shapely.box(0.8, 0.2, 1.7, 0.8))
    attached = attach_footprints(homes, sketch_grids("AB"), rule="point")
    assert attached.elements[["grid", "how"]].values.tolist() == [["B", "inside"]]


def test_entrances_decide_where_a_building_belongs():
    homes = buildings(shapely.box(0.2, 0.1, 1.3, 0.4), shapely.box(0.2, 0.5, 1.3, 0.9),
                      shapely.box(1.4, 0.1, 1.9, 0.4))
    doors = sketch_points((1.2, 0.2), (0.3, 0.6), (1.2, 0.6), (9, 9))
    attached = attach_footprints(homes, sketch_grids("AB"), rule="entrance", doors=doors)
    # One door in B; one in each, so the code decides; no door, so the largest share.
    assert attached.elements["grid"].tolist() == ["B", "A", "B"]
    assert attached.elements["how"].tolist() == ["entrance", "entrance", "inside"]
    named = doors.assign(building=["b1", "b0", "b2", None])
    attached = attach_footprints(homes, sketch_grids("AB"), rule="entrance", doors=named)
    assert attached.elements["grid"].tolist() == ["A", "B", "B"]


def test_doors_and_their_rule_go_together():
    homes, doors = buildings(shapely.box(0, 0, 1, 1)), sketch_points((0.5, 0.5))
    with pytest.raises(SchemaError, match="and doors were not given: the rule 'entrance' needs"):
        attach_footprints(homes, sketch_grids("A"), rule="entrance")
    with pytest.raises(SchemaError, match="rule is 'largest', and doors were given"):
        attach_footprints(homes, sketch_grids("A"), doors=doors)
    with pytest.raises(SchemaError, match="column building names b9, which no element is"):
        attach_footprints(homes, sketch_grids("A"), rule="entrance",
                          doors=doors.assign(building="b9"))


@given(st.randoms())
@settings(max_examples=12, deadline=None)
def test_order_of_rows_does_not_matter(chance):
    xy = np.random.default_rng(chance.randrange(9999)).uniform(0, 2.6, (12, 2)).round(1)
    homes = buildings(*shapely.box(xy[:, 0], xy[:, 1], xy[:, 0] + 0.4, xy[:, 1] + 0.4))
    grids, doors = sketch_grids("ABC", "ADC", "EEF"), sketch_points(*map(tuple, xy + 0.2))
    order, codes = list(homes.index), list(grids.index)
    chance.shuffle(order), chance.shuffle(codes)
    for options in ({}, {"rule": "point"}, {"rule": "entrance", "doors": doors}):
        one = attach_footprints(homes, grids, **options)
        other = attach_footprints(homes.loc[order], grids.loc[codes], **options)
        assert other.elements["grid"].loc[homes.index].equals(one.elements["grid"])
        assert other.by_grid.loc[grids.index].round(9).equals(one.by_grid.round(9))


def test_points_among_the_footprints_go_as_points():
    homes = buildings(shapely.box(0.8, 0.2, 1.7, 0.8), shapely.Point(1, 0.5), None)
    attached = attach_footprints(homes, sketch_grids("AB"))
    assert attached.elements["grid"].fillna("").tolist() == ["B", "A", ""]
    assert attached.elements["how"].fillna("").tolist() == ["largest", "border", ""]
    assert attached.rejects["note"].tolist() == ["there is no geometry"]


def test_nearest_serves_footprints_outside():
    homes = buildings(shapely.box(2.1, 0.2, 2.3, 0.8))
    attached = attach_footprints(homes, sketch_grids("AB"), nearest_m=0.5)
    assert attached.elements[["grid", "how"]].values.tolist() == [["B", "nearest"]]


def test_a_bow_tie_is_measured_as_it_is_mended():
    bow = shapely.Polygon([(0.5, 0.2), (1.5, 0.8), (1.5, 0.2), (0.5, 0.8)])
    shares = measure_footprint_shares(buildings(bow), sketch_grids("AB"))
    assert shares["weight"].tolist() == [0.5, 0.5]


def test_common_part_of_overlapping_grids_counts_once_for_the_first_code():
    grids = overlapping(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 3, 1), shapely.box(1, 0, 4, 1))
    homes = buildings(shapely.box(1.5, 0, 3.5, 1), shapely.box(1.2, 0.1, 1.8, 0.9))
    shares = measure_footprint_shares(homes, grids)
    assert shares[["source", "target", "weight"]].values.tolist() == [
        ["b0", "A", 0.25], ["b0", "B", 0.5], ["b0", "C", 0.25], ["b1", "A", 1.0]]


def test_overlap_is_seen_even_where_as_much_lies_outside():
    grids = overlapping(shapely.box(0, 0, 2, 1), shapely.box(1, 0, 2, 1))
    shares = measure_footprint_shares(buildings(shapely.box(0, 0, 3, 1)), grids)
    assert shares["target"].fillna("").tolist() == ["", "A"]
    assert shares["weight"].sum() == 1 and shares["weight"].iloc[0] == pytest.approx(1 / 3)


def test_unknown_rule_is_refused():
    with pytest.raises(SchemaError, match="'biggest': largest, point or entrance is needed"):
        attach_footprints(buildings(), sketch_grids("A"), rule="biggest")


def test_lines_are_refused():
    with pytest.raises(SchemaError, match="LineString in b0, where points or polygons are"):
        attach_footprints(buildings(shapely.LineString([(0, 0), (1, 1)])), sketch_grids("A"))


def test_no_footprints_give_no_shares():
    shares = measure_footprint_shares(sketch_points((0.5, 0.5)), sketch_grids("A"))
    check_frame(shares, CROSSWALK, argument="shares")
    assert len(shares) == 0


turned = st.builds(
    lambda x, y, w, h, angle: shapely.affinity.rotate(shapely.box(x, y, x + w, y + h), angle),
    st.floats(-1, 4), st.floats(-1, 4), st.floats(0.01, 2), st.floats(0.01, 2),
    st.floats(0, 90))


@given(st.lists(turned, min_size=1, max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_shares_add_up_to_exactly_one_and_agree_with_the_areas(shapes, lapped):
    grids = sketch_grids("ABC", "ADC", "EEF")
    if lapped:
        grids = grids.set_geometry(grids.buffer(0.3))
    homes = buildings(*shapes)
    shares = measure_footprint_shares(homes, grids)
    check_frame(shares, CROSSWALK, argument="shares")
    assert (shares.groupby("source")["weight"].sum() == 1).all()
    assert shares["source"].nunique() == len(shapes)
    union = grids.union_all()
    for code, shape in homes.geometry.items():
        inside = shares[(shares["source"] == code) & shares["target"].notna()]["weight"].sum()
        assert inside == pytest.approx(shape.intersection(union).area / shape.area, abs=1e-7)
        if not lapped:
            for row in shares[shares["source"] == code].dropna().itertuples():
                area = shape.intersection(grids.geometry[row.target]).area
                assert row.weight == pytest.approx(area / shape.area, abs=1e-7)


def test_row_order_does_not_matter():
    rng = np.random.default_rng(3)
    corners = rng.uniform(0, 3, (200, 2))
    homes = buildings(*shapely.box(*corners.T, *(corners + 0.4).T))
    grids = sketch_grids("ABC", "ADC", "EEF")
    attached = attach_footprints(homes, grids).elements
    again = attach_footprints(homes.sample(frac=1, random_state=1),
                              grids.sample(frac=1, random_state=2)).elements
    pd.testing.assert_frame_equal(again.loc[attached.index, ["grid", "how"]],
                                  attached[["grid", "how"]])


def test_mixed_elements_take_the_way_that_fits():
    homes = buildings(shapely.box(0.8, 0.2, 1.7, 0.8), shapely.Point(1, 0.5))
    mixed = attach_elements(homes, sketch_grids("AB")).elements
    assert mixed["how"].tolist() == ["largest", "border"]
    alone = attach_elements(homes.iloc[1:], sketch_grids("AB")).elements
    assert alone["how"].tolist() == ["border"]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, -0.4, 0.5]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_lattice_spares_cutting_and_changes_nothing(seed, grow, shifted):
    rng = np.random.default_rng(seed)
    seeds = shapely.MultiPoint(rng.uniform(0, 40, (12, 2)))
    cells = shapely.buffer(shapely.get_parts(shapely.voronoi_polygons(seeds)), grow)
    cells = shapely.transform(cells, lambda xy: xy + shifted * np.array([420_000.0, 4_100_000.0]))
    codes = pd.Index([f"{n:02}" for n in range(len(cells))], name="grid", dtype="str")
    grids = geopandas.GeoDataFrame(geometry=cells, index=codes, crs=CRS)
    corners = rng.uniform(grids.total_bounds[:2] - 2, grids.total_bounds[2:] + 2, (150, 2))
    sizes = rng.gamma(1.5, 0.8, (150, 2))
    homes = shapely.box(*corners.T, *(corners + sizes).T)
    plain = cut_footprints(homes, build_locator(grids, engine="geos"))
    spared = cut_footprints(homes, build_locator(grids, engine="numpy"))
    assert np.array_equal(plain.row, spared.row)
    assert np.array_equal(plain.position, spared.position)
    assert np.abs(plain.share - spared.share).max() < 1e-7
