"""The account of a file: which rows fall out and why, and what was noticed in the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import ledger
from ..errors import hide_numbers, listed
from ..schema import CHANGES, empty_frame
from . import personal

#: Above this many rows, one note says how many they are instead of one note a row.
MANY = 10_000


class Fault(NamedTuple):
    """Rows that cannot go on, and the one reason they share."""

    rows: NDArray[np.bool_]
    what: str
    reason: str


class Note(NamedTuple):
    """Rows that go on with something to tell: a value before and after, and a reason."""

    rows: NDArray[np.bool_]
    what: str
    before: Series | None = None
    after: Series | None = None
    note: str | Series | None = None


class Fitted(NamedTuple):
    """Values as a schema wants them, and the account of how they came to it."""

    values: Series
    faults: tuple[Fault, ...] = ()
    notes: tuple[Note, ...] = ()
    personal: int = 0  # cells that look like a phone or ID number


def unfold(words: Fitted, place: NDArray[np.int64]) -> Fitted:
    """Return for every row what was found out about its distinct cell.

    Examples
    --------
    >>> words = Fitted(Series(["a", "b"]), (Fault(np.array([True, False]), "bad", "why"),))
    >>> unfold(words, np.array([1, 0, 0])).faults[0].rows.tolist()
    [False, True, True]
    """
    def spread(values: Any) -> Any:  # of a note: text stays, a column is spread
        return values.iloc[place].reset_index(drop=True) if isinstance(values, Series) else values

    return Fitted(
        spread(words.values),
        tuple(fault._replace(rows=fault.rows[place]) for fault in words.faults),
        tuple(Note(note.rows[place], note.what, *map(spread, note[2:])) for note in words.notes),
    )


class Lost(NamedTuple):
    """A row of a file that never became a row of a table."""

    row: int | None  # counted from 1; None where the reader cannot tell
    reason: str


def sift(size: int, faults: Sequence[Fault]) -> NDArray[np.int64]:
    """Return for each row the number of its first fault, -1 where it has none."""
    first = np.full(size, -1, dtype=np.int64)
    for number in reversed(range(len(faults))):
        first[faults[number].rows] = number
    return first


def write_rejects(
    ids: Series, rows: NDArray[np.int64], first: NDArray[np.int64], faults: Sequence[Fault],
    lost: Sequence[Lost],
) -> DataFrame:
    """Write REJECTS: lost rows first, then rows with faults in the order of the file.

    Parameters
    ----------
    ids : Series
        Codes; a row without one is named by its number in the file.
    rows : array of int
        Number of each row in the file.
    first : array of int
        As `sift` returns.
    faults : sequence of Fault
    lost : sequence of Lost

    Returns
    -------
    DataFrame, schema REJECTS
    """
    gone = ledger.note_changes(
        ["row ?" if one.row is None else f"row {one.row}" for one in lost], step="load",
        what="row unreadable", note=[hide_numbers(one.reason) for one in lost],
    )
    bad = np.flatnonzero(first >= 0)
    told = [faults[number] for number in first[bad]]
    named = ledger.note_changes(
        name_rows(ids, rows, bad), step="load", what="", note=[fault.reason for fault in told]
    )
    named["what"] = Series([fault.what for fault in told], index=named.index, dtype="str")
    return ledger.join_changes(gone, named)


def name_rows(ids: Series, rows: NDArray[np.int64], at: NDArray[np.int64]) -> list[str]:
    """Return what rows are called: their code, or "row 17" where that must not be shown."""
    chosen = ids.iloc[at]
    hidden = np.asarray(chosen.isna()) | personal.find_personal(chosen)
    return [f"row {row}" if hide else str(code)
            for code, row, hide in zip(chosen, rows[at], hidden, strict=True)]


def write_notes(
    ids: Series, rows: NDArray[np.int64], kept: NDArray[np.bool_], notes: Sequence[Note],
    file: str,
) -> DataFrame:
    """Write CHANGES for rows that went on, in the order of notes and of the file.

    Parameters
    ----------
    ids : Series
        Codes of all rows.
    rows : array of int
        Number of each row in the file.
    kept : array of bool
        Rows that went on: the others have their reject and need no note.
    notes : sequence of Note
    file : str
        Name of the file, for notes about many rows at once.

    Returns
    -------
    DataFrame, schema CHANGES
    """
    return ledger.join_changes(*(_write(ids, rows, kept, note, file) for note in notes))


def number_notes(
    rows: NDArray[np.int64], kept: NDArray[np.bool_], notes: Sequence[Note]
) -> NDArray[np.int64]:
    """Return the number of the row that each line of `write_notes` is of, 0 for many at once."""
    told = [np.flatnonzero(note.rows & kept) for note in notes]
    return np.concatenate([np.zeros(0, dtype=np.int64), *(
        rows[at] if len(at) <= MANY else np.zeros(1, dtype=np.int64) for at in told)])


def _write(
    ids: Series, rows: NDArray[np.int64], kept: NDArray[np.bool_], note: Note, file: str
) -> DataFrame:
    at = np.flatnonzero(note.rows & kept)
    if not len(at):
        return empty_frame(CHANGES)
    if len(at) > MANY:
        first = listed(name_rows(ids, rows, at[:3]))
        return ledger.note_changes(
            [None], step="load", what=note.what,
            note=f"{file}: {_first_text(note.note, at)}; {len(at):,} rows, from {first}",
        )
    return ledger.note_changes(
        name_rows(ids, rows, at), step="load", what=note.what, before=_shown(note.before, at),
        after=_shown(note.after, at),
        note=note.note.iloc[at].tolist() if isinstance(note.note, Series) else note.note,
    )


def _first_text(note: Any, at: NDArray[np.int64]) -> str:
    return str(note.iloc[at[0]]) if isinstance(note, Series) else str(note)


def _shown(values: Series | None, at: NDArray[np.int64]) -> list[Any] | None:
    if values is None:
        return None
    chosen = values.iloc[at]
    text = chosen.astype("str").where(chosen.notna())
    return personal.hide_personal(text).tolist()


def tell(what: str, note: str, *, before: str | None = None, after: str | None = None
         ) -> DataFrame:
    """Write one line of CHANGES about a file as a whole."""
    hidden = [None if text is None else hide_numbers(text) for text in (before, after, note)]
    return ledger.note_changes([None], step="load", what=what, before=hidden[0], after=hidden[1],
                               note=hidden[2])


def row_numbers(size: int, lost: Sequence[Lost]) -> NDArray[np.int64]:
    """Return the numbers in the file of rows that came through, counted from 1.

    Examples
    --------
    >>> row_numbers(3, [Lost(2, "")]).tolist()
    [1, 3, 4]
    """
    gone = {one.row for one in lost if one.row is not None}
    numbers = np.arange(1, size + len(gone) + 1)
    return numbers[~np.isin(numbers, list(gone))] if gone else numbers


def nowhere(size: int) -> NDArray[np.bool_]:
    """Return a flag for each row, all False."""
    return np.zeros(size, dtype=bool)


def is_blank(values: Series) -> NDArray[np.bool_]:
    """Say for each row whether its cell is missing, empty or only blanks."""
    missing = np.asarray(values.isna())
    if not pd.api.types.is_string_dtype(values) or values.dtype == object:
        return missing
    return missing | np.asarray(values.str.strip().eq("").fillna(False), dtype=bool)
