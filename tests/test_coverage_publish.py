"""Suppression: small counts gone, and no total that gives them away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from attacks import SMALLEST, attack
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import sketch_points, suppress_counts, suppress_places
from gridmap.errors import ProfileError, PublicationError
from gridmap.rules import Publication, load_publication


def figures(people, territory=None, **columns):
    codes = pd.Index([f"G{n:02}" for n in range(len(people))], name="grid", dtype="str")
    frame = pd.DataFrame({"territory": territory or "T", "people": people, **columns}, codes)
    return frame.astype({"territory": "str"})


def shared(*columns):
    return Publication(name="shared", smallest=SMALLEST, columns=("territory", *columns))


def test_only_allowed_columns_leave_in_the_order_of_the_list():
    by_grid = figures([50, 60], phone=["1", "2"], households=[20, 30])
    shown = suppress_counts(by_grid, shared("households", "people")).by_grid
    assert shown.columns.tolist() == ["territory", "households", "people"]
    assert shown["people"].tolist() == [50, 60]


def test_a_small_count_takes_another_with_it():
    published = suppress_counts(figures([4, 60, 90]), shared("people"))
    assert published.by_grid["people"].isna().tolist() == [True, True, False]
    assert published.suppressed.values.tolist() == [
        ["grid", "G00", "people", "small"], ["grid", "G01", "people", "protects others"]]


def test_zero_is_shown_and_missing_stays_missing():
    published = suppress_counts(figures([0, np.nan, 90]), shared("people"))
    assert published.by_grid["people"].tolist()[0] == 0
    assert len(published.suppressed) == 0


def test_two_counts_at_their_upper_end_need_a_third():
    shown = suppress_counts(figures([9, 9, 40, 50]), shared("people")).by_grid
    assert shown["people"].isna().tolist() == [True, True, True, False]


def test_enough_small_counts_hide_each_other():
    shown = suppress_counts(figures([5, 5, 5, 5, 40]), shared("people")).by_grid
    assert shown["people"].isna().tolist() == [True, True, True, True, False]


def test_a_lone_grid_takes_its_total_and_a_neighbour_with_it():
    by_grid = figures([4, 60, 70, 80], ["T", "U", "U", "V"])
    published = suppress_counts(by_grid, shared("people"))
    assert published.by_grid["people"].isna().tolist() == [True, True, False, False]
    totals = published.suppressed[published.suppressed["level"] == "territory"]
    assert totals["id"].tolist() == ["T", "U"]


def test_where_nothing_can_hide_it_the_whole_total_goes():
    published = suppress_counts(figures([4, 0]), shared("people"))
    assert published.suppressed[["level", "id"]].values.tolist() == [
        ["grid", "G00"], ["territory", "T"], ["all", "all"]]


def test_households_people_and_what_tells_them_go_together():
    by_grid = figures([12, 60, 90], households=[4, 25, 30], size_state="small",
                      households_in_reach_share=[0.5, 1.0, 0.2])
    columns = ("households", "people", "size_state", "households_in_reach_share")
    published = suppress_counts(by_grid, shared(*columns))
    for name in columns:
        assert published.by_grid[name].isna().tolist() == [True, True, False]
    reasons = published.suppressed.set_index(["id", "column"])["reason"]
    assert reasons["G00", "households"] == "small"
    assert reasons["G00", "people"] == "protects others"
    assert reasons["G00", "size_state"] == "goes with households"


def test_internal_figures_are_whole():
    by_grid = figures([4, 60], households=[1, 20])
    published = suppress_counts(by_grid, load_publication("internal"))
    assert published.by_grid["people"].tolist() == [4, 60]
    assert len(published.suppressed) == 0


def test_rows_keep_their_order_and_the_argument_its_values():
    by_grid = figures([4, 60, 90]).iloc[::-1]
    before = by_grid.copy()
    published = suppress_counts(by_grid, shared("people"))
    assert published.by_grid.index.tolist() == ["G02", "G01", "G00"]
    assert published.by_grid["people"].isna().tolist() == [False, True, True]
    assert by_grid.equals(before)


def test_parents_must_be_known():
    with pytest.raises(PublicationError, match=r"column town is absent\. Name the column"):
        suppress_counts(figures([4]), shared("people"), parent="town")
    with pytest.raises(PublicationError, match="column territory is missing in 1 rows"):
        suppress_counts(figures([4]).assign(territory=None), shared("people"))


count = st.one_of(st.integers(0, 12), st.integers(0, 60))
table = st.lists(st.tuples(st.sampled_from("TUVW"), count, count), min_size=1, max_size=14)


@given(table)
@settings(max_examples=150, deadline=None)
def test_no_attack_by_linear_programming_narrows_a_small_count(rows):
    by_grid = figures([p + h for _, h, p in rows], [t for t, _, _ in rows],
                      households=[h for _, h, _ in rows])
    published = suppress_counts(by_grid, shared("households", "people"))
    for name in ("households", "people"):
        small = by_grid.index[(by_grid[name] > 0) & (by_grid[name] < SMALLEST)]
        assert published.by_grid.loc[small, name].isna().all()
        for code, (least, most) in attack(by_grid, published, name).items():
            assert most - least >= SMALLEST - 2 - 1e-6
            if code in small:
                assert least <= 1 + 1e-6 and most >= SMALLEST - 1 - 1e-6


@given(table)
@settings(max_examples=150, deadline=None)
def test_no_attack_by_totals_of_several_levels_does_either(rows):
    by_grid = figures([p for *_, p in rows], [t for t, _, _ in rows])
    by_grid = by_grid.assign(town=by_grid["territory"].map(
        {"T": "one", "U": "one", "V": "two", "W": "two"}).astype("str"))
    levels = ("territory", "town")
    published = suppress_counts(by_grid, shared("people"), parent=levels)
    small = by_grid.index[by_grid["people"].between(1, SMALLEST - 1)]
    assert published.by_grid.loc[small, "people"].isna().all()
    for code, (least, most) in attack(by_grid, published, "people", levels).items():
        assert most - least >= SMALLEST - 2 - 1e-6
        if code in small:
            assert least <= 1 + 1e-6 and most >= SMALLEST - 1 - 1e-6


def test_totals_between_are_withheld_where_they_would_tell():
    by_grid = figures([4, 500, 300, 200], ["T", "U", "V", "V"]).assign(
        town=["one", "one", "two", "two"])
    published = suppress_counts(by_grid, shared("people"), parent=("territory", "town"))
    told = published.suppressed
    # T has one grid, so its total goes, and with it that of the other community of the town.
    assert told.loc[told["level"] == "territory", "id"].tolist() == ["T", "U"]
    assert not (told["level"] == "town").any()
    assert published.by_grid["people"].isna().tolist() == [True, True, False, False]


def test_a_parent_in_several_of_the_next_is_refused():
    by_grid = figures([50, 60]).assign(town=["one", "two"])
    with pytest.raises(PublicationError, match="territory T lie in several of town"):
        suppress_counts(by_grid, shared("people"), parent=("territory", "town"))


def test_counts_are_rounded_after_suppression_and_no_one_is_rounded_away():
    coarse = replace(shared("people", "visits"), rounding=5)
    shown = suppress_counts(figures([0, 52, 53, 98], visits=[0, 11, 12, 13]), coarse).by_grid
    assert shown["people"].tolist() == [0, 50, 55, 100]
    assert shown["visits"].tolist() == [0, 10, 10, 15]
    few = replace(shared("people"), smallest=0, rounding=5)
    assert suppress_counts(figures([1, 2]), few).by_grid["people"].tolist() == [5, 5]
    with pytest.raises(ProfileError, match="rounds to -1: 0 or more is needed"):
        replace(coarse, rounding=-1)


def test_a_share_of_nobody_is_not_applicable_and_an_unknown_one_is_not_told():
    by_grid = figures([0, 50, 60], households=[0, 20, np.nan],
                      households_in_reach_share=[np.nan, 0.0, np.nan])
    told = suppress_counts(by_grid, shared("households_in_reach_share")).suppressed
    assert told[["id", "column", "reason"]].to_numpy().tolist() == [
        ["G00", "households_in_reach_share", "not applicable"]]


def test_places_with_few_households_are_left_out_whole():
    places = sketch_points((0, 0), (1, 1), (2, 2)).assign(
        households=[9, 10, 52], people=[30, 9, 99])
    shown = suppress_places(places, load_publication("shared"))
    assert shown.index.tolist() == ["e1", "e2"]
    assert shown["people"].fillna(-1).tolist() == [-1, 99]
    assert suppress_places(places, load_publication("internal")).equals(places)
    with pytest.raises(PublicationError, match="places: column households is absent"):
        suppress_places(sketch_points((0, 0)), load_publication("shared"))


@given(table, st.randoms())
@settings(max_examples=50, deadline=None)
def test_row_order_does_not_change_what_is_suppressed(rows, chance):
    by_grid = figures([p for _, _, p in rows], [t for t, _, _ in rows])
    order = list(by_grid.index)
    chance.shuffle(order)
    one = suppress_counts(by_grid, shared("people"))
    other = suppress_counts(by_grid.loc[order], shared("people"))
    assert other.by_grid.loc[by_grid.index].equals(one.by_grid)
    assert sorted(map(tuple, other.suppressed.values)) == sorted(
        map(tuple, one.suppressed.values))
