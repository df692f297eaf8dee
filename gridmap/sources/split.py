"""A text file split into cells of bytes, and the rows that do not fit."""

from __future__ import annotations

import csv
import io
import mmap
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv

from ..errors import SourceError
from .account import Lost

Body = io.BytesIO | mmap.mmap

_NOT_CLOSED = "a quote is not closed"


def split_text(
    body: Body, names: Sequence[str], separator: str, skipped: int, wanted: Sequence[str]
) -> tuple[pa.Table, list[Lost]]:
    """Split a text into columns of bytes.

    A quote that is never closed would swallow the rows after it without a word. Where
    splitting line by line, with such a quote taken as it stands, brings out more rows, that
    is what is done.

    Parameters
    ----------
    body : BytesIO or mmap
        Text in any encoding that keeps ASCII bytes for separators.
    names : sequence of str
        Headers of all columns.
    separator : str
    skipped : int
        Lines at the start that hold no row.
    wanted : sequence of str
        Headers of the columns to return.

    Returns
    -------
    (Table of binary columns, list of Lost)
    """
    reader = _Reader(body, names, separator, skipped, wanted)
    quoted = body_bytes(body).find(b'"') >= 0
    table, lost = reader.split(quoted=quoted)
    if quoted and _lines(body) - skipped > table.num_rows + len(lost):
        by_line, lost_by_line = reader.split_by_line()
        if by_line.num_rows > table.num_rows:
            return by_line, lost_by_line
    return table, lost


def body_bytes(body: Body) -> Any:
    """Return what holds the bytes, with the methods of bytes."""
    return body if isinstance(body, mmap.mmap) else body.getvalue()


def _lines(body: Body) -> int:
    return sum(1 for line in _each_line(body) if line.strip())


def _each_line(body: Body) -> Iterator[bytes]:
    body.seek(0)
    return iter(body.readline, b"")


class _Reader:
    """One text and the way to split it; pyarrow asks for a callback that collects rows."""

    def __init__(
        self, body: Body, names: Sequence[str], separator: str, skipped: int,
        wanted: Sequence[str],
    ) -> None:
        self.body, self.separator, self.skipped = body, separator, skipped
        # a header that stands twice is told apart, as nobody can ask for it by name
        self.names = [f"{n}\0{at}" if names.index(n) != at else n for at, n in enumerate(names)]
        self.wanted = list(dict.fromkeys(wanted))
        self.lost: list[Lost] = []

    def split(self, *, quoted: bool) -> tuple[pa.Table, list[Lost]]:
        """Split with pyarrow; again on one thread where rows are lost, as only that knows
        their numbers."""
        table = self._read(quoted=quoted, threads=True)
        if self.lost:
            table = self._read(quoted=quoted, threads=False)
        return table, self.lost

    def _read(self, *, quoted: bool, threads: bool) -> pa.Table:
        self.lost = []
        names, wanted = self.names, self.wanted
        try:
            return pa_csv.read_csv(
                pa.BufferReader(pa.py_buffer(body_bytes(self.body))),
                read_options=pa_csv.ReadOptions(
                    column_names=names, skip_rows=self.skipped, use_threads=threads,
                    block_size=1 << 22,
                ),
                parse_options=pa_csv.ParseOptions(
                    delimiter=self.separator, newlines_in_values=quoted,
                    quote_char='"' if quoted else False, invalid_row_handler=self._take,
                ),
                convert_options=pa_csv.ConvertOptions(
                    include_columns=wanted or names[:1], check_utf8=False,
                    column_types=dict.fromkeys(names, pa.binary()), strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid as error:
            if "Empty CSV" in str(error) or "no rows" in str(error).lower():
                return pa.table({name: pa.array([], pa.binary()) for name in wanted or names[:1]})
            raise SourceError(f"it is no table of text that can be split: {error}") from error

    def _take(self, row: Any) -> str:
        number = None if row.number is None else int(row.number) - self.skipped
        self.lost.append(
            Lost(number, f"{row.actual_columns} cells instead of {row.expected_columns}")
        )
        return "skip"

    def split_by_line(self) -> tuple[pa.Table, list[Lost]]:
        """Split each line by itself, in bytes that stand for themselves (Latin-1)."""
        rows: list[list[str]] = []
        lost: list[Lost] = []
        number = 0
        for at, line in enumerate(_each_line(self.body)):  # slow; damaged files only
            if at < self.skipped or not line.strip():
                continue
            number += 1
            text = line.decode("latin-1").rstrip("\r\n")
            whole = text.count('"') % 2 == 0
            found = (next(csv.reader([text], delimiter=self.separator)) if whole
                     else text.split(self.separator))
            if len(found) != len(self.names):
                why = "" if whole else f"{_NOT_CLOSED}, "
                lost.append(Lost(number, f"{why}{len(found)} cells instead of {len(self.names)}"))
            else:
                rows.append(found)
        columns = {
            name: pa.array([row[self.names.index(name)].encode("latin-1") for row in rows],
                           pa.binary())
            for name in self.wanted or self.names[:1]
        }
        return pa.table(columns), lost
