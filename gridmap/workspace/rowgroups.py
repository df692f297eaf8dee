"""Parquet files in row groups that do not depend on each other, so that most can be copied."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from . import compact
from .compact import Field, Items, Struct

#: Rows of a row group: the fewest, how many more until a border is likely, and the most.
LEAST, LIKELY, MOST = 25_000, 8_000, 150_000

_MAGIC = b"PAR1"
_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: spreads what is alike

# Numbers of fields in parquet.thrift. A footer with any other that could hold a place in the
# file is not copied from.
_SCHEMA, _ROWS, _GROUPS = 2, 3, 4  # FileMetaData
_COLUMNS, _GROUP_ROWS, _GROUP_AT, _GROUP_SIZE, _ORDINAL = 1, 3, 5, 6, 7  # RowGroup
_CHUNK_AT, _CHUNK_SAID = 2, 3  # ColumnChunk
_PAGE_AT, _DICTIONARY_AT = 9, 11  # ColumnMetaData
_FILE_KNOWN = {1, 2, 3, 4, 5, 6, 7}
_GROUP_KNOWN = {1, 2, 3, 5, 6, 7}
_CHUNK_KNOWN = {2, 3}
_SAID_KNOWN = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17}


@dataclass(frozen=True)
class RowGroups:
    """A frame that is written row group by row group.

    Parameters
    ----------
    schema : Schema
        Of Arrow, with all that the file says of itself.
    groups : sequence of callable
        Each returns the rows of one group as a table of that schema.
    varied : sequence of str
        Columns whose values seldom come again, so that a dictionary of them only costs.
    before : Path, optional
        A file that was written so, its bytes proven.
    kept : mapping of int to int
        Groups whose rows are, to the last bit, those of a group of the file before.
    footer : Footer, optional
        Of the file before, where it was read already.
    """

    schema: pa.Schema
    groups: Sequence[Callable[[], pa.Table]]
    varied: Sequence[str] = ()
    before: Path | None = None
    kept: Mapping[int, int] = field(default_factory=dict)
    footer: Footer | None = None

    def save(self, file: Path) -> None:
        """Write the file; the bytes are the same whether groups are copied or not."""
        if self.before is None or not self.kept or not self._copy(file, self.before):
            with file.open("wb") as out:
                self._encode(out, range(len(self.groups)))

    def _encode(self, out: Any, numbers: Sequence[int]) -> None:
        again = [name for name in self.schema.names if name not in self.varied]
        with parquet.ParquetWriter(
                out, self.schema, compression="zstd", use_dictionary=again) as writer:
            for number in numbers:
                writer.write_table(self.groups[number](), row_group_size=MOST)

    def _copy(self, file: Path, before: Path) -> bool:
        """Write the file with what is kept copied; False where that cannot be proven."""
        anew = io.BytesIO()
        numbers = [n for n in range(len(self.groups)) if n not in self.kept]
        with before.open("rb") as old:
            was = self.footer or read_footer(old)
            if was is None or max(self.kept.values()) >= len(was.groups):
                return False
            self._encode(anew, numbers)
            now = read_footer(anew)
            if now is None or len(now.groups) != len(numbers) or not _alike(was, now):
                return False
            fresh = iter(now.groups)
            parts = [(old, was.groups[self.kept[n]]) if n in self.kept else (anew, next(fresh))
                     for n in range(len(self.groups))]
            with file.open("wb") as out:
                _join(out, now.said, parts)
        return True


class Part(NamedTuple):
    """A row group of a file."""

    at: int
    size: int
    rows: int
    said: Struct


class Footer(NamedTuple):
    """What a Parquet file says of itself."""

    said: Struct
    groups: list[Part]


def read_footer(file: BinaryIO) -> Footer | None:
    """Read a footer; None where not all of it is understood to the last byte.

    Examples
    --------
    >>> held = io.BytesIO()
    >>> parquet.write_table(pa.table({"a": [1, 2, 3]}), held, row_group_size=2)
    >>> [part.rows for part in read_footer(held).groups]
    [2, 1]
    >>> read_footer(io.BytesIO(b"PAR1")) is None
    True
    """
    end = file.seek(0, io.SEEK_END)
    if end < 12:
        return None
    file.seek(end - 8)
    size, magic = int.from_bytes(file.read(4), "little"), file.read(4)
    start = end - 8 - size
    file.seek(0)
    if start < 4 or magic != _MAGIC or file.read(4) != _MAGIC:
        return None
    file.seek(start)
    held = file.read(size)
    try:
        said = compact.read_struct(held)
        if compact.write_struct(said) != held:
            return None
        groups = [_place(group) for group in _get(said, _GROUPS).values]
    except (compact.Malformed, KeyError, TypeError, AttributeError, ValueError):
        return None
    borders = [part.at for part in groups] + [start]
    whole = borders[0] == 4 and all(
        part.at + part.size == after for part, after in zip(groups, borders[1:], strict=True))
    rows = sum(part.rows for part in groups) == _get(said, _ROWS)
    return Footer(said, groups) if whole and rows and _known(said, _FILE_KNOWN) else None


def _place(group: Struct) -> Part:
    """Return where a group lies; ValueError where something in it is not understood."""
    known = _known(group, _GROUP_KNOWN)
    for chunk in _get(group, _COLUMNS).values:
        known &= _known(chunk, _CHUNK_KNOWN) and _get(chunk, _CHUNK_AT) == 0
        known &= _known(_get(chunk, _CHUNK_SAID), _SAID_KNOWN)
    if not known:
        raise ValueError("a part of a row group is not known")
    return Part(_get(group, _GROUP_AT), _get(group, _GROUP_SIZE), _get(group, _GROUP_ROWS), group)


def _get(struct: Struct, number: int) -> Any:
    for one in struct:
        if one.number == number:
            return one.value
    raise KeyError(number)


def _known(struct: Struct, numbers: set[int]) -> bool:
    return all(one.number in numbers for one in struct)


def _alike(was: Footer, now: Footer) -> bool:
    """Say whether two files have the same columns, made by the same writer."""
    own = (_ROWS, _GROUPS, 5)  # rows, groups, and what is said beside
    return [one for one in was.said if one.number not in own] == [
        one for one in now.said if one.number not in own]


def _join(out: BinaryIO, said: Struct, parts: list[tuple[Any, Part]]) -> None:
    """Write a file of row groups of other files, under a footer of its own."""
    out.write(_MAGIC)
    groups: list[Struct] = []
    for source, part in parts:
        groups.append(_move(part.said, out.tell() - part.at, len(groups)))
        source.seek(part.at)
        _pass_on(source, out, part.size)
    rows = sum(part.rows for _, part in parts)
    footer = compact.write_struct(_set(said, {
        _ROWS: rows, _GROUPS: Items(_get(said, _GROUPS).kind, groups)}))
    out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


def _pass_on(source: BinaryIO, out: BinaryIO, size: int) -> None:
    for _ in range(0, size, 1 << 24):
        some = source.read(min(size, 1 << 24))
        out.write(some)
        size -= len(some)


def _move(group: Struct, by: int, ordinal: int) -> Struct:
    """Return a row group that lies somewhere else."""
    chunks = _get(group, _COLUMNS)
    moved = [_set(chunk, {_CHUNK_SAID: _shift(_get(chunk, _CHUNK_SAID), by)})
             for chunk in chunks.values]
    return _set(group, {_COLUMNS: Items(chunks.kind, moved), _ORDINAL: ordinal,
                        _GROUP_AT: _get(group, _GROUP_AT) + by})


def _shift(said: Struct, by: int) -> Struct:
    return [Field(one.number, one.kind, one.value + by)
            if one.number in (_PAGE_AT, _DICTIONARY_AT) else one for one in said]


def _set(struct: Struct, values: Mapping[int, Any]) -> Struct:
    return [one._replace(value=values[one.number]) if one.number in values else one
            for one in struct]


def cut_rows(
    words: NDArray[np.uint64], *, least: int = LEAST, likely: int = LIKELY, most: int = MOST
) -> NDArray[np.intp]:
    """Return where row groups begin, and the end: borders that the rows themselves decide.

    A row that is put in or taken out moves the borders near it; those that follow fall at the
    same rows as before (content-defined chunking).

    Parameters
    ----------
    words : array of uint64
        Something of each row that seldom repeats.
    least, likely, most : int
        Rows of a group: the fewest, how many more until a border is likely, and the most. The
        last group may have fewer.

    Examples
    --------
    >>> cut_rows(np.zeros(5, np.uint64), least=1, likely=9, most=2).tolist()
    [0, 2, 4, 5]
    >>> cut_rows(np.zeros(0, np.uint64)).tolist()
    [0, 0]
    """
    chosen = np.flatnonzero(words * _ODD - np.uint64(1) < np.uint64(2**64 // likely - 1))
    borders = [0]
    while len(words) - borders[-1] > least:
        at = np.searchsorted(chosen, borders[-1] + least)
        likely_at = int(chosen[at]) if at < len(chosen) else len(words)
        border = min(likely_at, borders[-1] + most, len(words))
        if border == len(words):
            break
        borders.append(border)
    return np.array([*borders, len(words)])
