"""Tables in text files: CSV and TSV, split as bytes, decoded once, every cell as text."""

from __future__ import annotations

import csv
import io
import mmap
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pandas import DataFrame, Series

from ..errors import SourceError
from . import cells, decode, split
from .encodings import Encoding, find_encoding, known_encoding
from .limits import USUAL, Limits
from .raw import Raw, check_columns, make_raw

_WHOLE_BYTES = 16_000_000
_SAMPLE_BYTES = 2_000_000
_SAMPLES = 4
_HEADER_BYTES = 200_000

#: Encodings whose second bytes may look like letters and "|", but never like a comma, a
#: quote, a tab or the end of a line.
_DOUBLE = ("GB18030", "Big5", "big5hkscs", "cp932", "cp949", "cp950")


class _Headers(NamedTuple):
    names: list[str]
    separator: str
    lines: int  # of the file that hold no row


def read_text_table(
    path: Path, wanted: list[str], *, encoding: str | None = None, headed: bool = True,
    limits: Limits = USUAL,
) -> Raw:
    """Read columns of a CSV or TSV file as text.

    The file is split as bytes, and only the cells of wanted columns are decoded, each
    column in one go. The encoding is concluded from samples, and again from all cells of a
    column that does not fit it.

    Parameters
    ----------
    path : Path
        The separator is found from the first line: comma, tab, semicolon or bar.
    wanted : list of str
        Headers to read; others never enter.
    encoding : str, optional
        Overrules what the bytes say.
    headed : bool, default True
        False where the first line is a row like all others; columns are called by their
        position then, "1" being the first.
    limits : Limits, optional
        How long a line may be, and how many columns there may be.

    Returns
    -------
    Raw
        Cells as text, empty ones missing; rows with too many or too few cells are lost.

    Raises
    ------
    SourceError
        If the file is empty, or lacks a column.
    """
    check_lines(path, limits)
    chosen = conclude_encoding(path, encoding)
    start, body = _body(path, chosen)
    inner = "UTF-8" if isinstance(body, io.BytesIO) else chosen.name
    return _read(path, start, body, (chosen, inner), wanted, given=encoding, headed=headed,
                 limits=limits)


def read_some_lines(
    path: Path, lines: bytes, wanted: list[str], chosen: Encoding, *, encoding: str | None = None,
    limits: Limits = USUAL,
) -> Raw:
    """Read columns of some lines of a text file, its header first, as of a file of their own.

    Parameters
    ----------
    path : Path
        The file, for messages.
    lines : bytes
        Without a byte order mark.
    wanted, encoding, limits
        As in `read_text_table`.
    chosen : Encoding
        Of the file, as `conclude_encoding` returns it; one that keeps ASCII bytes.

    Returns
    -------
    Raw
        Rows are counted from the first of these lines.

    Examples
    --------
    >>> lines = "code,城\\n07,A\\n".encode()
    >>> read_some_lines(Path("a.csv"), lines, ["城"], Encoding("UTF-8", "")).table["城"].tolist()
    ['A']
    """
    inner = chosen.name.removesuffix("-SIG")
    start = lines[:_HEADER_BYTES].decode(inner, errors="ignore")
    return _read(path, start, io.BytesIO(lines), (chosen, inner), wanted, given=encoding,
                 headed=True, limits=limits)


def _read(
    path: Path, start: str, body: split.Body, encodings: tuple[Encoding, str],
    wanted: list[str], *, given: str | None, headed: bool, limits: Limits,
) -> Raw:
    """Read columns of what was opened: encodings are those of the file and of the body."""
    chosen, inner = encodings
    headers = name_headers(start, headed, path, limits)
    check_columns(wanted, headers.names, path)
    asked = list(dict.fromkeys(wanted))
    layout = split.Layout(_unique(headers.names), headers.separator, headers.lines, asked)
    try:
        table, lost, inner = split.split_text(body, layout, inner)
    except SourceError as error:
        raise SourceError(f"{path}: {error}") from error
    columns: dict[str, Series] = {}
    seen: list[tuple[str, str]] = []
    for name in asked:
        column, found = _decoded(table[name], Encoding(inner, ""), given=given)
        columns[name] = column
        if found is not None:
            seen.append(("encoding", f"{name} is {found.name}: {found.evidence}"))
    frame = DataFrame(columns, index=range(table.num_rows))
    notes = [("encoding", f"{chosen.name}: {chosen.evidence}"), *seen]
    return make_raw(frame, headers.names, notes=notes, lost=lost)


def _unique(names: list[str]) -> list[str]:
    """Tell headers apart that stand twice; nobody can ask for those by name."""
    return [f"{n}\0{at}" if names.index(n) != at else n for at, n in enumerate(names)]


def conclude_encoding(path: Path, given: str | None) -> Encoding:
    """Conclude the encoding of a file from its bytes, or take what the user says.

    Raises
    ------
    SourceError
        If the file is empty, or nobody knows the encoding.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = file.write_text("code\\n07\\n")
    >>> conclude_encoding(file, None).evidence
    'only ASCII bytes'
    """
    sample = _sample(path)
    if not sample.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        raise SourceError(f"{path} is empty")
    found = find_encoding(sample)
    if given is None:
        return found
    name = known_encoding(given)
    if name is None:
        raise SourceError(f"there is no encoding {given!r}, asked for {path}")
    if "mark" in found.evidence:
        return found
    return Encoding(name, f"{given}, said by the user")


def _sample(path: Path) -> bytes:
    """Return a file whole, or pieces of whole lines from all over a large one."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        if size <= _WHOLE_BYTES:
            return stream.read()
        pieces = [stream.read(_SAMPLE_BYTES)]
        for number in range(1, _SAMPLES):
            stream.seek(size * number // _SAMPLES)
            piece = stream.read(_SAMPLE_BYTES)
            pieces.append(piece[piece.find(b"\n") + 1:])
    return b"\n".join(piece[: piece.rfind(b"\n")] for piece in pieces)


def _body(path: Path, encoding: Encoding) -> tuple[str, Any]:
    """Return the first lines as text, and what the table is split from.

    A text whose bytes may be taken for separators is decoded as a whole and split in
    UTF-8; all others keep ASCII bytes for separators, so that the file is split as it is.
    """
    with path.open("rb") as stream:
        first = stream.readline(_HEADER_BYTES)
    wide = encoding.name.startswith(("UTF-16", "UTF-32"))
    if wide or (encoding.name in _DOUBLE and first.count(b"|") > first.count(b",")):
        text = path.read_bytes().decode(encoding.name, errors="replace").lstrip("\ufeff")
        return text[:_HEADER_BYTES], io.BytesIO(text.encode("utf-8"))
    with path.open("rb") as stream:
        start = stream.read(_HEADER_BYTES).decode(encoding.name, errors="ignore")
        if encoding.name != "UTF-8-SIG":
            return start, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    return start, io.BytesIO(path.read_bytes()[3:])


def check_lines(path: Path, limits: Limits) -> None:
    """Raise where a line is beyond measure: it covers a stretch in which no line ends.

    Raises
    ------
    SourceError
        Says where it begins.
    """
    if path.stat().st_size <= limits.line_bytes:
        return
    reach = limits.line_bytes // 2
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as all_:
        for at in range(0, len(all_) - reach, reach):
            if all_.find(b"\n", at, at + reach) < 0 and all_.find(b"\r", at, at + reach) < 0:
                raise SourceError(
                    f"{path} has a line of more than {reach:,} bytes, from byte {at:,} on: it is "
                    "not read. Look at its ends of lines, or raise the limit line_bytes"
                )


def name_headers(start: str, headed: bool, path: Path, limits: Limits) -> _Headers:
    """Return the headers in the first lines of a text, its separator, and lines without a row.

    Raises
    ------
    SourceError
        If the first line is no header, or names too many columns.

    Examples
    --------
    >>> tuple(name_headers("code;x\\n07;1\\n", True, Path("a.csv"), USUAL))
    (['code', 'x'], ';', 1)
    """
    try:
        headers = _headers(start, headed)
    except csv.Error as error:
        raise SourceError(f"{path} has a first line that is no header: {error}") from error
    if len(headers.names) > limits.columns:
        raise SourceError(f"{path} has {len(headers.names):,} columns, more than the "
                          f"{limits.columns:,} that are read. Raise the limit columns if need be")
    return headers


def _headers(start: str, headed: bool) -> _Headers:
    first = start.lstrip("\r\n").splitlines()[0] if start.strip() else ""
    outside = "".join(first.split('"')[::2])
    separator = max(",\t;|", key=outside.count)
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=separator)
    names = [name.strip().lstrip("\ufeff") for name in next(filter(None, reader), [])]
    if not headed:
        return _Headers([str(n + 1) for n in range(len(names))], separator, 0)
    return _Headers(names, separator, reader.line_num)


def _decoded(
    column: pa.ChunkedArray, chosen: Encoding, *, given: str | None
) -> tuple[Series, Encoding | None]:
    """Decode a column; where it does not fit the encoding, look at all of its cells."""
    found = None
    text = decode.decode_cells(column, chosen.name.removesuffix("-SIG"))
    if text is None and given is None:
        found = find_encoding(b"\n".join(decode.beyond_ascii(column)))
        text = decode.decode_cells(column, found.name)
    if text is None:
        text = decode.decode_one_by_one(column, chosen.name)
    return cells.to_series(cells.blank_missing(text)), found


