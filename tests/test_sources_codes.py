"""Codes are text; what a spreadsheet did to them is undone, or told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap.sources import mend_codes
from gridmap.sources.cells import find_repeated, to_numbers


def mended(*values):
    return mend_codes(Series(values, dtype="str"))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("0371", "0371"),
        ("371002001001.0", "371002001001"),
        ("371002001001.000", "371002001001"),
        (" 371002 ", "371002"),
        ("\t371002", "371002"),
        ("\u3000371002\u00a0", "371002"),
        ("\ufeff371002\u200b", "371002"),
        ("'0371", "0371"),
        ('="0371"', "0371"),
        ("３７１００２", "371002"),
        ("3.71002001001E+11", "371002001001"),
        ("1E5", "1E5"),
        ("2.5", "2.5"),
        ("威海-01", "威海-01"),
    ],
)
def test_a_code_is_mended_where_no_digit_is_lost(written, code):
    found = mended(written)
    assert found.codes.tolist() == [code]
    assert found.mended.tolist() == [written != code]
    assert not found.hopeless.any()


@pytest.mark.parametrize("written", ["3.71002E+11", "3.7E+11", "4E+11"])
def test_a_code_that_lost_digits_is_hopeless(written):
    found = mended(written, "371002001001")
    assert found.hopeless.tolist() == [True, False]
    assert found.codes.isna().tolist() == [True, False]
    assert not found.mended.any()


@pytest.mark.parametrize("blank", ["", "  ", "NULL", "nan", "#N/A", r"\N"])
def test_a_blank_is_missing_and_not_mended(blank):
    found = mended(blank, "371002")
    assert found.codes.isna().tolist() == [True, False]
    assert not found.mended.any()


def test_numbers_of_a_file_are_written_out_in_full():
    assert mend_codes(Series([371002001001, 7])).codes.tolist() == ["371002001001", "7"]
    found = mend_codes(Series([371002001001.0, np.nan]))
    assert found.codes.isna().tolist() == [False, True]
    assert found.codes[0] == "371002001001"


def test_a_number_too_large_to_be_exact_is_hopeless():
    found = mend_codes(Series([3.71002001001000123e17, 7.0]))
    assert found.hopeless.tolist() == [True, False]


def test_declared_characters_are_left_out_and_told():
    found = mend_codes(Series(["65000010-001", "65000010001"]), strip="-")
    assert found.codes.tolist() == ["65000010001"] * 2
    assert found.mended.tolist() == [True, False]
    assert found.reason[0] == "- left out as declared"


@settings(deadline=None)
@given(st.lists(st.text("0123456789ABCxyz_-/", min_size=1, max_size=24), min_size=1))
def test_a_clean_code_comes_back_as_it_was(texts):
    found = mend_codes(Series(texts, dtype="str"))
    assert found.codes.tolist() == texts
    assert not found.mended.any()


@settings(deadline=None)
@given(st.lists(st.text(min_size=0, max_size=12)), st.integers(0, 3))
def test_mending_twice_changes_nothing(texts, copies):
    once = mend_codes(Series(texts * copies, dtype="str")).codes
    again = mend_codes(once)
    assert again.codes.equals(once)
    assert not again.mended.any()


@settings(deadline=None)
@given(st.lists(st.one_of(st.none(), st.text("07ab\0望", max_size=20), st.text("01", max_size=2))))
def test_repeats_are_those_that_pandas_finds(texts):
    values = Series(texts, dtype="str")
    assert find_repeated(values).tolist() == (values.duplicated() & values.notna()).tolist()


def test_different_texts_of_one_number_are_different_codes():
    assert not find_repeated(Series(["07", "7", "007"])).any()


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_as_python_reads_them(numbers):
    texts = Series([repr(n) for n in numbers], dtype="str")
    assert to_numbers(texts).tolist() == numbers
    spoiled = pd.concat([texts, Series(["six", " 6 ", None], dtype="str")], ignore_index=True)
    read = to_numbers(spoiled)
    assert read[: len(numbers)].tolist() == numbers
    assert read[len(numbers) + 1] == 6.0
    assert read.isna().sum() == 2
