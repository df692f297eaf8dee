"""Labels of maps on paper: well inside what they name, and none over another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely

from . import ink
from .fonts import Font

Box = tuple[float, float, float, float]

#: Shares of a shape's height at which a chord is tried, beside the one in the middle.
_CHORDS = (0.3, 0.4, 0.6, 0.7)


class Label(NamedTuple):
    """Lines of text around a place, and the room that what they name has for them."""

    lines: tuple[str, ...]
    place: tuple[float, float]
    size: float
    colour: str
    room: tuple[float, float]  # width, height
    shorter: tuple[str, ...] = ()  # lines to be tried where there is no room for the others
    own: bool = False  # set in bold, whatever the room


def find_anchors(shapes: np.ndarray) -> np.ndarray:
    """Return a place well inside every shape: of five chords' middles the deepest.

    Parameters
    ----------
    shapes : array of polygons
        Not empty.

    Returns
    -------
    array of (x, y)

    Examples
    --------
    >>> wedge = shapely.Polygon([(0, 0), (10, 0), (0, 10)])
    >>> find_anchors(np.array([wedge])).tolist()
    [[3.5, 3.0]]
    """
    shapes = np.where(shapely.is_valid(shapes), shapes, shapely.make_valid(shapes))
    west, south, east, north = shapely.bounds(shapes).T
    borders = shapely.boundary(shapes)
    best = shapely.get_coordinates(shapely.point_on_surface(shapes))
    deepest = shapely.distance(shapely.points(best), borders)
    for share in _CHORDS:
        y = south + share * (north - south)
        ends = np.stack([np.column_stack([west - 1, y]), np.column_stack([east + 1, y])], axis=1)
        pieces, of = shapely.get_parts(
            shapely.intersection(shapes, shapely.linestrings(ends)), return_index=True)
        order = np.lexsort((shapely.length(pieces), of))
        longest = order[np.diff(of[order], append=-1) != 0]
        chords, of = pieces[longest], of[longest]
        lines = shapely.get_type_id(chords) == 1
        middles = shapely.line_interpolate_point(chords[lines], 0.5, normalized=True)
        of = of[lines]
        depth = shapely.distance(middles, borders[of])
        better = depth > deepest[of] * 1.001
        best[of[better]] = shapely.get_coordinates(middles[better])
        deepest[of[better]] = depth[better]
    return best


def set_labels(
    labels: Sequence[Label], font: Font, frame: Box, taken: Sequence[Box] = ()
) -> str:
    """Set labels one after the other, where there is room; the first come first.

    A label whose room is too small is tried with its shorter lines. One that would lie on
    another, on ``taken``, or across the frame is left out, unless it is the grid's own.

    Parameters
    ----------
    labels : sequence of Label
    font : Font
    frame : (west, south, east, north)
        Of the map, in points.
    taken : sequence of such boxes
        Where no label may lie.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> one = Label(("1",), (50, 50), 8, "#000000", (90, 90))
    >>> drawn = set_labels([one, one], build_font(["1"]), (0, 0, 100, 100))
    >>> drawn.count("Tj")  # a rim and the text, once
    2
    """
    boxes, drawn = list(taken), []
    for label in labels:
        for lines in filter(None, (label.lines, label.shorter)):
            wide = max(font.width(line, label.size) for line in lines)
            tall = label.size * (1.15 * len(lines) - 0.15)
            x, y = label.place
            box = (x - wide / 2 - 2, y - tall / 2 - 1, x + wide / 2 + 2, y + tall / 2 + 1)
            free = _holds(frame, box) and not any(_meet(box, other) for other in boxes)
            if label.own or (free and wide + 4 < label.room[0] and tall + 2 < label.room[1]):
                boxes.append(box)
                drawn += [_line(font, label, line, y + tall / 2 - (0.85 + 1.15 * row) * label.size)
                          for row, line in enumerate(lines)]
                break
    return "".join(drawn)


def _line(font: Font, label: Label, text: str, y: float) -> str:
    return ink.set_text(font, text, (label.place[0], y), size=label.size, align="centre",
                        bold=label.own, halo=True, colour=label.colour)


def _holds(frame: Box, box: Box) -> bool:
    return (frame[0] <= box[0] and frame[1] <= box[1]
            and box[2] <= frame[2] and box[3] <= frame[3])


def _meet(one: Box, other: Box) -> bool:
    return (one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3])
