"""Tables in text files: CSV and TSV, decoded once, every cell as text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
from pandas import DataFrame

from ..errors import SourceError, listed
from .encodings import Encoding, find_encoding
from .raw import Raw, choose_columns

_SAMPLE_BYTES = 4_000_000
_SEPARATOR = "\x1e"


def read_text_table(
    path: Path, wanted: list[str], *, encoding: str | None = None
) -> Raw:
    """Read columns of a CSV or TSV file as text.

    Parameters
    ----------
    path : Path
        The separator is found from the first line: comma, tab, semicolon or bar.
    wanted : list of str
        Headers to read; others never enter.
    encoding : str, optional
        Overrules what the bytes say.

    Returns
    -------
    Raw
        Cells as text, empty ones missing; rows with too many or too few cells are lost.

    Raises
    ------
    SourceError
        If the file is empty, cannot be decoded, repeats a header or lacks a column.
    """
    chosen = _encoding(path, encoding)
    start, body = _body(path, chosen)
    headers = _headers(start, path)
    choose_columns(wanted, tuple(headers.names), path)
    try:
        table, ragged = _split(body, headers, wanted, threads=True)
        if ragged:  # only a single thread knows the numbers of rows
            table, ragged = _split(body, headers, wanted, threads=False)
    except pa.ArrowInvalid as error:
        raise SourceError(f"{path} is no table of text that can be read: {error}") from error
    name = "UTF-8" if chosen.name.startswith("UTF-16") else chosen.name.removesuffix("-SIG")
    columns = {c: _decode(table[c], name, path) for c in table.column_names}
    return Raw(
        table=DataFrame(columns), geometry=None, crs=None, headers=tuple(headers.names),
        notes=(("encoding", f"{chosen.name}: {chosen.evidence}"),), lost=tuple(ragged),
    )


def _split(
    body: Any, headers: _Headers, wanted: list[str], *, threads: bool
) -> tuple[pa.Table, list[tuple[str, str]]]:
    """Split a text into cells of bytes; return the table and the rows that do not fit."""
    if isinstance(body, io.BytesIO):
        body.seek(0)
    ragged = _Ragged()
    table = pa_csv.read_csv(
        body,
        read_options=pa_csv.ReadOptions(
            column_names=headers.names, skip_rows=headers.lines, use_threads=threads
        ),
        parse_options=pa_csv.ParseOptions(
            delimiter=headers.separator, newlines_in_values=True,
            invalid_row_handler=ragged.take,
        ),
        convert_options=pa_csv.ConvertOptions(
            include_columns=list(dict.fromkeys(wanted)), check_utf8=False,
            column_types={name: pa.binary() for name in headers.names},
            strings_can_be_null=False,
        ),
    )
    return table, ragged.rows


class _Ragged:
    """Collects rows whose number of cells is wrong; pyarrow asks for a callback."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = []

    def take(self, row: Any) -> str:
        number = "?" if row.number is None else str(row.number)
        self.rows.append(
            (f"row {number}", f"{row.actual_columns} cells instead of {row.expected_columns}")
        )
        return "skip"


def _encoding(path: Path, given: str | None) -> Encoding:
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE_BYTES)
    if not sample.strip():
        raise SourceError(f"{path} is empty")
    if given is None:
        return find_encoding(sample)
    try:
        sample.decode(given, errors="replace")
    except LookupError as error:
        raise SourceError(f"there is no encoding {given!r}, asked for {path}") from error
    found = find_encoding(sample)
    marked = found.name if found.name in ("UTF-8-SIG", "UTF-16") else given
    return Encoding(marked, "said by the user")


def _body(path: Path, encoding: Encoding) -> tuple[str, Any]:
    """Return the first lines as text, and what pyarrow reads the table from.

    UTF-16 is decoded once to UTF-8; all others keep ASCII bytes for separators, so that
    the file is split as it is and only the wanted cells are decoded.
    """
    if encoding.name.startswith("UTF-16"):
        text = path.read_bytes().decode(encoding.name, errors="strict")
        return text[:100_000], io.BytesIO(text.encode("utf-8"))
    with path.open("rb") as stream:
        start = stream.read(100_000).decode(encoding.name, errors="ignore")
    return start, str(path)


class _Headers(NamedTuple):
    names: list[str]
    separator: str
    lines: int


def _headers(start: str, path: Path) -> _Headers:
    import csv

    text = start.lstrip("\ufeff")
    first = text.splitlines()[0] if text.splitlines() else ""
    separator = max(",\t;|", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    names = [name.strip() for name in next(reader, [])]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{path} has the header {listed(twice)} more than once")
    return _Headers(names, separator, reader.line_num)


def _decode(column: pa.ChunkedArray, encoding: str, path: Path) -> pd.Series:
    """Decode a column of bytes in one go; ASCII and UTF-8 need no decoding at all."""
    array = column.combine_chunks()
    array = array if isinstance(array, pa.Array) else pa.concat_arrays(array.chunks)
    if _is_ascii(array) or encoding.upper() in ("UTF-8", "ASCII"):
        try:
            text = array.cast(pa.string())
        except pa.ArrowInvalid:
            text = _decode_other(array, encoding, path)  # raises, and names the byte
    else:
        text = _decode_other(array, encoding, path)
    series = text.to_pandas().astype("str")
    return series.mask(series == "")


def _is_ascii(array: pa.Array) -> bool:
    values = array.buffers()[2]
    return values is None or bytes(values).isascii()


def _decode_other(array: pa.Array, encoding: str, path: Path) -> pa.Array:
    """Join the distinct cells, decode once, and split again."""
    coded = array.dictionary_encode()
    cells = coded.dictionary.to_pylist()
    joined = _SEPARATOR.encode().join(cells)
    try:
        decoded = joined.decode(encoding).split(_SEPARATOR)
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not {encoding} throughout: byte {joined[error.start]:#04x} cannot be "
            "decoded. Say the right one with encoding = \"…\""
        ) from error
    words = pa.array(decoded if cells else [], type=pa.string())
    return pa.DictionaryArray.from_arrays(coded.indices, words).dictionary_decode()
