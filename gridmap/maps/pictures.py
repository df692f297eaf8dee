"""Small static pictures of a figure, for reports and for notebooks without scripts."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame, GeoSeries
from pandas import DataFrame, Series

from ..rules import Publication
from . import absent, encode, figures, legend, style, words

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
    suppressed: DataFrame | None = None,
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
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: the legend says "withheld" and not "unknown" there.

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
    looks = _find_looks(values, classes, suppressed)
    _paint(axes, places, looks)
    if territories is not None:
        _outline(axes, territories)
    _frame(axes, (west, south, east, north))
    if with_legend:
        title = getattr(words.name_figure(figure, labels), language)
        _add_legend(picture, looks, title, language)
    return picture


def picture_uri(picture: Picture) -> str:
    """Return a picture as an address that holds it, for the ``src`` of an image.

    Examples
    --------
    >>> from gridmap.maps.canvas import Picture
    >>> picture_uri(Picture(figsize=(1, 1)))[:22]
    'data:image/png;base64,'
    """
    return f"data:image/png;base64,{base64.b64encode(write_small(picture)).decode()}"


def write_small(picture: Picture) -> bytes:
    """Write a picture as PNG with a palette: a third of the bytes, the same classes.

    A map has few colours; what is lost are shades between them at the edges.

    Examples
    --------
    >>> from gridmap.maps.canvas import Picture
    >>> write_small(Picture(figsize=(1, 1)))[1:4]
    b'PNG'
    """
    from PIL import Image

    whole = picture.paint().convert("RGB")
    few = whole.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    written = io.BytesIO()
    few.save(written, format="PNG", optimize=True)
    return written.getvalue()


class _Look(NamedTuple):
    """A row of the legend: which grids, how they are called, and how they look."""

    chosen: np.ndarray  # bool by grid
    name: words.Word
    colour: str
    striped: bool = False


def _find_looks(values: Series, classes: DataFrame, suppressed: DataFrame | None) -> list[_Look]:
    """Return the classes of what is known, then what is missing by its reason."""
    numbers = style.find_classes(values, classes)
    names = legend.name_classes(classes, str(values.name))
    known = (classes["value"].notna() | classes["upper"].notna()).tolist()
    looks = [_Look(numbers == number, names[number], colour)
             for number, colour in enumerate(classes["colour"]) if known[number]]
    return looks + [_Look(values.index.isin(part.codes), part.name, part.colour, part.striped)
                    for part in absent.split_absent(values, suppressed)]


def _paint(axes: Axes, places: GeoSeries, looks: list[_Look]) -> None:
    from matplotlib.patches import PathPatch

    for look in looks:
        chosen = places[look.chosen]
        if not len(chosen):
            continue
        rim = "#ffffffb0" if len(places) < 3_000 else look.colour
        # Not add_patch: it looks for the extent segment by segment, in Python.
        axes.add_artist(PathPatch(
            _path(chosen), facecolor=look.colour, edgecolor="#8d939c" if look.striped else rim,
            linewidth=0.3 if len(places) < 3_000 else 0.1,
            hatch="/////" if look.striped else None))


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


def _add_legend(picture: Figure, looks: list[_Look], title: str, language: str) -> None:
    from matplotlib import font_manager
    from matplotlib.patches import Patch

    present = {font.name for font in font_manager.fontManager.ttflist}
    fonts = [font for font in FONTS if font in present]
    marks = [Patch(facecolor=look.colour, edgecolor="#8d939c", linewidth=0.4,
                   label=f"{getattr(look.name, language)}   ({look.chosen.sum():,})",
                   hatch="/////" if look.striped else None) for look in looks]
    shown = picture.legend(
        handles=marks, title=title, loc="center left", bbox_to_anchor=(0.70, 0.5),
        frameon=False, alignment="left", labelspacing=0.6, handlelength=1.6,
        prop={"family": fonts, "size": 8}, title_fontproperties={"family": fonts, "size": 9.5})
    for text in shown.get_texts():
        text.set_color("#17202b")
