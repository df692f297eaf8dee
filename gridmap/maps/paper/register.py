"""The index of an atlas: every grid, and the page it is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import ink
from .fonts import Font
from .pdf import MM, Sheet

WIDTH, HEIGHT = 210 * MM, 297 * MM
_LINES, _COLUMNS = 68, 3


def count_index(parts: Mapping[str, Sequence[str]]) -> int:
    """Return how many sheets `draw_index` makes.

    Examples
    --------
    >>> count_index({"T": ["A", "B"]}), count_index({})
    (1, 0)
    """
    return -(-_count_lines(parts) // (_COLUMNS * _LINES))


def draw_index(
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str], numbers: Mapping[str, int],
    font: Font, title: str,
) -> list[Sheet]:
    """List part and page of every grid in three columns, 68 lines each.

    Parameters
    ----------
    parts : mapping
        Name of a part to the codes of its grids.
    called : mapping
        What heads the grids of each part.
    numbers : mapping
        Page of each grid.
    font : Font
    title : str
        Of the index.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> sheets = draw_index({"T": ["A"]}, {"T": "Bay"}, {"A": 3}, build_font([]), "Index")
    >>> len(sheets), sheets[0].title
    (1, 'Index')
    """
    lines: list[tuple[str, str]] = []
    for part, codes in parts.items():
        if len(lines) % _LINES == _LINES - 1:
            lines.append(("", ""))  # no heading at the foot of a column
        lines.append((called[part], ""))
        lines += [(code, str(numbers[code])) for code in codes]
    sheets = []
    for start in range(0, len(lines), _COLUMNS * _LINES):
        drawn = [heading(font, title, "")] if not start else []
        for number, (left, right) in enumerate(lines[start:start + _COLUMNS * _LINES]):
            x = 14 * MM + (number // _LINES) * 63 * MM
            y = HEIGHT - 36 * MM - (number % _LINES) * 3.6 * MM
            drawn.append(_line(font, left, right, x, y))
        sheets.append(Sheet(WIDTH, HEIGHT, "".join(drawn), title if not start else ""))
    return sheets


def _count_lines(parts: Mapping[str, Sequence[str]]) -> int:
    lines = 0
    for codes in parts.values():
        lines += (lines % _LINES == _LINES - 1) + 1 + len(codes)
    return lines


def _line(font: Font, left: str, right: str, x: float, y: float) -> str:
    if not right:
        return ink.set_text(font, left, (x, y), size=8, bold=True, width=56 * MM) if left else ""
    ends = font.width(left, 8), font.width(right, 8)
    dots = f".6 .65 .7 RG .5 w [.1 2.4] 0 d 1 J {x + min(ends[0], 44 * MM) + 4:.1f} {y:.1f} m " \
           f"{x + 56 * MM - ends[1] - 4:.1f} {y:.1f} l S [] 0 d 0 J\n"
    return (ink.set_text(font, left, (x, y), size=8, width=44 * MM) + dots
            + ink.set_text(font, right, (x + 56 * MM, y), size=8, align="right"))


def heading(font: Font, text: str, below: str, *, height: float = HEIGHT) -> str:
    """Set what stands on top of a sheet, and a line under it.

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> heading(build_font([]), "Index", "").count("Tj")
    2
    """
    return (ink.set_text(font, text, (14 * MM, height - 22 * MM), size=22, bold=True,
                         width=182 * MM)
            + ink.set_text(font, below, (14 * MM, height - 29 * MM), size=10, colour="#55606e"))
