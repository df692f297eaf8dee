"""A text file split into cells of bytes, and the rows that do not fit."""

from __future__ import annotations

import csv
import io
import mmap
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv

from ..errors import SourceError
from .account import Lost

Body = io.BytesIO | mmap.mmap

_BLOCK_BYTES = 1 << 22
_NOT_CLOSED = "a quote is not closed"


class Layout(NamedTuple):
    """How the lines of a text are made up."""

    names: Sequence[str]  # headers of all columns
    separator: str
    skipped: int  # lines at the start that hold no row
    wanted: Sequence[str]  # headers of the columns to return


class Split(NamedTuple):
    """Columns of bytes, the rows that do not fit, and the encoding of the bytes."""

    table: pa.Table
    lost: list[Lost]
    encoding: str


def split_text(body: Body, layout: Layout, encoding: str) -> Split:
    """Split a text into columns of bytes.

    A quote that is never closed would swallow the rows after it without a word. Where
    splitting line by line, with such a quote taken as it stands, brings out more rows, that
    is what is done.

    Parameters
    ----------
    body : BytesIO or mmap
        Text in any encoding that keeps ASCII bytes for separators.
    layout : Layout
        Headers are unique.
    encoding : str
        Of the body. Where rows do not fit, all of it is decoded to say which, and the
        cells come out in UTF-8.

    Returns
    -------
    Split

    Raises
    ------
    SourceError
        If it is no table at all.
    """
    quoted = body_bytes(body).find(b'"') >= 0
    lost: list[Lost] = []
    table = _read_whole(body, layout, quoted=quoted)
    if table is None:
        text = bytes(body_bytes(body)).decode(encoding, errors="replace")
        body, encoding = io.BytesIO(text.encode("utf-8")), "UTF-8"
        table, lost = _read_ragged(body, layout, quoted=quoted)
    if quoted and _count_lines(body) - layout.skipped > table.num_rows + len(lost):
        by_line, lost_by_line = _split_by_line(body, layout)
        if by_line.num_rows > table.num_rows:
            table, lost = by_line, lost_by_line
    return Split(table, lost, encoding)


def _read_whole(body: Body, layout: Layout, *, quoted: bool) -> pa.Table | None:
    """Split a text; None where a row does not fit.

    What pyarrow says quotes that row, which may hold anything: it must not be passed on.
    """
    try:
        return _read(body, layout, quoted=quoted)
    except pa.ArrowInvalid:
        return None


def body_bytes(body: Body) -> Any:
    """Return what holds the bytes, with the methods of bytes."""
    return body if isinstance(body, mmap.mmap) else body.getvalue()


def _read(
    body: Body, layout: Layout, *, quoted: bool, take: Callable[[Any], str] | None = None
) -> pa.Table:
    """Split with pyarrow; only a single thread knows the numbers of rows that do not fit."""
    asked = list(layout.wanted) or list(layout.names[:1])
    return pa_csv.read_csv(
        pa.BufferReader(pa.py_buffer(body_bytes(body))),
        read_options=pa_csv.ReadOptions(
            column_names=list(layout.names), skip_rows=layout.skipped, use_threads=take is None,
            block_size=_BLOCK_BYTES,
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=layout.separator, newlines_in_values=quoted,
            quote_char='"' if quoted else False, invalid_row_handler=take,
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=asked, check_utf8=False, strings_can_be_null=False,
            column_types=dict.fromkeys(layout.names, pa.binary()),
        ),
    )


def _read_ragged(body: Body, layout: Layout, *, quoted: bool) -> tuple[pa.Table, list[Lost]]:
    """Split a text in UTF-8 some of whose rows do not fit, and name those."""
    lost: list[Lost] = []

    def take(row: Any) -> str:  # pyarrow asks for a callback
        number = None if row.number is None else int(row.number) - layout.skipped
        lost.append(Lost(number, f"{row.actual_columns} cells instead of {row.expected_columns}"))
        return "skip"

    with suppress(pa.ArrowInvalid):  # what it says quotes a row
        return _read(body, layout, quoted=quoted, take=take), lost
    if not _count_lines(body) - layout.skipped:
        empty = pa.array([], pa.binary())
        return pa.table(dict.fromkeys(layout.wanted or layout.names[:1], empty)), []
    raise SourceError("it is no table of text that can be split into rows and columns")


def _count_lines(body: Body) -> int:
    return sum(1 for line in _each_line(body) if line.strip())


def _each_line(body: Body) -> Iterator[bytes]:
    body.seek(0)
    return iter(body.readline, b"")


def _split_by_line(body: Body, layout: Layout) -> tuple[pa.Table, list[Lost]]:
    """Split each line by itself, in bytes that stand for themselves (Latin-1)."""
    rows: list[list[str]] = []
    lost: list[Lost] = []
    number, expected = 0, len(layout.names)
    for at, line in enumerate(_each_line(body)):  # slow; damaged files only
        if at < layout.skipped or not line.strip():
            continue
        number += 1
        text = line.decode("latin-1").rstrip("\r\n")
        whole = text.count('"') % 2 == 0
        found = (next(csv.reader([text], delimiter=layout.separator)) if whole
                 else text.split(layout.separator))
        if len(found) == expected:
            rows.append(found)
        else:
            why = "" if whole else f"{_NOT_CLOSED}, "
            lost.append(Lost(number, f"{why}{len(found)} cells instead of {expected}"))
    columns = {
        name: pa.array([row[at].encode("latin-1") for row in rows], pa.binary())
        for at, name in enumerate(layout.names) if name in (layout.wanted or layout.names[:1])
    }
    return pa.table(columns), lost
