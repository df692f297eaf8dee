"""Files of features: pyogrio first, fiona feature by feature where a file is damaged."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import Any

import fiona
import geopandas
import numpy as np
import pandas as pd
import pyogrio
import shapely
from fiona.errors import FionaError
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyogrio.errors import DataLayerError, DataSourceError, FeatureError

from ..errors import SourceError, listed
from .account import Lost
from .encodings import Encoding, find_encoding
from .raw import Raw, check_columns, make_raw

#: File endings that are read, and the one GDAL driver each may use. Nothing else is ever
#: opened: some drivers reach out over the network or to other files.
DRIVERS = {
    ".shp": "ESRI Shapefile", ".zip": "ESRI Shapefile", ".gpkg": "GPKG",
    ".geojson": "GeoJSON", ".json": "GeoJSON", ".geojsonl": "GeoJSONSeq",
    ".topojson": "TopoJSON", ".fgb": "FlatGeobuf", ".gdb": "OpenFileGDB", ".kml": "KML",
    ".pbf": "OSM",
}
PARQUET = (".parquet", ".geoparquet")

#: pyogrio raises IndexError for a file without layers.
_FAULTS = (DataSourceError, DataLayerError, FeatureError, ValueError, RuntimeError, IndexError)


def read_features(
    path: Path, wanted: list[str], *, layer: str | None = None, encoding: str | None = None
) -> Raw:
    """Read columns and geometry of a file of features.

    Parameters
    ----------
    path : Path
        Shapefile (zipped too), GeoPackage, GeoJSON, TopoJSON, FlatGeobuf, FileGDB, KML,
        OSM ``.pbf`` or GeoParquet.
    wanted : list of str
        Columns to read; others never enter.
    layer : str, optional
        Needed where the file has several.
    encoding : str, optional
        Overrules what a shapefile says or shows.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file cannot be read at all, or lacks a layer or column.
    """
    if path.suffix.lower() in PARQUET:
        return _read_parquet(path, wanted)
    where = _place(path)
    chosen = _encoding(path, encoding)
    name = None if chosen is None else chosen.name
    chosen_layer = _layer(where, layer, path)
    notes = () if chosen is None else (("encoding", f"{chosen.name}: {chosen.evidence}"),)
    with warnings.catch_warnings(record=True) as noticed:
        warnings.simplefilter("always")
        try:
            facts = pyogrio.read_info(where, layer=chosen_layer, encoding=name)
            headers = tuple(str(h) for h in facts["fields"])
            check_columns(wanted, headers, path)
            frame = pyogrio.read_dataframe(
                where, layer=chosen_layer, encoding=name, columns=list(dict.fromkeys(wanted)),
                on_invalid="ignore",
            )
        except _FAULTS as error:
            return _read_one_by_one(where, path, wanted, chosen_layer, name, error)
    told = dict.fromkeys(str(warning.message) for warning in noticed)
    return _raw(frame, headers, (*notes, *(("noticed by the reader", text) for text in told)))


def _raw(frame: Any, headers: tuple[str, ...], notes: tuple[tuple[str, str], ...]) -> Raw:
    if not isinstance(frame, GeoDataFrame):
        return make_raw(DataFrame(frame), headers, notes=notes)
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    table = DataFrame(frame.drop(columns=frame.geometry.name))
    return make_raw(table, headers, geometry=shapes, crs=frame.crs, notes=notes)


def _place(path: Path) -> str:
    if path.suffix.lower() not in DRIVERS:
        raise SourceError(
            f"{path} ends in {path.suffix or 'nothing'}, which is not read. Known endings are "
            f"{listed(sorted([*DRIVERS, *PARQUET, '.csv', '.tsv']), show=20)}"
        )
    return str(path)


def _layer(where: str, layer: str | None, path: Path) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same ones come again when rows are read
            names = [str(row[0]) for row in pyogrio.list_layers(where)]
    except _FAULTS:
        return layer
    names = [name for name in names if name != "layer_styles"]
    if layer is not None and layer not in names:
        raise SourceError(
            f"{path} has no layer {layer!r}. Its layers are {listed(names, show=20)}"
        )
    if layer is None and len(names) > 1:
        raise SourceError(
            f"{path} has {len(names)} layers: name one with layer = \"…\". They are "
            f"{listed(names, show=20)}"
        )
    return layer or (names[0] if names else None)


def _encoding(path: Path, given: str | None) -> Encoding | None:
    """Find the encoding of a shapefile's table; other formats say it themselves."""
    if path.suffix.lower() not in (".shp", ".zip"):
        return None
    if given is not None:
        return Encoding(given, "said by the user")
    table, declared = _side_files(path)
    if table is None:
        return None
    if declared and declared.isdigit():
        declared = f"cp{declared}"
    return find_encoding(_text_of_dbf(table), declared=declared)


def _side_files(path: Path) -> tuple[bytes | None, str | None]:
    """Return the bytes of the .dbf and the text of the .cpg, where there are any."""
    found: dict[str, bytes] = {}
    if path.suffix.lower() == ".zip":
        try:
            with zipfile.ZipFile(path) as archive:
                for name in archive.namelist():
                    ending = Path(name).suffix.lower()
                    if ending in (".dbf", ".cpg"):
                        found[ending] = archive.read(name)[:4_000_000]
        except (zipfile.BadZipFile, OSError) as error:
            raise SourceError(f"{path} is no zip archive that can be read: {error}") from error
    else:
        for file in path.parent.glob(f"{path.stem}.*"):
            if file.stem == path.stem and file.suffix.lower() in (".dbf", ".cpg"):
                found[file.suffix.lower()] = file.read_bytes()[:4_000_000]
    declared = found.get(".cpg", b"").decode("ascii", errors="ignore").strip() or None
    return found.get(".dbf"), declared


def _text_of_dbf(table: bytes) -> bytes:
    """Cut the names and text cells out of a dBASE file, without its binary header.

    References
    ----------
    dBASE III table file: bytes 8 to 9 length of header, 10 to 11 length of a record; field
    descriptors of 32 bytes from byte 32, name in the first 11, type in byte 11.
    """
    if len(table) < 32:
        return b""
    header = int.from_bytes(table[8:10], "little")
    names = [table[at:at + 11].split(b"\0")[0] for at in range(32, max(header - 1, 32), 32)]
    return b"\n".join(name for name in names if name != b"\r") + b"\n" + table[header:]


def _read_one_by_one(
    where: str, path: Path, wanted: list[str], layer: str | None, encoding: str | None,
    first: Exception,
) -> Raw:
    """Read a file that pyogrio refused, so that one bad feature costs one reject."""
    rows, shapes, lost = [], [], []
    try:
        with fiona.open(where, layer=layer, encoding=encoding) as features:
            headers = tuple(features.schema["properties"])
            check_columns(wanted, headers, path)
            crs = features.crs_wkt or None
            number = 0
            while True:  # a damaged feature raises inside next(), and the next may be whole
                number += 1
                try:
                    feature = next(features)
                    shapes.append(_shape(feature))
                    rows.append({name: feature["properties"][name] for name in wanted})
                except StopIteration:
                    break
                except (FionaError, ValueError, TypeError, shapely.errors.ShapelyError) as fault:
                    lost.append(Lost(number, f"damaged: {fault}"))
                    if number > 10_000_000:
                        break
    except (FionaError, OSError, ValueError, RuntimeError) as error:
        raise SourceError(f"{path} cannot be read: {first}. Read feature by feature: {error}"
                          ) from first
    notes = (("read feature by feature", f"the file is damaged: {first}"),)
    table = DataFrame(rows, columns=list(dict.fromkeys(wanted)))
    return make_raw(table, headers, geometry=np.array(shapes, dtype=object), crs=crs,
                    notes=notes, lost=lost)


def _shape(feature: Any) -> Any:
    return None if feature["geometry"] is None else shapely.geometry.shape(feature["geometry"])


def _read_parquet(path: Path, wanted: list[str]) -> Raw:
    try:
        frame = geopandas.read_parquet(path)
    except ValueError:
        frame = pd.read_parquet(path)
    except OSError as error:
        raise SourceError(f"{path} is no Parquet file that can be read: {error}") from error
    named = frame.index.name
    frame = frame.reset_index() if named else frame
    shape_column = frame.geometry.name if isinstance(frame, GeoDataFrame) else None
    headers = tuple(str(c) for c in frame.columns if c != shape_column)
    check_columns(wanted, headers, path)
    kept = list(dict.fromkeys(wanted)) + ([shape_column] if shape_column else [])
    return _raw(frame[kept], headers, ())
