"""What a page tells of single things when they are clicked or searched for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas
import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series

from ..rules import Publication
from . import binary, encode, style, words


def pick_told(things: GeoDataFrame, publication: Publication) -> DataFrame:
    """Return the columns of single things that a profile lets out, in its order.

    Parameters
    ----------
    things : GeoDataFrame
        Elements, assets, sites or events.
    publication : Publication
        Its ``element_columns`` are the allow-list.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0)).assign(address="1 Bay Road", phone="0631")
    >>> pick_told(homes, load_publication("internal")).columns.tolist()
    ['address']
    """
    names = [name for name in publication.element_columns
             if name in things.columns and name != things.geometry.name]
    return DataFrame(things[names])


def write_told(places: GeoSeries, table: DataFrame, classes: np.ndarray) -> str:
    """Return the block of a layer that holds what is told, or nothing where nothing is.

    Parameters
    ----------
    places : GeoSeries
        Where each thing is; of a polygon the middle of its box.
    table : DataFrame
        What `pick_told` returned, in the same order. Rows without any value are left out.
    classes : array of int
        The kind of each.

    Returns
    -------
    str
        A block as in `binary.pack_text`, or "".

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (5, 5))
    >>> block = write_told(homes.geometry, DataFrame({"address": ["1 Bay Road", None]}),
    ...                    np.array([0, 0]))
    >>> b'"values":["1 Bay Road"]' in binary.unpack(block)
    True
    >>> write_told(homes.geometry, DataFrame(index=homes.index), np.array([0, 0]))
    ''
    """
    said = table.notna().any(axis=1).to_numpy() if len(table.columns) else np.zeros(0, dtype=bool)
    if not said.any():
        return ""
    x, y = _middles(places[said]).T
    columns = [_write_column(name, values[said]) for name, values in table.items()]
    return binary.pack_text({
        "x": np.diff(x, prepend=0).tolist(), "y": np.diff(y, prepend=0).tolist(),
        "kinds": np.asarray(classes)[said].tolist(), "columns": columns,
    })


def _middles(places: GeoSeries) -> np.ndarray:
    """Return the middle of each in pixels of the page."""
    boxes = shapely.bounds(places.to_numpy())
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.rint(encode.to_pixels(middles, places.crs)).astype("int64")


def _write_column(name: object, values: Series) -> dict[str, Any]:
    title = words.name_figure(str(name))._asdict()
    if style.is_sequence(values):
        numbers = values.astype("float64").round(3)
        plain: Sequence[Any] = [None if value != value else int(value) if value % 1 == 0 else value
                                for value in numbers.tolist()]
        kind = words.kind_of(str(name))
    else:
        plain = [None if absent else str(value) for value, absent in
                 zip(values.tolist(), values.isna().tolist(), strict=True)]
        kind = "text"
    return {"title": title, "kind": kind, "values": plain}


def placed(things: GeoDataFrame) -> np.ndarray:
    """Say which things have a place.

    Examples
    --------
    >>> from shapely import Point
    >>> placed(GeoDataFrame(geometry=[Point(0, 0), None])).tolist()
    [True, False]
    """
    shapes = things.geometry.to_numpy()
    return ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))


def series_of(shapes: np.ndarray, crs: Any) -> GeoSeries:
    """Return shapes as a series that no index belongs to: it may hold millions.

    Examples
    --------
    >>> series_of(np.array([shapely.Point(0, 0)]), 4326).crs.to_epsg()
    4326
    """
    return geopandas.GeoSeries(shapes, crs=crs)
