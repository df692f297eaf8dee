"""The map of one grid on paper: the grid, its neighbours, and what lies on them."""

from __future__ import annotations

from typing import NamedTuple

import geopandas
import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import Series

from .. import linestyle, style
from . import ink
from .fonts import Font
from .pdf import MM

_LAND, _OWN, _SEA = "#f6f3ec", "#fff6cf", "#e3eaf0"
_BORDER = "#c2123f"
#: Metres on the ground for one pixel of a line's width on the page: a street of 6 m.
_METRES = 5.0


class Layer(NamedTuple):
    """Shapes that can be asked for by place."""

    shapes: np.ndarray
    tree: shapely.STRtree
    classes: np.ndarray
    names: list[str]


class Surroundings(NamedTuple):
    """Everything that maps of grids are drawn from, in one CRS in metres."""

    grids: Layer
    number: dict[str, int]  # code to position in grids
    boxes: np.ndarray
    labels: list[str]
    anchors: np.ndarray
    territories: Layer | None
    lines: Layer | None
    buildings: Layer | None
    assets: Layer | None


def gather(
    grids: GeoDataFrame,
    *,
    territories: GeoDataFrame | None = None,
    barriers: GeoDataFrame | None = None,
    buildings: GeoDataFrame | None = None,
    assets: GeoDataFrame | None = None,
    labels: Series,
) -> Surroundings:
    """Make all frames ready to be drawn piece by piece.

    Parameters
    ----------
    grids, territories, barriers, buildings, assets : GeoDataFrame
        Any CRS; all are brought into that of the grids.
    labels : Series
        What stands on each grid.

    Returns
    -------
    Surroundings

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> gather(grids, labels=Series(["1", "2"], index=grids.index)).number
    {'A': 0, 'B': 1}
    """
    shapes = grids.geometry.to_numpy()
    inside = shapely.point_on_surface(shapes)
    return Surroundings(
        grids=_ready(grids, grids), number={code: n for n, code in enumerate(grids.index)},
        boxes=shapely.bounds(shapes), labels=labels.loc[grids.index].tolist(),
        anchors=shapely.get_coordinates(inside),
        territories=_layer(territories, grids), lines=_layer(barriers, grids, "kind"),
        buildings=_layer(buildings, grids), assets=_layer(assets, grids, "kind"),
    )


def _layer(
    frame: GeoDataFrame | None, like: GeoDataFrame, column: str | None = None
) -> Layer | None:
    return None if frame is None else _ready(frame, like, column)


def _ready(frame: GeoDataFrame, like: GeoDataFrame, column: str | None = None) -> Layer:
    frame = frame[~(frame.geometry.isna() | frame.geometry.is_empty)].to_crs(like.crs)
    if column is None:
        kinds, classes = [""], np.zeros(len(frame), dtype="int64")
    else:
        kinds = linestyle.order_kinds(frame[column].fillna("other"))
        number = {kind: n for n, kind in enumerate(kinds)}
        classes = frame[column].fillna("other").map(number).to_numpy("int64")
    shapes = frame.geometry.to_numpy()
    return Layer(shapes, shapely.STRtree(shapes), classes, kinds)


def draw_map(
    code: str,
    around: Surroundings,
    font: Font,
    place: tuple[float, float],
    box: tuple[float, float],
    *,
    scale: float | None = None,
) -> str:
    """Draw a grid with what surrounds it, north at the top.

    Parameters
    ----------
    code : str
        The grid.
    around : Surroundings
        As `gather` made them.
    font : Font
        For labels.
    place : (x, y)
        Lower left corner of the map on the page, in points.
    box : (width, height)
        Size of the map in points.
    scale : float, optional
        Of line widths and letters; by default it grows with the map, 1 on an A4 page.

    Returns
    -------
    str
        Operators of a PDF page.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> around = gather(grids, labels=Series(["1", "2"], index=grids.index))
    >>> draw_map("A", around, build_font([]), (0, 0), (100, 100)).startswith("q")
    True
    """
    number = around.number[code]
    scale = scale or max(0.5, min(box) / (182 * MM))
    west, south, east, north = around.boxes[number]
    points = 0.74 * min(box[0] / max(east - west, 1e-9), box[1] / max(north - south, 1e-9))
    middle = ((west + east) / 2, (south + north) / 2)
    frame = shapely.box(middle[0] - box[0] / 2 / points, middle[1] - box[1] / 2 / points,
                        middle[0] + box[0] / 2 / points, middle[1] + box[1] / 2 / points)
    view = _View(frame, points, middle, (place[0] + box[0] / 2, place[1] + box[1] / 2), scale)
    drawn = [f"q {place[0]:.2f} {place[1]:.2f} {box[0]:.2f} {box[1]:.2f} re W n\n",
             ink.fill_box(place, box, _SEA), *_ground(around, number, view)]
    if around.lines is not None:
        drawn.extend(_streets(around.lines, view))
    if around.buildings is not None:
        drawn.append(_fill(around.buildings, view, "#b9ab97", "0.45 0.42 0.38 RG"))
    if around.territories is not None:
        drawn.append(f"[5 3] 0 d .2 .24 .3 RG {0.9 * scale:.2f} w\n"
                     f"{_path(around.territories, view)}S [] 0 d\n")
    own = ink.trace(view.to_page(np.array([around.grids.shapes[number]])))
    drawn.append(f"1 j 1 1 1 RG {5 * scale:.2f} w\n{own}S\n"
                 f"{ink.rgb(_BORDER)} RG {2.2 * scale:.2f} w\n{own}S\n")
    if around.assets is not None:
        drawn.extend(_symbols(around.assets, view))
    drawn.extend(_labels(around, number, view, font))
    drawn.append("Q\n")
    drawn.append(_scale_bar(view, font, place, box))
    drawn.append(f".35 .4 .47 RG {0.7 * scale:.2f} w {place[0]:.2f} {place[1]:.2f} {box[0]:.2f} "
                 f"{box[1]:.2f} re S\n")
    return "".join(drawn)


class _View(NamedTuple):
    """The piece of ground on a map, and the way from metres to points."""

    frame: shapely.Polygon
    points: float  # points for one metre
    middle: tuple[float, float]
    centre: tuple[float, float]
    scale: float

    def to_page(self, shapes: np.ndarray) -> np.ndarray:
        return shapely.transform(
            shapes, lambda xy: (xy - self.middle) * self.points + self.centre)

    def near(self, layer: Layer) -> np.ndarray:
        return np.sort(layer.tree.query(self.frame))

    def clip(self, shapes: np.ndarray) -> np.ndarray:
        west, south, east, north = self.frame.bounds
        margin = 8 * self.scale / self.points  # so that no edge of the cut is seen
        cut = shapely.clip_by_rect(shapes, west - margin, south - margin, east + margin,
                                   north + margin)
        return self.to_page(cut[~shapely.is_empty(cut)])


def _ground(around: Surroundings, number: int, view: _View) -> list[str]:
    near = view.near(around.grids)
    others = near[near != number]
    edge = f".55 .58 .62 RG {0.5 * view.scale:.2f} w\n"
    return [f"{ink.rgb(_LAND)} rg {edge}{ink.trace(view.clip(around.grids.shapes[others]))}b*\n",
            f"{ink.rgb(_OWN)} rg {edge}"
            f"{ink.trace(view.clip(around.grids.shapes[[number]]))}b*\n"]


def _path(layer: Layer, view: _View) -> str:
    return ink.trace(view.clip(layer.shapes[view.near(layer)]))


def _fill(layer: Layer, view: _View, colour: str, edge: str) -> str:
    return f"{ink.rgb(colour)} rg {edge} {0.25 * view.scale:.2f} w\n{_path(layer, view)}b*\n"


def _streets(layer: Layer, view: _View) -> list[str]:
    """Draw casings, then lines, the least important class first."""
    near = view.near(layer)
    classes = layer.classes[near]
    casings, lines = [], []
    for number in sorted(set(classes.tolist()), reverse=True):
        look = linestyle.look_of(layer.names[number])
        path = ink.trace(view.clip(layer.shapes[near[classes == number]]))
        width = min(max(0.7 * view.scale, _METRES * look.width * view.points), 13 * view.scale)
        if look.casing:
            casings.append(f".62 .65 .7 RG {width + 0.9 * view.scale:.2f} w\n{path}S\n")
        lines.append(f"{ink.rgb(look.colour)} RG {width:.2f} w\n{path}S\n")
    return ["1 J 1 j\n", *casings, *lines, "0 J 0 j\n"]


def _symbols(layer: Layer, view: _View) -> list[str]:
    near = view.near(layer)
    places = shapely.get_coordinates(view.to_page(layer.shapes[near]))
    colours = style.category_colours(layer.names)
    drawn = [ink.discs(places, radius=2.9 * view.scale, colour="#ffffff")]
    for number in sorted(set(layer.classes[near].tolist())):
        chosen = layer.classes[near] == number
        drawn.append(ink.discs(places[chosen], radius=2.1 * view.scale, colour=colours[number]))
    return drawn


def _labels(around: Surroundings, number: int, view: _View, font: Font) -> list[str]:
    """Set the codes of neighbours where they fit, and the grid's own in bold."""
    drawn = []
    for other in view.near(around.grids).tolist():
        own = other == number
        size = (11 if own else 7.5) * view.scale
        text = around.labels[other]
        x, y = (around.anchors[other] - view.middle) * view.points + view.centre
        wide = (around.boxes[other][2] - around.boxes[other][0]) * view.points
        if own or font.width(text, size) + 4 < wide:
            drawn.append(ink.set_text(font, text, (float(x), float(y) - 0.35 * size), size=size,
                                      align="centre", bold=own, halo=True,
                                      colour=_BORDER if own else "#39424f"))
    return drawn


def _scale_bar(
    view: _View, font: Font, place: tuple[float, float], box: tuple[float, float]
) -> str:
    """Draw a bar of 1, 2 or 5 times a power of ten metres, about a quarter of the map."""
    most = box[0] / view.points / 4
    power = 10.0 ** np.floor(np.log10(most))
    metres = max(step * power for step in (1, 2, 5) if step * power <= most)
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    wide, size = metres * view.points, 8 * view.scale
    x, y = place[0] + 8 * view.scale, place[1] + 8 * view.scale
    white = ink.fill_box((x - 4 * view.scale, y - 4 * view.scale),
                         (wide + 8 * view.scale, 18 * view.scale), "#ffffff")
    bar = (f"0 0 0 RG {1.2 * view.scale:.2f} w {x:.2f} {y + 3 * view.scale:.2f} m {x:.2f} {y:.2f} "
           f"l {x + wide:.2f} {y:.2f} l {x + wide:.2f} {y + 3 * view.scale:.2f} l S\n")
    label = ink.set_text(font, text, (x + wide / 2, y + 4 * view.scale), size=size,
                         align="centre")
    return white + bar + label


def dissolve(grids: GeoDataFrame, names: Series) -> geopandas.GeoSeries:
    """Return the land of each part of an atlas.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> dissolve(grids, Series(["T", "T"], index=grids.index)).area.to_dict()
    {'T': 2.0}
    """
    return grids.geometry.groupby(names).agg(
        lambda shapes: shapely.union_all(shapes.to_numpy())).set_crs(grids.crs)
