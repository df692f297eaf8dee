"""What the signs of a map mean, in a row under it."""

from __future__ import annotations

from collections.abc import Callable

from .. import style, words
from . import ink, surroundings
from .fonts import Font

_WORDS = {"own": words.Word("this grid", "本网格"), "border": words.Word("borders", "辖区界"),
          "building": words.Word("buildings", "建筑")}

#: What a legend says beside the kinds of assets.
TEXTS = tuple(text for word in _WORDS.values() for text in word)

#: Draws a sign at a place.
_Sign = Callable[[float, float], str]


def draw_legend(
    around: surroundings.Surroundings, font: Font, place: tuple[float, float], *, size: float,
    width: float, language: str, rows: int = 1,
) -> str:
    """Name the signs of a map in rows, smaller where they would need more rows than there are.

    Parameters
    ----------
    around : Surroundings
        Only what it has is named.
    font : Font
    place : (x, y)
        Upper left corner, in points.
    size : float
        Of letters, in points.
    width : float
        Of a row, in points.
    language : {"zh", "en"}
    rows : int, default 1
        The most.

    Returns
    -------
    str
        Operators of a PDF page.

    Examples
    --------
    >>> from pandas import Series
    >>> from gridmap.maps.paper.fonts import build_font
    >>> from gridmap.sketch import sketch_grids
    >>> around = surroundings.gather(sketch_grids("A"), codes=Series(["1"], index=["A"]))
    >>> draw_legend(around, build_font(TEXTS), (0, 100), size=9, width=200,
    ...             language="en").count("Tj")
    1
    """
    while True:
        drawn, used = _draw_rows(around, font, place, size, width, language)
        if used <= rows or size < 2:
            return drawn
        size *= 0.95


def _draw_rows(
    around: surroundings.Surroundings, font: Font, place: tuple[float, float], size: float,
    width: float, language: str,
) -> tuple[str, int]:
    """Return the operators, and how many rows they take."""
    x, y, used = place[0], place[1] - size, 1
    drawn = []
    for text, wide, sign in _entries(around, size, language):
        room = wide + 0.5 * size + font.width(text, size)
        if width and x > place[0] and x + room > place[0] + width:
            x, y, used = place[0], y - 1.6 * size, used + 1
        drawn.append(sign(x, y + 0.35 * size))
        drawn.append(ink.set_text(font, text, (x + wide + 0.4 * size, y), size=size,
                                  colour="#39424f"))
        x += room + 1.1 * size
    return "".join(drawn), used


def _entries(
    around: surroundings.Surroundings, size: float, language: str
) -> list[tuple[str, float, _Sign]]:
    """Return text, width of the sign, and the sign of each entry."""
    own = f"{ink.rgb(surroundings.BORDER)} RG {0.22 * size:.2f} w\n"
    signs = [("own", 1.6 * size, _stroke(own, 1.6 * size))]
    if around.territories is not None:
        dashes = f"{surroundings.DASHES}{0.1 * size:.2f} w\n"
        signs.append(("border", 1.9 * size, _stroke(dashes, 1.9 * size)))
    if around.buildings is not None:
        signs.append(("building", 0.9 * size, lambda x, y: ink.fill_box(
            (x, y - 0.35 * size), (0.9 * size, 0.7 * size), surroundings.BUILDING)))
    found = [(getattr(_WORDS[name], language), wide, sign) for name, wide, sign in signs]
    if around.assets is not None:
        names = around.assets.names
        for name, colour in zip(names, style.category_colours(names), strict=True):
            text = getattr(words.name_value(name), language)
            found.append((text, 0.72 * size, _dot(size, colour)))
    return found


def _stroke(look: str, wide: float) -> _Sign:
    return lambda x, y: f"{look}{x:.2f} {y:.2f} m {x + wide:.2f} {y:.2f} l S [] 0 d\n"


def _dot(size: float, colour: str) -> _Sign:
    return lambda x, y: ink.dot((x + 0.36 * size, y), radius=0.36 * size, colour=colour)
