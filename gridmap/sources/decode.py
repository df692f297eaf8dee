"""Columns of bytes to columns of text, each decoded in one go."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Put between cells while they are decoded together: no cell of a real table has it.
_MARK = 0x1E


def decode_cells(column: pa.ChunkedArray, encoding: str) -> Any:
    """Decode a column of bytes.

    Parameters
    ----------
    column : ChunkedArray of binary
        Without missing values.
    encoding : str
        As Python knows it.

    Returns
    -------
    ChunkedArray of large_string, or None
        None where some cell is not in the encoding.

    Examples
    --------
    >>> column = pa.chunked_array([pa.array(["乡镇".encode("gb18030"), b"A"])])
    >>> decode_cells(column, "GB18030").to_pylist()
    ['乡镇', 'A']
    """
    chunks = []
    for chunk in column.chunks:
        if encoding.upper() in ("UTF-8", "ASCII") or _is_ascii(chunk):
            text = _cast(chunk)
        else:
            text = _decode_chunk(chunk, encoding)
        if text is None:
            return None
        chunks.append(text)
    return pa.chunked_array(chunks, type=pa.large_string())


def _is_ascii(chunk: pa.Array) -> bool:
    _, offsets, content = chunk.buffers()
    if content is None:
        return True
    ends = np.frombuffer(offsets, dtype=np.int32)[chunk.offset:chunk.offset + len(chunk) + 1]
    return bytes(memoryview(content)[ends[0]:ends[-1]]).isascii()


def _cast(chunk: pa.Array) -> Any:
    try:
        return chunk.cast(pa.large_string())
    except pa.ArrowInvalid:
        return None


def _decode_chunk(chunk: pa.Array, encoding: str) -> Any:
    if not len(chunk):
        return pa.array([], type=pa.large_string())
    first = chunk[: min(len(chunk), 2_000)]
    if len(first.unique()) < 0.1 * len(first):  # kinds and the like: decode each word once
        coded = chunk.dictionary_encode()
        words = _decode_chunk(coded.dictionary, encoding) if len(coded.dictionary) else None
        return None if words is None else words.take(coded.indices)
    listed = pa.ListArray.from_arrays(pa.array([0, len(chunk)], type=pa.int32()), chunk)
    joined = pc.binary_join(listed, pa.scalar(bytes([_MARK]), pa.binary()))[0].as_buffer()
    try:
        octets = np.frombuffer(str(joined, encoding).encode("utf-8"), dtype=np.uint8)
    except UnicodeDecodeError:
        return None
    marks = octets == _MARK
    ends = np.flatnonzero(marks) - np.arange(np.count_nonzero(marks))
    if len(ends) != len(chunk) - 1:  # a cell has the mark itself
        return _cells_alone(chunk, encoding, errors="strict")
    content = octets[~marks]
    offsets = np.concatenate([[0], ends, [len(content)]]).astype(np.int64)
    return pa.LargeStringArray.from_buffers(
        len(chunk), pa.py_buffer(offsets), pa.py_buffer(content)
    )


def _cells_alone(chunk: pa.Array, encoding: str, *, errors: str) -> Any:
    try:
        texts = [bytes(cell).decode(encoding, errors=errors) for cell in chunk.to_pylist()]
    except UnicodeDecodeError:
        return None
    return pa.array(texts, type=pa.large_string())


def decode_one_by_one(column: pa.ChunkedArray, encoding: str) -> pa.ChunkedArray:
    """Decode a damaged column cell by cell; bytes that fit nothing become U+FFFD.

    Examples
    --------
    >>> column = pa.chunked_array([pa.array([b"gate\\xff", b"A"])])
    >>> decode_one_by_one(column, "UTF-8").to_pylist()
    ['gate\ufffd', 'A']
    """
    chunks = [_cells_alone(chunk, encoding, errors="replace") for chunk in column.chunks]
    return pa.chunked_array(chunks, type=pa.large_string())


def beyond_ascii(column: pa.ChunkedArray) -> list[bytes]:
    """Return the cells that have bytes beyond ASCII, each once."""
    distinct = pc.unique(column).to_pylist()
    return [cell for cell in distinct if cell and not cell.isascii()]
