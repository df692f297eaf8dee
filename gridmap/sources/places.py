"""Geometry out of a file: points from columns, shapes made valid, the rest named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas import DataFrame, Series

from ..errors import SourceError
from . import offsets
from .raw import Raw

_BACK = {"GCJ-02": offsets.from_gcj02, "BD-09": offsets.from_bd09}


class Places(NamedTuple):
    """Shapes of rows, and why some have none; arrays as long as the table."""

    shapes: NDArray[Any]
    reasons: Series  # text, missing where the shape is good
    mended: NDArray[np.bool_]  # made valid


def find_places(raw: Raw, columns: Mapping[str, Any], geometry: tuple[str, ...]) -> Places:
    """Take the shapes of rows, from geometry or from columns x and y, or wkt.

    Parameters
    ----------
    raw : Raw
        Rows of a file.
    columns : mapping
        ``x`` and ``y``, or ``wkt``, name the columns of a table without geometry.
    geometry : tuple of str
        Types that the schema wants; a multipart shape of one part becomes that part where
        only single ones are wanted.

    Returns
    -------
    Places

    Raises
    ------
    SourceError
        If there is neither geometry nor columns to make it from.
    """
    if "x" in columns or "y" in columns:
        shapes, reasons = _points(raw.table, columns)
    elif "wkt" in columns:
        shapes, reasons = _from_wkt(raw.table[columns["wkt"]])
    elif raw.geometry is not None:
        shapes = raw.geometry
        reasons = Series(pd.NA, index=range(len(shapes)), dtype="str")
    else:
        raise SourceError(
            "the table has no geometry: name its coordinate columns, as in "
            "columns = { x = \"lon\", y = \"lat\" } or { wkt = \"geom\" }"
        )
    return _sound(shapes, reasons, geometry)


def _points(table: DataFrame, columns: Mapping[str, Any]) -> tuple[NDArray[Any], Series]:
    if "x" not in columns or "y" not in columns:
        raise SourceError("columns has only one of x and y: both are needed")
    x = to_numbers(table[columns["x"]]).to_numpy("float64", na_value=np.nan)
    y = to_numbers(table[columns["y"]]).to_numpy("float64", na_value=np.nan)
    good = np.isfinite(x) & np.isfinite(y)
    shapes = np.full(len(table), None, dtype=object)
    shapes[good] = shapely.points(x[good], y[good])
    reasons = Series(pd.NA, index=range(len(table)), dtype="str")
    reasons[~good] = "no coordinates, or not numbers"
    return shapes, reasons


def to_numbers(values: Series) -> Series:
    """Turn text into numbers; what is no number becomes missing."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    return pd.to_numeric(values.str.strip(), errors="coerce")


def _from_wkt(values: Series) -> tuple[NDArray[Any], Series]:
    texts = values.astype(object).where(values.notna(), None).to_numpy()
    shapes = shapely.from_wkt(texts, on_invalid="ignore")
    reasons = Series(pd.NA, index=range(len(values)), dtype="str")
    unread = np.asarray(values.notna()) & shapely.is_missing(shapes)
    reasons[unread] = "WKT that cannot be read"
    return shapes, reasons


def _sound(shapes: NDArray[Any], reasons: Series, geometry: tuple[str, ...]) -> Places:
    shapes = shapely.force_2d(shapes)
    missing = shapely.is_missing(shapes)
    reasons = reasons.mask(missing & reasons.isna(), "no geometry, or none that can be read")
    reasons = reasons.mask(~missing & shapely.is_empty(shapes), "empty geometry")
    bounds = shapely.bounds(shapes)
    endless = ~missing & reasons.isna() & ~np.isfinite(bounds).all(axis=1)
    reasons = reasons.mask(endless, "coordinates are not finite")
    good = np.asarray(reasons.isna())
    mended = np.zeros(len(shapes), dtype=bool)
    invalid = good & ~shapely.is_valid(shapes)
    shapes = shapes.copy()
    if invalid.any():
        before = shapely.get_dimensions(shapes[invalid])
        shapes[invalid] = _made_valid(shapes[invalid], before)
        mended |= invalid
    shapes = _unwrapped(shapes, geometry)
    names = _type_names(shapes)
    wrong = good & ~np.isin(names, geometry)
    reasons = reasons.mask(wrong, Series(names, index=reasons.index).map(
        lambda name: f"{name}, where {' or '.join(geometry)} is needed"))
    mended &= np.asarray(reasons.isna())
    return Places(shapes, reasons, mended)


def _made_valid(shapes: NDArray[Any], dimensions: NDArray[Any]) -> NDArray[Any]:
    """Mend rings that touch or cross themselves; keep parts of the same dimension only."""
    valid = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    for at, (shape, dimension) in enumerate(zip(valid, dimensions, strict=True)):
        if shape is not None and shape.geom_type == "GeometryCollection":
            parts = [p for p in shapely.get_parts(shape)
                     if shapely.get_dimensions(p) == dimension]
            valid[at] = shapely.union_all(parts)
    return valid


def _unwrapped(shapes: NDArray[Any], geometry: tuple[str, ...]) -> NDArray[Any]:
    """Take the one part out of multipart shapes where the schema wants single ones."""
    names = _type_names(shapes)
    for single in ("Point", "LineString", "Polygon"):
        multi = f"Multi{single}"
        if single in geometry and multi not in geometry:
            alone = (names == multi) & (shapely.get_num_geometries(shapes) == 1)
            shapes[alone] = shapely.get_geometry(shapes[alone], 0)
    return shapes


def _type_names(shapes: NDArray[Any]) -> NDArray[Any]:
    kinds = np.array(["nothing", "Point", "LineString", "LinearRing", "Polygon", "MultiPoint",
                      "MultiLineString", "MultiPolygon", "GeometryCollection"])
    return kinds[shapely.get_type_id(shapes) + 1]


def undo_offset(shapes: NDArray[Any], offset: str) -> NDArray[Any]:
    """Move shapes in degrees from GCJ-02 or BD-09 back to WGS 84.

    Raises
    ------
    SourceError
        If the offset has another name.
    """
    if offset not in _BACK:
        raise SourceError(f"there is no offset {offset!r}: expected GCJ-02 or BD-09")
    return np.asarray(shapely.transform(shapes, _BACK[offset], interleaved=False))
