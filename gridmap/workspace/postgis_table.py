"""A layer as a table of PostGIS: types, shapes of one kind, and what its columns mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from geopandas import GeoDataFrame
from pandas.api import types

from .. import schema as schemas
from ..errors import WorkspaceError

#: The column of shapes, as GeoPackages have it.
SHAPE = "geom"

#: Schemas that describe the columns of layers; the first that knows a column tells its meaning.
_DESCRIBED = {
    "grids": (schemas.BY_GRID, schemas.GRIDS), "territories": (schemas.TERRITORIES,),
    "assets": (schemas.ASSETS,),
}


class Table(NamedTuple):
    """A layer as a database takes it."""

    key: str
    columns: dict[str, str]  # name -> type in SQL, shapes last
    rows: pa.Table  # shapes as WKB
    shape: str  # MULTIPOLYGON and the like
    srid: int
    comments: dict[str, str]


#: Kinds of columns, their type in Arrow and in SQL.
_KINDS = ((types.is_bool_dtype, pa.bool_(), "boolean"),
          (types.is_integer_dtype, pa.int64(), "bigint"),
          (types.is_float_dtype, pa.float64(), "double precision"),
          (types.is_datetime64_any_dtype, pa.timestamp("us", tz="UTC"), "timestamptz"),
          (lambda _: True, pa.string(), "text"))


def make_table(name: str, frame: GeoDataFrame) -> Table:
    """Return a layer as a table.

    Parameters
    ----------
    name : str
        What the layer is called, by which the meaning of its columns is known.
    frame : GeoDataFrame
        Its index becomes the primary key.

    Returns
    -------
    Table

    Raises
    ------
    WorkspaceError
        If its CRS has no EPSG code, or codes are missing or come twice.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> table = make_table("grids", sketch_grids("AB"))
    >>> table.columns["geom"], table.comments["grid"]
    ('geometry(MultiPolygon,32651)', 'code of the grid')
    """
    code = None if frame.crs is None else frame.crs.to_authority()
    if code is None or code[0] != "EPSG":
        raise WorkspaceError(f"the layer {name} is in a CRS without an EPSG code, which PostGIS "
                             "would not know: choose one in [run] crs")
    flat = frame.reset_index()
    key = str(flat.columns[0])
    if flat[key].isna().any() or flat[key].duplicated().any():
        raise WorkspaceError(f"the layer {name} has codes ({key}) that are missing or come twice, "
                             "and would have no primary key")
    columns, arrays = {}, {}
    for column in (str(c) for c in flat.columns if c != frame.geometry.name):
        values = flat[column]
        arrow, sql = next((a, s) for fits, a, s in _KINDS if fits(values.dtype))
        text = values.astype("str").where(values.notna(), None) if sql == "text" else values
        arrays[column] = pa.array(text, type=arrow, from_pandas=True)
        columns[column] = sql
    shapes, kind = _one_kind(flat[frame.geometry.name].to_numpy())
    arrays[SHAPE] = pa.array(shapely.to_wkb(shapes), type=pa.binary())
    columns[SHAPE] = f"geometry({kind},{code[1]})"
    return Table(key, columns, pa.table(arrays), kind, int(code[1]), _comments(name, columns))


def _one_kind(shapes: Any) -> tuple[Any, str]:
    """Return shapes of one type: points where each is one, multipart lines and polygons."""
    sides = set(shapely.get_dimensions(shapes[~shapely.is_missing(shapes)]).tolist())
    if sides == {0}:
        if (shapely.get_num_geometries(shapes) <= 1).all():
            single = np.where(shapely.is_missing(shapes), shapes, shapely.get_geometry(shapes, 0))
            return single, "Point"
        return shapes, "MultiPoint"
    for side, kind, build in ((1, "MultiLineString", shapely.multilinestrings),
                              (2, "MultiPolygon", shapely.multipolygons)):
        if sides == {side}:
            alone = np.isin(shapely.get_type_id(shapes), (1, 3))
            many = shapes.copy()
            many[alone] = build(shapes[alone], indices=np.arange(int(alone.sum())))
            return many, kind
    return shapes, "Geometry"


def _comments(name: str, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the meaning of columns, as the schemas tell it."""
    told = {SHAPE: "the shape"}
    for described in _DESCRIBED.get(name, ()):
        told.setdefault(described.index, f"code of the {described.index}")
        for column in described.columns:
            unit = f" ({column.unit})" if column.unit else ""
            told.setdefault(column.name, column.meaning + unit)
    return {column: told.get(column, f"{column}, as measured by this run") for column in columns}
