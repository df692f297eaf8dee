"""Files of features that GDAL reads: pyogrio first, fiona feature by feature after it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyogrio
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ..errors import SourceError, listed
from . import gdal
from .account import Lost
from .raw import Raw, check_columns, make_raw

#: Column in which GDAL's reader of OpenStreetMap puts the tags that have no column.
_TAGS = "other_tags"

#: Layers that are not the user's: styles of QGIS, log tables of GDAL.
HOUSEHOLD = ("layer_styles", "qgis_projects", "gdal_metadata")


class _Layer(NamedTuple):
    file: Path
    path: Path  # what the user named, for messages
    name: str | None
    headers: tuple[str, ...]
    features: int  # -1 where only reading tells


def read_features(path: Path, wanted: list[str], *, layer: str | None = None,
                  told: Path | None = None) -> Raw:
    """Read columns and geometry of a file of features.

    Parameters
    ----------
    path : Path
        GeoPackage, FlatGeobuf, FileGDB, KML, OSM ``.pbf``, or one GeoJSON feature a line.
    wanted : list of str
        Columns to read; others never enter. A tag of OpenStreetMap that has no column of
        its own is found in ``other_tags``.
    layer : str, optional
        Needed where the file has several.
    told : Path, optional
        What the user named, where that is not ``path``.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file is not what its ending says, cannot be read at all, or lacks a layer
        or a column.
    """
    gdal.check_content(path)
    path = path.resolve()
    chosen = _open(path, told or path, layer)
    fields, tags = _split_tags(wanted, chosen)
    check_columns(fields, chosen.headers, chosen.path)
    try:
        with gdal.quietly() as warned:
            frame = pyogrio.read_dataframe(
                path, layer=chosen.name, columns=fields or list(chosen.headers[:1]),
                on_invalid="ignore",
                datetime_as_string=True,
            )
    except gdal.FAULTS as error:
        return _read_one_by_one(chosen, fields, wanted, tags, error)
    if len(frame) < _possible(chosen):
        short = ValueError(f"{len(frame):,} of {chosen.features:,} features came")
        return _read_one_by_one(chosen, fields, wanted, tags, short)
    notes = [("noticed by the reader", text) for text in warned]
    return _raw(frame, chosen.headers, wanted, tags, notes)


def _raw(
    frame: Any, headers: tuple[str, ...], wanted: list[str], tags: list[str],
    notes: list[tuple[str, str]],
) -> Raw:
    spatial = isinstance(frame, GeoDataFrame)
    table = DataFrame(frame.drop(columns=frame.geometry.name)) if spatial else DataFrame(frame)
    if tags:
        table = _with_tags(table, tags)
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object) if spatial else None
    crs = frame.crs if spatial else None
    return make_raw(table[wanted], headers, geometry=shapes, crs=crs, notes=notes)


def _open(path: Path, told: Path, layer: str | None) -> _Layer:
    try:
        with gdal.quietly():
            names = [str(row[0]) for row in pyogrio.list_layers(path)]
    except gdal.FAULTS as error:
        raise SourceError(f"{told} cannot be read: {error}") from error
    names = [name for name in names if name not in HOUSEHOLD]
    if layer is not None and layer not in names:
        raise SourceError(
            f"{told} has no layer {layer!r}. Its layers are {listed(names, show=20)}"
        )
    if layer is None and len(names) > 1:
        raise SourceError(
            f"{told} has {len(names)} layers: name one with layer = \"…\". They are "
            f"{listed(names, show=20)}"
        )
    name = layer or (names[0] if names else None)
    try:
        with gdal.quietly():
            facts = pyogrio.read_info(path, layer=name)
    except gdal.FAULTS as error:
        raise SourceError(f"{told} cannot be read: {error}") from error
    return _Layer(path, told, name, tuple(map(str, facts["fields"])), int(facts["features"]))


def _possible(chosen: _Layer) -> int:
    """Return how many features a file says it has, 0 where that is more than it can hold."""
    if chosen.file.is_dir():
        return chosen.features
    return chosen.features if chosen.features <= chosen.file.stat().st_size else 0


def _split_tags(wanted: list[str], chosen: _Layer) -> tuple[list[str], list[str]]:
    """Tell columns from tags that have to be looked up in ``other_tags``."""
    if _TAGS not in chosen.headers:
        return wanted, []
    tags = [name for name in wanted if name not in chosen.headers]
    fields = [name for name in wanted if name in chosen.headers]
    return (fields if not tags else list(dict.fromkeys([*fields, _TAGS]))), tags


_TAG = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')


def _with_tags(table: DataFrame, tags: list[str]) -> DataFrame:
    """Add columns for tags; one that no feature has is missing throughout."""
    columns: dict[str, list[str | None]] = {tag: [None] * len(table) for tag in tags}
    for at, text in enumerate(table[_TAGS]):  # text of pairs: no column to work on
        if isinstance(text, str):
            for key, value in _TAG.findall(text):
                if key in columns:
                    columns[key][at] = re.sub(r"\\(.)", r"\1", value)
    added = {tag: Series(v, index=table.index, dtype="str") for tag, v in columns.items()}
    return table.assign(**added)


def _read_one_by_one(
    chosen: _Layer, fields: list[str], wanted: list[str], tags: list[str], first: Exception
) -> Raw:
    """Read a file that pyogrio refused, so that one bad feature costs one reject."""
    driver = gdal.DRIVERS[chosen.file.suffix.lower()]
    if driver == "OSM":  # which fiona has not
        raise SourceError(f"{chosen.path} cannot be read: {first}") from first
    import fiona  # only damaged files need it
    from fiona.errors import FionaError

    rows, shapes = [], []
    lost: list[Lost] = []
    try:
        with gdal.quietly(), fiona.open(
            str(chosen.file), layer=chosen.name, enabled_drivers=[driver]
        ) as features:
            crs = features.crs_wkt or None
            walk = iter(features)
            number = 0
            while len(lost) <= max(1_000, number // 2):  # a reader that fails for ever ends here
                number += 1
                try:
                    feature = next(walk)
                    shapes.append(_shape(feature))
                    rows.append({name: feature["properties"][name] for name in fields})
                except StopIteration:
                    break
                except (FionaError, ValueError, TypeError, shapely.errors.ShapelyError) as fault:
                    lost.append(Lost(number, f"damaged: {fault}"))
    except (FionaError, *gdal.FAULTS) as error:
        raise SourceError(f"{chosen.path} cannot be read: {first}. Feature by feature: {error}"
                          ) from first
    missing = _possible(chosen) - len(rows) - len(lost)
    lost += [Lost(None, "the file ends before this feature")] * missing
    frame = DataFrame(rows, columns=fields, index=range(len(rows)))
    notes = [("read feature by feature", f"the file is damaged: {first}")]
    table = _with_tags(frame, tags) if tags else frame
    return make_raw(table[wanted], chosen.headers, geometry=np.array([None, *shapes], object)[1:],
                    crs=crs, notes=notes, lost=lost)


def _shape(feature: Any) -> Any:
    return None if feature["geometry"] is None else shapely.geometry.shape(feature["geometry"])
