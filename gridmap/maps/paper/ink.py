"""Operators of PDF pages: text, boxes, polygons, lines, dots, QR codes.

Places are in points from the lower left corner of the page, as PDF has them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely

from .fonts import Font
from .wrap import SMALLEST


@lru_cache(maxsize=256)
def rgb(colour: str) -> str:
    """Return a colour as three numbers from 0 to 1.

    Examples
    --------
    >>> rgb("#ff0000")
    '1 0 0'
    """
    return " ".join(f"{int(colour[at:at + 2], 16) / 255:.3g}" for at in (1, 3, 5))


def set_text(
    font: Font,
    text: str,
    place: tuple[float, float],
    *,
    size: float,
    colour: str = "#17202b",
    align: str = "left",
    width: float = 0.0,
    bold: bool = False,
    halo: bool = False,
) -> str:
    """Set one line of text; ``place`` is the end of its baseline that ``align`` names.

    Parameters
    ----------
    font : Font
        Has all letters, or SourceError is raised.
    text : str
        What to set.
    place : (x, y)
        In points.
    size : float
        In points; smaller, down to six tenths, where the text is wider than ``width``, and
        cut with an ellipsis where that is not enough.
    colour : str, default "#17202b"
        Of the letters.
    align : {"left", "centre", "right"}, default "left"
        Where ``place`` is.
    width : float, default 0.0
        The most room; 0 for any.
    bold : bool, default False
        Thickened by a stroke.
    halo : bool, default False
        On a white rim.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> set_text(build_font(["A"]), "A", (10, 20), size=8).startswith("BT")
    True
    """
    text, size = _fitted(font, text, size, width)
    x, y = place
    x -= {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * font.width(text, size)
    letters = font.encode(text)
    shown = f"/F {size:.2f} Tf {x:.2f} {y:.2f} Td <{letters}> Tj ET\n"
    rim = f"q 1 1 1 RG {size * 0.28:.2f} w 1 j BT 1 Tr {shown}Q\n" if halo else ""
    ink = rgb(colour)
    if bold:
        return f"{rim}BT {ink} rg {ink} RG {size * 0.03:.3f} w 2 Tr {shown[:-3]}0 Tr ET\n"
    return f"{rim}BT {ink} rg 0 Tr {shown}"


def _fitted(font: Font, text: str, size: float, width: float) -> tuple[str, float]:
    wide = font.width(text, size)
    if not width or wide <= width:
        return text, size
    smaller = max(SMALLEST * size, size * width / wide)
    while text and font.width(text + "...", smaller) > width + 0.01 and (
            font.width(text, smaller) > width + 0.01):
        text = text[:-1]
        if font.width(text + "...", smaller) <= width:
            return text.rstrip() + "...", smaller
    return text, smaller


def fill_box(place: tuple[float, float], box: tuple[float, float], colour: str) -> str:
    """Fill a rectangle whose lower left corner is ``place``.

    Examples
    --------
    >>> fill_box((0, 0), (10, 5), "#000000")
    '0 0 0 rg 0.00 0.00 10.00 5.00 re f\\n'
    """
    return (f"{rgb(colour)} rg {place[0]:.2f} {place[1]:.2f} {box[0]:.2f} {box[1]:.2f} re f\n")


def trace(shapes: np.ndarray) -> str:
    """Return the paths of polygons or lines, to be filled or stroked by what follows.

    Parameters
    ----------
    shapes : array of shapely geometries
        In points. Rings are closed.

    Examples
    --------
    >>> trace(np.array([shapely.LineString([(0, 0), (1, 2)])]))
    '0.0 0.0 m\\n1.0 2.0 l\\n'
    """
    parts = shapely.get_parts(shapes)
    flat = shapely.get_dimensions(parts)
    runs = np.concatenate([shapely.get_rings(parts[flat == 2]), parts[flat == 1]])
    vertices, run = shapely.get_coordinates(runs, return_index=True)
    if not len(vertices):
        return ""
    counts = np.diff(np.flatnonzero(np.diff(run, prepend=-1, append=-1)))
    # One formatting of all numbers at once is ten times faster than one for each.
    pattern = "".join(["%.1f %.1f m\n" + "%.1f %.1f l\n" * (n - 1) for n in counts.tolist()])
    return pattern % tuple(vertices.ravel().tolist())


def discs(places: np.ndarray, *, radius: float, colour: str) -> str:
    """Return filled circles: lines of no length with round ends.

    Examples
    --------
    >>> discs(np.array([[5.0, 5.0]]), radius=2, colour="#000000")
    '0 0 0 RG 4.00 w 1 J\\n5.0 5.0 m 5.0 5.0 l\\nS 0 J\\n'
    """
    if not len(places):
        return ""
    # Four curves for each circle make pages twice as large.
    path = ("%.1f %.1f m %.1f %.1f l\n" * len(places)) % tuple(
        np.hstack([places, places]).ravel().tolist())
    return f"{rgb(colour)} RG {2 * radius:.2f} w 1 J\n{path}S 0 J\n"


#: The mask of all QR codes. To try all eight takes 3 ms of a page's 9; this one has the lowest
#: penalty on average of addresses and codes, and a reader takes any.
_MASK = 2


def dot(place: tuple[float, float], *, radius: float, colour: str) -> str:
    """Return one filled circle.

    Examples
    --------
    >>> dot((5, 5), radius=2, colour="#000000").count(" l")
    1
    """
    return discs(np.array([place], dtype="float64"), radius=radius, colour=colour)


def draw_qr(text: str, place: tuple[float, float], side: float) -> str:
    """Draw a QR code of medium correction, its upper left corner at ``place``.

    Examples
    --------
    >>> draw_qr("379901001", (0, 100), 60).count(" re") > 80
    True
    """
    import segno

    # Left to choose, segno 1.6 takes the UTF-8 of some Chinese texts for Japanese, and other
    # characters are read back.
    wide = not text.isascii()
    code = segno.make(text, error="m", micro=False, mask=_MASK, mode="byte" if wide else None,
                      encoding="utf-8" if wide else None)
    dark = np.pad(np.array([list(row) for row in code.matrix], dtype="int8"), 1)
    # A rectangle for every run of dark modules in a row.
    steps = np.diff(dark, axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    quiet = 4  # modules of white that readers need around
    unit = side / (len(dark) - 2 + 2 * quiet)
    boxes = np.column_stack([place[0] + (quiet + starts) * unit,
                             place[1] - (quiet + rows) * unit,
                             (ends - starts) * unit, np.full(len(rows), unit)])
    white = fill_box((place[0], place[1] - side), (side, side), "#ffffff")
    path = ("%.2f %.2f %.2f %.3f re\n" * len(boxes)) % tuple(boxes.ravel().tolist())
    return f"{white}0 0 0 rg\n{path}f\n"
