"""Whole columns of text at a time: what Arrow does in one pass, where pandas asks Python.

A table may have millions of rows. Each function here costs one or two passes over the
bytes of a column, and looks closer only at the rows that need it.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import Series

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def to_array(values: Series) -> Any:
    """Return text as an Arrow array of large strings, without copying where it can."""
    return pa.array(values.astype("str").array, type=pa.large_string())


def to_series(array: Any) -> Series:
    """Return an Arrow array of text as a column that counts its rows from 0."""
    return Series(pd.array(array, dtype="str"))


def blank_missing(array: Any) -> Any:
    """Return an Arrow array of text in which empty text is missing."""
    empty = pc.equal(pc.binary_length(array), 0)
    if not pc.any(empty).as_py():
        return array
    return pc.if_else(empty, pa.scalar(None, pa.large_string()), array)


def to_text(values: Series) -> Series:
    """Return a column as text: whole numbers in full, blanks and empty text missing.

    Cells of bytes, which have no text, are written in hexadecimal digits.

    Parameters
    ----------
    values : Series
        Text, numbers, or anything that has a text.

    Returns
    -------
    Series of str

    Examples
    --------
    >>> to_text(Series([371002001001.0, None])).tolist()
    ['371002001001', nan]
    """
    if pd.api.types.is_float_dtype(values):
        filled = values.dropna()
        if (filled == filled.round()).all() and (filled.abs() < 2**53).all():
            return values.map(lambda v: f"{v:.0f}", na_action="ignore").astype("str")
    if values.dtype == object:
        values = values.map(lambda cell: cell.hex() if isinstance(cell, bytes) else cell)
    text = values if values.dtype == "str" else values.astype("str").where(values.notna())
    if not (text == "").any():
        return text
    return text.mask(text == "")


def to_text_of(values: list[object]) -> Series:
    """Return values of JSON as text: numbers as they are written, nested ones as JSON.

    Examples
    --------
    >>> to_text_of(["0371", 371002001001, 1.5, True, None, ["a"]]).tolist()
    ['0371', '371002001001', '1.5', 'true', nan, '["a"]']
    """
    return to_text(Series([_text_of(value) for value in values], dtype="str"))


def _text_of(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, (bool, list, dict)):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)


def holds_any(values: Series, marks: bytes, *, beyond_ascii: bool = False) -> bool:
    """Say whether any cell has one of the given bytes, or any byte that is not ASCII."""
    content = _bytes(to_array(values))
    if beyond_ascii and not content.isascii():
        return True
    return any(bytes([mark]) in content for mark in marks)


def _bytes(array: Any) -> bytes:
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return b"".join(_chunk_bytes(chunk) for chunk in chunks)


def _chunk_bytes(chunk: Any) -> bytes:
    _, offsets, content = chunk.buffers()
    if content is None or not len(chunk):
        return b""
    width = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    ends = np.frombuffer(offsets, dtype=width)[chunk.offset:chunk.offset + len(chunk) + 1]
    return bytes(memoryview(content)[ends[0]:ends[-1]])


def matches(values: Series, pattern: str) -> NDArray[np.bool_]:
    """Say for each row whether its text has the pattern (RE2); False where missing."""
    found = pc.fill_null(pc.match_substring_regex(to_array(values), pattern), False)
    return np.asarray(found)


def to_numbers(values: Series) -> Series:
    """Turn text into numbers; what is no finite number becomes missing.

    Examples
    --------
    >>> to_numbers(Series([" 1.5", "2", "two", "1e3", "", None, "inf"])).tolist()
    [1.5, 2.0, nan, 1000.0, nan, nan, nan]
    """
    if pd.api.types.is_numeric_dtype(values):
        plain = values.astype("float64")
        return plain.where(np.isfinite(plain))
    text = to_array(values)
    try:
        numbers = pc.cast(text, pa.float64())
    except pa.ArrowInvalid:
        text = pc.utf8_trim_whitespace(text)
        good = pc.match_substring_regex(text, _NUMBER)
        text = pc.if_else(good, text, pa.scalar(None, pa.large_string()))
        numbers = pc.cast(pc.replace_substring_regex(text, r"^\+", ""), pa.float64())
    plain = Series(numbers.to_numpy(zero_copy_only=False), index=values.index, dtype="float64")
    return plain.where(np.isfinite(plain))


def fold(values: Series) -> tuple[Series, NDArray[np.int64]] | None:
    """Return the distinct cells of a column and where each row has its own, if they are few.

    Examples
    --------
    >>> words, place = fold(Series(["lamp", None] * 500, dtype="str"))
    >>> words.tolist(), place[:3].tolist()
    (['lamp', nan], [0, 1, 0])
    """
    if len(values) < 1_000 or values.iloc[:1_000].nunique() > 100:
        return None
    coded = pc.dictionary_encode(to_array(values), null_encoding="encode")
    coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
    if len(coded.dictionary) > 0.1 * len(values):
        return None
    return to_series(coded.dictionary), np.asarray(coded.indices).astype(np.int64)


def find_repeated(values: Series) -> NDArray[np.bool_]:
    """Say for each row whether its text came before; missing text never did.

    Cells are compared as whole numbers where they are, else by a number made of their
    bytes, and exactly only where two numbers are the same: 0.3 or 0.7 s for 5 million
    codes, where pandas takes 4 s.

    Examples
    --------
    >>> find_repeated(Series(["07", "7", "07", None, None])).tolist()
    [False, False, True, False, False]
    """
    repeated = np.zeros(len(values), dtype=bool)
    filled = np.flatnonzero(values.notna())
    if not len(filled):
        return repeated
    prints = whole_numbers(to_array(values))
    prints = (_fingerprints(to_array(values)) if prints is None else prints)[filled]
    if (prints[1:] > prints[:-1]).all():
        return repeated
    ordered = np.sort(prints)
    twins = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twins):
        again = filled[np.isin(prints, twins)]
        repeated[again] = values.iloc[again].duplicated().to_numpy()
    return repeated


def whole_numbers(array: Any) -> NDArray[np.uint64] | None:
    """Return codes as numbers, 0 where missing; None where some are no whole numbers."""
    try:
        pc.cast(array[:1_000], pa.int64())  # a cast is slow where it fails in many rows
        numbers = pc.cast(array, pa.int64())
    except pa.ArrowInvalid:
        return None
    return np.asarray(pc.fill_null(numbers, 0)).astype(np.uint64)


def _fingerprints(array: Any) -> NDArray[np.uint64]:
    """Return a number for each cell, the same for the same bytes: eight bytes at a time."""
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    _, offsets, content = array.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[array.offset:array.offset + len(array) + 1]
    padded = np.zeros(int(ends[-1]) + 8, dtype=np.uint8)
    if content is not None:
        padded[:ends[-1]] = np.frombuffer(content, dtype=np.uint8, count=int(ends[-1]))
    words = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    at, left = ends[:-1].copy(), np.diff(ends)
    prints = left.astype(np.uint64)
    while (todo := left > 0).any():
        bits = np.uint64(8) * np.clip(8 - left, 0, 7).astype(np.uint64)
        word = words[np.where(todo, at, 0)] & (~np.uint64(0) >> bits)
        mixed = (prints ^ word) * np.uint64(0x9E3779B97F4A7C15)
        prints = np.where(todo, mixed ^ (mixed >> np.uint64(29)), prints)
        at, left = at + 8, left - 8
    return prints


@contextmanager
def collector_paused() -> Iterator[None]:
    """Keep Python's garbage collector from counting millions of new shapes.

    Building 5 million points takes 0.6 s of processor time with the collector paused and
    2 s without, as it walks over all of them again and again and finds nothing.
    """
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
