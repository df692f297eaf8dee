"""Single things as layers of a page: points, footprints, and how far assets reach.

Each function returns a folium layer for a `Map`. Only what the publication profile allows
is put into it.
"""

from __future__ import annotations

from typing import Any

import geopandas
import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ..errors import PublicationError
from ..rules import Publication
from . import encode, linestyle, style, told, words
from .binarylayer import BinaryLayer

#: More points than this are shown as density from afar, fewer as symbols.
MOST_SYMBOLS = 20_000
DENSITY = ("#ffffff00", "#fcbba180", "#fb6a4aa0", "#de2d26c8", "#a50f15e6", "#67000df5")


def draw_points(
    points: GeoDataFrame,
    *,
    publication: Publication,
    name: words.Name | None = None,
    show: bool = True,
) -> BinaryLayer:
    """Draw assets, elements or events, coloured by kind.

    Few are symbols at every zoom; many are counted per pixel from afar, so that none is
    left out, and become dots from zoom 15 on.

    Parameters
    ----------
    points : GeoDataFrame, schema ASSETS, ELEMENTS or EVENTS
        Points in any CRS; missing ones are left out. Of the columns only the kind (or the
        matter of events) and the ``element_columns`` of the profile get into the page; a
        click tells them, and search finds their texts.
    publication : Publication
        Single elements and events need a profile with ``elements = true``.
    name : text or (English, 中文), optional
        Name in the list of layers.
    show : bool, default True
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Raises
    ------
    PublicationError
        If the profile allows no single elements and these are not assets.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (5, 5))
    >>> draw_points(homes, publication=load_publication("internal")).about["count"]
    2
    >>> draw_points(homes, publication=load_publication("shared"))
    Traceback (most recent call last):
    gridmap.errors.PublicationError: publication "shared" shows no single elements. Draw \
figures of grids, or choose a profile with elements = true.
    """
    _check_single(points, publication)
    there = told.placed(points)
    kinds, classes = _kinds(points, "matter" if points.index.name == "event" else "kind", there)
    title = words.as_word(name) if name else words.LAYERS.get(
        f"{points.index.name}s", words.LAYERS["elements"])
    symbols = len(classes) <= MOST_SYMBOLS
    about: dict[str, Any] = {"name": title._asdict(), "count": len(classes), "points": True,
                             "kinds": _kind_entries(kinds, classes, "dot")}
    if not symbols:
        about["ramp"] = DENSITY[1:]
    dots = {"symbols": symbols, "colours": kinds["colour"].tolist(), "ramp": DENSITY}
    places = told.series_of(points.geometry.to_numpy()[there], points.crs)
    layer = BinaryLayer(encode.encode_points(places, classes), dots, about,
                        role="points", heavy=not symbols, show=show)
    return _with_told(layer, places, told.pick_told(points, publication)[there], classes)


def draw_reach(
    assets: GeoDataFrame,
    *,
    name: words.Name = words.LAYERS["reach"],
    show: bool = False,
) -> BinaryLayer:
    """Draw how far assets reach: a circle of ``radius_m`` around each.

    Parameters
    ----------
    assets : GeoDataFrame, schema ASSETS
        Points in any CRS; those without a radius are left out.
    name : text or (English, 中文)
        Name in the list of layers.
    show : bool, default False
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> boards = sketch_points((0, 0), kind="notice board").assign(radius_m=200.0)
    >>> draw_reach(boards).encoded.meta["mostReach"]
    200.0
    """
    assets = assets[assets["radius_m"].notna() & ~assets.geometry.isna()]
    kinds, classes = _kinds(assets, "kind")
    encoded = encode.encode_points(assets.geometry, classes,
                                   radii_m=assets["radius_m"].to_numpy("float64"))
    about = {"name": words.as_word(name)._asdict(), "count": len(assets),
             "kinds": _kind_entries(kinds, classes, "dot")}
    return BinaryLayer(encoded, {"reach": True, "colours": kinds["colour"].tolist()}, about,
                       role="reach", show=show)


def draw_footprints(
    footprints: GeoDataFrame,
    *,
    publication: Publication,
    name: words.Name | None = None,
    show: bool = True,
) -> BinaryLayer:
    """Draw buildings (elements) or sites, holes and all; from afar the built-up share.

    Parameters
    ----------
    footprints : GeoDataFrame, schema ELEMENTS or SITES
        Polygons in any CRS; of the columns only the kind of a site and the
        ``element_columns`` of the profile get into the page.
    publication : Publication
        Single elements need a profile with ``elements = true``; sites do not.
    name : text or (English, 中文), optional
        Name in the list of layers.
    show : bool, default True
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Raises
    ------
    PublicationError
        If the profile allows no single elements and these are not sites.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> park = sketch_grids("A").rename_axis("site").assign(kind="park")
    >>> draw_footprints(park, publication=load_publication("public")).about["count"]
    1
    """
    _check_single(footprints, publication)
    sites = footprints.index.name == "site"
    if sites:
        kinds, classes = _kinds(footprints, "kind")
        kinds["colour"] = [linestyle.SITE_COLOURS.get(kind, colour) for kind, colour in
                           zip(kinds["value"], kinds["colour"], strict=True)]
    else:
        kinds = DataFrame({"value": ["building"], "colour": ["#8c7f70"]})
        classes = np.zeros(len(footprints), dtype="int64")
    title = words.as_word(name) if name else words.LAYERS["sites" if sites else "buildings"]
    about = {"name": title._asdict(), "count": len(footprints),
             "kinds": _kind_entries(kinds, classes, "area")}
    look = {"colours": kinds["colour"].tolist(), "whole": sites}
    layer = BinaryLayer(encode.encode_shapes(footprints.geometry, classes), look, about,
                        role="sites" if sites else "footprints", heavy=not sites, show=show)
    return _with_told(layer, footprints.geometry, told.pick_told(footprints, publication), classes)


def _with_told(
    layer: BinaryLayer, places: geopandas.GeoSeries, table: DataFrame, classes: np.ndarray
) -> BinaryLayer:
    """Add what is told of single things, and say whether there are texts to search."""
    layer.told = told.write_told(places, table, classes)
    layer.about["searched"] = bool(layer.told) and not all(map(style.is_sequence, (
        column for _, column in table.items())))
    return layer


def _check_single(points: GeoDataFrame, publication: Publication) -> None:
    if not publication.elements and points.index.name not in ("asset", "site"):
        raise PublicationError(
            f'publication "{publication.name}" shows no single elements. Draw figures of grids, '
            "or choose a profile with elements = true."
        )


def _kinds(
    points: GeoDataFrame, column: str, chosen: np.ndarray | None = None
) -> tuple[DataFrame, np.ndarray]:
    """Return the kinds as classes with colours, and the class of every chosen row."""
    if column in points.columns:
        values = Series(points[column].array)  # without the index: it may hold millions
    else:
        values = Series("other", index=range(len(points)))
    if chosen is not None and not chosen.all():
        values = values[chosen]
    values = values.fillna("unknown")
    kinds = style.measure_classes(values)
    return kinds, style.find_classes(values, kinds)


def _kind_entries(kinds: DataFrame, classes: np.ndarray, mark: str) -> list[dict[str, Any]]:
    counts = np.bincount(classes, minlength=len(kinds))
    return [
        {"name": words.name_value(str(kind))._asdict(), "colour": colour, "mark": mark,
         "count": int(count)}
        for kind, colour, count in zip(kinds["value"], kinds["colour"], counts, strict=True)
    ]
