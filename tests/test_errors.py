"""Errors carry the rows at fault and name the first few of many."""

from __future__ import annotations

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap import errors


def test_error_carries_all_faulty_rows():
    error = errors.TilingError("grids overlap", rows=["G1", "G2"])
    assert error.rows == ("G1", "G2")
    assert str(error) == "grids overlap"


def test_every_error_is_a_gridmap_error_and_says_what_it_is_for():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)
             if kind.__module__ == "gridmap.errors"]
    assert len(kinds) > 5
    for kind in kinds:
        assert issubclass(kind, errors.GridmapError)
        assert inspect.getdoc(kind).endswith(".") or kind is errors.GridmapError


def test_errors_can_be_caught_by_their_common_parent():
    with pytest.raises(errors.GridmapError, match="no code left"):
        raise errors.CodeError("no code left in 371002001001")


def test_three_names_are_shown_in_full_and_more_are_counted():
    assert errors.listed("ABC") == "A, B, C"
    assert errors.listed("ABCD") == "A, B, C and 1 more"
    assert errors.listed(range(2000), show=1) == "0 and 1,999 more"


@given(st.lists(st.text("abc", min_size=1), max_size=9), st.integers(1, 5))
def test_names_shown_and_counted_add_up_to_all(names, show):
    told = errors.listed(names, show=show)
    head, _, rest = told.partition(" and ")
    counted = int(rest.split()[0]) if rest else 0
    shown = 0 if told == "none" else len(head.split(", "))
    assert shown + counted == len(names)
