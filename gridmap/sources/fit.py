"""Make rows of a file follow a schema; whatever does not is a reject with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pandas import Series

from ..errors import SourceError, listed
from ..schema import Column, Schema
from . import account, cells, codes, personal, quantities
from .account import Fault, Fitted, Note
from .places import Places
from .raw import Raw

#: Columns that hold codes of other frames, and are mended like codes.
CODED = ("territory", "parent", "grid", "unit", "work_grid")

#: Columns that stand for a place in a table without geometry.
PLACED = ("x", "y", "wkt")

#: Schemas whose rows may go without a code of their own: they are numbered.
_NUMBERED = ("BARRIERS", "EVENTS", "VISITS", "SITES")

#: A second row of a code that differs in its place only: an exploded multipart layer.
PART = "part of a code repeated"

#: Characters that do not show, and might part a number: joiners and marks of direction.
_UNSEEN = "[\u00ad\u200b-\u200f\u2060\ufeff]"

_LOST_DIGITS = "digits are lost, as a spreadsheet does: write the code out in full as text"


def pick(raw: Raw, wanted: Any) -> Series:
    """Return a source column; of a list of columns, the first that is filled in each row."""
    if isinstance(wanted, str):
        return raw.table[wanted]
    picked = cells.to_text(raw.table[wanted[0]])
    for name in wanted[1:]:
        picked = picked.where(picked.notna(), cells.to_text(raw.table[name]))
    return picked


def check_names(schema: Schema, columns: Mapping[str, Any], constants: Mapping[str, Any]) -> None:
    """Raise unless all names are columns of a schema, and none is given twice.

    Raises
    ------
    SourceError
        Names those that are not, and those that there are.
    """
    known = [schema.index, *(c.name for c in schema.columns)]
    strange = [n for n in [*columns, *constants] if n not in known and n not in PLACED]
    if strange:
        raise SourceError(
            f"{schema.name} has no column {listed(strange)}. Its columns are "
            f"{listed(known, show=30)}"
        )
    twice = [name for name in columns if name in constants]
    if twice:
        raise SourceError(f"{listed(twice)} is given both in columns and in constants: choose one")


def fit_index(raw: Raw, schema: Schema, columns: Mapping[str, Any]) -> Fitted:
    """Return the codes of rows; rows without a code of their own are faults.

    Raises
    ------
    SourceError
        If no column is named for the code, or it holds personal numbers.
    """
    if schema.index not in columns:
        if schema.name in _NUMBERED:
            numbers = pa.array(raw.rows).cast(pa.large_string())
            return Fitted(cells.to_series(numbers))
        raise SourceError(
            f"no column is named for the code: say which one holds it, as in "
            f"columns = {{ {schema.index} = \"CODE\" }}"
        )
    wanted = columns[schema.index]
    headers = [wanted] if isinstance(wanted, str) else list(wanted)
    check_key(headers, schema.index)
    return fit_key(pick(raw, wanted), schema.index, public=personal.is_public_key(headers))


def check_key(headers: Sequence[str], name: str) -> None:
    """Raise if a column named for codes holds names, phones or ID numbers by its header.

    Raises
    ------
    SourceError
        Names the column.
    """
    private = [header for header in headers if personal.is_personal_header(header)]
    if private:
        raise SourceError(
            f"the column {listed(private)} is named for {name}, but its header says that it holds "
            "names, phones or ID numbers: choose another code"
        )


def fit_key(
    values: Series, name: str, *, strip: str | None = None, public: bool = False
) -> Fitted:
    """Return codes that identify rows, mended; rows without one are faults.

    With ``public`` numbers that look like phones are none.

    Raises
    ------
    SourceError
        If the column holds personal numbers.
    """
    private = account.nowhere(len(values)) if public else personal.find_personal(values)
    if private.sum() >= max(1.0, 0.3 * float(values.notna().sum())):
        raise SourceError(
            f"the column named for {name} holds phone or ID numbers: choose another code"
        )
    mended = codes.mend_codes(values, strip=strip)
    if not public and mended.mended.any():  # what does not show may have parted a number
        private |= personal.find_personal(mended.codes)
    faults = (
        Fault(private, "code is personal", "a phone or ID number is no code"),
        Fault(np.asarray(mended.hopeless), "code unreadable", _LOST_DIGITS),
        Fault(np.asarray(mended.codes.isna()), "code missing", "a row needs a code of its own"),
    )
    note = Note(np.asarray(mended.mended), "code mended", values, mended.codes, mended.reason)
    return Fitted(mended.codes, faults, (note,))


def find_twins(ids: Series, raw: Raw, places: Places | None, kept: NDArray[np.bool_]
               ) -> tuple[Fault, ...]:
    """Find the second and later rows of a code, and say whether they are the same.

    The first row in the file stays.
    """
    again = cells.find_repeated(ids.where(kept) if not kept.all() else ids)
    if not again.any():
        return ()
    codes_again = set(ids[again])
    involved = np.flatnonzero(ids.isin(codes_again) & kept)
    table = raw.table.iloc[involved].assign(_code=ids.iloc[involved])
    same_cells = account.nowhere(len(again))
    same_cells[involved] = table.duplicated().to_numpy()
    table["_place"] = _place_text(places, involved)
    same = account.nowhere(len(again))
    same[involved] = table.duplicated().to_numpy()
    same &= again
    moved = again & same_cells & ~same
    return (
        Fault(same, "row repeated", "the same row came before; the first stays"),
        Fault(moved, PART,
              "the code came before with the same values at another place; the first stays. Parts "
              "of one thing belong in one multipart row"),
        Fault(again, "code repeated", "the code came before with other values; the first stays"),
    )


def _place_text(places: Places | None, at: NDArray[np.int64]) -> Any:
    if places is None:
        return None
    if places.shapes is not None:
        return [None if wkb is None else wkb.hex() for wkb in shapely.to_wkb(places.shapes[at])]
    if places.x is None or places.y is None:
        return None
    return [f"{x!r} {y!r}" for x, y in zip(places.x[at], places.y[at], strict=True)]


def fit_columns(
    raw: Raw, schema: Schema, columns: Mapping[str, Any], constants: Mapping[str, Any],
) -> dict[str, Fitted]:
    """Return the columns of a schema, typed; unreadable cells are noted or faults.

    Raises
    ------
    SourceError
        If a required column is not given.
    """
    size = len(raw.table)
    fitted: dict[str, Fitted] = {}
    for column in schema.columns:
        if column.name in columns:
            fitted |= _fit_unless_personal(raw, columns[column.name], column)
        elif column.name in constants:
            fitted[column.name] = Fitted(_constant(constants[column.name], column, size))
        elif column.required:
            fitted[column.name] = Fitted(_default(schema, column, size))
    return fitted


def _fit_unless_personal(raw: Raw, wanted: Any, column: Column) -> dict[str, Fitted]:
    headers = [wanted] if isinstance(wanted, str) else list(wanted)
    if any(personal.is_personal_header(h) for h in headers):
        return {}
    values = pick(raw, wanted)
    found = 0 if column.kind == "time" else int(personal.find_personal(values).sum())
    if personal.is_share(found, values):
        return {}
    return {column.name: _fit(values, column)._replace(personal=found)}


def find_private(columns: Mapping[str, Any], fitted: Mapping[str, Any], index: str) -> list[str]:
    """Return the source columns that were asked for and left out as personal."""
    left = [source for name, source in columns.items()
            if name not in fitted and name not in (*PLACED, index)]
    return [h for source in left for h in ([source] if isinstance(source, str) else source)]


def _default(schema: Schema, column: Column, size: int) -> Series:
    if column.name == "count":
        return _constant(1, column, size)
    if schema.name == "GRIDS" and column.name == "kind":
        return _constant("existing", column, size)
    if column.missing or (schema.name == "GRIDS" and column.name == "area_m2"):
        return _constant(None, column, size)
    raise SourceError(
        f"nothing is given for {column.name}, which {schema.name} needs: {column.meaning}. Name "
        f"its column in columns, or its value in constants"
    )


def _constant(value: Any, column: Column, size: int) -> Series:
    """Return a column of one value, which has to be of the kind that is wanted."""
    if value is None:
        dtype = {"text": "str", "time": "datetime64[us]"}.get(column.kind, "float64")
        return Series(None, index=range(size), dtype=dtype)
    one = Series([value])
    try:
        if column.kind == "text":
            one = Series([str(value)], dtype="str")
        elif column.kind == "time":
            one = pd.to_datetime(one)
        elif column.kind in ("count", "number") and not isinstance(value, bool):
            one = pd.to_numeric(one)
    except (ValueError, TypeError) as error:
        raise SourceError(
            f"constants gives {column.name} the value {value!r}, which is no {column.kind}"
        ) from error
    return one.repeat(size).reset_index(drop=True)


def _fit(values: Series, column: Column) -> Fitted:
    if column.name in CODED:
        return _fit_code(values, column)
    if column.kind == "text":
        return fit_text(values, column)
    if column.kind == "time":
        return quantities.fit_times(values, column)
    return fit_figures(values, column)


def fit_figures(values: Series, column: Column) -> Fitted:
    """Return a column of numbers; a phone or ID number among them counts nothing."""
    private = personal.find_personal(values)
    told = quantities.fit_numbers(values, column)
    large = np.asarray(told.values.between(1e10, 2e10))  # a spreadsheet writes 1.38E+10
    if large.any():
        private[large] |= personal.find_personal(told.values[large])
    if not private.any():
        return told
    told = quantities.fit_numbers(values.mask(private), column)
    note = Note(private, "personal number left out",
                note=f"{column.name} held a phone or ID number")
    return told._replace(notes=(note, *told.notes))


def fit_text(values: Series, column: Column) -> Fitted:
    """Return a column of text, without blanks around it and without personal numbers."""
    text = cells.to_text(values)
    folded = cells.fold(text)
    if folded is None:
        return _fit_text(text, column)
    words, place = folded
    return account.unfold(_fit_text(words, column), place)


def _fit_text(text: Series, column: Column) -> Fitted:
    if cells.holds_any(text, b" \t\r\n", beyond_ascii=True):
        text = cells.to_text(text.str.strip())
        text = cells.to_text(text.str.replace(_UNSEEN, "", regex=True))
    hidden = personal.hide_personal(text)
    notes = [Note(np.asarray(hidden.notna() & (hidden != text)), "personal number left out",
                  note=f"{column.name} held a phone or ID number")] if hidden is not text else []
    torn = account.nowhere(len(text))
    if cells.holds_any(text, b"", beyond_ascii=True):
        torn = cells.matches(text, "\ufffd")
    notes.append(Note(torn, "characters unreadable", after=hidden,
                      note=f"{column.name} has bytes that are no text in the file's encoding"))
    return Fitted(hidden, _needed(hidden, column), tuple(notes))


def _needed(values: Series, column: Column) -> tuple[Fault, ...]:
    if column.missing:
        return ()
    return (Fault(np.asarray(values.isna()), f"{column.name} missing",
                  f"every row needs {column.name}"),)


def _fit_code(values: Series, column: Column) -> Fitted:
    private = personal.find_personal(values)
    mended = codes.mend_codes(values.mask(private) if private.any() else values)
    if mended.mended.any():  # what does not show may have parted a number
        parted = personal.find_personal(mended.codes)
        private |= parted
        mended = codes.mend_codes(values.mask(private)) if parted.any() else mended
    lost = np.asarray(mended.hopeless)
    notes = [Note(private, "personal number left out",
                  note=f"{column.name} held a phone or ID number"),
             Note(np.asarray(mended.mended), f"{column.name} mended", values, mended.codes,
                  mended.reason)]
    blank = np.asarray(mended.codes.isna()) & ~lost
    faults = [Fault(lost, f"{column.name} unreadable", _LOST_DIGITS)]
    if not column.missing:
        faults.append(Fault(blank, f"{column.name} missing", f"every row needs {column.name}"))
    elif column.name != "parent":
        notes.append(Note(blank, f"{column.name} blank", note="left missing"))
    return Fitted(mended.codes, tuple(faults), tuple(notes))
