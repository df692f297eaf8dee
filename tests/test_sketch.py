"""Drawn frames are true to the drawing and to their schemas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap import schema
from gridmap.pipeline import run
from gridmap.sketch import (
    save_sketch,
    sketch_grids,
    sketch_points,
    sketch_polygons,
    sketch_units,
)
from gridmap.workspace import load_config


def test_north_is_at_the_top():
    shapes = sketch_polygons("A", "B")
    assert shapes["A"].bounds == (0, 1, 1, 2)
    assert shapes["B"].bounds == (0, 0, 1, 1)


def test_dots_and_blanks_are_nothing():
    assert sketch_polygons(".A", "  ").total_bounds.tolist() == [1, 1, 2, 2]
    assert sketch_polygons().empty


def test_letter_in_two_places_is_one_polygon_of_two_parts():
    shapes = sketch_polygons("ABA")
    assert shapes.geom_type.tolist() == ["MultiPolygon", "Polygon"]
    assert shapes.index.tolist() == ["A", "B"]


@given(st.lists(st.text("ABC.", min_size=1, max_size=6), min_size=1, max_size=6),
       st.sampled_from([1.0, 0.5, 100.0]))
def test_area_is_the_number_of_squares_drawn(rows, side_m):
    shapes = sketch_polygons(*rows, side_m=side_m)
    for letter, shape in shapes.items():
        assert shape.is_valid
        assert shape.area == pytest.approx(sum(row.count(letter) for row in rows) * side_m**2)
    assert shapes.total_bounds.size == 4


def test_drawn_frames_follow_their_schemas():
    drawing = ("AAB", "CDD")
    schema.check_frame(sketch_grids(*drawing), schema.GRIDS, argument="grids")
    schema.check_frame(sketch_units(*drawing), schema.UNITS, argument="units")
    schema.check_frame(sketch_points((0, 0), (1, 1)), schema.ELEMENTS, argument="points")
    schema.check_frame(sketch_points(), schema.ELEMENTS, argument="points")


def test_one_household_and_two_people_live_in_a_square_of_any_size():
    units = sketch_units("AAB", side_m=100, territory="371002001001")
    assert units["households"].to_dict() == {"A": 2, "B": 1}
    assert units["people"].to_dict() == {"A": 4, "B": 2}
    assert set(units["territory"]) == {"371002001001"}
    assert sketch_grids("AAB", side_m=100)["area_m2"].to_dict() == {"A": 20000.0, "B": 10000.0}


def test_drawn_town_can_be_run(tmp_path):
    done = run(load_config(save_sketch(tmp_path, "AABB", "CCDD", "EEFF")))
    assert done.grids["households"].tolist() == [4, 4, 4]
    assert done.elements["grid"].notna().all()
