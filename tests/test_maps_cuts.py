"""Cuts of numbers into classes are those of mapclassify, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from gridmap.maps import cuts

numbers = st.lists(
    st.one_of(st.integers(-5, 60), st.integers(0, 10**9), st.floats(-1e9, 1e9, width=32),
              st.floats(0, 1)),
    min_size=2, max_size=120)


@pytest.fixture(scope="module")
def mapclassify():
    """The library that the cuts are measured by; only tests need it."""
    return pytest.importorskip("mapclassify")


@given(given=numbers, count=st.integers(2, 6))
@settings(deadline=None)
def test_natural_breaks_are_those_of_mapclassify(mapclassify, given, count):
    values = np.sort(np.array(given, dtype="float64"))
    assume(len(np.unique(values)) >= count)
    theirs = mapclassify.FisherJenks(values, k=count).bins
    assert cuts.natural_breaks(values, count).tolist() == theirs[:-1].tolist()


@given(seed=st.integers(0, 2**32 - 1), shape=st.sampled_from(["gamma", "normal", "counts"]),
       count=st.integers(2, 6))
@settings(deadline=None, max_examples=25)
def test_natural_breaks_of_a_thousand_values_are_those_of_mapclassify(
        mapclassify, seed, shape, count):
    draw = np.random.default_rng(seed)
    values = np.sort({"gamma": lambda: draw.gamma(2, 40_000, 1_000),
                      "normal": lambda: draw.normal(0, 1, 1_000),
                      "counts": lambda: draw.poisson(300, 1_000).astype("float64")}[shape]())
    theirs = mapclassify.FisherJenks(values, k=count).bins
    assert cuts.natural_breaks(values, count).tolist() == theirs[:-1].tolist()


@given(given=numbers, count=st.integers(2, 6))
@settings(deadline=None)
def test_equal_steps_are_those_of_mapclassify(mapclassify, given, count):
    values = np.sort(np.array(given, dtype="float64"))
    assume(values[0] < values[-1])
    try:
        theirs = mapclassify.EqualInterval(values, k=count).bins
    except (ValueError, IndexError, MemoryError):  # widths that vanish beside the values
        assume(False)
    assert cuts.equal_steps(values, count).tolist() == theirs[:-1].tolist()


def test_classes_of_clear_groups_are_the_groups():
    values = np.array([1.0, 1.5, 2.0, 40.0, 41.0, 90.0])
    assert cuts.natural_breaks(values, 3).tolist() == [2.0, 41.0]


def test_one_class_has_no_bounds_inside():
    values = np.array([1.0, 2.0])
    assert cuts.natural_breaks(values, 1).tolist() == []
    assert cuts.equal_steps(values, 1).tolist() == []
