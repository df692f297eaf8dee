"""GeoParquet: only the columns that are asked for leave the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pyproj import CRS

from ..errors import CRSError, SourceError
from . import cells, nesting
from . import crs as crs_room
from . import limits as bounds
from .limits import USUAL, Limits
from .raw import Raw, check_columns, make_raw

ENDINGS = (".parquet", ".geoparquet")

#: Names by which geometry goes in files that do not say which column it is.
_USUAL = ("geometry", "geom", "wkb_geometry", "the_geom", "wkb")

#: What the readers raise for a file that contradicts itself.
_FAULTS = (pa.ArrowException, ValueError, OSError, KeyError, TypeError, AttributeError,
           NotImplementedError, RecursionError)


class _Geometry(NamedTuple):
    name: str
    encoding: str  # WKB, WKT, or the name of a native encoding
    crs: Any


def read_parquet(path: Path, wanted: list[str], *, limits: Limits = USUAL) -> Raw:
    """Read columns and geometry of a GeoParquet file, or columns of plain Parquet.

    Parameters
    ----------
    path : Path
        Where it does not say which column is its geometry, a column of bytes with a usual
        name is, without a CRS.
    wanted : list of str
        Columns to read; others never enter.
    limits : Limits, optional
        How much the file may unpack to.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file cannot be read, or lacks a column.

    References
    ----------
    GeoParquet specification 1.1: file metadata "geo".
    """
    try:
        file = pq.ParquetFile(path)
        described = _describe(file.schema_arrow)
    except _FAULTS as error:
        raise SourceError(f"{path} is no Parquet file that can be read: {error}") from error
    names = list(file.schema_arrow.names)
    shape = described.name if described else None
    headers = [n for n in names if n != shape and not n.startswith("__index")]
    check_columns(wanted, [*headers, *([shape] if shape in wanted else [])], path)
    columns = list(dict.fromkeys([*wanted, *([shape] if shape else [])]))
    try:
        table = _read_groups(file, columns or names[:1], path, limits)
        shapes = None if described is None else _shapes(table, described)
        frame = table.select(list(dict.fromkeys(wanted))).to_pandas(ignore_metadata=True)
    except _FAULTS as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
    frame = frame if wanted else frame.reindex(range(table.num_rows))
    return make_raw(frame, headers, geometry=shapes, crs=described.crs if described else None)


def _read_groups(file: pq.ParquetFile, columns: list[str], path: Path, limits: Limits
                 ) -> pa.Table:
    """Read group by group, so that a file that grows beyond measure is told in time."""
    packed, size = path.stat().st_size, 0
    foreseen = file.metadata.num_rows * len(columns)
    bounds.check_grown(max(foreseen, sum(file.metadata.row_group(n).total_byte_size
                                         for n in range(file.num_row_groups))),
                       path, packed, limits)
    parts = []
    for number in range(file.num_row_groups):
        part = file.read_row_group(number, columns=columns)
        size += _unfolded_bytes(part)
        bounds.check_grown(size, path, packed, limits)
        parts.append(part)
    return pa.concat_tables(parts) if parts else file.read(columns=columns)


def _unfolded_bytes(table: pa.Table) -> int:
    """Return what a table takes when every value stands for itself, and not once for many."""
    size = 0
    for chunk in (one for column in table.columns for one in column.chunks):
        size += chunk.nbytes
        if pa.types.is_dictionary(chunk.type) and len(chunk.dictionary):
            size += chunk.dictionary.nbytes * len(chunk) // len(chunk.dictionary)
    return size


def _describe(schema: pa.Schema) -> _Geometry | None:
    """Find the geometry column, how it is written and in which CRS."""
    told = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    name = told.get("primary_column")
    if name in schema.names:
        column = told["columns"][name]
        return _Geometry(name, str(column.get("encoding", "WKB")), _crs(column))
    for name in _USUAL:
        if name in schema.names:
            kind = schema.field(name).type
            if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
                return _Geometry(name, "WKB", None)
    return None


def _crs(column: dict[str, Any]) -> CRS | None:
    """Read the CRS of a column: absent means longitude and latitude, null means unknown."""
    if "crs" not in column:
        return CRS.from_epsg(4326)
    try:
        return None if column["crs"] is None else crs_room.crs_of_text(column["crs"])
    except CRSError:
        return None


def _shapes(table: pa.Table, described: _Geometry) -> NDArray[Any]:
    column = table[described.name]
    with cells.collector_paused():
        if described.encoding.upper() == "WKB":
            return nesting.read_wkb(column.to_numpy())
        if described.encoding.upper() == "WKT":
            return np.asarray(shapely.from_wkt(
                nesting.drop_nested(column.to_numpy()), on_invalid="ignore"))
        field = pa.field(described.name, column.type, metadata={
            "ARROW:extension:name": f"geoarrow.{described.encoding.lower()}"})
        frame = GeoDataFrame.from_arrow(pa.table([column], schema=pa.schema([field])))
        return np.asarray(frame.geometry.to_numpy(), dtype=object)
