"""The map of one grid on paper: the grid, its neighbours, and what lies on them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import Series

from .. import linestyle, style
from . import ink, labels, marks
from .fonts import Font
from .pdf import MM

_LAND, _OWN, _SEA = "#f6f3ec", "#fff6cf", "#e3eaf0"

#: How the grid's own border, borders of territories and footprints look, also in a legend.
BORDER, DASHES, BUILDING = "#c2123f", "[5 3] 0 d .2 .24 .3 RG ", "#b9ab97"

#: Lines that are as wide as they are on the ground, though they have no casing.
_WATER = ("river", "canal", "stream")
#: So many dots have their full size; more are smaller.
_DOTS = 120
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
    homes: list[str]  # what the community of each grid is called
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
    codes: Series,
    homes: Series | None = None,
) -> Surroundings:
    """Make all frames ready to be drawn piece by piece.

    Parameters
    ----------
    grids, territories, barriers, buildings, assets : GeoDataFrame
        Any CRS; all are brought into that of the grids.
    codes : Series
        What stands on each grid.
    homes : Series, optional
        What the community of each grid is called: it stands on neighbours of another one.

    Returns
    -------
    Surroundings

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> gather(grids, codes=Series(["1", "2"], index=grids.index)).number
    {'A': 0, 'B': 1}
    """
    shapes = grids.geometry.to_numpy()
    homes = Series("", index=grids.index) if homes is None else homes
    return Surroundings(
        grids=_ready(grids, grids), number={code: n for n, code in enumerate(grids.index)},
        boxes=shapely.bounds(shapes), labels=codes.loc[grids.index].tolist(),
        homes=homes.loc[grids.index].tolist(), anchors=labels.find_anchors(shapes),
        territories=_borders(territories, grids), lines=_layer(barriers, grids, "kind"),
        buildings=_layer(buildings, grids), assets=_layer(assets, grids, "kind"),
    )


def _layer(
    frame: GeoDataFrame | None, like: GeoDataFrame, column: str | None = None
) -> Layer | None:
    return None if frame is None else _ready(frame, like, column)


def _borders(territories: GeoDataFrame | None, like: GeoDataFrame) -> Layer | None:
    """Return every border once: dashes of two neighbours would fill each other's gaps."""
    if territories is None:
        return None
    rings = shapely.boundary(_ready(territories, like).shapes)
    lines = shapely.get_parts(shapely.line_merge(shapely.union_all(rings)))
    return Layer(lines, shapely.STRtree(lines), np.zeros(len(lines), dtype="int64"), [""])


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
    >>> around = gather(grids, codes=Series(["1", "2"], index=grids.index))
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
    near = view.near(around.grids)
    ground = view.clip_each(around.grids.shapes[near])
    drawn = [f"q {place[0]:.2f} {place[1]:.2f} {box[0]:.2f} {box[1]:.2f} re W n\n",
             ink.fill_box(place, box, _SEA), *_ground(ground, near == number, view)]
    if around.lines is not None:
        drawn.extend(_streets(around.lines, view))
    if around.buildings is not None:
        drawn.append(_fill(around.buildings, view, BUILDING, "0.45 0.42 0.38 RG"))
    if around.territories is not None:
        drawn.append(f"{DASHES}{0.9 * scale:.2f} w\n"
                     f"{_path(around.territories, view)}S [] 0 d\n")
    own = ink.trace(view.to_page(around.grids.shapes[[number]]))
    drawn.append(f"1 j 1 1 1 RG {5 * scale:.2f} w\n{own}S\n"
                 f"{ink.rgb(BORDER)} RG {2.2 * scale:.2f} w\n{own}S\n")
    if around.assets is not None:
        drawn.extend(_symbols(around.assets, view))
    drawn.append(_furnish(_labels(around, number, near, ground, view), view, font, place, box))
    drawn.append(f"Q\n.35 .4 .47 RG {0.7 * scale:.2f} w {place[0]:.2f} {place[1]:.2f} "
                 f"{box[0]:.2f} {box[1]:.2f} re S\n")
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
        cut = self.clip_each(shapes)
        return cut[~shapely.is_empty(cut)]

    def clip_each(self, shapes: np.ndarray) -> np.ndarray:
        west, south, east, north = self.frame.bounds
        margin = 8 * self.scale / self.points  # so that no edge of the cut is seen
        return self.to_page(shapely.clip_by_rect(shapes, west - margin, south - margin,
                                                 east + margin, north + margin))


def _furnish(
    wanted: list[labels.Label], view: _View, font: Font, place: tuple[float, float],
    box: tuple[float, float],
) -> str:
    """Draw labels where neither the bar nor the arrow is, then these."""
    inset, scale = 4 * view.scale, view.scale
    corner = (place[0] + box[0], place[1] + box[1])
    bar, bar_room = marks.scale_bar(font, (place[0] + inset, place[1] + inset), most=box[0] / 4,
                                    points=view.points, scale=scale)
    north, north_room = marks.north_arrow(font, (corner[0] - inset, corner[1] - inset),
                                          scale=scale)
    return labels.set_labels(wanted, font, (*place, *corner), (bar_room, north_room)) + bar + north


def _ground(shapes: np.ndarray, own: np.ndarray, view: _View) -> list[str]:
    edge = f".55 .58 .62 RG {0.5 * view.scale:.2f} w\n"
    return [f"{ink.rgb(colour)} rg {edge}{ink.trace(some)}b*\n"
            for colour, some in ((_LAND, shapes[~own]), (_OWN, shapes[own]))]


def _path(layer: Layer, view: _View) -> str:
    return ink.trace(view.clip(layer.shapes[view.near(layer)]))


def _fill(layer: Layer, view: _View, colour: str, edge: str) -> str:
    """Fill polygons: where one lies on another both are full, which even-odd would leave open."""
    shapes = shapely.orient_polygons(view.clip(layer.shapes[view.near(layer)]))
    return f"{ink.rgb(colour)} rg {edge} {0.25 * view.scale:.2f} w\n{ink.trace(shapes)}b\n"


def _streets(layer: Layer, view: _View) -> list[str]:
    """Draw casings, then lines, the least important class first."""
    near = view.near(layer)
    classes = layer.classes[near]
    casings, lines = [], []
    for number in sorted(set(classes.tolist()), reverse=True):
        look = linestyle.look_of(layer.names[number])
        path = ink.trace(view.clip(layer.shapes[near[classes == number]]))
        most = 13 if look.casing or layer.names[number] in _WATER else 2.2
        width = min(max(0.7 * view.scale, _METRES * look.width * view.points), most * view.scale)
        if look.casing:
            casings.append(f".62 .65 .7 RG {width + 0.9 * view.scale:.2f} w\n{path}S\n")
        lines.append(f"{ink.rgb(look.colour)} RG {width:.2f} w\n{path}S\n")
    return ["1 J 1 j\n", *casings, *lines, "0 J 0 j\n"]


def _symbols(layer: Layer, view: _View) -> list[str]:
    near = view.near(layer)
    places = shapely.get_coordinates(view.to_page(layer.shapes[near]))
    colours = style.category_colours(layer.names)
    size = view.scale * min(1.0, max(0.4, (_DOTS / max(len(near), 1)) ** 0.5))
    drawn = [ink.discs(places, radius=2.9 * size, colour="#ffffff")]
    for number in sorted(set(layer.classes[near].tolist())):
        chosen = layer.classes[near] == number
        drawn.append(ink.discs(places[chosen], radius=2.1 * size, colour=colours[number]))
    return drawn


def _labels(
    around: Surroundings, number: int, near: np.ndarray, ground: np.ndarray, view: _View
) -> list[labels.Label]:
    """Return the grid's own code, then those of neighbours, the largest on the map first."""
    west, south, east, north = shapely.bounds(view.to_page(np.array([view.frame])))[0]
    inset = 12 * view.scale
    seen = shapely.clip_by_rect(ground, west + inset, south + inset, east - inset, north - inset)
    boxes = shapely.bounds(seen)
    places = (around.anchors[near] - view.middle) * view.points + view.centre
    outside = ~((places > [west + inset, south + inset])
                & (places < [east - inset, north - inset])).all(axis=1) & ~shapely.is_empty(seen)
    places[outside] = shapely.get_coordinates(shapely.point_on_surface(seen[outside]))
    found = [labels.Label((around.labels[number],), tuple(places[near == number][0]),
                          11 * view.scale, BORDER, (0, 0), own=True)]
    areas = shapely.area(seen)
    for at in np.lexsort((near, -areas)).tolist():
        if near[at] == number or not areas[at] > 0:
            continue
        home, text = around.homes[near[at]], around.labels[near[at]]
        lines = (text,) if home in ("", around.homes[number]) else (home, text)
        room = (boxes[at, 2] - boxes[at, 0], boxes[at, 3] - boxes[at, 1])
        found.append(labels.Label(lines, tuple(places[at]), 7.5 * view.scale, "#39424f", room,
                                  (text,) if len(lines) > 1 else ()))
    return found
