"""Every row accounted for: changes are typed text, and a ledger that leaks is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap import ledger, schema
from gridmap.errors import LedgerError


def test_one_value_is_said_of_every_row_and_a_list_row_by_row():
    changes = ledger.note_changes(
        ["G1", "G2"], step="mend", what="gap filled", after=["x", "y"], area_m2=[1, 2.5],
        note="beside the river")
    schema.check_frame(changes, schema.CHANGES, argument="changes")
    assert changes["after"].tolist() == ["x", "y"]
    assert changes["area_m2"].tolist() == [1.0, 2.5]
    assert changes["note"].tolist() == ["beside the river"] * 2
    assert changes.index.tolist() == [0, 1]


def test_columns_of_another_frame_can_be_told_as_they_are():
    units = pd.DataFrame({"people": [3, 4]}, index=["b", "a"])
    changes = ledger.note_changes(units.index, step="load", what="odd", before=units["people"])
    assert changes[["id", "before"]].values.tolist() == [["b", "3"], ["a", "4"]]


@pytest.mark.parametrize("nothing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_stays_missing_and_is_never_the_word_nan(nothing):
    changes = ledger.note_changes([nothing], step="load", what="odd", before=[nothing],
                                  after=nothing)
    assert changes[["id", "before", "after", "note"]].isna().all(axis=None)


def test_nothing_to_note_is_a_frame_of_no_rows():
    changes = ledger.note_changes([], step="mend", what="gap filled", before=[], note="x")
    schema.check_frame(changes, schema.CHANGES, argument="changes")
    assert changes.empty
    assert ledger.join_changes().equals(changes)
    assert ledger.join_changes(changes, changes).equals(changes)


def test_joined_changes_keep_their_order_and_are_numbered_anew():
    first = ledger.note_changes(["b", "a"], step="load", what="x")
    second = ledger.note_changes(["c"], step="mend", what="y", area_m2=1)
    joined = ledger.join_changes(first, ledger.note_changes([], step="", what=""), second)
    schema.check_frame(joined, schema.CHANGES, argument="changes")
    assert joined["id"].tolist() == ["b", "a", "c"]
    assert joined.index.tolist() == [0, 1, 2]


def test_balanced_ledger_is_accepted():
    lines = ledger.join_ledger(
        ledger.balance("load", "addresses", came_in=10, went_on=9, left_over=1),
        ledger.balance("attach", "addresses", measure="people", came_in=0.3,
                       went_on=0.1 + 0.2, left_over=0),
    )
    schema.check_frame(lines, schema.LEDGER, argument="ledger")
    ledger.check_balance(lines)
    ledger.check_balance(ledger.join_ledger())


def test_leaking_ledger_names_the_lines_and_their_figures():
    lines = ledger.join_ledger(
        ledger.balance("load", "units", came_in=2, went_on=2),
        ledger.balance("load", "addresses", came_in=12_345, went_on=12_340, left_over=4),
    )
    message = ("the ledger does not close: load addresses rows: 12,345 came in, 12,340 went on, "
               r"4 left over\. Please report this: no step may lose or double anything\.")
    with pytest.raises(LedgerError, match=message) as caught:
        ledger.check_balance(lines)
    assert caught.value.rows == ("1",)


def test_lost_and_doubled_are_both_told_and_many_are_counted():
    lines = ledger.join_ledger(*(
        ledger.balance("load", f"f{i}", came_in=5, went_on=4 + 2 * (i % 2)) for i in range(5)))
    with pytest.raises(LedgerError, match=r"load f0 .*load f1 .*load f2 .* and 2 more"):
        ledger.check_balance(lines)


def test_unknown_mass_does_not_close():
    lines = ledger.balance("attach", "units", measure="people", came_in=float("nan"), went_on=1)
    assert len(ledger.find_unbalanced(lines)) == 1


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_single_row_lost_among_many_is_found(went_on, left_over):
    whole = ledger.balance("load", "rows", came_in=went_on + left_over, went_on=went_on,
                           left_over=left_over)
    leaking = ledger.balance("load", "rows", came_in=went_on + left_over + 1, went_on=went_on,
                             left_over=left_over)
    assert ledger.find_unbalanced(whole).empty
    assert len(ledger.find_unbalanced(leaking)) == 1


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=50), st.data())
def test_mass_split_in_any_way_closes(masses, data):
    inside = data.draw(st.lists(st.booleans(), min_size=len(masses), max_size=len(masses)))
    people = pd.Series(masses)
    within = pd.Series(inside)
    line = ledger.balance("attach", "homes", measure="people", came_in=people.sum(),
                          went_on=people[within].sum(), left_over=people[~within].sum())
    ledger.check_balance(line)
