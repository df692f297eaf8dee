"""The right reader for a file, by its ending."""

from __future__ import annotations

from pathlib import Path

from ..errors import SourceError, listed
from . import (
    archive,
    books,
    choose,
    database,
    gdal,
    geojson,
    parquet,
    postgis,
    shapefile,
    sheets,
    text,
    vector,
)
from . import limits as bounds
from .limits import USUAL, Limits
from .raw import Raw

_TEXT = (".csv", ".tsv", ".txt")
_JSON = (".geojson", ".json", ".topojson", *geojson.LINES)

#: Every ending that is read.
ENDINGS = tuple(sorted({*gdal.DRIVERS, *_TEXT, *_JSON, *parquet.ENDINGS, *sheets.ENDINGS,
                        *books.ENDINGS, ".zip"}))

#: Endings of files that are held in memory as one piece.
_HELD = (".shp", ".xls")

#: JSON above this size goes to GDAL: read here it would take ten times the memory.
_JSON_BYTES = 400_000_000


def read_file(
    file: Path, wanted: choose.Wanted, *, layer: str | None = None, encoding: str | None = None,
    limits: Limits = USUAL,
) -> Raw:
    """Read the columns of a file that are asked for.

    Parameters
    ----------
    file : Path
    wanted : Wanted
    layer : str, optional
        Layer of a file with several, or sheet of a workbook.
    encoding : str, optional
        Overrules what a text or a shapefile shows.
    limits : Limits, optional
        How much the file may ask for.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file is absent or cannot be read, or lacks a layer or a column.
    """
    if database.is_table(file):
        return postgis.read_table(file, wanted.headers, layer=layer, limits=limits)
    if not file.exists():
        raise SourceError(f"there is no file {file}")
    ending = file.suffix.lower()
    if ending not in ENDINGS:
        raise SourceError(
            f"{file} ends in {ending or 'nothing'}, which is not read. Known endings are "
            f"{listed(ENDINGS, show=40)}"
        )
    if file.is_dir() and ending != ".gdb":
        raise SourceError(f"{file} is a folder: name a file in it")
    held = ending in _HELD or (ending in _JSON and ending not in gdal.DRIVERS)
    bounds.check_files(file, limits, whole=held)
    if ending == ".zip":
        inner = tuple(e for e in ENDINGS if e not in (".zip", ".txt"))
        with archive.unpacked(file, inner, limits=limits) as unpacked:
            return _read(unpacked, wanted, layer, encoding, told=file, limits=limits)
    return _read(file, wanted, layer, encoding, told=file, limits=limits)


def _read(
    file: Path, wanted: choose.Wanted, layer: str | None, encoding: str | None, *, told: Path,
    limits: Limits,
) -> Raw:
    ending = file.suffix.lower()
    if ending in _TEXT:
        return text.read_text_table(file, wanted.headers, encoding=encoding, headed=wanted.headed,
                                    limits=limits)
    if not wanted.headed:
        raise SourceError(f"{told} names its columns: choose them by name, not by position")
    if ending in sheets.ENDINGS:
        return sheets.read_sheet(file, wanted.headers, sheet=layer, limits=limits)
    if ending in books.ENDINGS:
        return books.read_book(file, wanted.headers, sheet=layer, limits=limits)
    if ending in parquet.ENDINGS:
        return parquet.read_parquet(file, wanted.headers, limits=limits)
    if ending == ".shp":
        return shapefile.read_shapefile(file, wanted.headers, encoding=encoding)
    if ending in _JSON and (file.stat().st_size <= _JSON_BYTES or ending not in gdal.DRIVERS):
        return geojson.read_geojson(file, wanted.headers, layer=layer, encoding=encoding)
    return vector.read_features(file, wanted.headers, layer=layer, told=told)
