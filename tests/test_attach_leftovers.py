"""Left-over elements and repeated ones."""

from __future__ import annotations

import numpy as np
import pytest

from gridmap import (
    attach_elements,
    attach_footprints,
    attach_leftovers,
    attach_points,
    find_repeated,
    sketch_grids,
    sketch_points,
)
from gridmap.errors import SchemaError


def test_the_community_takes_what_no_grid_holds_and_the_rest_is_rejected():
    towns = sketch_grids("TTU").rename_axis("territory")
    elements = sketch_points((0.5, 0.5), (1.5, 0.5), (2.5, 0.5), (9, 9))
    attached = attach_leftovers(attach_points(elements, sketch_grids("A")), towns)
    assert attached.elements["territory"].fillna("").tolist() == ["", "T", "U", ""]
    assert attached.elements["how"].fillna("").tolist() == ["inside", "fallback", "fallback", ""]
    assert attached.elements["grid"].fillna("").tolist() == ["A", "", "", ""]
    assert attached.rejects[["id", "note"]].values.tolist() == [
        ["e3", "outside every territory"]]


def test_a_territory_named_by_the_source_stays_where_no_community_takes_the_row():
    towns = sketch_grids("T").rename_axis("territory")
    elements = sketch_points((0.5, 0.5), (9, 9)).assign(territory=["X", "Y"])
    attached = attach_leftovers(attach_points(elements, sketch_grids(".A")), towns)
    assert attached.elements["territory"].tolist() == ["T", "Y"]


def test_grids_are_no_communities():
    attached = attach_elements(sketch_points((0.5, 0.5)), sketch_grids("A"))
    with pytest.raises(SchemaError, match="territories: the index is called 'grid', not"):
        attach_leftovers(attached, sketch_grids("A"))


def test_same_place_and_same_kind_is_a_repeat():
    elements = sketch_points((1.02, 1.02), (1.03, 1.03), (1.02, 1.02), (5, 5), (np.nan, 1))
    elements = elements.assign(kind=["shop", "shop", "home", "shop", "shop"])
    repeated = find_repeated(elements.iloc[::-1])
    assert repeated["first"].to_dict() == {"e0": "e0", "e1": "e0"}
    assert repeated["rows"].tolist() == [2, 2]
    assert len(find_repeated(elements, columns=())) == 3


def test_wrong_arguments_are_named():
    with pytest.raises(SchemaError, match="elements: column address is absent"):
        find_repeated(sketch_points((0, 0)), columns=("address",))
    with pytest.raises(SchemaError, match="place_m is 0: a side above 0 in metres"):
        find_repeated(sketch_points((0, 0)), place_m=0)


def test_floor_area_is_carried_to_the_grids():
    homes = sketch_points((0.5, 0.5), (1.5, 0.5), kind="building").assign(floors=[3, np.nan])
    homes = homes.set_geometry(homes.buffer(0.25, cap_style="square"))
    by_grid = attach_footprints(homes, sketch_grids("AB")).by_grid
    assert by_grid["footprint_m2"].tolist() == [0.25, 0.25]
    assert by_grid["floor_area_m2"].tolist() == [0.75, 0.25]


def test_an_address_written_twice_is_found_wherever_it_stands():
    homes = sketch_points((0.5, 0.5), (9, 9), (0.5, 0.5), (5, 5)).assign(
        address=["甲路1号", "甲路1号", None, None])
    told = find_repeated(homes, place_m=None, columns=("address",))
    assert told.values.tolist() == [["e0", 2], ["e0", 2]]
    assert told.index.tolist() == ["e0", "e1"]
