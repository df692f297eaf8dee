"""Large tables in pieces: which stretches of two tables are one and the same memory.

A table of the store is opened piece by piece, and a table that is put together of slices keeps
the pieces that it took over whole. Where two tables hold the same piece, nothing of it has to be
compared, written or hashed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from . import arrow
from .memory import Memory, tell_array


class Shared(NamedTuple):
    """Rows that two tables have in common, because they lie in the same memory."""

    before: int  # where they stand in the one
    start: int  # and in the other
    rows: int


def tell_places(table: pa.Table) -> NDArray[np.uint64]:
    """Return a number made of the place of each row, 0 without one: it decides on borders.

    Parameters
    ----------
    table : Table
        As `arrow.to_table` makes them, of a frame with places.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> tell_places(arrow.to_table(sketch_points((0, 0)))).tolist()
    [0]
    """
    x, y = (table[name].to_numpy() for name in arrow.SHAPE[:2])
    words = x.view(np.uint64) * np.uint64(3) ^ y.view(np.uint64)
    words[np.isnan(x)] = 0
    return words


def tell_memory(table: pa.Table) -> dict[Memory, tuple[int, int]]:
    """Return the memory of each stretch that all columns have in one chunk: its start and rows.

    Examples
    --------
    >>> table = pa.table({"a": [1, 2], "b": [3, 4]})
    >>> list(tell_memory(pa.concat_tables([table, table.slice(0, 1)])).values())
    [(0, 2), (2, 1)]
    """
    columns = [_tell_chunks(name, table[name]) for name in table.column_names]
    if not columns:
        return {}
    common = [span for span in columns[0] if all(span in column for column in columns)]
    return {tuple(column[span] for column in columns): span for span in common}


def _tell_chunks(name: str, column: pa.ChunkedArray) -> dict[tuple[int, int], Memory]:
    told, at = {}, 0
    for chunk in column.chunks:
        if len(chunk):
            told[at, len(chunk)] = (name, *tell_array(chunk))
        at += len(chunk)
    return told


def find_shared(old: pa.Table, new: pa.Table) -> list[Shared]:
    """Return the pieces that two tables share, in the order of the second.

    Parameters
    ----------
    old, new : Table
        Held both, so that memory is not given away in between.

    Examples
    --------
    >>> one, two = pa.table({"a": [1, 2]}), pa.table({"a": [3]})
    >>> find_shared(one, pa.concat_tables([two, one]))
    [Shared(before=0, start=1, rows=2)]
    """
    there = tell_memory(old)
    return [Shared(there[memory][0], start, rows)
            for memory, (start, rows) in tell_memory(new).items() if memory in there]


def leave_out(table: pa.Table, spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the stretches of a table, start and rows, that none of some spans is.

    Examples
    --------
    >>> leave_out(pa.table({"a": [1, 2, 3]}), [(1, 1)])
    [(0, 1), (2, 1)]
    """
    left, at = [], 0
    for start, rows in [*sorted(spans), (len(table), 0)]:
        if start > at:
            left.append((at, start - at))
        at = start + rows
    return left


def join_slices(table: pa.Table, spans: Sequence[tuple[int, int]]) -> pa.Table:
    """Return some stretches of a table, one after the other, without a copy.

    Examples
    --------
    >>> join_slices(pa.table({"a": [1, 2, 3]}), [(0, 1), (2, 1)])["a"].to_pylist()
    [1, 3]
    """
    return pa.concat_tables([table.slice(0, 0), *(table.slice(*span) for span in spans)])
