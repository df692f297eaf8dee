"""Cells to numbers and times; what has to be interpreted is noted, what cannot is named."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
from pandas import Series

from ..schema import Column
from . import account, cells, personal
from .account import Fault, Fitted, Note

_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_WITH_UNIT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(户|戶|人|层|層|樓|楼|个|個|栋|棟|米|m|F|%)?")
_LIST = re.compile(r"\d+(\.\d+)?(\s*[;；,，/、]\s*\d+(\.\d+)?)+")


def fit_numbers(values: Series, column: Column) -> Fitted:
    """Return a column of numbers.

    A cell that is no plain number is read with care: ``1,234``, ``６`` and ``6层`` are
    numbers; of several, as in ``2;3``, the greatest counts. Each such cell is noted.

    Parameters
    ----------
    values : Series
        Text or numbers.
    column : Column
        Of kind count or number.

    Returns
    -------
    Fitted
        float64, or int64 where every cell is a whole number. Where the column may be
        missing, an unreadable cell is noted and left missing; else its row is a fault.
    """
    read = cells.to_numbers(values)
    blank = account.is_blank(values)
    odd = np.asarray(read.isna()) & ~blank
    mended = account.nowhere(len(values))
    if odd.any() and pd.api.types.is_string_dtype(values):
        tried = [_read(text) for text in values[odd]]  # row by row: few cells are odd
        read = read.copy()
        read[odd] = tried
        mended = odd & np.asarray(read.notna())
        odd = odd & ~mended
    note = Note(mended, f"{column.name} mended", values, read,
                f"read as one number, {column.unit or column.kind}")
    faults = []
    if column.kind == "count":
        below = np.asarray(read.lt(0))
        faults.append(Fault(below, f"{column.name} below 0", f"{column.name} counts things"))
    account_of_odd = _account(values, column, odd, blank)
    whole = not read.isna().any() and bool((read == read.round()).all()) and len(read)
    if column.kind == "count" and whole and read.abs().max() < 2**53:
        read = read.astype("int64")
    return Fitted(read, (*faults, *account_of_odd.faults), (note, *account_of_odd.notes))


def _read(text: str) -> float:
    plain = unicodedata.normalize("NFKC", text).strip()
    if _THOUSANDS.fullmatch(plain):
        return float(plain.replace(",", ""))
    found = _WITH_UNIT.fullmatch(plain)
    if found is not None:
        return float(found[1])
    if _LIST.fullmatch(plain):
        return max(float(number) for number in re.findall(r"\d+(?:\.\d+)?", plain))
    return np.nan


def _account(values: Series, column: Column, odd: np.ndarray, blank: np.ndarray) -> Fitted:
    """Say what becomes of cells that could not be read, and of blank ones."""
    if column.missing:
        shown = personal.hide_rare_words(values) if odd.any() else values
        note = Note(odd, f"{column.name} unreadable", before=shown, note="left missing")
        return Fitted(values, (), (note,))
    faults = (
        Fault(odd, f"{column.name} unreadable", f"{column.name} is no {column.kind}"),
        Fault(blank, f"{column.name} missing", f"every row needs {column.name}"),
    )
    return Fitted(values, faults)


_CHINESE_TIME = (("年", "-"), ("月", "-"), ("日", " "), ("时", ":"), ("時", ":"), ("分", ":"),
                 ("秒", ""), ("/", "-"), (".", "-"))


def fit_times(values: Series, column: Column) -> Fitted:
    """Return a column of times.

    Years come first: ``2026-03-01 08:00``, ``2026/3/1``, ``2026年3月1日 8时5分``,
    ``20260301``. A time with an offset from UTC keeps its clock and loses the offset.

    Parameters
    ----------
    values : Series
        Text or times.
    column : Column
        Of kind time.

    Returns
    -------
    Fitted
        datetime64. Where the column may be missing, an unreadable cell is noted and left
        missing; else its row is a fault.
    """
    blank = account.is_blank(values)
    if pd.api.types.is_datetime64_any_dtype(values):
        times = values.dt.tz_localize(None) if values.dt.tz is not None else values
        return Fitted(times, (), ())
    text = cells.to_text(values)
    read = pd.to_datetime(text, errors="coerce", format="ISO8601") if _is_plain(text) else (
        Series(pd.NaT, index=text.index, dtype="datetime64[us]"))
    odd = np.asarray(read.isna()) & ~blank
    if odd.any():
        read = read.copy()
        read[odd] = pd.to_datetime(_written_plainly(text[odd]), errors="coerce", format="ISO8601")
        odd = np.asarray(read.isna()) & ~blank
    told = _account(values, column, odd, blank)
    return Fitted(read.astype("datetime64[us]"), told.faults, told.notes)


def _is_plain(text: Series) -> bool:
    """Say whether no cell has an offset from UTC, which would make the column aware."""
    return not cells.matches(text, r"(Z|[+-]\d\d:?\d\d)\s*$").any()


def _written_plainly(text: Series) -> Series:
    """Write times as ISO 8601 does: two digits each, no offset."""
    plain = text.map(lambda t: unicodedata.normalize("NFKC", t)).astype("str")
    plain = plain.str.replace(r"(?<=\d)(Z|[+-]\d\d:?\d\d)\s*$", "", regex=True)
    for sign, ours in _CHINESE_TIME:
        plain = plain.str.replace(sign, ours, regex=False)
    plain = plain.str.strip(" :-").str.replace(r"\b(\d)\b", r"0\1", regex=True)
    return plain.str.replace(r"\s+", " ", regex=True).str.replace(r" (\d\d)$", r" \1:00",
                                                                   regex=True)
