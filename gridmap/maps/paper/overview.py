"""The first sheets of an atlas: where its parts lie, and on which page each grid is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import Series

from .. import layers
from . import ink, surroundings
from .fonts import Font
from .pdf import MM, Sheet

_WIDTH, _HEIGHT = 210 * MM, 297 * MM
_WORDS = {"zh": ("图册总览", "页码索引"), "en": ("Overview", "Index of pages")}

#: What these sheets say beside names and codes.
TEXTS = tuple(text for pair in _WORDS.values() for text in pair)

_PASTELS = ("#dbe8f4", "#f6e6c8", "#dcefe0", "#f3dce2", "#e6e1f2", "#e9ecef")


def draw_overview(
    grids: GeoDataFrame,
    parts: Mapping[str, Sequence[str]],
    title: str,
    font: Font,
    *,
    territories: GeoDataFrame | None = None,
    language: str = "zh",
    numbers: Mapping[str, int] | None = None,
) -> list[Sheet]:
    """Draw the parts of an atlas on one map, and list the page of every grid.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons.
    parts : mapping
        Name of a part to the codes of its grids, in the order of pages.
    title : str
        Of the atlas.
    font : Font
        Has all letters.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Names of parts.
    language : {"zh", "en"}, default "zh"
        Of headings.
    numbers : mapping, optional
        Page of each grid; by default they are counted in each part.

    Returns
    -------
    list of Sheet

    Examples
    --------
    >>> from gridmap.maps.paper.fonts import build_font
    >>> from gridmap.sketch import sketch_grids
    >>> len(draw_overview(sketch_grids("AB"), {"T": ["A", "B"]}, "", build_font(TEXTS)))
    2
    """
    heading, index = _WORDS[language]
    names = {} if territories is None or "name" not in territories else (
        territories["name"].dropna().to_dict())
    called = {part: str(names.get(part, part)) for part in parts}
    first = Sheet(_WIDTH, _HEIGHT, _heading(font, title or heading, heading)
                  + _parts_map(grids, parts, called, font), heading)
    paths = _paths(parts, called, territories)
    return [first, *_index_sheets(parts, paths, font, index, numbers or {})]


def count_overview(parts: Mapping[str, Sequence[str]]) -> int:
    """Return how many sheets `draw_overview` makes.

    Examples
    --------
    >>> count_overview({"T": ["A", "B"]})
    2
    """
    lines = len(parts) + sum(len(codes) for codes in parts.values())
    return 1 + -(-lines // (3 * 68))


def _paths(
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str],
    territories: GeoDataFrame | None,
) -> dict[str, str]:
    """Return what heads the grids of a part: town and community."""
    if territories is None:
        return dict(called)
    places = layers.name_places(Series(list(parts), index=list(parts), dtype="str"), territories)
    return {str(part): " · ".join(str(place).split(" · ")[-2:]) for part, place in places.items()}


def _heading(font: Font, text: str, below: str) -> str:
    return (ink.set_text(font, text, (14 * MM, _HEIGHT - 22 * MM), size=22, bold=True,
                         width=182 * MM)
            + ink.set_text(font, below, (14 * MM, _HEIGHT - 29 * MM), size=10, colour="#55606e"))


def _parts_map(
    grids: GeoDataFrame, parts: Mapping[str, Sequence[str]], called: Mapping[str, str], font: Font
) -> str:
    home = Series({code: part for part, codes in parts.items() for code in codes})
    land = surroundings.dissolve(grids, home.loc[grids.index])
    west, south, east, north = land.total_bounds
    box = (182 * MM, 240 * MM)
    points = min(box[0] / max(east - west, 1e-9), box[1] / max(north - south, 1e-9)) * 0.97
    shift = np.array([14 * MM + box[0] / 2, 20 * MM + box[1] / 2])
    middle = np.array([(west + east) / 2, (south + north) / 2])
    pages = shapely.transform(land.to_numpy(), lambda xy: (xy - middle) * points + shift)
    drawn = [f"{ink.rgb(_PASTELS[number % len(_PASTELS)])} rg .45 .5 .56 RG .5 w\n"
             f"{ink.trace(np.array([page]))}b*\n" for number, page in enumerate(pages)]
    anchors = shapely.get_coordinates(shapely.point_on_surface(pages)).tolist()
    for part, page, (x, y) in zip(land.index, pages, anchors, strict=True):
        text = called[part]
        wide = shapely.bounds(page)[2] - shapely.bounds(page)[0]
        if font.width(text, 7.5) < 1.1 * wide:
            drawn.append(ink.set_text(font, text, (x, y - 3), size=7.5, align="centre",
                                      halo=True))
    return "".join(drawn)


def _index_sheets(
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str], font: Font, index: str,
    numbers: Mapping[str, int],
) -> list[Sheet]:
    """List part and page of every grid in three columns, 68 lines each."""
    lines: list[tuple[str, str, bool]] = []
    for part, codes in parts.items():
        lines.append((called[part], "", True))
        lines += [(code, str(numbers.get(code, page)), False)
                  for page, code in enumerate(codes, start=1)]
    sheets = []
    for start in range(0, len(lines), 3 * 68):
        drawn = [_heading(font, index, "")] if not start else []
        for number, (left, right, head) in enumerate(lines[start:start + 3 * 68]):
            x = 14 * MM + (number // 68) * 62 * MM
            y = _HEIGHT - 36 * MM - (number % 68) * 3.6 * MM
            drawn.append(ink.set_text(font, left, (x, y), size=8, bold=head, width=44 * MM))
            if right:
                drawn.append(ink.set_text(font, right, (x + 56 * MM, y), size=8, align="right"))
        sheets.append(Sheet(_WIDTH, _HEIGHT, "".join(drawn), index if not start else ""))
    return sheets
