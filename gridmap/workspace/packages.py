"""GeoPackages that are the same bytes each time, and open styled in QGIS."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyogrio
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from .pieces import join_pieces

#: GeoPackage writes a time of change; a fixed one keeps the same input at the same bytes.
_FIXED_TIME = "2000-01-01T00:00:00.000Z"

#: Kinds of columns that tell what they hold where there are no rows.
_SURE = ("float64", "int64", "bool")

#: Numbers of kinds of shapes: Polygon, MultiPolygon.
_POLYGONS = (3, 6)


class Layer(NamedTuple):
    """A layer of a GeoPackage with the style that QGIS opens it with."""

    frame: GeoDataFrame
    style: str | None = None  # QML


def save_package(
    path: Path, layers: Mapping[str, Layer], *, note: str = "", ground: bytes | None = None
) -> None:
    """Write a GeoPackage whose layers open styled in QGIS, and say in each what made it.

    Parameters
    ----------
    path : Path
    layers : mapping
        By name, in the order in which the package tells them.
    note : str, default ""
        What made it.
    ground : bytes, optional
        What `make_ground` gives of these layers: only the rows of the first one are written.
    """
    with _fixed_time():
        if ground is None:
            for name, layer in layers.items():
                _write(path, name, layer.frame)
        else:
            path.write_bytes(ground)
            first = next(iter(layers))
            _write(path, first, layers[first].frame, append=True)
    with sqlite3.connect(path) as package:
        package.execute("UPDATE gpkg_contents SET description = ?", (note,))
    package.close()
    _save_styles(path, {name: layer.style for name, layer in layers.items() if layer.style})


def make_ground(layers: Mapping[str, Layer]) -> bytes | None:
    """Return a package with all of its layers, the first one without its rows.

    A package whose first layer changes more often than the others is made of the same ground
    then. It depends on no value of that layer, only on `tell_kinds`.

    Parameters
    ----------
    layers : mapping
        By name, the first one of polygons.

    Returns
    -------
    bytes or None
        None where an empty layer would not tell what its columns hold.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = Layer(sketch_points((0, 0)))
    >>> make_ground({"grids": Layer(sketch_grids("AB")), "homes": homes})[:6]
    b'SQLite'
    >>> make_ground({"homes": homes})
    """
    first = next(iter(layers))
    if tell_kinds(layers[first].frame) is None:
        return None
    with tempfile.TemporaryDirectory() as folder, _fixed_time():
        path = Path(folder) / "ground.gpkg"
        for name, layer in layers.items():
            if name == first:
                _write(path, name, layer.frame.iloc[:0], geometry_type="MultiPolygon")
            else:
                _write(path, name, layer.frame)
        return path.read_bytes()


def tell_kinds(frame: GeoDataFrame) -> list[str] | None:
    """Return the columns of a layer with their kinds, and its CRS; None where rows tell more.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> tell_kinds(sketch_grids("AB"))[:2]
    ['grid: str', 'territory: str']
    """
    shapes = frame.geometry.to_numpy()
    plain = DataFrame(frame.iloc[:0]).drop(columns=frame.geometry.name).reset_index()
    sure = all(isinstance(kind, pd.StringDtype) or kind in _SURE for kind in plain.dtypes)
    if not sure or shapely.has_z(shapes).any() or (
            ~pd.Series(shapely.get_type_id(shapes)).isin(_POLYGONS)).any():
        return None
    return [*(f"{name}: {kind}" for name, kind in plain.dtypes.items()),
            "" if frame.crs is None else frame.crs.to_wkt()]


def _write(path: Path, name: str, frame: GeoDataFrame, **options: Any) -> None:
    """Write a layer into a package."""
    promote = "geometry_type" in options or not _are_points(frame)
    pyogrio.write_dataframe(join_pieces(frame.reset_index()), path, layer=name, driver="GPKG",
                            use_arrow=True, promote_to_multi=promote, **options)


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
