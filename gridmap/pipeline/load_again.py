"""Loading after an edit: files and blocks of lines that did not change are taken over.

The frame of a kind is kept once, its files one after the other. What an edit changed is read
and put between the rows that stand, as a table of Arrow: no shape is made of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from geopandas import GeoDataFrame
from pandas import DataFrame, Series
from pyproj import CRS

from .. import ledger, schema, sources
from ..errors import GridmapError
from ..sources import loaders, reread
from ..sources.blocks import BLOCK_BYTES
from ..workspace.config import Source, TableSource
from . import arrow, load
from .load import ReadFile
from .steps import Before

#: Above this share of its rows a kind is read whole.
_MOST_READ = 0.5


class Sizes(NamedTuple):
    """From which sizes on it is worth while to read in parts."""

    least_bytes: int = 4_000_000  # of a text file that is read in blocks
    least_rows: int = 50_000  # of a kind whose files are taken over one by one
    block_bytes: int = BLOCK_BYTES


USUAL = Sizes()


class _Piece(NamedTuple):
    """Rows of the frame of a kind: as they were, or read now."""

    table: pa.Table
    fresh: bool
    start: int = 0  # rows before the first in the file as it was


class _Joined(NamedTuple):
    """A file as it belongs to the frame of a kind, and its account."""

    pieces: list[_Piece]
    read: ReadFile  # with as many rows as it has in place of a frame
    told: dict[str, Any]
    gone: Any = None  # codes of the rows that were not taken over; None where all were


def read_one(
    kind: str, file: Source | TableSource, *, sizes: Sizes = USUAL
) -> ReadFile:
    """Read a file, and find out what is to be kept of it to read only what changes.

    Parameters
    ----------
    kind : str
    file : Source or TableSource
    sizes : Sizes, optional
        A smaller file is always read whole.
    """
    large = file.path.is_file() and file.path.stat().st_size >= sizes.least_bytes
    if isinstance(file, TableSource) or not large:
        return load.read_one(kind, file)
    asked = _ask(kind, file)
    traced = loaders.trace_file(asked, layer=file.layer, encoding=file.encoding, where=file.where)
    kept = reread.keep_blocks(asked, traced, encoding=file.encoding, where=file.where,
                              block_bytes=sizes.block_bytes)
    return ReadFile(kind, file, traced.loaded, kept)


def _ask(kind: str, file: Source) -> loaders.Asked:
    return loaders.ask(
        file.path, getattr(schema, kind.upper()), columns=file.columns, constants=file.constants,
        crs=file.crs, offset=file.offset, where=file.where, limits=file.limits)


def tell_files(files: Sequence[ReadFile]) -> list[dict[str, Any]]:
    """Return what is to be known of the files of a kind to take their rows over."""
    return [_tell(file, len(file.loaded.frame), _tell_kinds(file.loaded.frame)) for file in files]


def _tell_kinds(frame: DataFrame) -> dict[str, str]:
    """Return the kind of each column, and the CRS of the file."""
    told = {str(name): str(kind) for name, kind in DataFrame(frame).dtypes.items()}
    crs = arrow.tell_crs(frame.crs) if isinstance(frame, GeoDataFrame) else None
    return {**told, "": crs or ""}


def _tell(file: ReadFile, rows: int, kinds: dict[str, str]) -> dict[str, Any]:
    loaded = file.loaded
    return {"rows": rows, "rows_in": loaded.rows_in, "kinds": kinds,
            "changes": len(loaded.changes), "rejects": len(loaded.rejects),
            "kept": None if file.kept is None else file.kept._asdict()}


def load_again(
    before: Before, kind: str, files: Mapping[str, Source | TableSource],
    now: Mapping[str, str], crs: CRS, *, sizes: Sizes = USUAL,
) -> tuple[dict[str, Any], str] | None:
    """Load the files of a kind, reading only what changed; None where all is to be read.

    Parameters
    ----------
    before : Before
        What loading was made of and gave.
    kind : str
    files : mapping
        Name of each ingredient that is a file -> the file, in order.
    now : mapping
        The ingredients.
    crs : CRS
        Of the run, as it was.
    sizes : Sizes, optional
        Those that it was loaded with.

    Returns
    -------
    (dict, str) or None
        What loading gives, and in words what was read.
    """
    told = before.outputs.record.told.get("files")
    if told is None or not before.same_but(now, list(files)) or len(told) != len(files):
        return None
    rows = sum(one["rows"] for one in told)
    changed = [before.ingredients[name] != now[name] for name in files]
    whole = sum(one["rows"] for one, new in zip(told, changed, strict=True)
                if new and one["kept"] is None)
    if rows < sizes.least_rows or whole > _MOST_READ * rows or len(before.outputs["doubles"]):
        return None
    try:
        joined = _take_all(kind, list(files.values()), changed, _split(before, told), crs, sizes)
    except GridmapError:
        return None  # which file is at fault is said where all are read
    return None if joined is None or _meets(joined) else _join(joined)


def _take_all(
    kind: str, files: Sequence[Source | TableSource], changed: Sequence[bool],
    were: Sequence[_Was], crs: CRS, sizes: Sizes,
) -> list[_Joined] | None:
    """Take every file over, as far as it did not change."""
    joined, rows = [], sum(was.told["rows"] for was in were)
    for file, new, was in zip(files, changed, were, strict=True):
        one = _take_over(kind, file, was)
        if new:
            some = _read_part(kind, file, was, crs, sizes)
            one = _read(kind, file, was, crs, sizes, rows) if some is None else some
        if one is None:
            return None
        joined.append(one)
    return joined


class _Was(NamedTuple):
    """A file as it was when it was loaded."""

    told: dict[str, Any]
    table: pa.Table
    changes: DataFrame
    rejects: DataFrame


def _split(before: Before, told: Sequence[Mapping[str, Any]]) -> list[_Was]:
    """Return what was loaded, file by file."""
    table = before.outputs.table("frame")
    changes, rejects = before.outputs["changes"], before.outputs["rejects"]
    files, at = [], {"rows": 0, "changes": 0, "rejects": 0}
    for one in told:
        cut = {name: slice(start, start + one[name]) for name, start in at.items()}
        files.append(_Was(dict(one), table.slice(at["rows"], one["rows"]),
                          changes.iloc[cut["changes"]], rejects.iloc[cut["rejects"]]))
        at = {name: start + one[name] for name, start in at.items()}
    return files


def _take_over(kind: str, file: Source | TableSource, was: _Was) -> _Joined | None:
    loaded = sources.Loaded(range(was.told["rows"]), was.rejects, was.changes,
                            was.told["rows_in"])
    return _Joined([_Piece(was.table, False)], ReadFile(kind, file, loaded), was.told)


def _read(
    kind: str, file: Source | TableSource, was: _Was, crs: CRS, sizes: Sizes, rows: int
) -> _Joined | None:
    """Read a file whole; None where most of the rows are in it, or is another one in kind."""
    if was.told["rows"] > _MOST_READ * rows:
        return None
    read = read_one(kind, file, sizes=sizes)
    frame = read.loaded.frame
    if _tell_kinds(frame) != was.told["kinds"] or not len(frame):
        return None
    table = _put_like(load.to_crs(load.prefixed([read])[0], crs), was.table)
    told = _tell(read, len(frame), was.told["kinds"])
    short = read._replace(loaded=read.loaded._replace(frame=range(len(frame))))
    return _Joined([_Piece(table, True)], short, told, arrow.codes_of(was.table))


def _read_part(
    kind: str, file: Source | TableSource, was: _Was, crs: CRS, sizes: Sizes
) -> _Joined | None:
    """Put rows that were read between those that stand; None where it cannot be done so."""
    if isinstance(file, TableSource) or was.told["kept"] is None:
        return None
    asked, kept = _ask(kind, file), reread.Kept(**was.told["kept"])
    done = reread.reread(asked, kept, encoding=file.encoding, block_bytes=sizes.block_bytes)
    if done is None:
        return None
    account = reread.join_account(asked, kept, (was.changes, was.rejects), done)
    loaded = done.traced.loaded
    if account is None or not len(loaded.frame):
        return None
    frame = load.to_crs(load.prefixed([ReadFile(kind, file, loaded)])[0], crs)
    fresh = _put_like(frame, was.table)
    pieces = [_cut(part, fresh, done.traced.rejected) if not part.kept
              else _cut(part, was.table, np.asarray(kept.rejected)) for part in done.parts]
    gone = _find_gone(was.table, pieces)
    if (not _is_kind(loaded.frame, was.told["kinds"], pieces)
            or _is_torn(was.rejects, kept, done, pa.concat_arrays([gone, arrow.codes_of(fresh)]),
                        file.prefix)):
        return None
    rows = sum(len(piece.table) for piece in pieces)
    read = ReadFile(kind, file, sources.Loaded(
        range(rows), account.rejects, account.changes, sum(part.rows for part in done.parts)),
        account.kept)
    return _Joined(pieces, read, _tell(read, rows, was.told["kinds"]), gone)


def _cut(part: reread.Part, table: pa.Table, rejected: Any) -> _Piece:
    """Return the rows of a part of a file that came through."""
    ends = np.array([part.start, part.start + part.rows])
    start, end = (ends - np.searchsorted(rejected, ends, side="right")).tolist()
    return _Piece(table.slice(start, end - start), not part.kept, start)


def _find_gone(table: pa.Table, pieces: Sequence[_Piece]) -> Any:
    """Return the codes of the rows of a table that no piece took over."""
    at, gone = 0, []
    for piece in pieces:
        if not piece.fresh:
            gone.append(table.slice(at, piece.start - at))
            at = piece.start + len(piece.table)
    return pa.concat_arrays([arrow.codes_of(some) for some in (*gone, table.slice(at))])


def _is_kind(frame: DataFrame, kinds: Mapping[str, str], pieces: Sequence[_Piece]) -> bool:
    """Say whether the columns of a file, read whole, are of the kinds that they were of.

    Whole numbers become a column of whole numbers only where all rows have one.
    """
    now = _tell_kinds(frame)
    stand = [piece.table for piece in pieces if not piece.fresh]
    return now.keys() == kinds.keys() and all(
        now[name] == kind or ((now[name], kind) == ("int64", "float64")
                              and any(_is_broken(table[name]) for table in stand))
        for name, kind in kinds.items())


def _is_broken(column: pa.ChunkedArray) -> bool:
    return bool(column.null_count or pc.any(pc.not_equal(column, pc.round(column))).as_py())


def _is_torn(
    rejects: DataFrame, kept: reread.Kept, done: reread.Reread, codes: Any, prefix: str
) -> bool:
    """Say whether a row that stands was rejected for another one that does not, or is new."""
    twice = reread.find_twice(rejects)
    numbers = np.asarray(kept.rejected, dtype=np.int64)[rejects.index.isin(twice.index)]
    stand = np.zeros(len(twice), dtype=bool)
    for part in done.parts:
        if part.kept:
            stand |= (numbers > part.start) & (numbers <= part.start + part.rows)
    if not stand.any():
        return False
    others = {*twice["id"][~stand], *reread.find_twice(done.traced.loaded.rejects)["id"]}
    mine = {str(code) for code in twice["id"][stand]}
    return bool(mine & others or {prefix + code for code in mine} & set(codes.to_pylist()))


def _put_like(frame: DataFrame, table: pa.Table) -> pa.Table:
    """Return a file as a table with the columns of the frame that it belongs to.

    Raises
    ------
    Unfit
        If it cannot have them.
    """
    plain: Any = DataFrame(frame)
    put = DataFrame({name: plain[name].astype(kind) if name in plain else _miss(frame, kind)
                     for name, kind in arrow.tell_columns(table).items()}, index=frame.index)
    if isinstance(frame, GeoDataFrame):
        put = GeoDataFrame(put, geometry=frame.geometry)
    return arrow.put_like(arrow.to_table(put), table.schema)


def _miss(frame: DataFrame, kind: str) -> Series:
    if kind not in ("float64", "str"):
        raise arrow.Unfit(f"a column of {kind} that is missing")
    return Series(np.nan if kind == "float64" else None, index=frame.index, dtype=kind)


def _meets(joined: Sequence[_Joined]) -> bool:
    """Say whether a code that was read is that of a row that stands, or was read twice.

    Codes of rows that are gone stood once, so none of those that are left has them.
    """
    fresh = pa.concat_arrays([arrow.codes_of(piece.table) for one in joined
                              for piece in one.pieces if piece.fresh])
    gone = pa.concat_arrays([one.gone for one in joined if one.gone is not None])
    if pc.count_distinct(fresh).as_py() != len(fresh):
        return True
    new = fresh.filter(pc.invert(pc.is_in(fresh, value_set=gone)))
    return bool(len(new)) and any(
        pc.any(pc.is_in(arrow.codes_of(piece.table), value_set=new)).as_py()
        for one in joined for piece in one.pieces if not piece.fresh)


def _join(joined: Sequence[_Joined]) -> tuple[dict[str, Any], str]:
    pieces = [piece for one in joined for piece in one.pieces]
    table = pa.concat_tables([piece.table for piece in pieces])
    changes, rejects, lines = load.account_of([one.read for one in joined])
    read = sum(len(piece.table) for piece in pieces if piece.fresh)
    made = {"frame": table, "changes": changes, "rejects": rejects, "lines": lines,
            "doubles": ledger.join_changes(), "doubles_lines": ledger.join_ledger(),
            "files": [one.told for one in joined]}
    return made, f"{read:,} of {len(table):,} rows read"
