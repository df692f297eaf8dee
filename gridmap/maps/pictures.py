"""Small static pictures of a figure, for reports and for notebooks without scripts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame

from ..rules import Publication
from . import encode, figures, legend, style, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

    from .canvas import Picture

FONTS = ("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC",
         "WenQuanYi Micro Hei", "Droid Sans Fallback", "DejaVu Sans")
_SEA, _LAND = "#dfe6ec", "#f6f3ec"


def draw_picture(
    grids: GeoDataFrame,
    figure: str = "households",
    *,
    publication: Publication,
    by_grid: DataFrame | None = None,
    territories: GeoDataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    language: str = "en",
    with_legend: bool = True,
    width_cm: float = 16.0,
) -> Picture:
    """Draw a static map of a figure, in the classes and colours of the page.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons with the figure, or with ``by_grid`` beside them. Any CRS.
    figure : str, default "households"
        What the colours show.
    publication : Publication
        Must allow the figure.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Their borders are drawn over the grids.
    rule : ClassRule, optional
        How numbers are cut into classes.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    language : {"en", "zh"}, default "en"
        Language of the legend.
    with_legend : bool, default True
        Whether a legend with class counts stands beside the map.
    width_cm : float, default 16.0
        Width of the picture.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it. Not known to pyplot; write it with ``figure.savefig(path)``.

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
    >>> picture = draw_picture(sketch_grids("AAB"), publication=load_publication("internal"))
    >>> [text.get_text() for text in picture.legends[0].get_texts()]
    ['1   (1)', '2   (1)']
    """
    from .canvas import Picture

    allowed = figures.pick_allowed(figures.match_figures(grids, by_grid), publication)
    figures.check_figure(figure, allowed, publication)
    values = figures.shown_values(allowed[figure])
    classes = style.measure_classes(values, rule=rule)
    places = GeoSeries(shapely.transform(
        grids.geometry.to_numpy(), lambda xy: encode.to_pixels(xy, grids.crs) * [1, -1]))
    west, south, east, north = places.total_bounds
    shape = np.clip((north - south) / max(east - west, 1e-9), 0.35, 1.6)
    wide = width_cm / 2.54
    picture = Picture(figsize=(wide, wide * (0.68 if with_legend else 0.98) * shape), dpi=150,
                      facecolor="white" if with_legend else _SEA)
    axes = picture.add_axes((0.01, 0.01, 0.68 if with_legend else 0.98, 0.98))
    _paint(axes, places, style.find_classes(values, classes), classes)
    if territories is not None:
        _outline(axes, territories)
    _frame(axes, (west, south, east, north))
    if with_legend:
        title = getattr(words.name_figure(figure, labels), language)
        names = [getattr(name, language) for name in legend.name_classes(classes, figure)]
        _add_legend(picture, classes, names, title)
    return picture


def picture_uri(picture: Picture) -> str:
    """Return a picture as an address that holds it, for the ``src`` of an image.

    Examples
    --------
    >>> from gridmap.maps.canvas import Picture
    >>> picture_uri(Picture(figsize=(1, 1)))[:22]
    'data:image/png;base64,'
    """
    return f"data:image/png;base64,{base64.b64encode(picture._repr_png_()).decode()}"


def _paint(axes: Axes, places: GeoSeries, numbers: np.ndarray, classes: DataFrame) -> None:
    from matplotlib.patches import PathPatch

    for number, (colour, known) in enumerate(
        zip(classes["colour"], classes["value"].notna() | classes["upper"].notna(), strict=True)
    ):
        chosen = places[numbers == number]
        if not len(chosen):
            continue
        rim = "#ffffffb0" if len(places) < 3_000 else colour
        # Not add_patch: it looks for the extent segment by segment, in Python.
        axes.add_artist(PathPatch(
            _path(chosen), facecolor=colour, edgecolor=rim if known else "#8d939c",
            linewidth=0.3 if len(places) < 3_000 else 0.1, hatch=None if known else "/////"))


def _path(places: GeoSeries) -> Path:
    """Return all rings of polygons as one path."""
    from matplotlib.path import Path

    rings = shapely.get_rings(shapely.get_parts(places.to_numpy()))
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    codes = np.full(len(vertices), Path.LINETO, dtype=Path.code_type)
    codes[np.diff(ring, prepend=-1) != 0] = Path.MOVETO
    codes[np.diff(ring, append=-1) != 0] = Path.CLOSEPOLY
    return Path(vertices, codes)


def _outline(axes: Axes, territories: GeoDataFrame) -> None:
    from matplotlib.collections import LineCollection

    rings = shapely.get_rings(shapely.get_parts(territories.geometry.to_numpy()))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    # All at once: making ready to project takes a tenth of a second each time.
    xy = encode.to_pixels(xy, territories.crs) * [1, -1]
    lines = np.split(xy, np.flatnonzero(np.diff(ring)) + 1)
    axes.add_collection(LineCollection(lines, colors="#39424f", linewidths=0.5), autolim=False)


def _frame(axes: Axes, bounds: tuple[float, float, float, float]) -> None:
    west, south, east, north = bounds
    margin = 0.02 * max(east - west, north - south, 1e-9)
    axes.set(xlim=(west - margin, east + margin), ylim=(south - margin, north + margin),
             aspect="equal", xticks=[], yticks=[], facecolor=_SEA)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _add_legend(picture: Figure, classes: DataFrame, names: list[str], title: str) -> None:
    from matplotlib import font_manager
    from matplotlib.patches import Patch

    present = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [font for font in FONTS if font in present]
    unknown = (classes["value"].isna() & classes["upper"].isna()).tolist()
    marks = [
        Patch(facecolor=colour, edgecolor="#8d939c", linewidth=0.4, label=f"{name}   ({count:,})",
              hatch="/////" if striped else None)
        for colour, name, count, striped in
        zip(classes["colour"], names, classes["count"], unknown, strict=True)
    ]
    shown = picture.legend(
        handles=marks, title=title, loc="center left", bbox_to_anchor=(0.70, 0.5),
        frameon=False, alignment="left", labelspacing=0.6, handlelength=1.6,
        prop={"family": fonts, "size": 8}, title_fontproperties={"family": fonts, "size": 9.5})
    for text in shown.get_texts():
        text.set_color("#17202b")
