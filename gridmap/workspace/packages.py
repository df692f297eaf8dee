"""GeoPackages that are the same bytes each time, and open styled in QGIS."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyogrio
import shapely
from geopandas import GeoDataFrame

from .pieces import join_pieces

#: GeoPackage writes a time of change; a fixed one keeps the same input at the same bytes.
_FIXED_TIME = "2000-01-01T00:00:00.000Z"


class Layer(NamedTuple):
    """A layer of a GeoPackage with the style that QGIS opens it with."""

    frame: GeoDataFrame
    style: str | None = None  # QML


def save_package(path: Path, layers: Mapping[str, Layer], *, note: str = "") -> None:
    """Write a GeoPackage whose layers open styled in QGIS, and say in each what made it."""
    with _fixed_time():
        for name, layer in layers.items():
            frame = join_pieces(layer.frame.reset_index())
            pyogrio.write_dataframe(
                frame, path, layer=name, driver="GPKG", use_arrow=True,
                promote_to_multi=not _are_points(layer.frame))
    with sqlite3.connect(path) as package:
        package.execute("UPDATE gpkg_contents SET description = ?", (note,))
    package.close()
    _save_styles(path, {name: layer.style for name, layer in layers.items() if layer.style})


def _are_points(frame: GeoDataFrame) -> bool:
    """Say whether all shapes are points: as sets of one point each takes twice the room."""
    kinds = shapely.get_type_id(frame.geometry.to_numpy())
    return bool(len(kinds)) and bool((kinds == 0).all())


@contextmanager
def _fixed_time() -> Iterator[None]:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_TIME})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _save_styles(path: Path, styles: Mapping[str, str]) -> None:
    """Fill the table layer_styles, where QGIS looks for the default style of a layer."""
    with sqlite3.connect(path) as package:
        package.execute(
            "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY, f_table_catalog TEXT, "
            "f_table_schema TEXT, f_table_name TEXT, f_geometry_column TEXT, styleName TEXT, "
            "styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT, "
            "ui TEXT, update_time DATETIME)"
        )
        package.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES ('layer_styles', 'attributes', 'layer_styles', ?)", (_FIXED_TIME,)
        )
        package.executemany(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, "
            "update_time) VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', ?)",
            [(name, name, style, _FIXED_TIME) for name, style in styles.items()],
        )
    package.close()
