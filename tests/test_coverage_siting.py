"""Siting: as good as trying every choice, on what is small enough to try."""

from __future__ import annotations

from itertools import combinations

import geopandas
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from shapely import LineString

from gridmap import build_network, choose_medians, choose_sites, sketch_points
from gridmap.errors import SchemaError
from gridmap.sketch import CRS


def homes(*places, households):
    return sketch_points(*places).assign(households=households)


def distances(spots, elements):
    a = spots.get_coordinates().to_numpy()
    b = elements.get_coordinates().to_numpy()
    return np.hypot(*(a[:, None] - b).transpose(2, 0, 1))


def served(near, households, chosen, capacity=None):
    if capacity is None:
        return households[near[list(chosen)].any(axis=0)].sum()
    pairs = [(s, h) for s in chosen for h in np.flatnonzero(near[s])]
    if not pairs:
        return 0
    rows = [[float(h == k) for _, h in pairs] for k in range(len(households))]
    rows += [[float(s == k) for s, _ in pairs] for k in chosen]
    limits = [*households, *(capacity[k] for k in chosen)]
    return -linprog([-1] * len(pairs), A_ub=rows, b_ub=limits, bounds=(0, None)).fun


def test_existing_sites_stay_and_are_not_built_again():
    elements = homes((0, 0), (1, 0), (9, 0), households=[9, 4, 5])
    spots = sketch_points((0, 0), (9, 0))
    free = choose_sites(spots, elements, radius_m=1, count=1)
    assert free.chosen.index.tolist() == ["e0"]
    kept = choose_sites(spots, elements, radius_m=1, count=1, existing=sketch_points((0.5, 0)))
    assert kept.chosen["households"].to_dict() == {"e1": 5}
    assert kept.totals["share_before"] == pytest.approx(13 / 18)
    assert kept.totals["share_after"] == 1 and kept.totals["gap"] == 0


def test_the_fewest_sites_for_a_share():
    elements = homes((0, 0), (2, 0), (4, 0), (6, 0), households=[1, 1, 1, 1])
    spots = sketch_points((1, 0), (3, 0), (5, 0))
    all_of_them = choose_sites(spots, elements, radius_m=1, share=1.0)
    assert sorted(all_of_them.chosen.index) == ["e0", "e2"]
    half = choose_sites(spots, elements, radius_m=1, share=0.5)
    assert len(half.chosen) == 1 and half.totals["bound"] == 1


def test_a_share_out_of_reach_has_no_bound():
    elements = homes((0, 0), (50, 0), households=[1, 1])
    sites = choose_sites(sketch_points((0, 0)), elements, radius_m=1, share=0.9)
    assert sites.totals["share_after"] == 0.5
    assert np.isnan(sites.totals["bound"]) and np.isnan(sites.totals["gap"])


def test_capacity_limits_what_a_site_serves():
    elements = homes((0, 0), (9, 0), households=[10, 4])
    spots = sketch_points((0, 0), (0.5, 0), (9, 0)).assign(capacity=[3, 3, 9])
    sites = choose_sites(spots, elements, radius_m=1, count=2)
    assert sites.chosen["households"].to_dict() == {"e2": 4, "e0": 3}


def test_nobody_in_reach():
    sites = choose_sites(sketch_points((0, 0)), homes((9, 0), households=[1]), radius_m=1, count=1)
    assert sites.chosen["households"].tolist() == [0]
    assert sites.totals["share_after"] == 0


def test_wrong_arguments_are_named():
    elements, spots = homes((0, 0), households=[1]), sketch_points((0, 0))
    with pytest.raises(SchemaError, match="one of count and share is needed, and not both"):
        choose_sites(spots, elements, radius_m=1)
    with pytest.raises(SchemaError, match="count is 2: 1 to 1, the candidates, is needed"):
        choose_sites(spots, elements, radius_m=1, count=2)
    with pytest.raises(SchemaError, match=r"share is 1\.5: above 0, and 1 at most"):
        choose_sites(spots, elements, radius_m=1, share=1.5)
    with pytest.raises(SchemaError, match="radius_m is 0: a distance above 0"):
        choose_sites(spots, elements, radius_m=0, count=1)
    with pytest.raises(SchemaError, match="column households is absent: whom should"):
        choose_sites(spots, sketch_points((0, 0)), radius_m=1, count=1)


whole = st.integers(0, 12)
crowd = st.lists(st.tuples(whole, whole, st.integers(0, 9)), min_size=1, max_size=15)
spots_of = st.lists(st.tuples(whole, whole), min_size=1, max_size=7)


@given(crowd, spots_of, st.integers(1, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_as_good_as_trying_every_choice(people, places, count, limited):
    elements = homes(*[(x, y) for x, y, _ in people], households=[h for *_, h in people])
    spots = sketch_points(*places)
    count = min(count, len(spots))
    capacity = None
    if limited:
        capacity = np.arange(len(spots)) % 5 * 3.0
        spots = spots.assign(capacity=capacity)
    near = distances(spots, elements) <= 3
    households = elements["households"].to_numpy()
    best = max(served(near, households, c, capacity)
               for c in combinations(range(len(spots)), count))
    sites = choose_sites(spots, elements, radius_m=3, count=count)
    assert sites.totals["households"] == pytest.approx(best, abs=1e-6)
    assert len(sites.chosen) == count


@given(crowd, spots_of, st.sampled_from([0.3, 0.6, 1.0]))
@settings(max_examples=60, deadline=None)
def test_no_fewer_sites_reach_the_share(people, places, share):
    elements = homes(*[(x, y) for x, y, _ in people], households=[h for *_, h in people])
    spots = sketch_points(*places)
    near = distances(spots, elements) <= 3
    households = elements["households"].to_numpy()
    sites = choose_sites(spots, elements, radius_m=3, share=share)
    needed = share * households.sum()
    fewest = next((n for n in range(len(spots) + 1) for c in combinations(range(len(spots)), n)
                   if served(near, households, c) >= needed - 1e-9), None)
    if fewest is None:
        assert np.isnan(sites.totals["bound"])
    else:
        assert len(sites.chosen) == fewest


def mean_distance(far, households, chosen):
    return (households * far[list(chosen)].min(axis=0)).sum() / households.sum()


crowded = crowd.filter(lambda people: any(h for *_, h in people))


@given(crowded, spots_of, st.integers(1, 4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_other_choice_is_nearer_on_average(people, places, count, built):
    elements = homes(*[(x, y) for x, y, _ in people], households=[h for *_, h in people])
    spots = sketch_points(*places)
    existing = sketch_points((5, 5)) if built else None
    count = min(count, len(spots))
    far, households = distances(spots, elements), elements["households"].to_numpy()
    if built:
        far = np.minimum(far, distances(existing, elements))
    best = min(mean_distance(far, households, c) for c in combinations(range(len(spots)), count))
    sites = choose_medians(spots, elements, count=count, existing=existing)
    assert sites.totals["mean_after"] == pytest.approx(best, abs=1e-5)
    assert sites.totals["gap"] == pytest.approx(0, abs=1e-4)
    assert len(sites.chosen) == count and sites.chosen["households"].sum() <= households.sum()


@pytest.fixture(scope="module")
def town():
    chance = np.random.default_rng(3)
    elements = homes(*chance.uniform(0, 5000, (900, 2)),
                     households=chance.integers(1, 9, 900).tolist())
    return elements, sketch_points(*chance.uniform(0, 5000, (60, 2)))


def test_a_choice_too_large_to_prove_stays_within_its_bound(town):
    elements, spots = town
    sites = choose_medians(spots, elements, count=9)
    far, households = distances(spots, elements), elements["households"].to_numpy()
    chosen = spots.index.get_indexer(sites.chosen.index)
    assert sites.totals["mean_after"] == pytest.approx(
        mean_distance(far, households, chosen), rel=1e-6)
    assert sites.totals["bound"] <= sites.totals["mean_after"] + 1e-9
    assert sites.totals["gap"] < 0.02
    # Closing any chosen site for any other one is no better: there is nothing to exchange.
    best = min(mean_distance(far, households, [*np.delete(chosen, k), other])
               for k in range(9) for other in range(60))
    assert sites.totals["mean_after"] <= best * (1 + 1e-6)


def test_the_order_of_rows_changes_nothing(town):
    elements, spots = town
    one = choose_medians(spots, elements, count=5)
    other = choose_medians(spots[::-1], elements, count=5)
    assert one.chosen.equals(other.chosen)
    reached = choose_sites(spots, elements, radius_m=400, count=5)
    assert reached.chosen.equals(choose_sites(spots[::-1], elements, radius_m=400, count=5).chosen)


def test_gathered_households_have_nearly_the_same_mean(town):
    elements, spots = town
    exact = choose_medians(spots, elements, count=9).totals
    near = choose_medians(spots, elements, count=9, gather_m=100).totals
    assert near["households"] == exact["households"]
    assert near["mean_after"] == pytest.approx(exact["mean_after"], rel=0.05)


def test_sites_are_reached_along_roads_in_metres_or_minutes():
    elements, spots = homes((0, 0), (9, 0), households=[1, 5]), sketch_points((0, 3), (0, 0))
    way = geopandas.GeoDataFrame({"kind": ["path"]}, geometry=[LineString([(0, 0), (9, 0), (9, 3),
                                                                          (0, 3)])],
                                 index=pd.Index(["w"], name="barrier", dtype="str"), crs=CRS)
    straight = choose_sites(spots, elements, radius_m=9.1, count=1).chosen
    assert straight.index.tolist() == ["e1"]
    network = build_network(way)
    assert choose_sites(spots, elements, radius_m=12, count=1, network=network).totals[
        "households"] == 6
    assert choose_medians(spots, elements, count=1, network=network).totals[
        "mean_after"] == pytest.approx(9 * 5 / 6)
    timed = build_network(way, speeds_kmh=0.06)
    assert choose_sites(spots, elements, reach_min=9, count=1, network=timed).totals[
        "households"] == 6
    with pytest.raises(SchemaError, match="reach_min is None: a time above 0 in minutes"):
        choose_sites(spots, elements, radius_m=9, count=1, network=timed)


def test_where_no_way_leads_counts_as_twice_the_longest():
    way = geopandas.GeoDataFrame({"kind": ["path", "path"]}, geometry=[
        LineString([(0, 0), (9, 0)]), LineString([(50, 0), (60, 0)])],
        index=pd.Index(["a", "b"], name="barrier", dtype="str"), crs=CRS)
    elements, spots = homes((0, 0), (50, 0), households=[1, 1]), sketch_points((9, 0))
    network = build_network(way)
    told = choose_medians(spots, elements, count=1, network=network).totals
    assert told["mean_after"] == pytest.approx((9 + 18) / 2)
    near = choose_medians(spots, elements, count=1, network=network, within=5).totals
    assert near["mean_after"] == 5


def test_wrong_arguments_of_medians_are_named(town):
    elements, spots = town
    for options, message in (
        ({"count": 0}, "count is 0: 1 to 60, the candidates, is needed"),
        ({"count": 1, "within": 0}, "within is 0: a limit above 0 is needed"),
        ({"count": 1, "gather_m": -1}, "gather_m is -1: a side above 0 in metres is needed"),
    ):
        with pytest.raises(SchemaError, match=message):
            choose_medians(spots, elements, **options)
