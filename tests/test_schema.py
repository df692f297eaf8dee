"""A frame follows its schema, or all its faults are told together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import schema
from gridmap.errors import CRSError, SchemaError
from gridmap.sketch import sketch_grids, sketch_points, sketch_units


def told(frame, kind=schema.GRIDS):
    """Return what is said about a frame that does not follow its schema."""
    with pytest.raises(SchemaError, match=r"^frame: ") as caught:
        schema.check_frame(frame, kind, argument="frame")
    return caught.value


@pytest.mark.parametrize("kind", schema.ALL, ids=lambda kind: kind.name)
def test_empty_frame_of_every_schema_follows_it(kind):
    frame = schema.empty_frame(kind, crs="EPSG:32651")
    schema.check_frame(frame, kind, argument="frame")
    assert list(frame.columns.drop("geometry", errors="ignore")) == [
        column.name for column in kind.columns]


@pytest.mark.parametrize("kind", schema.ALL, ids=lambda kind: kind.name)
def test_every_schema_says_what_each_column_means(kind):
    names = [column.name for column in kind.columns]
    assert len(set(names)) == len(names)
    assert kind.meaning
    assert all(column.meaning for column in kind.columns)
    assert kind.index not in names


def test_quantities_bear_their_unit():
    units = {"_m": "m", "_m2": "m²", "_share": "0 to 1"}
    for kind in schema.ALL:
        for column in kind.columns:
            for ending, unit in units.items():
                if column.name.endswith(ending):
                    assert column.unit == unit, (kind.name, column.name)


def test_links_between_frames_bear_the_name_of_the_index_they_point_to():
    indexes = {kind.index for kind in schema.ALL}
    for column in (schema.ELEMENTS.column("grid"), schema.UNITS.column("territory")):
        assert column.name in indexes


def test_column_unknown_to_a_schema_is_told():
    with pytest.raises(KeyError, match="GRIDS has no column 'colour'"):
        schema.GRIDS.column("colour")


def test_further_columns_are_welcome():
    schema.check_frame(sketch_grids("AB").assign(colour="red"), schema.GRIDS, argument="grids")


def test_all_faults_are_told_together_with_their_rows():
    grids = sketch_grids("AB", "CD").drop(columns="people")
    grids.loc["B", "area_m2"] = np.nan
    grids.loc["C", "households"] = -1
    error = told(grids)
    assert str(error) == (
        "frame: column households is below 0 in C; column people is absent; column area_m2 is "
        "missing in B. Schema GRIDS in docs/schemas.md lists what is needed.")
    assert error.rows == ("C", "B")


def test_codes_are_text_always():
    grids = sketch_grids("AB")
    grids.index = pd.Index([371002001001, 371002001002], name="grid")
    assert "the index is int64, not text: codes are text always" in str(told(grids))


def test_index_has_the_right_name_and_no_code_twice_or_missing():
    grids = sketch_grids("ABC")
    grids.index = pd.Index(["A", "A", None], dtype="str", name="code")
    message = str(told(grids))
    assert "the index is called 'code', not 'grid'" in message
    assert "1 index values are missing" in message
    assert "the index repeats A" in message


@pytest.mark.parametrize(("column", "value", "message"), [
    ("territory", 7, "column territory is int64, not text"),
    ("people", "many", "column people is str, not count"),
    ("people", True, "column people is bool, not count"),
    ("people", float("inf"), "column people is without end in A, B"),
    ("territory", None, "column territory is missing in A, B"),
])
def test_column_of_the_wrong_kind_is_told(column, value, message):
    assert message in str(told(sketch_grids("AB").assign(**{column: value})))


def test_unknown_households_of_a_grid_are_missing_not_nothing():
    grids = sketch_grids("AB").assign(households=float("nan"))
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    nullable = sketch_grids("AB")
    nullable["households"] = pd.array([1, None], dtype="Int64")
    schema.check_frame(nullable, schema.GRIDS, argument="grids")
    units = sketch_units("AB").assign(households=float("nan"))
    assert "column households is missing in A, B" in str(told(units, schema.UNITS))


def test_column_that_stands_twice_is_told():
    grids = sketch_grids("AB")
    twice = pd.concat([grids, grids[["people"]]], axis=1)
    assert "column people stands 2 times" in str(told(twice))


def test_times_and_text_are_told_apart():
    events = sketch_points((0, 0)).assign(opened="2026-03-01", closed=pd.NaT, level=None)
    events.index.name = "event"
    assert "column opened is str, not time" in str(told(events, schema.EVENTS))


def test_geometry_is_there_and_of_the_right_type():
    points = sketch_points((0, 0), (1, 1))
    grids = sketch_grids("AB")
    grids.loc["A", "geometry"] = points.geometry.iloc[0]
    grids.loc["B", "geometry"] = None
    message = str(told(grids))
    assert "geometry is missing or empty in B" in message
    assert "geometry is Point in A, where Polygon or MultiPolygon is needed" in message
    bare = pd.DataFrame(sketch_grids("A").drop(columns="geometry"))
    assert "it has no geometry" in str(told(bare))


def test_empty_geometry_counts_as_missing():
    grids = sketch_grids("AB")
    grids.loc["B", "geometry"] = shapely.Polygon()
    assert told(grids).rows == ("B",)


@given(st.permutations("ABCDEFG"))
@settings(deadline=None)
def test_check_does_not_depend_on_the_order_of_rows(order):
    grids = sketch_grids("ABCDEFG").loc[list(order)]
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    faulty = grids.assign(people=grids["people"].where(grids.index != "D", -1))
    assert told(faulty).rows == ("D",)


def test_check_changes_nothing():
    grids = sketch_grids("AB")
    before = grids.copy()
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    assert_geodataframe_equal(grids, before)


def test_frames_in_one_crs_in_metres_are_accepted():
    schema.check_metric_crs(grids=sketch_grids("AB"), elements=sketch_points((0, 0)))


@pytest.mark.parametrize(("crs", "message"), [
    (4326, r"grids is in EPSG:4326, which is in degrees\. Areas and distances need metres"),
    (4490, r"grids is in EPSG:4490, which is in degrees"),
    (2263, r"grids is in EPSG:2263, which is in US survey foot"),
    (4978, r"grids is in EPSG:4978, which is in no projection"),
])
def test_crs_that_is_not_in_metres_is_refused(crs, message):
    grids = sketch_grids("AB").set_crs(crs, allow_override=True)
    with pytest.raises(CRSError, match=message):
        schema.check_metric_crs(grids=grids)


def test_frames_without_a_crs_or_in_two_are_refused():
    grids = sketch_grids("AB")
    with pytest.raises(CRSError, match=r"homes has no CRS\. Set the one it was made in: homes\."):
        schema.check_metric_crs(grids=grids, homes=grids.set_crs(None, allow_override=True))
    message = (r"grids is in EPSG:32651 and homes in EPSG:32650\. Bring them together: "
               r"homes\.to_crs\(grids\.crs\)")
    with pytest.raises(CRSError, match=message):
        schema.check_metric_crs(grids=grids, homes=grids.to_crs(32650))


def test_crs_has_a_short_name():
    grids = sketch_grids("A")
    assert schema.crs_name(grids) == "EPSG:32651"
    assert schema.crs_name(grids.set_crs(None, allow_override=True)) == "no CRS"
    local = "+proj=tmerc +lat_0=0 +lon_0=121.5 +ellps=GRS80 +units=m"
    assert schema.crs_name(grids.set_crs(local, allow_override=True)) == "unknown"
