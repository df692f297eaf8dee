"""Make rows of a file follow a schema; whatever does not is a reject with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from pandas import DataFrame, Series

from .. import ledger
from ..errors import SourceError, listed
from ..schema import Column, Schema
from . import codes, personal
from .places import to_numbers
from .raw import Raw

#: Columns that hold codes of other frames, and are mended like codes.
CODED = ("territory", "parent", "grid", "unit", "work_grid")

#: Schemas whose rows may go without a code of their own: they are numbered.
_NUMBERED = ("BARRIERS", "EVENTS", "VISITS", "SITES")


class Sieve:
    """Collects the reasons of rejects row by row, and the changes, while a table is fitted.

    The first reason that is given for a row is the one that stays.
    """

    def __init__(self, size: int) -> None:
        self.reasons = Series(pd.NA, index=range(size), dtype="str")
        self.whats = Series(pd.NA, index=range(size), dtype="str")
        self.changes: list[DataFrame] = []

    def reject(self, rows: Any, what: str, reason: Any) -> None:
        """Give rows a reason, unless they have one."""
        new = Series(rows, index=self.reasons.index).astype(bool) & self.reasons.isna()
        self.whats = self.whats.mask(new, what)
        self.reasons = self.reasons.mask(new, reason)

    def note(self, ids: Any, what: str, **columns: Any) -> None:
        """Write changes, one for each id."""
        self.changes.append(ledger.note_changes(ids, step="load", what=what, **columns))

    @property
    def kept(self) -> Series:
        """Rows that have no reason against them."""
        return self.reasons.isna()


def pick(raw: Raw, wanted: Any) -> Series:
    """Return a source column; of a list of columns, the first that is filled in each row."""
    if isinstance(wanted, str):
        return raw.table[wanted]
    picked = raw.table[wanted[0]]
    for name in wanted[1:]:
        picked = picked.where(picked.notna() & (picked != ""), raw.table[name])
    return picked


def fit_index(raw: Raw, schema: Schema, columns: Mapping[str, Any], sieve: Sieve) -> Series:
    """Return the codes of rows; rows without a code of their own are rejected by name.

    A code that comes twice is kept the first time and rejected afterwards.

    Raises
    ------
    SourceError
        If no column is named for the code, or it holds personal numbers.
    """
    if schema.index not in columns:
        if schema.name in _NUMBERED:
            return Series([str(n) for n in range(1, len(raw.table) + 1)], dtype="str")
        raise SourceError(
            f"no column is named for the code: say which one holds it, as in "
            f"columns = {{ {schema.index} = \"CODE\" }}"
        )
    values = pick(raw, columns[schema.index])
    if personal.has_personal_values(values):
        raise SourceError(
            f"the column named for {schema.index} holds phone or ID numbers: choose another code"
        )
    mended = codes.mend_codes(values)
    ids = mended.codes
    sieve.reject(mended.hopeless, "code unreadable",
                 "digits are lost, as a spreadsheet does: write the code out in full as text")
    sieve.reject(ids.isna(), "code missing", "a row needs a code of its own")
    sieve.note(ids[mended.mended], "code mended", after=ids[mended.mended],
               before=values[mended.mended].astype("str"), note="a spreadsheet made it a number")
    return ids


def reject_twins(ids: Series, raw: Raw, sieve: Sieve) -> None:
    """Reject the second and later rows of a code, and say whether they are the same."""
    seen = ids.where(sieve.kept)
    again = seen.duplicated() & seen.notna()
    if not again.any():
        return
    table = raw.table.assign(_place=_bytes(raw), _code=seen)
    same = table.duplicated() & again
    sieve.reject(same, "row repeated", "the same row came before; the first stays")
    sieve.reject(again, "code repeated", "the code came before with other values; the first stays")


def _bytes(raw: Raw) -> Any:
    import shapely

    return None if raw.geometry is None else shapely.to_wkb(raw.geometry)


def fit_columns(
    raw: Raw, schema: Schema, columns: Mapping[str, Any], constants: Mapping[str, Any],
    ids: Series, sieve: Sieve,
) -> DataFrame:
    """Return the columns of a schema, typed; unreadable cells are noted or rejected.

    Raises
    ------
    SourceError
        If a name is no column of the schema, or a required one is not given.
    """
    known = [c.name for c in schema.columns]
    strange = [n for n in [*columns, *constants]
               if n not in known and n not in (schema.index, "x", "y", "wkt")]
    if strange:
        raise SourceError(
            f"{schema.name} has no column {listed(strange)}. Its columns are "
            f"{listed([schema.index, *known], show=30)}"
        )
    fitted: dict[str, Series] = {}
    for column in schema.columns:
        if column.name in columns:
            values = pick(raw, columns[column.name])
            if personal.is_personal_header(str(columns[column.name])) or (
                personal.has_personal_values(values)
            ):
                sieve.note([None], "personal column left out", before=column.name,
                           note="it was asked for, but holds names, phones or ID numbers")
                continue
            fitted[column.name] = _fit(values, column, ids, sieve)
        elif column.name in constants:
            fitted[column.name] = _constant(constants[column.name], column, len(ids))
        elif column.required:
            fitted[column.name] = _default(schema, column, len(ids))
    return DataFrame(fitted, index=range(len(ids)))


def _default(schema: Schema, column: Column, size: int) -> Series:
    if column.name == "count":
        return Series(1, index=range(size), dtype="int64")
    if schema.name == "GRIDS" and column.name == "kind":
        return Series("existing", index=range(size), dtype="str")
    if column.missing:
        dtype = {"text": "str", "time": "datetime64[us]"}.get(column.kind, "float64")
        return Series(None, index=range(size), dtype=dtype)
    if schema.name == "GRIDS" and column.name == "area_m2":
        return Series(float("nan"), index=range(size))
    raise SourceError(
        f"nothing is given for {column.name}, which {schema.name} needs: {column.meaning}. Name "
        f"its column in columns, or its value in constants"
    )


def _constant(value: Any, column: Column, size: int) -> Series:
    dtype = {"text": "str", "time": "datetime64[us]", "flag": "bool"}.get(column.kind)
    return Series(value, index=range(size), dtype=dtype)


def _fit(values: Series, column: Column, ids: Series, sieve: Sieve) -> Series:
    if column.name in CODED:
        return _fit_code(values, column, ids, sieve)
    if column.kind == "text":
        text = values.astype("str").where(values.notna()).str.strip()
        text = text.mask(text == "")
        if not column.missing:
            sieve.reject(text.isna(), f"{column.name} missing", f"every row needs {column.name}")
        return text.astype("str")
    if column.kind == "time":
        read = pd.to_datetime(values, errors="coerce", format="mixed")
    else:
        read = to_numbers(values)
    return _fit_number(values, read, column, ids, sieve)


def _fit_code(values: Series, column: Column, ids: Series, sieve: Sieve) -> Series:
    mended = codes.mend_codes(values)
    sieve.reject(mended.hopeless, f"{column.name} unreadable",
                 "digits are lost, as a spreadsheet does: write the code out in full as text")
    changed = mended.mended & sieve.kept
    sieve.note(ids[changed], f"{column.name} mended", after=mended.codes[changed],
               before=values[changed].astype("str"), note="a spreadsheet made it a number")
    blank = mended.codes.isna() & sieve.kept
    if column.missing:
        if column.name != "parent":
            sieve.note(ids[blank], f"{column.name} blank", note="left missing")
    else:
        sieve.reject(blank, f"{column.name} missing", f"every row needs {column.name}")
    return mended.codes


def _fit_number(
    values: Series, read: Series, column: Column, ids: Series, sieve: Sieve
) -> Series:
    blank = values.isna() | (values.astype("str").str.strip() == "")
    unread = read.isna() & ~blank
    if column.kind == "count":
        below = read.lt(0).fillna(False) if column.kind == "count" else read.isna() & False
        sieve.reject(below, f"{column.name} below 0", f"{column.name} counts things")
    if column.missing:
        odd = unread & sieve.kept
        sieve.note(ids[odd], f"{column.name} unreadable", before=values[odd].astype("str"),
                   note="left missing")
    else:
        sieve.reject(unread, f"{column.name} unreadable", f"{column.name} is no {column.kind}")
        sieve.reject(blank, f"{column.name} missing", f"every row needs {column.name}")
    return read
