"""Layers as GeoPackage, GeoParquet, FlatGeobuf and GeoJSON: the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pyogrio
import shapely
from geopandas import GeoDataFrame

from ..packages import Layer, save_package
from .published import PublishedLayer

#: RFC 7946 knows one CRS, and seven decimals are a centimetre.
WGS84, DECIMALS = "EPSG:4326", 7


def save_geopackage(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write layers as a GeoPackage whose styles QGIS opens; return what was changed."""
    save_package(file, {one.name: Layer(one.frame.set_index(one.frame.columns[0]), one.style)
                        for one in layers}, note=layers[0].note.line)
    return []


def save_geoparquet(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as GeoParquet 1.1 with boxes of the rows, so that readers may skip."""
    layer = layers[0]
    layer.frame.to_parquet(file, index=False, compression="zstd", schema_version="1.1.0",
                           write_covering_bbox=True)
    table = pq.read_table(file)
    note = {b"gridmap": json.dumps(layer.note.entries, ensure_ascii=False).encode()}
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), **note})
    pq.write_table(table, file, compression="zstd")
    return []


def save_flatgeobuf(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as FlatGeobuf with its index, which puts the rows in another order."""
    layer = layers[0]
    pyogrio.write_dataframe(
        layer.frame, file, layer=layer.name, driver="FlatGeobuf",
        promote_to_multi=is_many(layer.frame),
        layer_options={"TITLE": layer.note.title, "DESCRIPTION": layer.note.line,
                       "SPATIAL_INDEX": "YES"},
    )
    return []


def save_geojson(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer as GeoJSON after RFC 7946; return what was changed."""
    layer = layers[0]
    pyogrio.write_dataframe(
        to_degrees(layer.frame), file, layer=layer.name, driver="GeoJSON",
        layer_options={"RFC7946": "YES", "COORDINATE_PRECISION": str(DECIMALS),
                       "DESCRIPTION": layer.note.line, "WRITE_BBOX": "YES"},
    )
    return [f"coordinates are longitude and latitude in WGS 84, to {DECIMALS} decimals"]


def is_many(frame: GeoDataFrame) -> bool:
    """Say whether a layer has shapes of several parts, so that all are written as such."""
    return bool(frame.geom_type.str.startswith("Multi").any())


def to_degrees(frame: GeoDataFrame) -> GeoDataFrame:
    """Return a layer as RFC 7946 asks: longitude and latitude, outer rings anticlockwise.

    Neighbours keep the same corners, as each corner is rounded by itself.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> to_degrees(sketch_grids("A")).geometry.iloc[0].exterior.is_ccw
    True
    """
    turned = frame.to_crs(WGS84)
    shapes: Any = shapely.transform(turned.geometry.to_numpy(),
                                    lambda places: np.round(places, DECIMALS))
    return turned.set_geometry(shapely.orient_polygons(shapes, exterior_cw=False), crs=WGS84)
