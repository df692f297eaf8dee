"""Points to polygons: exact, by the tie rule, and nothing lost."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import attach_points, sketch_grids, sketch_points, sketch_units
from gridmap.errors import CRSError, SchemaError, TilingError
from gridmap.schema import BY_GRID, REJECTS, check_frame
from gridmap.sketch import CRS


def held(*places, grids):
    return attach_points(sketch_points(*places), grids).elements


def test_point_on_a_corner_goes_to_the_first_code():
    grids = sketch_grids("AB", "CD")
    assert held((1.0, 1.0), grids=grids)["grid"].tolist() == ["A"]


def test_order_of_the_polygons_does_not_matter():
    grids = sketch_grids("AB", "CD")
    corner = held((1.0, 1.0), (0.5, 1.0), grids=grids.iloc[::-1])
    assert corner["grid"].tolist() == ["A", "A"]


def test_how_tells_a_border_from_the_inside():
    grids = sketch_grids("AB")
    attached = held((0.5, 0.5), (1.0, 0.5), (0.0, 0.5), (5.0, 5.0), grids=grids)
    assert attached["how"].tolist()[:3] == ["inside", "border", "border"]
    assert attached["how"].isna().tolist() == [False, False, False, True]


def test_overlap_goes_to_the_first_code_and_is_no_border():
    squares = geopandas.GeoDataFrame(
        geometry=[shapely.box(0, 0, 2, 2), shapely.box(1, 0, 3, 2)],
        index=pd.Index(["B", "A"], name="grid", dtype="str"), crs=CRS)
    attached = held((1.5, 1.0), (0.5, 1.0), (1.0, 1.0), grids=squares)
    assert attached["grid"].tolist() == ["A", "B", "A"]
    assert attached["how"].tolist() == ["inside", "inside", "border"]


def test_the_column_bears_the_name_of_the_index():
    units = sketch_units("AB")
    assert attach_points(sketch_points((0.5, 0.5)), units).elements["unit"].tolist() == ["A"]


def test_every_lost_row_is_a_reject_with_its_reason():
    elements = sketch_points((0.5, 0.5), (1, 1), (2, 2), (np.nan, 0.5), (9, 9))
    shapes = elements.geometry.to_numpy().copy()
    shapes[1], shapes[2] = None, shapely.Point()
    elements = elements.set_geometry(geopandas.GeoSeries(shapes, elements.index, crs=CRS))
    attached = attach_points(elements, sketch_grids("AB"))
    check_frame(attached.rejects, REJECTS, argument="rejects")
    assert dict(zip(attached.rejects["id"], attached.rejects["note"], strict=True)) == {
        "e1": "there is no geometry", "e2": "the geometry is empty",
        "e3": "a coordinate is not a number", "e4": "outside every grid"}
    assert attached.elements["grid"].isna().sum() == len(attached.rejects)


def test_nearest_takes_what_is_close_and_says_so():
    elements = sketch_points((2.5, 0.5), (2.0, 3.0), (9.0, 9.0), (1.0, 1.5))
    attached = attach_points(elements, sketch_grids("AB"), nearest_m=0.5)
    assert attached.elements["grid"].fillna("").tolist() == ["B", "", "", "A"]
    assert attached.elements["how"].fillna("").tolist() == ["nearest", "", "", "nearest"]
    assert attached.rejects["id"].tolist() == ["e1", "e2"]


def test_counts_stand_for_every_grid_even_the_empty_ones():
    elements = sketch_points((0.5, 0.5), (1.0, 0.5), (1.5, 0.5)).assign(
        kind=["shop", "home", "home"], count=[2, 1, 5], households=[0, 1, 4])
    by_grid = attach_points(elements, sketch_grids("ABC")).by_grid
    assert by_grid.index.tolist() == ["A", "B", "C"]
    assert by_grid["rows"].tolist() == [2, 1, 0]
    assert by_grid["count_home"].tolist() == [1, 5, 0]
    assert by_grid["count_shop"].tolist() == [2, 0, 0]
    assert by_grid["households"].tolist() == [1, 4, 0]
    assert by_grid["people"].isna().all()
    assert by_grid.index.name == BY_GRID.index


def test_events_without_kind_and_count_are_counted_by_row():
    events = sketch_points((0.5, 0.5), (0.6, 0.5)).drop(columns=["kind", "count"])
    events = events.assign(opened=pd.Timestamp("2026-03-01"), closed=pd.NaT,
                           level=pd.Series([None, None], dtype="str", index=events.index))
    events.index.name = "event"
    assert attach_points(events, sketch_grids("A")).by_grid["count_event"].tolist() == [2]


def test_nothing_in_gives_nothing_out():
    elements, grids = sketch_points((0.5, 0.5)), sketch_grids("A")
    attached = attach_points(elements.iloc[:0], grids)
    assert len(attached.elements) == len(attached.rejects) == 0
    assert attached.by_grid["rows"].tolist() == [0]
    assert attach_points(elements, grids.iloc[:0]).rejects["what"].tolist() == ["outside"]


def test_arguments_stay_as_they_were():
    elements, grids = sketch_points((0.5, 0.5)), sketch_grids("BA")
    before = elements.copy(), grids.copy()
    attach_points(elements, grids)
    assert elements.equals(before[0]) and grids.equals(before[1])


def test_crs_must_be_the_same_and_in_metres():
    elements, grids = sketch_points((0.5, 0.5)), sketch_grids("A")
    with pytest.raises(CRSError, match="elements is in EPSG:4326, which is in degrees"):
        attach_points(elements.to_crs(4326), grids)
    with pytest.raises(CRSError, match=r"grids in EPSG:32650\. Bring them together"):
        attach_points(elements, grids.to_crs(32650))


def test_wrong_arguments_are_named():
    elements, grids = sketch_points((0.5, 0.5)), sketch_grids("A")
    with pytest.raises(SchemaError, match="grids: the index is called 'code', not grid or unit"):
        attach_points(elements, grids.rename_axis("code"))
    with pytest.raises(SchemaError, match="elements: the index is called 'id', not element or"):
        attach_points(elements.rename_axis("id"), grids)
    with pytest.raises(SchemaError, match=r"geometry is Polygon in e0, where points are needed\. "
                                          r"Footprints go through attach_footprints"):
        attach_points(elements.set_geometry(elements.buffer(0.1)), grids)
    with pytest.raises(SchemaError, match="nearest_m is -1: a distance above 0"):
        attach_points(elements, grids, nearest_m=-1)


def test_an_invalid_polygon_is_refused_with_its_code():
    grids = sketch_grids("A")
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(TilingError, match=r"1 polygons are not valid: A \(Self-intersection"):
        attach_points(sketch_points((0.5, 0.5)), grids.set_geometry([bow], crs=CRS))


quarter = st.integers(0, 12).map(lambda n: n / 4)


@given(st.lists(st.tuples(quarter, quarter), min_size=1, max_size=30), st.randoms())
@settings(max_examples=50, deadline=None)
def test_every_point_inside_the_tiling_gets_one_grid_in_any_order(places, chance):
    grids = sketch_grids("ABC", "ADC", "EEF")
    attached = held(*places, grids=grids)
    assert attached["grid"].notna().all()
    order = list(range(len(places)))
    chance.shuffle(order)
    codes = list(grids.index)
    chance.shuffle(codes)
    elements = sketch_points(*places).iloc[order]
    shuffled = attach_points(elements, grids.loc[codes]).elements
    assert shuffled["grid"].equals(attached["grid"].loc[shuffled.index])
    assert shuffled["how"].equals(attached["how"].loc[shuffled.index])


coordinate = st.integers(0, 8).map(float)
box = st.tuples(coordinate, coordinate, st.integers(1, 5), st.integers(1, 5)).map(
    lambda b: shapely.box(b[0], b[1], b[0] + b[2], b[1] + b[3]))


@given(st.lists(box, min_size=1, max_size=8), st.lists(st.tuples(coordinate, quarter),
                                                       min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_overlapping_boxes_agree_with_geos_point_by_point(boxes, places):
    codes = pd.Index([f"{n}" for n in range(len(boxes))], name="grid", dtype="str")
    grids = geopandas.GeoDataFrame(geometry=boxes, index=codes, crs=CRS)
    attached = held(*places, grids=grids)
    for (x, y), grid, how in zip(places, attached["grid"], attached["how"], strict=True):
        covering = [c for c, b in zip(codes, boxes, strict=True)
                    if b.intersects(shapely.Point(x, y))]
        border = any(b.boundary.intersects(shapely.Point(x, y)) for b in boxes)
        assert grid == covering[0] if covering else pd.isna(grid)
        assert how == ("border" if border else "inside") if covering else pd.isna(how)
