"""Published totals over buildings: whole numbers, conserved, nothing dropped in silence."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import attach_population, sketch_points, sketch_units
from gridmap.attach.counts import share_out
from gridmap.errors import SchemaError
from gridmap.sketch import CRS, sketch_polygons


def territories(*rows, **columns):
    shapes = sketch_polygons(*rows)
    index = shapes.index.rename("territory")
    frame = geopandas.GeoDataFrame(columns, geometry=shapes.to_numpy(), index=index, crs=CRS)
    return frame.assign(level="town", name=[f"Town {code}" for code in index])


def homes(*corners, side=0.4, **columns):
    """Draw buildings as squares around the given places."""
    elements = sketch_points(*corners, kind="building")
    square = elements.buffer(side / 2, cap_style="square")
    return elements.set_geometry(square).assign(**columns)


def test_people_follow_floor_area_and_missing_floors_count_once():
    elements = homes((0.3, 0.5), (0.7, 0.5), (1.5, 0.5), floors=[3, np.nan, 2])
    spread = attach_population(territories("AB", people=[8, 5]), elements)
    assert spread.elements["people"].tolist() == [6, 2, 5]
    assert spread.elements["people"].dtype == "int64"
    assert len(spread.left_over) == len(spread.changes) == 0


def test_a_territory_without_buildings_is_left_over_by_name():
    spread = attach_population(territories("ABC", people=[8, 5, 0]), homes((0.5, 0.5)))
    assert spread.left_over[["name", "people", "reason"]].values.tolist() == [
        ["Town B", 5, "no element to go to"]]


def test_equal_remainders_are_served_by_code_whatever_the_row_order():
    elements = homes((0.2, 0.5), (0.5, 0.5), (0.8, 0.5), side=0.1)
    towns = territories("A", households=[4])
    for order in ([0, 1, 2], [2, 0, 1]):
        spread = attach_population(towns, elements.iloc[order]).elements["households"]
        assert spread.to_dict() == {"e0": 2, "e1": 1, "e2": 1}


def test_only_wanted_kinds_take_part_unless_there_are_none():
    elements = homes((0.3, 0.5), (0.7, 0.5), (1.5, 0.5)).assign(kind=["home", "mill", "mill"])
    spread = attach_population(territories("AB", people=[8, 5]), elements, kinds=["home"])
    assert spread.elements["people"].tolist() == [8, 0, 5]
    assert spread.changes[["what", "id"]].values.tolist() == [["spread over all kinds", "B"]]


def test_weights_of_zero_spread_evenly_and_say_so():
    elements = sketch_points((0.3, 0.5), (0.7, 0.5))
    spread = attach_population(territories("A", people=[4]), elements)
    assert spread.elements["people"].tolist() == [2, 2]
    assert spread.changes[["what", "id"]].values.tolist() == [["spread evenly", "A"]]


def test_unknown_totals_stay_unknown():
    elements = homes((0.5, 0.5), (1.5, 0.5), (9.5, 0.5))
    spread = attach_population(territories("AB", people=[8, np.nan]), elements)
    assert spread.elements["people"].isna().tolist() == [False, True, True]
    assert spread.changes[["what", "id"]].values.tolist() == [
        ["total unknown", "B"], ["total unknown", "e1"], ["total unknown", "e2"]]
    assert len(spread.left_over) == 0
    nothing = attach_population(territories("A", people=[np.nan]), elements)
    assert nothing.elements["people"].isna().all()


def test_the_part_beyond_a_whole_number_is_left_over():
    spread = attach_population(territories("A", people=[8.25]), homes((0.5, 0.5)))
    assert spread.elements["people"].tolist() == [8]
    assert spread.left_over[["people", "reason"]].values.tolist() == [
        [0.25, "beyond a whole number"]]


def test_any_column_can_weigh():
    elements = sketch_points((0.3, 0.5), (0.7, 0.5)).assign(flats=[1, 3])
    spread = attach_population(territories("A", people=[8]), elements, weight="flats")
    assert spread.elements["people"].tolist() == [2, 6]


def test_wrong_arguments_are_named():
    elements, towns = sketch_points((0.5, 0.5)), territories("A", people=[8])
    table = pd.DataFrame(towns[["people"]])
    with pytest.raises(SchemaError, match="totals have no polygons: one of the two"):
        attach_population(table, elements)
    with pytest.raises(SchemaError, match="weight is 'flats': floor_area, area, count or a"):
        attach_population(towns, elements, weight="flats")
    with pytest.raises(SchemaError, match="none of the columns pupils is there"):
        attach_population(towns, elements, measures=["pupils"])
    with pytest.raises(SchemaError, match="column people is below 0 or not finite in A"):
        attach_population(towns.assign(people=-1), elements)
    with pytest.raises(SchemaError, match="weight flats is below 0 or not finite in e0"):
        attach_population(towns, elements.assign(flats=-1.0), weight="flats")
    with pytest.raises(SchemaError, match="a unique index called 'territory' is needed"):
        attach_population(towns.rename_axis("town"), elements)


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0.001, 1e6)), min_size=1, max_size=60),
       st.lists(st.integers(0, 10**6), min_size=6, max_size=6))
@settings(max_examples=100, deadline=None)
def test_totals_are_conserved_and_nobody_is_off_by_more_than_one(members, totals):
    group = np.array([g for g, _ in members])
    weights = np.array([w for _, w in members])
    shares = share_out(np.array(totals, dtype=float), weights, group)
    for g in set(group.tolist()):
        mine = group == g
        assert shares[mine].sum() == totals[g]
        quota = totals[g] * weights[mine] / weights[mine].sum()
        assert (np.abs(shares[mine] - quota) < 1 + 1e-6).all()


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 2)), max_size=30),
       st.lists(st.integers(0, 500), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_people_in_equal_people_spread_and_left_over(places, totals):
    towns = territories("AAB", "CAB", people=totals)
    elements = homes(*places, side=0.3) if places else sketch_points()
    spread = attach_population(towns, elements)
    assert spread.elements["people"].sum() + spread.left_over["people"].sum() == sum(totals)
    assert shapely.equals(spread.elements.geometry.to_numpy(), elements.geometry.to_numpy()).all()


def test_totals_go_over_land_where_no_buildings_are_known():
    units = sketch_units("AABC").assign(territory="T")
    totals = pd.DataFrame({"people": [10, 3], "households": [4, 1]},
                          index=pd.Index(["T", "V"], name="territory", dtype="str"))
    spread = attach_population(totals, units, weight="area")
    assert spread.elements["people"].tolist() == [5, 3, 2]
    assert spread.elements["households"].tolist() == [2, 1, 1]
    assert spread.left_over["people"].to_dict() == {"V": 3}
    assert len(spread.changes) == 0
