"""Turning a weight moves its figure, and never a hard rule."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from geopandas import GeoDataFrame
from test_zoning import square_units

from gridmap import BarrierRule, SizeRule
from gridmap.errors import PartitionError
from gridmap.sketch import sketch_units
from gridmap.zoning import DrawingWeights, measure_partition, partition

SIZE = SizeRule(minimum=300, target=400, maximum=500)
RULE = BarrierRule(weights={"motorway": 1.0, "river": 0.8, "primary": 0.6, "residential": 0.2})


@cache
def town() -> GeoDataFrame:
    """Return 576 units with uneven households and a column that varies over the town."""
    rng = np.random.default_rng(1)
    units = square_units(24)
    units["households"] = rng.integers(5, 40, len(units))
    units["people"] = 2 * units["households"]
    middle = units.geometry.centroid
    units["age"] = np.sin(middle.x / 300) + np.cos(middle.y / 400) + rng.normal(0, 0.2, 576)
    return units


def lines(*kinds_and_places) -> GeoDataFrame:
    """Return lines across the town: (kind, "x" or "y", place)."""
    shapes = [shapely.LineString([(at, 0), (at, 2400)] if axis == "x" else [(0, at), (2400, at)])
              for _, axis, at in kinds_and_places]
    return GeoDataFrame({"kind": [kind for kind, *_ in kinds_and_places]}, geometry=shapes,
                        crs=town().crs, index=pd.Index([f"b{at}" for at in range(len(shapes))],
                                                       name="barrier"))


ROADS = (("motorway", "y", 700), ("river", "x", 1100), ("primary", "y", 1500),
         ("residential", "x", 1700), ("residential", "x", 500))


def figures(weights: DrawingWeights, **more) -> pd.Series:
    """Draw the town and measure it; hard rules must hold."""
    barriers = lines(*ROADS)
    drawn = partition(town(), SIZE, barriers=barriers, barrier_rule=RULE, weights=weights, **more)
    totals = measure_partition(town(), drawn.assignment, SIZE, barriers=barriers,
                               barrier_rule=RULE, likeness=["age"]).totals
    assert (totals["in_range_share"], totals["contiguous_share"]) == (1, 1)
    spread = town()["households"].groupby(drawn.assignment).sum().std()
    return pd.concat([totals, pd.Series({"size_spread": spread})])


@pytest.mark.parametrize(
    ("weight", "figure", "turns", "way"),
    [
        ("compactness", "compactness_mean", (0.0, 0.3, 3.0), "up"),
        ("balance", "size_spread", (0.0, 3.0, 30.0), "down"),
        ("barriers", "barrier_followed_share", (0.0, 0.3, 3.0), "up"),
    ],
)
def test_turning_a_weight_moves_its_figure(weight, figure, turns, way):
    told = [figures(DrawingWeights(**{weight: turn}))[figure] for turn in turns]
    steps = [after - before for before, after in pairwise(told)]
    assert all(step > 0 if way == "up" else step < 0 for step in steps), told


def test_more_likeness_makes_grids_more_alike():
    told = [figures(DrawingWeights(likeness={"age": turn}))["unlike_age"] for turn in (0, 3, 10)]
    assert told[0] > told[1] > told[2]
    assert told[2] < 0.7 * told[0]


def test_more_travel_makes_ways_shorter():
    told = [figures(DrawingWeights(compactness=0, travel=turn))["travel_m"]
            for turn in (0, 0.3, 10)]
    assert told[0] > told[1] > told[2]


@pytest.mark.parametrize(
    ("strong", "weak"), [("motorway", "river"), ("river", "primary"), ("primary", "residential")]
)
def test_a_stronger_class_of_barrier_is_followed_more(strong, weak):
    # Pairs of lines a unit apart: a grid can follow only one of them.
    pairs = [(kind, "x", at) for at in (500, 1100, 1700) for kind, at in
             ((strong, at), (weak, at + 100))]
    barriers = lines(*pairs)
    drawn = partition(town(), SIZE, barriers=barriers, barrier_rule=RULE)
    followed = [
        measure_partition(town(), drawn.assignment, SIZE, barriers=barriers[barriers["kind"] == k])
        .totals["barrier_followed_share"] for k in (strong, weak)
    ]
    assert followed[0] > followed[1]


def test_homes_draw_grids_around_them():
    rng = np.random.default_rng(3)
    places = rng.uniform(0, 2400, (29, 2))
    homes = GeoDataFrame(geometry=geopandas.points_from_xy(*places.T), crs=town().crs,
                         index=pd.Index([f"w{at:02}" for at in range(29)], name="worker"))
    far = []
    for more in ({}, {"homes": homes, "weights": DrawingWeights(travel=1)}):
        drawn = partition(town(), SIZE, **more)
        totals = measure_partition(town(), drawn.assignment, SIZE).totals
        assert (totals["in_range_share"], totals["contiguous_share"]) == (1, 1)
        middles = drawn.grids.geometry.centroid
        far.append(homes.geometry.map(lambda home, at=middles: at.distance(home).min()).mean())
    assert far[1] < 0.85 * far[0]


def test_figures_are_those_of_a_drawing_that_can_be_checked_by_hand():
    units = sketch_units("ABC", "DEF").assign(floors=[1, 1, 3, 3, 1, 3])
    # A peer's drawing: two grids, of four and of two households.
    grid_of = pd.Series({"A": "G1", "B": "G1", "D": "G1", "E": "G1", "C": "G2", "F": "G2"})
    size = SizeRule(minimum=3, target=4, maximum=5)
    totals = measure_partition(units, grid_of, size, likeness=["floors"]).totals
    assert totals["near_target_share"] == 0.5
    assert totals["off_target_max"] == 0.5
    assert totals["travel_m"] == pytest.approx((4 * 0.5**0.5 + 2 * 0.5) / 6)
    assert totals["unlike_floors"] == pytest.approx(0.5)
    with pytest.raises(PartitionError, match="units have no column age, named by likeness"):
        measure_partition(units, grid_of, size, likeness=["age"])


@pytest.mark.parametrize("weights", [
    DrawingWeights(travel=30), DrawingWeights(barriers=30), DrawingWeights(balance=100),
    DrawingWeights(likeness={"age": 50}), DrawingWeights(compactness=0, barriers=0),
])
def test_no_weight_breaks_a_hard_rule(weights):
    rng = np.random.default_rng(5)
    homes = GeoDataFrame(geometry=geopandas.points_from_xy(*rng.uniform(0, 2400, (29, 2)).T),
                         crs=town().crs, index=pd.RangeIndex(29).astype("str").rename("worker"))
    figures(weights, homes=homes)
