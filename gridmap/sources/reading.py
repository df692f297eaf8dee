"""The right reader for a file, by its ending."""

from __future__ import annotations

from pathlib import Path

from ..errors import SourceError, listed
from . import archive, books, choose, gdal, geojson, parquet, shapefile, sheets, text, vector
from .raw import Raw

_TEXT = (".csv", ".tsv", ".txt")
_JSON = (".geojson", ".json", ".topojson", *geojson.LINES)

#: Every ending that is read.
ENDINGS = tuple(sorted({*gdal.DRIVERS, *_TEXT, *_JSON, *parquet.ENDINGS, *sheets.ENDINGS,
                        *books.ENDINGS, ".zip"}))

#: JSON above this size goes to GDAL: read here it would take ten times the memory.
_JSON_BYTES = 400_000_000


def read_file(
    file: Path, wanted: choose.Wanted, *, layer: str | None = None, encoding: str | None = None
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

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file is absent or cannot be read, or lacks a layer or a column.
    """
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
    if ending == ".zip":
        inner = tuple(e for e in ENDINGS if e not in (".zip", ".txt"))
        with archive.unpacked(file, inner) as unpacked:
            return _read(unpacked, wanted, layer, encoding, told=file)
    return _read(file, wanted, layer, encoding, told=file)


def _read(
    file: Path, wanted: choose.Wanted, layer: str | None, encoding: str | None, *, told: Path
) -> Raw:
    ending = file.suffix.lower()
    if ending in _TEXT:
        return text.read_text_table(file, wanted.headers, encoding=encoding, headed=wanted.headed)
    if not wanted.headed:
        raise SourceError(f"{told} names its columns: choose them by name, not by position")
    if ending in sheets.ENDINGS:
        return sheets.read_sheet(file, wanted.headers, sheet=layer)
    if ending in books.ENDINGS:
        return books.read_book(file, wanted.headers, sheet=layer)
    if ending in parquet.ENDINGS:
        return parquet.read_parquet(file, wanted.headers)
    if ending == ".shp":
        return shapefile.read_shapefile(file, wanted.headers, encoding=encoding)
    if ending in _JSON and (file.stat().st_size <= _JSON_BYTES or ending not in gdal.DRIVERS):
        return geojson.read_geojson(file, wanted.headers, layer=layer, encoding=encoding)
    return vector.read_features(file, wanted.headers, layer=layer, told=told)
