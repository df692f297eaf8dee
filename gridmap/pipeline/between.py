"""Rows in the place of others: those that stand are slices of the table before."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pandas import DataFrame

from . import arrow

Flags = NDArray[np.bool_]


def put_between(table: pa.Table, stands: Flags, fresh: DataFrame, *, by: str) -> pa.Table:
    """Put rows between those of a table that stand, in order of a column of text.

    Parameters
    ----------
    table : Table
        In order of ``by``.
    stands : array of bool
        The rows that are kept.
    fresh : DataFrame
        With the columns of the table; those of equal text stay in their order.
    by : str
        A column, or the index.

    Raises
    ------
    Unfit
        If the rows are not of the kind of the table.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (1, 1), (2, 2))
    >>> table = arrow.to_table(homes.iloc[[0, 2]])
    >>> mixed = put_between(table, np.array([True, True]), homes.iloc[[1]], by="element")
    >>> mixed["element"].to_pylist()
    ['e0', 'e1', 'e2']
    """
    rows = np.flatnonzero(stands)
    if not len(fresh):
        return table if len(rows) == len(table) else join_runs(table, table, rows)
    new = put_like(fresh, table)
    keys = texts_of(new[by])
    order = np.argsort(keys, kind="stable")
    at = np.searchsorted(texts_of(table[by])[rows], keys[order])
    return join_runs(table, new, np.insert(rows, at, order + len(table)))


def put_like(frame: DataFrame, table: pa.Table) -> pa.Table:
    """Return a frame as a table with the columns of another one, of the same kinds.

    Raises
    ------
    Unfit
        If it has others.
    """
    made = arrow.to_table(frame)
    if (set(made.column_names) != set(table.column_names)
            or arrow.tell_columns(made) != arrow.tell_columns(table)
            or arrow.tell_geometry(made) != arrow.tell_geometry(table)):
        raise arrow.Unfit(f"columns {', '.join(made.column_names)}")
    return arrow.put_like(made, table.schema)


def texts_of(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Return a column of text, as words or as numbers of words, as an array.

    Examples
    --------
    >>> texts_of(pa.chunked_array([["b", "a"]]).dictionary_encode()).tolist()
    ['b', 'a']
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    texts: NDArray[np.object_] = column.to_numpy()
    return texts


def find_among(texts: NDArray[np.object_], some: Collection[str]) -> Flags:
    """Say which of many texts are among a few, one by one: no index is made of the many.

    Examples
    --------
    >>> find_among(np.array(["b", "a"], dtype=object), {"a"}).tolist()
    [False, True]
    """
    wanted = set(some)
    return np.fromiter((text in wanted for text in texts), dtype=bool, count=len(texts))


def join_runs(table: pa.Table, new: pa.Table, rows: NDArray[np.intp]) -> pa.Table:
    """Return rows of two tables, those of the second numbered after those of the first.

    Examples
    --------
    >>> one, two = pa.table({"n": [0, 1, 2]}), pa.table({"n": [7]})
    >>> join_runs(one, two, np.array([0, 3, 2]))["n"].to_pylist()
    [0, 7, 2]
    """
    second = rows >= len(table)
    breaks = np.flatnonzero((np.diff(rows) != 1) | np.diff(second)) + 1
    starts = np.concatenate([[0], breaks])[: len(rows)]
    lengths = np.diff(np.append(starts, len(rows)))
    return pa.concat_tables([table.slice(0, 0)] + [
        (new if second[at] else table).slice(int(rows[at] - second[at] * len(table)), int(length))
        for at, length in zip(starts, lengths, strict=True)])


def put_numbers(table: pa.Table, name: str, values: NDArray[np.float64]) -> pa.Table:
    """Return a table with other numbers in a column of its kind.

    Raises
    ------
    Unfit
        If the column holds no such numbers.

    Examples
    --------
    >>> put_numbers(pa.table({"n": [0, 1]}), "n", np.array([5.0, 6.0]))["n"].to_pylist()
    [5, 6]
    """
    at = table.column_names.index(name)
    try:
        column = pa.array(values).cast(table.schema.field(at).type)
    except pa.ArrowException as error:
        raise arrow.Unfit(str(error)) from error
    return table.set_column(at, table.schema.field(at), column)
