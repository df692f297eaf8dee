"""What a file holds that nobody has described: layers, columns that look like codes or places."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pandas import DataFrame, Series, to_numeric

from .. import schema
from ..errors import SourceError
from . import (
    archive,
    cells,
    choose,
    codes,
    database,
    gdal,
    limits,
    personal,
    postgis,
    reading,
    vector,
)
from .raw import Raw

#: Endings of files that may hold several layers.
_LAYERED = (".gpkg", ".gdb", ".kml", ".pbf", ".osm")

#: Larger files of JSON are not searched for a topology.
_TOPOLOGY_BYTES = 50_000_000

#: Endings of tables, which have no geometry of their own.
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")

_CODE = re.compile(
    r"(code|id|fid|no|nr)$|^(code|id)|编码|代码|編碼|代碼|编号|編號|"
    r"^(territory|unit|grid|site|element|building|address|resident|asset|barrier|event|visit)$",
    re.IGNORECASE,
)
_X = ("lon", "lng", "long", "longitude", "x", "xcoord", "easting", "经度", "經度")
_Y = ("lat", "latitude", "y", "ycoord", "northing", "纬度", "緯度")
_SHAPES = ("wkt", "wkb", "geom", "geometry", "thegeom", "shape")
_MEASURES = {
    "households": re.compile(r"^(households?|hhcount|hcnt|户数|戶數|总户数)$"),
    "people": re.compile(
        r"^(people|persons|population|pop|pop\d{4,}|popcount|pcnt|人口|人口数|总人口)$"),
}
#: A code is filled in nearly all rows, and most of its values stand once.
_FILLED, _ONCE = 0.9, 0.5

#: Anything that has a place; rows without a code of their own are numbered, as sites are.
ANYTHING = replace(
    schema.SITES, meaning="rows of a file that nobody has described",
    geometry=("Point", "MultiPoint", *schema.LINES, *schema.POLYGONS, "GeometryCollection"),
    columns=(
        schema.Column(name="households", kind="count", meaning="households", required=False,
                      missing=True),
        schema.Column(name="people", kind="count", meaning="people", required=False,
                      missing=True),
    ),
)


class Peek(NamedTuple):
    """What a file seems to hold. No value of it is kept."""

    columns: dict[str, Any]  # as a loader takes them: site (the code), x, y, wkt, people, …
    personal: list[str]  # headers of columns whose values are phone or ID numbers
    repeated: DataFrame  # code and figures of rows whose code comes more than once
    rows: int


def list_layers(path: str | Path) -> list[str | None]:
    """Return the layers of a file, None alone where it has no layers or only one.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    list of str, or of one None

    Raises
    ------
    SourceError
        If the file is absent, or not what its ending says.

    Examples
    --------
    >>> list_layers("nothing.csv")
    [None]
    """
    file = database.as_path(path)
    ending = file.suffix.lower()
    names: list[str] = []
    if database.is_table(file):
        return list(postgis.list_tables(file)) if len(file.parts) < 3 else [None]
    if file.exists():
        limits.check_files(file, limits.USUAL, whole=False)
    if ending == ".zip" and file.is_file():
        inner = tuple(e for e in reading.ENDINGS if e not in (".zip", ".txt"))
        with archive.unpacked(file, inner) as unpacked:
            return list_layers(unpacked)
    if ending in _LAYERED:
        if not file.exists():
            raise SourceError(f"there is no file {file}")
        limits.check_files(file, limits.USUAL, whole=False)
        gdal.check_content(file)
        try:
            with gdal.quietly():
                names = [str(row[0]) for row in pyogrio.list_layers(file)]
        except gdal.FAULTS as error:
            raise SourceError(f"{file} cannot be read: {error}") from error
    elif ending in (".topojson", ".json", ".geojson") and file.is_file():
        names = _objects(file)
    names = [name for name in names if name not in vector.HOUSEHOLD]
    return list(names) if len(names) > 1 else [None]


def list_columns(path: str | Path, *, layer: str | None = None) -> list[str]:
    """Return the headers of a file in their order; nothing else of it is kept.

    Parameters
    ----------
    path : str or Path
        Any file that a loader reads.
    layer : str, optional
        As for a loader.

    Returns
    -------
    list of str

    Raises
    ------
    SourceError
        If the file cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "homes.csv")
    >>> _ = file.write_text("no,lon,lat\\nA,122.1,37.4\\n")
    >>> list_columns(file)
    ['no', 'lon', 'lat']
    """
    return list(reading.read_file(database.as_path(path), choose.choose_columns(None, None),
                                  layer=layer).headers)


def _objects(file: Path) -> list[str]:
    """Return the names of the objects of a topology; of anything else, none."""
    if file.stat().st_size > _TOPOLOGY_BYTES or b'"Topology"' not in file.read_bytes():
        return []
    try:
        return list(json.loads(file.read_text(encoding="utf-8-sig")).get("objects", {}))
    except (ValueError, AttributeError):
        return []


def peek_file(
    path: str | Path, *, layer: str | None = None, code: str | None = None,
    encoding: str | None = None,
) -> Peek:
    """Read a file once to find out which columns hold codes, places and counts.

    Columns with the header of a person, phone or ID number are not read.

    Parameters
    ----------
    path : str or Path
        Any file that a loader reads.
    layer, encoding : str, optional
        As for a loader.
    code : str, optional
        The column of codes, where it is known.

    Returns
    -------
    Peek

    Raises
    ------
    SourceError
        If the file cannot be read, or has no column ``code``.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "homes.csv")
    >>> _ = file.write_text("no,lon,lat,户主\\nA,122.1,37.4,王\\nB,122.2,37.5,李\\n")
    >>> peek_file(file).columns
    {'site': 'no', 'x': 'lon', 'y': 'lat'}
    """
    file = database.as_path(path)
    raw = _read_whole(file, layer, encoding)
    positions = raw.headers and raw.table.shape[1] and raw.table.columns[0] == "1"
    names = [str(name) for name in raw.table]
    named: dict[str, Any] = {name: int(name) if positions else name for name in names}
    private = [name for name in names if personal.has_personal_values(raw.table[name])]
    table = raw.table.drop(columns=private)
    columns: dict[str, Any] = {}
    chosen = code if code is not None else _choose_code(table, numbered=bool(positions))
    if chosen is not None:
        columns["site"] = named.get(chosen, chosen)
    if raw.geometry is None:
        columns |= _choose_places(table, named)
    for measure, pattern in _MEASURES.items():
        fitting = [name for name in map(str, table) if pattern.match(_bare(name))]
        columns |= {measure: fitting[0]} if fitting and not positions else {}
    return Peek(columns, private, _repeated(table, columns), len(raw.table) + len(raw.lost))


def _read_whole(file: Path, layer: str | None, encoding: str | None) -> Raw:
    """Read all columns but the personal ones; by position where there is no header line."""
    first = reading.read_file(file, choose.choose_columns(None, None), layer=layer,
                              encoding=encoding)
    if first.geometry is None and any(_is_number(header) for header in first.headers):
        wanted: list[Any] = list(range(1, len(first.headers) + 1))
    else:
        wanted = [h for h in dict.fromkeys(first.headers)
                  if not personal.is_personal_header(h) and first.headers.count(h) == 1]
    if not wanted:
        return first
    return reading.read_file(file, choose.choose_columns({"all": wanted}, None), layer=layer,
                             encoding=encoding)


def _is_number(header: str) -> bool:
    return re.fullmatch(r"\s*[-+]?\d+(\.\d+)?\s*", header) is not None


def _bare(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.lower())


def _choose_code(table: DataFrame, *, numbered: bool) -> str | None:
    """Choose the column of codes: that with the fewest repetitions, the first of equals."""
    best, most = None, _ONCE
    for name in table:
        if not numbered and not _CODE.search(str(name).strip()):
            continue
        values = codes.mend_codes(cells.to_text(table[name])).codes
        filled = values.dropna()
        if len(filled) < _FILLED * len(values) or not len(filled):
            continue
        once = filled.nunique() / len(filled)
        if once > most:
            best, most = str(name), once
        if numbered:  # without headers only the first column can be meant
            break
    return best


def _choose_places(table: DataFrame, named: dict[str, Any]) -> dict[str, Any]:
    """Choose columns of coordinates or shapes by header, or by their values without one."""
    bare = {_bare(str(name)): name for name in reversed(list(table))}
    x, y = (next((bare[name] for name in names if name in bare), None) for names in (_X, _Y))
    if x is not None and y is not None:
        return {"x": x, "y": y}
    shape = next((bare[name] for name in _SHAPES if name in bare
                  and table[bare[name]].map(lambda cell: isinstance(cell, str | bytes)).any()),
                 None)
    if shape is not None:
        return {"wkt": shape}
    names = [str(name) for name in table]
    numbers = {name: to_numeric(cells.to_text(table[name]), errors="coerce") for name in names}
    for one, other in pairwise(names):
        if _is_degrees(numbers[one], 180.0) and _is_degrees(numbers[other], 90.0):
            return {"x": named[one], "y": named[other]}
    return {}


def _is_degrees(values: Series, most: float) -> bool:
    known = values.dropna()
    return bool(len(known) and (known.abs() <= most).all() and (known % 1 != 0).mean() > 0.8)


def _repeated(table: DataFrame, columns: dict[str, Any]) -> DataFrame:
    """Return code and figures of rows whose code comes more than once."""
    code = columns.get("site")
    if code is None or str(code) not in table:
        return DataFrame({"code": []})
    values = codes.mend_codes(cells.to_text(table[str(code)])).codes
    again = values.notna() & values.duplicated(keep=False)
    figures = {name: to_numeric(cells.to_text(table[columns[name]][again]), errors="coerce")
               for name in _MEASURES if name in columns}
    return DataFrame({"code": values[again], **figures}).reset_index(drop=True)


def main_kind(shapes: NDArray[Any] | Sequence[Any]) -> str:
    """Say what most of some shapes are: polygons, lines or points.

    Examples
    --------
    >>> main_kind([shapely.Point(0, 0), shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    'polygons'
    """
    sides = shapely.get_dimensions(np.asarray(shapes, dtype=object))
    counts = np.bincount(sides[sides >= 0], minlength=3)
    return ("points", "lines", "polygons")[int(counts.argmax())] if counts.any() else "points"
