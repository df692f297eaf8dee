"""Buildings beside residents: no cell cuts them, and they weigh nothing."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import build_units, sketch_grids
from gridmap.pipeline.units import dwellings
from gridmap.sketch import CRS
from gridmap.tiling.living import gather


def elements(shapes, households):
    index = pd.Index([f"e{n:03}" for n in range(len(shapes))], name="element", dtype="str")
    return geopandas.GeoDataFrame(
        {"kind": pd.Series("thing", index, dtype="str"), "count": 1, "households": households},
        geometry=list(shapes), index=index, crs=CRS)


def a_street_of_houses():
    """Return a block of 300 by 60 m with long houses, and doors in front of each."""
    houses = [shapely.box(x, 20, x + 90, 40) for x in (10, 105, 200)]
    doors = [shapely.Point(x + dx, 18) for x in (10, 105, 200) for dx in range(5, 90, 10)]
    return elements([*houses, *doors], [np.nan] * 3 + [10.0] * len(doors))


def test_footprints_come_along_and_count_nothing():
    street = a_street_of_houses()
    shown = dwellings(street)
    assert len(shown) == len(street)
    assert shown["count"].tolist() == [0] * 3 + [1] * (len(street) - 3)
    assert street["count"].eq(1).all()


def test_without_residents_there_is_nothing_to_divide_by():
    assert dwellings(a_street_of_houses().iloc[:3]) is None
    assert dwellings(None) is None
    doors = a_street_of_houses().iloc[3:]
    assert dwellings(doors).index.equals(doors.index)


def test_cells_go_round_the_houses():
    town = sketch_grids("T", side_m=300.0)[["geometry"]]
    town = town.rename_axis("territory").assign(level="town", parent=None)
    street = a_street_of_houses()

    def cut(units):
        parts = shapely.area(shapely.intersection(
            street.geometry.to_numpy()[:3, None], units.geometry.to_numpy()[None]))
        return int(((parts > 1).sum(axis=1) > 1).sum())

    alone = build_units(town, elements=street.iloc[3:], largest_households=40).units
    both = build_units(town, elements=dwellings(street), largest_households=40).units
    assert len(alone) > 3 and len(both) > 1
    assert cut(alone) > 0
    assert cut(both) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(0, 9)), max_size=20),
       st.randoms())
@settings(max_examples=50, deadline=None)
def test_spots_add_up_in_any_order(rows, chance):
    table = np.array(rows, dtype="float64").reshape(-1, 3)
    order = list(range(len(table)))
    chance.shuffle(order)
    spots, weight = gather(table[:, :2], table[:, 2])
    again, other = gather(table[order, :2], table[order, 2])
    assert np.array_equal(spots, again) and np.array_equal(weight, other)
    assert weight.sum() == pytest.approx(table[:, 2].sum())
    assert len(np.unique(spots, axis=0)) == len(spots)
