"""Siting: as good as trying every choice, on what is small enough to try."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from gridmap import choose_sites, sketch_points
from gridmap.errors import SchemaError


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
