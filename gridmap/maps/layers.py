"""Polygons and lines as layers of a page: grids, territories, land, roads and water.

Each function returns a folium layer for a `Map`. Only what the publication profile allows
is put into it, and figures never leave the frame in another way.
"""

from __future__ import annotations

from collections.abc import Mapping

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ..rules import Publication
from . import encode, linestyle, style, tilings, words
from .binarylayer import BinaryLayer


def draw_grids(
    grids: GeoDataFrame,
    figure: str = "households",
    *,
    publication: Publication,
    by_grid: DataFrame | None = None,
    territories: GeoDataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    suppressed: DataFrame | None = None,
    over_time: Mapping[str, DataFrame] | None = None,
    pool: DataFrame | None = None,
    side: str = "",
    name: words.Name = words.LAYERS["grids"],
    show: bool = True,
) -> BinaryLayer:
    """Draw grids coloured by a figure, with all allowed figures at hand.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons, in any CRS. Their own columns are the figures, unless ``by_grid`` is given.
    figure : str, default "households"
        The figure shown at first; the page offers all allowed ones.
    publication : Publication
        Only its columns get into the page.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Gives grids the names of the territories that hold them, for search and display.
    rule : ClassRule, optional
        How numbers are cut into classes; six quantiles by default.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: the page says "withheld" and not "unknown" there.
    over_time : mapping, optional
        Figure to its values by grid (rows) and period (columns): the page gets a slider.
    pool : DataFrame, optional
        Figures of all layers that share their classes, this one included.
    side : {"", "before", "after"}, default ""
        Which side of a comparison the layer is.
    name : text or (English, 中文)
        Name in the list of layers.
    show : bool, default True
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Raises
    ------
    PublicationError
        If the figure is not allowed, or small counts are present that must not be.
    SchemaError
        If grids are no polygons with unique codes, or ``by_grid`` has other rows.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> layer = draw_grids(sketch_grids("AB"), publication=load_publication("internal"))
    >>> layer.encoded.meta["count"]
    2
    """
    return BinaryLayer(**tilings.lay_out_grids(
        grids, figure, publication=publication, by_grid=by_grid, territories=territories,
        rule=rule, labels=labels, suppressed=suppressed, over_time=over_time, pool=pool,
        side=side, name=name, show=show)._asdict())


def draw_territories(
    territories: GeoDataFrame,
    level: str | None = None,
    *,
    weight: float = 1.0,
    name: words.Name | None = None,
    show: bool = True,
) -> BinaryLayer:
    """Draw the borders and names of the territories of one level.

    Parameters
    ----------
    territories : GeoDataFrame, schema TERRITORIES
        Polygons in any CRS.
    level : str, optional
        Only territories of this level.
    weight : float, default 1.0
        Strength of the border: 2 for the highest level, 1 for the lowest.
    name : text or (English, 中文), optional
        Name in the list of layers; by default the level.
    show : bool, default True
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> towns = sketch_grids("AB").rename_axis("territory").assign(level="town")
    >>> draw_territories(towns, "town").about["count"]
    2
    """
    chosen = territories if level is None else territories[territories["level"] == level]
    title = words.name_value(level) if level else words.LAYERS["territories"]
    named = chosen["name"] if "name" in chosen else Series(chosen.index, index=chosen.index)
    texts = [text if isinstance(text, str) else "" for text in named]
    dash = [6, 3] if weight < 1.2 else []
    shown = _capitalised(title) if name is None else words.as_word(name)
    return BinaryLayer(**tilings.lay_out_tiling(
        chosen.geometry, {"labels": texts},
        {"strokes": [{"colour": "rgba(255,255,255,.7)", "width": 0.9 * weight + 2.6},
                     {"colour": "#2f3845", "width": 0.9 * weight + 0.4, "dash": dash}]},
        {"name": shown._asdict(), "count": len(chosen)},
        role="borders", show=show,
        labels={"rank": int(10 - 2 * weight), "from": 6, "to": 15,
                "size": 11 + int(1.5 * weight), "weight": 600, "colour": "#2a3340",
                "slack": 1.0},
    )._asdict())


def draw_land(borders: BinaryLayer) -> BinaryLayer:
    """Draw the ground under a layer of territories, with a coast around it.

    Parameters
    ----------
    borders : BinaryLayer
        What `draw_territories` returned; its shapes are used a second time.

    Returns
    -------
    BinaryLayer

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> towns = sketch_grids("AB").rename_axis("territory").assign(level="town")
    >>> draw_land(draw_territories(towns)).blocks
    {}
    """
    land = {"colours": ["#f6f3ec"], "strokes": [
        {"colour": "rgba(255,255,255,.5)", "width": 11, "outer": True},
        {"colour": "rgba(255,255,255,.65)", "width": 6, "outer": True},
        {"colour": "#8fa3b3", "width": 1.4, "outer": True},
    ]}
    return BinaryLayer(
        borders.encoded, land, {"name": words.LAYERS["land"]._asdict(), "background": True,
                                "home": True},
        role="land", shares=borders,
    )


def draw_lines(
    barriers: GeoDataFrame,
    *,
    name: words.Name = words.LAYERS["barriers"],
    show: bool = True,
) -> BinaryLayer:
    """Draw roads, rivers, railways and coasts, each class at the zoom where it matters.

    Parameters
    ----------
    barriers : GeoDataFrame, schema BARRIERS
        Lines in any CRS; ``kind`` chooses width and colour.
    name : text or (English, 中文)
        Name in the list of layers.
    show : bool, default True
        Whether the layer is on at first.

    Returns
    -------
    BinaryLayer

    Examples
    --------
    >>> from shapely import LineString
    >>> road = GeoDataFrame({"kind": ["motorway"]}, geometry=[LineString([(0, 0), (9, 9)])],
    ...                     index=["r"], crs=32651)
    >>> draw_lines(road).about["kinds"][0]["name"]["zh"]
    '高速公路'
    """
    kinds = linestyle.order_kinds(barriers["kind"])
    looks = [linestyle.look_of(kind) for kind in kinds]
    number = {kind: k for k, kind in enumerate(kinds)}
    classes = barriers["kind"].map(number).to_numpy("int64")
    about = {"name": words.as_word(name)._asdict(), "count": len(barriers), "kinds": [
        {"name": words.name_value(kind)._asdict(), "colour": look.legend, "mark": "line",
         "count": int((classes == k).sum())}
        for k, (kind, look) in enumerate(zip(kinds, looks, strict=True))
    ]}
    line_style = {"colours": [look.colour for look in looks],
                  "casings": [look.casing for look in looks],
                  "widths": [look.width for look in looks], "from": [look.zoom for look in looks]}
    return BinaryLayer(encode.encode_shapes(barriers.geometry, classes), line_style, about,
                       role="lines", show=show)


def _capitalised(word: words.Word) -> words.Word:
    return words.Word(word.en[:1].upper() + word.en[1:], word.zh)
