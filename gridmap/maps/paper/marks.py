"""What helps to read a map on paper: a bar of so many metres, and where north is."""

from __future__ import annotations

import numpy as np

from . import ink
from .fonts import Font
from .labels import Box


def scale_bar(
    font: Font, corner: tuple[float, float], *, most: float, points: float, scale: float
) -> tuple[str, Box]:
    """Draw a bar of 1, 2 or 5 times a power of ten metres; return the room it takes as well.

    Parameters
    ----------
    font : Font
    corner : (x, y)
        Lower left corner, in points.
    most : float
        The longest it may be, in points.
    points : float
        Points for one metre on the ground.
    scale : float
        Of lines and letters; 1 on an A4 page.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> drawn, box = scale_bar(build_font([]), (0, 0), most=100, points=0.1, scale=1.0)
    >>> [round(side) for side in box]  # 1 km
    [0, 0, 108, 18]
    """
    power = 10.0 ** np.floor(np.log10(most / points))
    metres = max(step * power for step in (1, 2, 5) if step * power <= most / points * 1.0001)
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    wide = metres * points
    x, y = corner[0] + 4 * scale, corner[1] + 4 * scale
    room = (corner[0], corner[1], corner[0] + wide + 8 * scale, corner[1] + 18 * scale)
    white = ink.fill_box(corner, (room[2] - room[0], room[3] - room[1]), "#ffffff")
    bar = (f"0 0 0 RG {1.2 * scale:.2f} w {x:.2f} {y + 3 * scale:.2f} m {x:.2f} {y:.2f} l "
           f"{x + wide:.2f} {y:.2f} l {x + wide:.2f} {y + 3 * scale:.2f} l S\n")
    label = ink.set_text(font, text, (x + wide / 2, y + 4 * scale), size=8 * scale,
                         align="centre")
    return white + bar + label, room


def north_arrow(font: Font, corner: tuple[float, float], *, scale: float) -> tuple[str, Box]:
    """Draw an arrow to the north of the map's CRS; return the room it takes as well.

    Parameters
    ----------
    font : Font
    corner : (x, y)
        Upper right corner, in points.
    scale : float
        Of lines and letters; 1 on an A4 page.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> drawn, box = north_arrow(build_font([]), (100, 100), scale=1.0)
    >>> box
    (84.0, 70.0, 100, 100)
    """
    wide, tall = 16 * scale, 30 * scale
    room = (corner[0] - wide, corner[1] - tall, corner[0], corner[1])
    x, top = corner[0] - wide / 2, corner[1] - 3 * scale
    foot = top - 15 * scale
    half = 4.5 * scale
    white = ink.fill_box(room[:2], (wide, tall), "#ffffff")
    dark = (f"0 0 0 rg {x:.2f} {top:.2f} m {x - half:.2f} {foot:.2f} l "
            f"{x:.2f} {foot + 3.5 * scale:.2f} l f\n")
    light = (f"0 0 0 RG {0.5 * scale:.2f} w {x:.2f} {top:.2f} m {x + half:.2f} {foot:.2f} l "
             f"{x:.2f} {foot + 3.5 * scale:.2f} l s\n")
    letter = ink.set_text(font, "N", (x, foot - 9 * scale), size=9 * scale, align="centre")
    return white + dark + light + letter, room
