"""Classes and colours: what every output is drawn from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap import errors
from gridmap.maps import legend, style
from gridmap.maps.style import ClassRule, find_classes, measure_classes

numbers = st.lists(
    st.one_of(st.integers(0, 5_000), st.floats(0, 1, allow_nan=False), st.none()), max_size=60)


@settings(deadline=None)
@given(numbers, st.sampled_from(style.METHODS), st.integers(2, 6))
def test_every_value_falls_into_exactly_one_class(values, method, count):
    series = Series(values, dtype="float64")
    classes = measure_classes(series, rule=ClassRule(method=method, count=count))
    found = find_classes(series, classes)
    assert classes["count"].sum() == len(series)
    tallied = np.bincount(found, minlength=len(classes)) if len(found) else np.zeros(0)
    assert tallied.tolist() == classes["count"].tolist()


@settings(deadline=None)
@given(numbers)
def test_the_order_of_rows_does_not_matter(values):
    series = Series(values, dtype="float64")
    rule = ClassRule(method="natural breaks")
    pd.testing.assert_frame_equal(
        measure_classes(series, rule=rule), measure_classes(series[::-1], rule=rule))


def test_unknown_is_a_class_of_its_own_and_not_zero():
    classes = measure_classes(Series([0.0, 0.0, 5.0, None]))
    unknown = classes.iloc[-1]
    assert unknown["count"] == 1 and unknown["colour"] == style.UNKNOWN
    assert classes.loc[0, ["lower", "upper", "count"]].tolist() == [0.0, 0.0, 2]


def test_breaks_are_rounded_so_that_a_person_can_read_them():
    values = Series(np.random.default_rng(7).lognormal(6, 1, 5_000))
    for method in style.METHODS:
        inner = measure_classes(values, rule=ClassRule(method=method))["upper"].iloc[:-1]
        assert all(len(f"{bound:.15g}".strip("0").replace(".", "")) <= 3 for bound in inner)


def test_given_breaks_are_taken_as_they_are():
    classes = measure_classes(Series([250, 320, 480, 900]), rule=ClassRule(breaks=(300, 500)))
    assert classes["upper"].tolist() == [300, 500, 900]
    assert classes["count"].tolist() == [1, 2, 1]


def test_a_meaning_keeps_its_colour_and_place():
    classes = measure_classes(Series(["large", "in range", "in range", "small"]))
    assert classes["value"].tolist() == ["in range", "small", "large"]
    alone = measure_classes(Series(["large"]))
    assert alone["colour"].iloc[0] == classes["colour"].iloc[2]


def test_many_categories_end_in_one_class_of_the_rest():
    values = Series([f"kind {n}" for n in range(12) for _ in range(12 - n)])
    classes = measure_classes(values)
    assert classes["value"].tolist()[-1] == "other"
    assert classes["count"].sum() == len(values)
    assert find_classes(values, classes).max() == len(classes) - 1


def test_dark_is_more():
    def lightness(colour):
        return sum(int(colour[at:at + 2], 16) * w for at, w in ((1, .21), (3, .72), (5, .07)))

    for palette in style.SEQUENCES:
        steps = [lightness(colour) for colour in style.sequence_colours(6, palette)]
        assert steps == sorted(steps, reverse=True)


@pytest.mark.parametrize(("options", "message"), [
    ({"method": "jenks"}, "there is no class method 'jenks'. Methods are quantiles"),
    ({"palette": "RdYlGn"}, "there is no palette 'RdYlGn'. Palettes are viridis, cividis"),
    ({"count": 9}, "a map can have 2 to 6 classes, not 9"),
    ({"breaks": (5, 3)}, "breaks are 5, 3: up to 5 ascending numbers are needed"),
])
def test_a_rule_that_cannot_be_followed_is_refused(options, message):
    with pytest.raises(errors.ProfileError, match=message):
        ClassRule(**options)


def test_classes_of_whole_numbers_do_not_share_a_bound():
    classes = measure_classes(Series([1, 2, 3, 4]), rule=ClassRule(count=2))
    assert [name.en for name in legend.name_classes(classes, "households")] == ["1 – 2", "3 – 4"]


def test_no_class_is_empty_where_most_values_are_the_largest():
    values = pd.Series([0.94, 0.99, *[1.0] * 30])
    classes = measure_classes(values, rule=ClassRule(method="quantiles"))
    assert (classes["count"] > 0).all() and classes["upper"].iloc[-1] == 1.0
