"""Counts by territory, the share on the map, and elements found by their address."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import (
    attach_addresses,
    attach_footprints,
    attach_points,
    measure_collected,
    measure_territories,
    sketch_grids,
    sketch_points,
)
from gridmap.errors import SchemaError


def two_towns():
    """Return four grids in two towns of one county."""
    grids = sketch_grids("ABCD").assign(territory=["T1", "T1", "T2", "T2"])
    towns = pd.DataFrame({"parent": ["K", "K", None]},
                         index=pd.Index(["T1", "T2", "K"], name="territory", dtype="str"))
    return grids, towns


def test_sums_are_made_in_the_same_pass():
    homes = sketch_points((0.5, 0.5), (0.6, 0.5), (1.5, 0.5)).assign(
        people=[1, 2, 4], meters=[1.5, np.nan, 2.0])
    by_grid = attach_points(homes, sketch_grids("ABC"), sums=["meters"]).by_grid
    assert by_grid["meters"].tolist() == [1.5, 2.0, 0.0]
    flats = homes.set_geometry(homes.buffer(0.1))
    assert attach_footprints(flats, sketch_grids("ABC"), sums=["meters"]).by_grid[
        "meters"].tolist() == [1.5, 2.0, 0.0]


def test_a_column_to_sum_must_hold_numbers():
    with pytest.raises(SchemaError, match="column kind, meters of sums=… is absent, or holds"):
        attach_points(sketch_points((0.5, 0.5)), sketch_grids("A"), sums=["kind", "meters"])


def test_territories_of_all_levels_get_their_sums():
    grids, towns = two_towns()
    homes = sketch_points((0.5, 0.5), (1.5, 0.5), (3.5, 0.5)).assign(people=[1, 2, 4])
    by_grid = attach_points(homes, grids).by_grid
    told = measure_territories(by_grid, grids, towns)
    assert told["people"].to_dict() == {"T1": 3, "T2": 4, "K": 7}
    assert told["count_address"].to_dict() == {"T1": 2, "T2": 1, "K": 3}
    assert told["households"].isna().all()
    assert measure_territories(by_grid, grids)["people"].to_dict() == {"T1": 3, "T2": 4}


def test_strange_codes_are_named():
    grids, towns = two_towns()
    by_grid = attach_points(sketch_points((0.5, 0.5)), grids).by_grid
    with pytest.raises(SchemaError, match="do not have the same codes: D"):
        measure_territories(by_grid, grids.drop(index="D"))
    with pytest.raises(SchemaError, match="territories: T2 is not there, but grids name it"):
        measure_territories(by_grid, grids, towns.drop(index="T2"))


@given(st.lists(st.integers(0, 3), max_size=30))
@settings(max_examples=30, deadline=None)
def test_territories_hold_what_their_grids_hold(columns):
    grids, towns = two_towns()
    places = [(c + 0.5, 0.5) for c in columns] or [(0.5, 0.5)]
    homes = sketch_points(*places).assign(people=range(len(places)))
    by_grid = attach_points(homes, grids).by_grid
    told = measure_territories(by_grid, grids, towns)
    assert told.loc["K", "people"] == by_grid["people"].sum() == homes["people"].sum()
    assert told.loc[["T1", "T2"], "rows"].sum() == told.loc["K", "rows"] == len(places)


def test_an_address_finds_the_grid_of_its_building():
    texts = ["崖头街道青山社区青山西路12号海韵花园3栋", "崖头街道青山社区海韵花园3号楼2单元501室",
             "成山镇西霞口村8号", None]
    homes = sketch_points((0.5, 0.5), (9, 9), (9, 9), (9, 9)).assign(
        address=pd.Series(texts, dtype="str").array)
    found = attach_points(homes, sketch_grids("AB"))
    told = attach_addresses(found, found.elements)
    assert told.elements["grid"].fillna("").tolist() == ["A", "A", "", ""]
    assert told.elements["how"].fillna("").tolist() == ["inside", "address", "", ""]
    assert told.elements["match"].fillna("").tolist() == ["", "e0", "", ""]
    assert told.rejects["note"].tolist() == [
        "outside every grid, and its address matches none", "outside every grid"]
    strict = attach_addresses(found, found.elements, lowest_score=0.95)
    assert strict.elements["grid"].fillna("").tolist() == ["A", "", "", ""]


def test_only_what_has_a_place_is_collected():
    homes = sketch_points((0.5, 0.5), (9, 9), (1.5, 0.5)).assign(
        address=["甲路1号", "甲路1号2单元", "乙路2号"], kind=["home", "home", "shop"],
        count=[2, 1, 1])
    found = attach_points(homes, sketch_grids("AB"))
    told = measure_collected(attach_addresses(found, found.elements).elements)
    assert told.loc[("A", "home"), ["elements", "collected"]].tolist() == [3, 2]
    assert told.loc[("A", "home"), "collected_share"] == pytest.approx(2 / 3)
    assert told.loc[("B", "shop"), "collected_share"] == 1
    before = measure_collected(found.elements, by=["kind"])
    assert before["collected"].to_dict() == {"home": 2, "shop": 1}


def test_what_has_no_grid_is_a_group_of_its_own():
    found = attach_points(sketch_points((0.5, 0.5), (9, 9)), sketch_grids("A"))
    told = measure_collected(found.elements, by=["grid"])
    assert told["collected"].tolist() == [1, 0]
    assert told.index.isna().tolist() == [False, True]


def test_what_is_not_attached_is_refused():
    homes = sketch_points((0.5, 0.5)).assign(address="甲路1号")
    with pytest.raises(SchemaError, match="column grid is absent: attach them to grids first"):
        measure_collected(homes)
    found = attach_points(homes, sketch_grids("A"))
    with pytest.raises(SchemaError, match="must both be attached to the same polygons"):
        attach_addresses(found, homes)
    with pytest.raises(SchemaError, match="known: column address is absent"):
        attach_addresses(found, found.elements.drop(columns="address"))
