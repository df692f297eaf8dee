"""The table beside a shapefile, read as bytes: codes keep the digits that are written."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pandas import DataFrame, Series

from ..errors import SourceError
from . import cells, decode
from .encodings import Encoding, find_encoding, known_encoding

#: Encodings by the language byte of a dBASE file, those of which are in use.
_LANGUAGES = {0x03: "cp1252", 0x57: "cp1252", 0x4D: "GB18030", 0x7A: "GB18030", 0x4F: "Big5",
              0x78: "Big5", 0x13: "cp932", 0x7B: "cp932", 0x4E: "cp949", 0x79: "cp949",
              0x02: "cp850", 0x01: "cp437", 0xC9: "cp1251", 0xC8: "cp1250"}
_SAMPLE_BYTES = 16_000_000
_TEXT = b"CNFDLM"


class _Field(NamedTuple):
    name: bytes
    kind: bytes
    at: int  # first byte within a record
    width: int


class Table(NamedTuple):
    """A dBASE table: all its headers, and the columns that were asked for."""

    columns: DataFrame  # text
    headers: tuple[str, ...]
    deleted: NDArray[np.bool_]  # rows that are marked as deleted
    notes: tuple[tuple[str, str], ...]


class Dbf(NamedTuple):
    """A dBASE file taken apart, before it is known which columns are wanted."""

    fields: tuple[_Field, ...]
    records: NDArray[np.uint8]  # one line each
    promised: int  # records that the header tells of
    language: str | None


def open_dbf(content: bytes) -> Dbf:
    """Take a dBASE file apart.

    Parameters
    ----------
    content : bytes
        The whole file.

    Returns
    -------
    Dbf

    Raises
    ------
    SourceError
        If it is too short for its own header.

    References
    ----------
    dBASE III table file: bytes 4 to 7 number of records, 8 to 9 length of header, 10 to 11
    length of a record, 29 language; field descriptors of 32 bytes from byte 32, with the
    name in the first 11, the kind in byte 11 and the width in byte 16.
    """
    header = int.from_bytes(content[8:10], "little")
    width = int.from_bytes(content[10:12], "little")
    if len(content) < max(header, 33) or width < 1:
        raise SourceError("the .dbf is too short for its own header")
    fields, at = [], 1
    for start in range(32, header - 1, 32):
        line = content[start:start + 32]
        if len(line) < 32 or line[:1] == b"\r":
            break
        size = line[16] + (256 * line[17] if line[11:12] == b"C" else 0)
        fields.append(_Field(line[:11].split(b"\0")[0].strip(), line[11:12], at, size))
        at += size
    if at > width:
        raise SourceError("the .dbf has fields that are wider than its records")
    count = (len(content) - header) // width
    promised = int.from_bytes(content[4:8], "little")
    count = min(count, promised)
    octets = np.frombuffer(content, dtype=np.uint8, count=count * width, offset=header)
    return Dbf(tuple(fields), octets.reshape(count, width), promised, _LANGUAGES.get(content[29]))


def prove_encoding(dbf: Dbf, declared: str | None, given: str | None) -> Encoding:
    """Find the encoding of a dBASE file's text.

    Parameters
    ----------
    dbf : Dbf
    declared : str or None
        What the .cpg says; without one, the language byte of the file counts.
    given : str or None
        What the user says.

    Returns
    -------
    Encoding

    Raises
    ------
    SourceError
        If nobody knows the encoding that the user says.
    """
    if given is not None:
        name = known_encoding(given)
        if name is None:
            raise SourceError(f"there is no encoding {given!r}")
        return Encoding(name, f"{given}, said by the user")
    return find_encoding(_sample(dbf), declared=declared or dbf.language)


def _sample(dbf: Dbf) -> bytes:
    """Return names and cells of text; a cell that is full may end within a character."""
    pieces = [field.name for field in dbf.fields if len(field.name) < 10]
    rows = max(1, _SAMPLE_BYTES // max(1, dbf.records.shape[1]))
    for field in dbf.fields:
        if field.kind == b"C" and field.width:
            column = dbf.records[:rows, field.at:field.at + field.width]
            column = column[np.isin(column[:, -1], (0x20, 0x00))]
            column = column[(column >= 0x80).any(axis=1)]
            pieces += [bytes(line).rstrip(b" \0") for line in column]  # few lines: text only
    sample = b"\n".join(pieces)
    if sample.isascii():  # only cut cells are left to look at
        pieces += [field.name for field in dbf.fields]
        pieces += [bytes(line).rstrip(b" \0") for line in _full_cells(dbf, rows)]
    return b"\n".join(pieces)


def _full_cells(dbf: Dbf, rows: int) -> list[Any]:
    found: list[Any] = []
    for field in dbf.fields:
        if field.kind == b"C" and field.width:
            column = dbf.records[:rows, field.at:field.at + field.width]
            found += list(column[(column >= 0x80).any(axis=1)])
    return found


def name_fields(dbf: Dbf, encoding: str) -> list[str]:
    """Return the headers; a name of the full ten bytes may have lost its end."""
    return [_cut(field.name, encoding) for field in dbf.fields]


def _cut(cell: bytes, encoding: str) -> str:
    """Decode text that may end within a character, and leave that one out."""
    for lost in range(4):
        try:
            return cell[: len(cell) - lost].decode(encoding)
        except UnicodeDecodeError:
            continue
    return cell.decode(encoding, errors="replace")


def read_columns(dbf: Dbf, wanted: list[str], encoding: str) -> tuple[DataFrame, int]:
    """Decode the columns that are wanted; return them and the number of cells cut short.

    Parameters
    ----------
    dbf : Dbf
    wanted : list of str
        Headers, as `name_fields` returns them.
    encoding : str

    Returns
    -------
    (DataFrame of text, int)
    """
    names = name_fields(dbf, encoding)
    columns, cut = {}, 0
    for name in wanted:
        field = dbf.fields[names.index(name)]
        columns[name], more = _read(dbf, field, encoding)
        cut += more
    return DataFrame(columns, index=range(len(dbf.records))), cut


def _read(dbf: Dbf, field: _Field, encoding: str) -> tuple[Series, int]:
    octets = np.ascontiguousarray(dbf.records[:, field.at:field.at + field.width])
    if field.kind not in (bytes([k]) for k in _TEXT):
        return _read_binary(octets, field.kind), 0
    if not len(octets) or not field.width:
        return Series([None] * len(octets), dtype="str"), 0
    fixed = pa.Array.from_buffers(
        pa.binary(field.width), len(octets), [None, pa.py_buffer(octets)]
    )
    column = pa.chunked_array([fixed.cast(pa.binary())])
    text, cut = decode.decode_cells(column, encoding), 0
    if text is None:
        raw = [bytes(line).rstrip(b" \0") for line in octets]
        found = [_cut(cell, encoding) for cell in raw]
        cut = sum(len(f.encode(encoding, errors="ignore")) < len(r)
                  for f, r in zip(found, raw, strict=True))
        text = pa.array(found, pa.large_string())
    text = pc.utf8_trim(text, characters=" \0")
    return cells.to_series(cells.blank_missing(text)), cut


def _read_binary(octets: NDArray[np.uint8], kind: bytes) -> Series:
    """Read the few kinds of dBASE 7 and FoxPro that are not text."""
    dtype = {(b"I", 4): "<i4", (b"+", 4): "<i4", (b"O", 8): "<f8", (b"B", 8): "<f8"}.get(
        (kind, octets.shape[1])
    )
    if dtype is None:
        return Series([None] * len(octets), dtype="str")
    return Series(octets.view(dtype).ravel())
