"""One call for each kind of frame: any file in, one schema out, every row accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame, GeoSeries
from numpy.typing import NDArray
from pandas import DataFrame, Series
from pyproj import CRS

from .. import ledger
from ..errors import SourceError
from ..schema import Schema
from . import account, choose, database, fit, personal, places, reading
from . import crs as crs_room
from .account import Fault, Fitted
from .limits import USUAL, Limits
from .loaded import Loaded, Traced
from .raw import Raw

#: What a line of CHANGES is called that tells of an offset.
OFFSET = "offset undone"


def load_frame(
    path: str | Path,
    into: Schema,
    *,
    columns: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    layer: str | None = None,
    crs: str | None = None,
    offset: str | None = None,
    encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
    limits: Limits = USUAL,
) -> Loaded:
    """Read a file into a frame that follows a schema.

    Parameters
    ----------
    path : str or Path
        Shapefile (zipped too), GeoPackage, GeoJSON, TopoJSON, FlatGeobuf, FileGDB, KML,
        OSM ``.pbf``, GeoParquet, CSV, TSV, Excel or LibreOffice sheets; or a table of PostGIS,
        as ``"postgis://user@host/database?table=schema.table"``.
    into : Schema
        What the frame shall follow.
    columns : mapping, optional
        Column of the schema (or its index) -> column of the file; a list means the first
        that is filled. ``x`` and ``y``, or ``wkt``, make geometry out of a table. Columns
        of the file that are not named here never enter. In a text file without a header
        line, whole numbers name columns by their position, from 1.
    constants : mapping, optional
        Column of the schema -> one value for all rows.
    layer : str, optional
        Layer of a file with several, or sheet of a workbook.
    crs : str, optional
        CRS of the coordinates, where the file does not say it or says it wrongly. With
        ``yx`` after it, as in ``"EPSG:4326 yx"``, latitude or northing stands first.
    offset : {"GCJ-02", "BD-09"}, optional
        Declares that coordinates in degrees are shifted; they come out in WGS 84.
    encoding : str, optional
        Encoding of text, where its bytes do not prove it.
    where : mapping, optional
        Column of the file -> value or list of values to keep; ``"*"`` keeps filled cells, and
        ``{"not": values}`` all others.
    limits : Limits, optional
        How much a file may ask for, where the usual is not enough.

    Returns
    -------
    Loaded
        ``rows_in`` counts the rows that ``where`` keeps, and equals rows of the frame plus
        rejects. Rows keep the order of the file, and a code that comes again is rejected:
        its first row stays.

    Raises
    ------
    SourceError
        If the file is absent or cannot be read, or lacks something that is needed.
    CRSError
        If nobody says which CRS the coordinates are in.
    """
    asked = ask(path, into, columns=columns, constants=constants, crs=crs, offset=offset,
                where=where, limits=limits)
    return trace_file(asked, layer=layer, encoding=encoding, where=where).loaded


class Asked(NamedTuple):
    """What is asked of the rows of a file."""

    file: Path
    into: Schema
    columns: dict[str, Any]  # ours -> theirs
    wanted: choose.Wanted  # what is to be read
    constants: dict[str, Any]
    crs: str | None
    offset: str | None
    limits: Limits


def ask(
    path: str | Path, into: Schema, *, columns: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None, crs: str | None = None, offset: str | None = None,
    where: Mapping[str, Any] | None = None, limits: Limits = USUAL,
) -> Asked:
    """Say what is asked of a file, by the options of `load_frame`.

    Raises
    ------
    SourceError
        If the options contradict each other or the schema.
    """
    wanted, constants = choose.choose_columns(columns, where), dict(constants or {})
    fit.check_names(into, wanted.columns, constants)
    return Asked(database.as_path(path), into, wanted.columns, choose.leave_private(wanted, where),
                 constants, crs, offset, limits)


def trace_file(
    asked: Asked, *, layer: str | None = None, encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
) -> Traced:
    """Read what is asked of a file as `load_frame` does, and trace the account to its rows."""
    whole = reading.read_file(asked.file, asked.wanted, layer=layer, encoding=encoding,
                              limits=asked.limits)
    traced = trace_rows(*choose.keep_rows(whole, where), asked)
    empty = tell_empty(whole, asked.file)
    loaded = traced.loaded
    return traced._replace(
        loaded=loaded._replace(changes=ledger.join_changes(empty, loaded.changes)),
        changed=np.concatenate([np.zeros(len(empty), dtype=np.int64), traced.changed]))


def tell_empty(raw: Raw, file: Path) -> DataFrame:
    """Return a line of CHANGES about a file that has no row, and none about others."""
    if len(raw.table) or raw.lost:
        return ledger.join_changes()
    return account.tell("file without rows", f"{file.name}: it can be read, and holds no row")


def trace_rows(raw: Raw, left_out: int, asked: Asked) -> Traced:
    """Return rows as a schema wants them, and which rows the account of them is about."""
    file, into = asked.file, asked.into
    key = fit.fit_index(raw, into, asked.columns)
    fitted = fit.fit_columns(raw, into, asked.columns, asked.constants)
    placed = (places.find_places(raw, asked.columns, into.geometry, limits=asked.limits)
              if into.geometry else None)
    parts = [key, *fitted.values()]
    faults = [*key.faults, *(placed.faults if placed else ()), *_all_faults(fitted.values())]
    notes = [*(placed.notes if placed else ()), *(note for part in parts for note in part.notes)]
    kept = account.sift(len(raw.table), faults) < 0
    faults += fit.find_twins(key.values, raw, placed, kept)
    first = account.sift(len(raw.table), faults)
    private = fit.find_private(asked.columns, fitted, into.index)
    lines = about_file(raw, file, left_out, private)
    lines += _tell_parts(fitted, first, faults, file)
    frame = take_kept(key.values, fitted, first < 0, into.index)
    if placed is not None:
        frame, more = _put(frame, placed, first < 0, raw, asked.crs, asked.offset, file)
        lines += more
    changes = account.write_notes(key.values, raw.rows, first < 0, notes, file.name)
    rejects = account.write_rejects(key.values, raw.rows, first, faults, raw.lost)
    loaded = Loaded(frame, rejects, ledger.join_changes(*lines, changes),
                    len(raw.table) + len(raw.lost))
    told = account.number_notes(raw.rows, first < 0, notes)
    return Traced(
        loaded,
        np.concatenate([np.zeros(len(raw.lost), dtype=np.int64), raw.rows[first >= 0]]),
        np.concatenate([np.zeros(sum(map(len, lines)), dtype=np.int64), told]),
        not _reads_like_rows(key.values, first, raw.rows, told),
        any(part.personal for part in parts))


def _reads_like_rows(
    ids: Series, first: NDArray[np.int64], rows: NDArray[np.int64], told: NDArray[np.int64]
) -> bool:
    """Say whether a row that the account names has a code such as "row 17"."""
    named = ids[(first >= 0) | np.isin(rows, told)]
    return bool(named.str.startswith("row ").fillna(False).any())


def _all_faults(parts: Iterable[Fitted]) -> list[Fault]:
    return [fault for part in parts for fault in part.faults]


def _tell_parts(
    fitted: Mapping[str, Fitted], first: NDArray[np.int64], faults: Sequence[Fault], file: Path
) -> list[DataFrame]:
    """Tell of an exploded layer, whose repeated values would be counted once for each part."""
    numbers = [number for number, fault in enumerate(faults) if fault.what == fit.PART]
    parts = np.isin(first, numbers)
    if not parts.any():
        return []
    kept = first < 0
    totals = [
        f"{name} add up to {values[kept].sum():,.10g}, and to {values[kept | parts].sum():,.10g} "
        "if every part counted"
        for name in ("households", "people") if name in fitted
        and (values := fitted[name].values).notna().any()
    ]
    told = "; ".join([f"{int(parts.sum()):,} rows repeat a code at another place", *totals])
    return [account.tell("parts of one thing", f"{file.name}: {told}")]


def take_kept(
    ids: Series, fitted: Mapping[str, Fitted], kept: NDArray[np.bool_], index: str
) -> Any:
    """Return the rows that are kept as a frame indexed by their codes."""
    frame = DataFrame({name: one.values for name, one in fitted.items()}, index=ids.index)
    if not kept.all():
        frame, ids = frame[kept], ids[kept]
    return frame.set_axis(pd.Index(ids, dtype="str", name=index), axis="index")


def about_file(raw: Raw, file: Path, left_out: int, private: list[str]) -> list[DataFrame]:
    """Write what there is to tell about a file as a whole.

    Personal columns are named by their headers, whether they were asked for or not.
    """
    lines = [account.tell(what, f"{file.name}: {note}") for what, note in raw.notes]
    unread = [header for header in raw.headers
              if personal.is_personal_header(header) and header not in raw.table
              and header not in private]
    if unread:
        named = personal.harmless_headers(raw.headers)  # none, where the first line is a row
        lines.append(account.tell("personal column left out", f"{file.name}: never read",
                                  before=", ".join(unread) if named else f"{len(unread):,}"))
    if private:
        lines.append(account.tell(
            "personal column left out", before=", ".join(private),
            note=f"{file.name}: it was asked for, but holds names, phones or ID numbers"))
    if left_out:
        lines.append(account.tell("rows not asked for", f"{file.name}: left out by where",
                                  before=f"{left_out:,}"))
    return lines


def _put(
    frame: DataFrame, placed: places.Places, kept: NDArray[np.bool_], raw: Raw,
    given: str | None, offset: str | None, file: Path,
) -> tuple[GeoDataFrame, list[DataFrame]]:
    """Give rows their geometry, in a CRS that somebody vouches for."""
    found = raw.crs if placed.crs is None else crs_room.crs_of_srid(placed.crs, file)
    given, swapped = crs_room.split_axes(given)
    system, said = crs_room.choose_crs(found, given, file, bounds=places.bounds_of(placed))
    lines = []
    if said is not None:
        lines.append(account.tell("CRS said by the user", f"{file.name}: {said}"))
    if swapped:
        placed = places.swap_axes(placed)
        lines.append(account.tell("axes swapped", f"{file.name}: said by the user"))
    if offset is not None and not system.is_geographic:
        raise SourceError(f"{file} is in metres, so offset = {offset!r} cannot be undone")
    shapes = places.build_shapes(placed, kept, offset)
    if offset is not None:
        system = CRS.from_epsg(4326)
        lines.append(tell_moved(file, offset, len(shapes)))
    series = GeoSeries(shapes, index=frame.index, crs=system)
    return GeoDataFrame(frame, geometry=series, crs=system), lines


def tell_moved(file: Path, offset: str, count: int) -> DataFrame:
    """Write the line that tells how many rows an offset was undone for."""
    return account.tell(OFFSET, f"{file.name}: {count:,} rows moved", before=offset,
                        after="EPSG:4326")
