"""Only what changed in a text file is read, where all of it would be read the same way.

What a whole reading decides from all rows (the encoding, kinds of columns, codes that come
twice, personal columns, how many rows there are) is decided again here, or the file is one
of which it cannot be told: then there is no answer, and the whole is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from .. import ledger
from ..errors import GridmapError
from ..schema import Schema
from . import account, blocks, fit, loaders, text
from . import limits as bounds
from .blocks import BLOCK_BYTES, Block, Cut, Stretch
from .encodings import Encoding
from .loaded import Traced
from .loaders import Asked

#: Encodings in which a character means the same wherever it stands.
_ENCODINGS = ("UTF-8", "UTF-8-SIG", "GB18030", "Big5", "ISO-8859-1", "cp1252")

#: Lines about a file as a whole that do not hang on its rows, or can be written anew.
_OF_FILE = ("encoding", "personal column left out", "CRS said by the user", "axes swapped",
            loaders.OFFSET)

_TWICE = ("row repeated", "code repeated")

#: A file with more to tell than that is read whole.
_MOST_TOLD = 20_000

#: Above this share of its lines a file is read whole.
_MOST_READ = 0.5


class Kept(NamedTuple):
    """What is kept of a file beside its rows, to read only what changed of it."""

    encoding: str
    header: str  # hash of the line
    blocks: list[Any]  # hash and lines of each
    rejected: list[int]  # number in the file of each reject
    changed: list[int]  # number in the file of each change, 0 for the whole file


class Part(NamedTuple):
    """Rows of a file that come from the same place: as it was, or what was read of it now."""

    kept: bool
    start: int  # rows before the first there
    rows: int


class Reread(NamedTuple):
    """What was read of a file, and where its rows belong."""

    traced: Traced
    parts: list[Part]  # all rows of the file, in order
    blocks: list[Block]


def keep_blocks(
    asked: Asked, traced: Traced, *, encoding: str | None, where: Mapping[str, Any] | None,
    block_bytes: int = BLOCK_BYTES,
) -> Kept | None:
    """Return what is to be kept of a file that was read whole; None where it is of no use.

    Parameters
    ----------
    asked : Asked
    traced : Traced
        What came out of it.
    encoding, where
        As in `load_frame`.
    block_bytes : int, optional
        As in `cut_text`.
    """
    if where or not _is_asked_plainly(asked) or not _is_told_plainly(asked, traced):
        return None
    try:
        chosen = text.conclude_encoding(asked.file, encoding)
        cut = blocks.cut_text(asked.file, block_bytes=block_bytes)
    except (GridmapError, OSError):  # it is gone, or written to; that is told elsewhere
        return None
    if cut is None or chosen.name not in _ENCODINGS or not _has_plain_header(asked, cut, chosen):
        return None
    if sum(block.lines for block in cut.blocks) != traced.loaded.rows_in:
        return None  # a row has several lines
    return Kept(chosen.name, _hash(cut.header), [list(block) for block in cut.blocks],
                traced.rejected.tolist(), traced.changed.tolist())


def _hash(line: bytes) -> str:
    return hashlib.sha256(line).hexdigest()


def _is_asked_plainly(asked: Asked) -> bool:
    """Say whether what is asked of a file can be told row by row."""
    into, named = asked.into, asked.columns
    timed = any(column.kind == "time" and column.name in named for column in into.columns)
    placed = not into.geometry or ("x" in named and "y" in named)
    return bool(asked.file.suffix.lower() in (".csv", ".tsv", ".txt") and asked.wanted.headed
                and into.index in named and "wkt" not in named and placed and not timed)


def _is_told_plainly(asked: Asked, traced: Traced) -> bool:
    """Say whether everything that the account tells is about one row, or independent of rows."""
    changes, rejects = traced.loaded.changes, traced.loaded.rejects
    left = [name for name in asked.columns
            if name not in (*fit.PLACED, asked.into.index, *traced.loaded.frame.columns)]
    if left or traced.personal or not traced.told or not len(traced.loaded.frame):
        return False
    if len(changes) + len(rejects) > _MOST_TOLD or not traced.rejected.all():
        return False
    whole = changes[traced.changed == 0]
    asked_for = whole["note"].str.contains("it was asked for").fillna(False)
    single = set(changes["what"][traced.changed > 0]) <= set(_rank_notes(asked.into))
    twice = rejects[rejects["what"].isin(_TWICE)]
    return bool(
        single and set(whole["what"]) <= set(_OF_FILE) and not asked_for.any()
        and (whole["what"] == "encoding").sum() == 1
        and not rejects["what"].isin([fit.PART, "code is personal"]).any()
        and not twice["id"].str.startswith("row ").any())


def _rank_notes(into: Schema) -> list[str]:
    """Return what may be told of single rows, in the order in which it is told."""
    return ["code mended", *(f"{column.name} {what}" for column in into.columns
                             for what in ("mended", "blank"))]


def _has_plain_header(asked: Asked, cut: Cut, chosen: Encoding) -> bool:
    start = cut.header.decode(chosen.name.removesuffix("-SIG"), errors="ignore")
    headers = text.name_headers(start, True, asked.file, asked.limits)
    return headers.lines == 1 and headers.separator != "|"


def reread(
    asked: Asked, kept: Kept, *, encoding: str | None, block_bytes: int = BLOCK_BYTES
) -> Reread | None:
    """Read what changed in a file since it was read; None where the whole is to be read.

    Parameters
    ----------
    asked : Asked
    kept : Kept
        Of the same file, asked for the same.
    encoding : str or None
        As in `load_frame`.
    block_bytes : int, optional
        As it was.
    """
    try:
        return _reread(asked, kept, encoding, block_bytes)
    except (GridmapError, UnicodeDecodeError):
        return None  # reading the whole says it better


def _reread(
    asked: Asked, kept: Kept, encoding: str | None, block_bytes: int
) -> Reread | None:
    file, old = asked.file, [Block(*block) for block in kept.blocks]
    bounds.check_files(file, asked.limits, whole=False)
    text.check_lines(file, asked.limits)
    cut = blocks.cut_text(file, known=dict(old), block_bytes=block_bytes)
    if cut is None or _hash(cut.header) != kept.header:
        return None
    stretches = blocks.match_blocks(old, cut.blocks)
    parts = _tell_parts(stretches, old, cut.blocks)
    fresh, lines = (sum(part.rows for part in parts if part.kept in which)
                    for which in ((False,), (False, True)))
    if not 0 < fresh <= _MOST_READ * lines:
        return None
    chosen = text.conclude_encoding(file, encoding)
    if chosen.name != kept.encoding:
        return None
    content = cut.header + _read_stretches(file, stretches, cut)
    if encoding is None:
        content.decode(chosen.name.removesuffix("-SIG"))
    raw = text.read_some_lines(file, content, asked.wanted.headers, chosen, encoding=encoding,
                               limits=asked.limits)
    if raw.lost or len(raw.table) != fresh:
        return None
    traced = loaders.trace_rows(raw, 0, asked)
    return Reread(traced, parts, cut.blocks) if _is_told_plainly(asked, traced) else None


def _tell_parts(
    stretches: list[Stretch], old: list[Block], new: list[Block]
) -> list[Part]:
    parts: list[Part] = []
    rows_old = np.cumsum([0, *(block.lines for block in old)])
    done = 0
    for one in stretches:
        rows = sum(block.lines for block in new[one.new:one.new + one.size])
        start = done if one.old is None else int(rows_old[one.old])
        parts.append(Part(one.old is not None, start, rows))
        done += rows if one.old is None else 0
    return parts


def _read_stretches(file: Path, stretches: list[Stretch], cut: Cut) -> bytes:
    pieces = []
    with file.open("rb") as stream:
        for one in stretches:
            if one.old is None:
                stream.seek(cut.starts[one.new])
                pieces.append(stream.read(cut.starts[one.new + one.size] - cut.starts[one.new]))
    return b"".join(pieces)


class Account(NamedTuple):
    """The account of a file that was read in part, as if it had been read whole."""

    changes: DataFrame
    rejects: DataFrame
    kept: Kept


def join_account(
    asked: Asked, kept: Kept, before: tuple[DataFrame, DataFrame], done: Reread
) -> Account | None:
    """Return the account of a file; None where so many rows are told that it is another one.

    Parameters
    ----------
    asked : Asked
    kept : Kept
        Of the file as it was.
    before : (DataFrame, DataFrame)
        Its changes and its rejects, as it was.
    done : Reread
    """
    traced = done.traced
    rejects, rejected = _join_rows(
        (before[1], np.asarray(kept.rejected, dtype=np.int64)),
        (traced.loaded.rejects, traced.rejected), done.parts)
    single, changed = _join_rows(
        (before[0], np.asarray(kept.changed, dtype=np.int64)),
        (traced.loaded.changes, traced.changed), done.parts)
    if len(single) and single["what"].value_counts().max() > account.MANY:
        return None
    rank = {what: number for number, what in enumerate(_rank_notes(asked.into))}
    order = np.argsort(single["what"].map(rank).to_numpy(dtype=np.int64), kind="stable")
    rows = sum(part.rows for part in done.parts)
    whole = _tell_whole(asked, traced, rows - len(rejects))
    return Account(
        ledger.join_changes(whole, single.iloc[order]), rejects,
        kept._replace(blocks=[list(block) for block in done.blocks], rejected=rejected.tolist(),
                      changed=[0] * len(whole) + changed[order].tolist()))


def _tell_whole(asked: Asked, traced: Traced, rows: int) -> DataFrame:
    """Return the lines about the file as a whole, as so many rows that came through have them."""
    lines = traced.loaded.changes[traced.changed == 0]
    moved = None if asked.offset is None else loaders.tell_moved(asked.file, asked.offset, rows)
    return ledger.join_changes(*(
        moved if moved is not None and what == loaders.OFFSET else lines.iloc[[at]]
        for at, what in enumerate(lines["what"])))


Told = tuple[DataFrame, NDArray[np.int64]]


def _join_rows(before: Told, now: Told, parts: list[Part]) -> Told:
    """Return what is told of single rows of a file, in the order of the file."""
    pieces, numbers, done = [], [], 0
    for part in parts:
        frame, told = before if part.kept else now
        at = np.flatnonzero((told > part.start) & (told <= part.start + part.rows))
        moved = told[at] - part.start + done
        pieces.append(_name_anew(frame.iloc[at], told[at], moved))
        numbers.append(moved)
        done += part.rows
    return ledger.join_changes(*pieces), np.concatenate([np.zeros(0, dtype=np.int64), *numbers])


def _name_anew(frame: DataFrame, was: NDArray[np.int64], now: NDArray[np.int64]) -> DataFrame:
    """Return lines whose rows are called by their new numbers, where they go by numbers."""
    names = [f"row {new}" if name == f"row {old}" else name
             for name, old, new in zip(frame["id"], was, now, strict=True)]
    return frame.assign(id=np.array(names, dtype=object)).astype({"id": frame["id"].dtype})


def find_twice(rejects: DataFrame) -> DataFrame:
    """Return the rejects of rows whose code came before in the file."""
    return rejects[rejects["what"].isin(_TWICE)]
