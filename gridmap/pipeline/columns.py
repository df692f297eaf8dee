"""Which grid holds each row of a frame, as a table of numbers and the words they stand for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import attach
from . import arrow

Numbers = NDArray[np.integer]

#: Rows that are compared at once.
_STRETCH = 1 << 16


def write_columns(
    position: NDArray[np.integer], way: NDArray[np.integer], codes: Index
) -> pa.Table:
    """Return the columns ``grid`` and ``how`` of a frame as a table.

    Parameters
    ----------
    position : array of int
        Position in ``codes`` for each row, -1 for none.
    way : array of int
        Position in `attach.WAYS`, -1 for none.
    codes : Index
        Codes of the grids.

    Examples
    --------
    >>> codes = Index(["A", "B"], dtype="str")
    >>> table = write_columns(np.array([1, -1]), np.array([0, -1]), codes)
    >>> arrow.to_frame(table)["grid"].tolist()
    ['B', nan]
    """
    told = {"grid": (position, codes), "how": (way, Index(attach.WAYS))}
    table = pa.table({
        name: pa.DictionaryArray.from_arrays(
            pa.array(number.astype(choose_kind(len(words)), copy=False), mask=number < 0),
            pa.array(words.to_numpy(dtype=object), type=pa.large_string()))
        for name, (number, words) in told.items()})
    return table.replace_schema_metadata(_describe(len(position)))


def choose_kind(size: int) -> Any:
    """Return the kind of the smallest numbers that tell so many words apart, twice over.

    Examples
    --------
    >>> choose_kind(4), choose_kind(7_000), choose_kind(100_000)
    (<class 'numpy.int8'>, <class 'numpy.int16'>, <class 'numpy.int32'>)
    """
    kinds = (np.int8, np.int16)
    return next((kind for kind in kinds if 2 * size <= np.iinfo(kind).max), np.int32)


def _describe(size: int) -> dict[bytes, bytes]:
    """Return what a table says of itself where it was made of a frame of two texts."""
    empty = arrow.to_table(DataFrame({"grid": [""], "how": [""]}, dtype="str"))
    said = dict(empty.schema.metadata)
    pandas = json.loads(said[b"pandas"])
    pandas["index_columns"][0]["stop"] = size
    return {**said, b"pandas": json.dumps(pandas).encode()}


def read_positions(column: pa.ChunkedArray, codes: Index) -> Numbers:
    """Return the position of each text of a column among some codes, -1 for none.

    Examples
    --------
    >>> table = write_columns(np.array([1, -1]), np.array([0, 0]), Index(["A", "B"]))
    >>> read_positions(table["grid"], Index(["B", "C"])).tolist()
    [0, -1]
    """
    number, words = read_words(column)
    # The last place answers for what is missing.
    places: Numbers = np.append(codes.get_indexer(words), -1).astype(choose_kind(len(codes)))
    found: Numbers = places[number]
    return found


def read_words(column: pa.ChunkedArray) -> tuple[Numbers, Index]:
    """Return which word each text of a column is, -1 for none, and the words.

    Examples
    --------
    >>> table = write_columns(np.array([1, -1]), np.array([0, 0]), Index(["A", "B"]))
    >>> number, words = read_words(table["grid"])
    >>> number.tolist(), words.tolist()
    ([1, -1], ['A', 'B'])
    """
    column = arrow.in_one_piece(column)
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    number: Numbers = column.indices.fill_null(-1).to_numpy()
    return number, Index(column.dictionary.to_pandas(), dtype="str")


def read_grids(table: pa.Table) -> pd.Categorical:
    """Return the column ``grid`` without a text for each row.

    Examples
    --------
    >>> table = write_columns(np.array([1, -1]), np.array([0, 0]), Index(["A", "B"]))
    >>> read_grids(table).tolist()
    ['B', nan]
    """
    number, words = read_words(table["grid"])
    return pd.Categorical.from_codes(number, words)


def take_rows(table: pa.Table, names: Sequence[str], rows: NDArray[np.integer]) -> pa.Table:
    """Return some rows of some columns, as `arrow.take` does.

    Parameters
    ----------
    table : Table
    names : sequence of str
        Those that the table does not have are left out.
    rows : array of int
        In any order.

    Examples
    --------
    >>> column = pa.chunked_array([[5, 6], [7, 8]])
    >>> take_rows(pa.table({"people": column}), ["people"], np.array([3, 0])).to_pydict()
    {'people': [8, 5]}
    """
    return arrow.take(
        table.select([name for name in names if name in table.column_names]), rows)


def cut(column: pa.ChunkedArray) -> Iterator[pa.ChunkedArray]:
    """Yield one stretch of a column after the other, so short that it stays at hand.

    Examples
    --------
    >>> [len(some) for some in cut(pa.chunked_array([[1, 2], [3]]))]
    [3]
    """
    for at in range(0, len(column), _STRETCH):
        yield column.slice(at, _STRETCH)


def stand_still(was: NDArray[np.integer], size: int) -> bool:
    """Say whether all rows stand where they stood, among so many.

    Examples
    --------
    >>> stand_still(np.array([0, 1]), 2), stand_still(np.array([0, 1]), 3)
    (True, False)
    """
    if len(was) != size:
        return False
    stretch = np.arange(min(size, _STRETCH))  # one that stays where the processor has it at hand
    return all(np.array_equal(some := was[at : at + _STRETCH], stretch[:len(some)] + at)
               for at in range(0, size, _STRETCH))


def carry_over(
    values: NDArray[Any], was: NDArray[np.integer], *, still: bool | None = None
) -> NDArray[Any]:
    """Return what stood where each row stood; anything for one that is new.

    Parameters
    ----------
    values : array
        Of the rows before.
    was : array of int
        Where each row stood; -1 for one that is new.
    still : bool, optional
        Whether all stand where they stood, where that is known.

    Examples
    --------
    >>> carry_over(np.array([5, 6]), np.array([1, 0])).tolist()
    [6, 5]
    """
    if stand_still(was, len(values)) if still is None else still:
        return values
    return values[was] if len(values) else np.zeros(len(was), dtype=values.dtype)


def read_series(table: pa.Table, name: str) -> Series:
    """Return one column of a table, of the kind that its frame has.

    Examples
    --------
    >>> read_series(arrow.to_table(DataFrame({"people": [1, 2]})), "people").tolist()
    [1, 2]
    """
    values = table[name].to_pandas()
    kind = arrow.tell_columns(table)[name]
    return values if str(values.dtype) == kind else values.astype(kind)
