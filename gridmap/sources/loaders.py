"""One call for each kind of frame: any file in, one schema out, every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series
from pyproj import CRS

from .. import ledger
from ..errors import SourceError
from ..schema import Schema
from . import codes, fit, personal, places
from . import crs as crs_room
from .loaded import Loaded
from .raw import Raw
from .text import read_text_table
from .vector import read_features

_TEXT = (".csv", ".tsv", ".txt")
_SHEETS = (".xlsx", ".xls", ".ods")


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
) -> Loaded:
    """Read a file into a frame that follows a schema.

    Parameters
    ----------
    path : str or Path
        Shapefile (zipped too), GeoPackage, GeoJSON, TopoJSON, FlatGeobuf, FileGDB, KML,
        OSM ``.pbf``, GeoParquet, CSV, TSV or Excel.
    into : Schema
        What the frame shall follow.
    columns : mapping, optional
        Column of the schema (or its index) -> column of the file; a list means the first
        that is filled. ``x`` and ``y``, or ``wkt``, make geometry out of a table. Columns
        of the file that are not named here never enter.
    constants : mapping, optional
        Column of the schema -> one value for all rows.
    layer : str, optional
        Layer of a file with several.
    crs : str, optional
        CRS of the coordinates, where the file does not say it or says it wrongly.
    offset : {"GCJ-02", "BD-09"}, optional
        Declares that coordinates in degrees are shifted; they come out in WGS 84.
    encoding : str, optional
        Encoding of text, where its bytes do not prove it.
    where : mapping, optional
        Column of the file -> value or list of values to keep; ``"*"`` keeps filled cells, and
        ``{"not": values}`` all others.

    Returns
    -------
    Loaded
        ``rows_in`` counts the rows that ``where`` keeps, and equals rows of the frame plus
        rejects.

    Raises
    ------
    SourceError
        If the file is absent or cannot be read, or lacks something that is needed.
    CRSError
        If nobody says which CRS the coordinates are in.
    """
    columns, constants = dict(columns or {}), dict(constants or {})
    file = Path(path)
    raw = _read(file, _wanted(columns, where), layer, encoding)
    raw, left_out = _keep(raw, where or {})
    sieve = fit.Sieve(len(raw.table))
    ids = fit.fit_index(raw, into, columns, sieve)
    placed = places.find_places(raw, columns, into.geometry) if into.geometry else None
    if placed is not None:
        sieve.reject(placed.reasons.notna(), "no place", placed.reasons)
    table = fit.fit_columns(raw, into, columns, constants, ids, sieve)
    fit.reject_twins(ids, raw, sieve)
    frame: Any = table[sieve.kept.to_numpy()]
    frame = frame.set_axis(pd.Index(ids[sieve.kept], dtype="str", name=into.index), axis="index")
    notes = _notes(raw, file, left_out)
    if placed is not None:
        frame, more = _placed(frame, placed, raw, sieve, crs, offset, file)
        notes += more
    return _loaded(frame, ids, raw, sieve, notes)


def _wanted(columns: Mapping[str, Any], where: Mapping[str, Any] | None) -> list[str]:
    named: list[str] = []
    for value in columns.values():
        named += [value] if isinstance(value, str) else list(value)
    return list(dict.fromkeys([*named, *(where or {})]))


def _read(file: Path, wanted: list[str], layer: str | None, encoding: str | None) -> Raw:
    if not file.exists():
        raise SourceError(f"there is no file {file}")
    ending = file.suffix.lower()
    if ending in _TEXT:
        return read_text_table(file, wanted, encoding=encoding)
    if ending in _SHEETS:
        return _read_sheet(file, wanted, layer)
    return read_features(file, wanted, layer=layer, encoding=encoding)


def _read_sheet(file: Path, wanted: list[str], sheet: str | None) -> Raw:
    from .raw import choose_columns

    try:
        table = pd.read_excel(file, sheet_name=sheet or 0, dtype="str")
    except ImportError as error:
        raise SourceError(f"{file} needs a reader of spreadsheets: {error}") from error
    except (ValueError, OSError, KeyError) as error:
        raise SourceError(f"{file} is no spreadsheet that can be read: {error}") from error
    headers = tuple(str(c) for c in table.columns)
    choose_columns(wanted, headers, file)
    return Raw(table[wanted], None, None, headers)


def _keep(raw: Raw, where: Mapping[str, Any]) -> tuple[Raw, int]:
    """Keep the rows that were asked for, and count the others."""
    kept = Series(True, index=raw.table.index)
    for name, value in where.items():
        cells = raw.table[name]
        if value == "*":
            kept &= cells.notna() & (cells.astype("str") != "")
        else:
            unwanted = isinstance(value, Mapping)
            values = value["not"] if isinstance(value, Mapping) else value
            values = values if isinstance(values, list) else [values]
            kept &= cells.astype("str").isin([str(v) for v in values]) != unwanted
    if kept.all():
        return raw._replace(table=raw.table.reset_index(drop=True)), 0
    chosen = kept.to_numpy()
    shapes = None if raw.geometry is None else raw.geometry[chosen]
    table = raw.table[chosen].reset_index(drop=True)
    return raw._replace(table=table, geometry=shapes), int((~chosen).sum())


def _notes(raw: Raw, file: Path, left_out: int) -> list[DataFrame]:
    notes = [ledger.note_changes([None], step="load", what=what, note=f"{file.name}: {note}")
             for what, note in raw.notes]
    private = [h for h in raw.headers if personal.is_personal_header(h)]
    if private:
        notes.append(
            ledger.note_changes([None], step="load", what="personal column left out",
                                before=", ".join(private), note=f"{file.name}: never read")
        )
    if left_out:
        notes.append(
            ledger.note_changes([None], step="load", what="rows not asked for",
                                before=f"{left_out:,}", note=f"{file.name}: left out by where")
        )
    return notes


def _placed(
    frame: DataFrame, placed: places.Places, raw: Raw, sieve: fit.Sieve,
    given: str | None, offset: str | None, file: Path,
) -> tuple[GeoDataFrame, list[DataFrame]]:
    """Give rows their geometry, in a CRS that somebody vouches for."""
    kept = sieve.kept.to_numpy()
    shapes = placed.shapes[kept]
    system, said = crs_room.choose_crs(raw.crs, given, file)
    notes = []
    if said is not None:
        notes.append(ledger.note_changes([None], step="load", what="CRS said by the user",
                                         note=f"{file.name}: {said}"))
    mended = placed.mended[kept]
    if mended.any():
        notes.append(ledger.note_changes(frame.index[mended], step="load", what="made valid",
                                         note="a ring touched or crossed itself"))
    if offset is not None:
        if not system.is_geographic:
            raise SourceError(f"{file} is in metres, so offset = {offset!r} cannot be undone")
        shapes = places.undo_offset(shapes, offset)
        system = CRS.from_epsg(4326)
        notes.append(ledger.note_changes([None], step="load", what="offset undone",
                                         before=offset, after="EPSG:4326",
                                         note=f"{file.name}: {len(shapes):,} rows moved"))
    series = GeoSeries(shapes, index=frame.index, crs=system)
    return GeoDataFrame(frame, geometry=series, crs=system), notes


def _loaded(
    frame: Any, ids: Series, raw: Raw, sieve: fit.Sieve, notes: list[DataFrame]
) -> Loaded:
    bad = ~sieve.kept
    numbers = Series([f"row {n}" for n in range(1, len(ids) + 1)], dtype="str")
    named = ids.where(ids.notna(), numbers)
    rejects = [
        ledger.note_changes([row], step="load", what="row unreadable", note=reason)
        for row, reason in raw.lost
    ]
    for what in sorted(set(sieve.whats[bad])):
        rows = bad & (sieve.whats == what)
        rejects.append(ledger.note_changes(named[rows], step="load", what=what,
                                           note=sieve.reasons[rows]))
    changes = ledger.join_changes(*notes, *sieve.changes)
    return Loaded(frame, ledger.join_changes(*rejects), changes, len(ids) + len(raw.lost))


def load_table(
    path: str | Path,
    *,
    key: str,
    columns: Mapping[str, Any],
    encoding: str | None = None,
    where: Mapping[str, Any] | None = None,
    strip: str | None = None,
) -> Loaded:
    """Read a table of figures that is keyed by codes.

    Parameters
    ----------
    path : str or Path
        CSV, TSV, Excel, or any file of features, whose geometry is left.
    key : str
        Column of the file with the codes.
    columns : mapping
        Name -> column of the file. ``name`` and other text columns stay text where their
        cells are not numbers; all others become numbers.
    encoding, where
        As in `load_territories`.
    strip : str, optional
        Characters to leave out of the codes, such as ``"-"``.

    Returns
    -------
    Loaded
        A DataFrame indexed by ``code``.

    Raises
    ------
    SourceError
        If the file or a column is absent.
    """
    file = Path(path)
    raw = _read(file, list(dict.fromkeys([key, *_wanted(columns, where)])), None, encoding)
    raw, left_out = _keep(raw, where or {})
    sieve = fit.Sieve(len(raw.table))
    mended = codes.mend_codes(raw.table[key], strip=strip)
    sieve.reject(mended.hopeless, "code unreadable",
                 "digits are lost, as a spreadsheet does: write the code out in full as text")
    sieve.reject(mended.codes.isna(), "code missing", "a row needs a code")
    ids = mended.codes
    _note_mended(raw.table[key], ids, mended.mended, strip, file, sieve)
    table = {name: _figures(fit.pick(raw, source)) for name, source in columns.items()
             if not personal.is_personal_header(str(source))}
    fit.reject_twins(ids, raw, sieve)
    kept = sieve.kept.to_numpy()
    frame = DataFrame(table, index=range(len(ids)))[kept]
    frame.index = pd.Index(ids[kept], dtype="str", name="code")
    return _loaded(frame, ids, raw, sieve, _notes(raw, file, left_out))


def _note_mended(
    before: Series, ids: Series, mended: Series, strip: str | None, file: Path, sieve: fit.Sieve
) -> None:
    """Note codes that a spreadsheet damaged one by one, and what was declared in one line."""
    alone = codes.mend_codes(before).codes  # what mending without strip makes
    declared = mended & (alone != ids)
    if declared.any():
        sieve.note([None], "characters left out of codes", before=strip,
                   note=f"{file.name}: {int(declared.sum()):,} codes, as strip says")
    others = mended & ~declared
    sieve.note(ids[others], "code mended", before=before[others].astype("str"),
               after=ids[others], note=f"{file.name}: a spreadsheet made it a number")


def _figures(values: Series) -> Series:
    """Numbers where every filled cell is one, else text."""
    numbers = places.to_numbers(values)
    unread = numbers.isna() & values.notna() & (values.astype("str").str.strip() != "")
    return values.astype("str").where(values.notna()) if unread.any() else numbers
