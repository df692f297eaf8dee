"""The first sheets of an atlas: where its parts lie, and on which pages they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

import geopandas
import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import Series

from .. import tilings
from . import ink, labels, marks, register
from .fonts import Font
from .pdf import MM, Sheet

_WORDS = {"zh": ("图册总览", "页码索引"), "en": ("Overview", "Index of pages")}

#: What these sheets say beside names, codes and numbers.
TEXTS = (*(text for pair in _WORDS.values() for text in pair), "–")

_PASTELS = ("#dbe8f4", "#f6e6c8", "#dcefe0", "#f3dce2", "#e6e1f2", "#e9ecef")

_INK = "#17202b"

#: More parts than this are shown town by town, a sheet for each.
_MOST = 30

#: Lower left corner of a map, and what a sheet has beside it, in points.
_CORNER, _BESIDE = (14 * MM, 16 * MM), (28 * MM, 53 * MM)


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
    """Draw the parts of an atlas on maps, and list the page of every grid.

    More than 30 parts are divided by what they lie in: a map of the towns comes first, then
    one for each town.

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
        Names of parts, and what they lie in.
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
    over, index = _WORDS[language]
    if numbers is None:
        numbers = {code: page for codes in parts.values() for page, code in enumerate(codes, 1)}
    called = _names(territories)
    towns = divide_parts(parts, territories)
    home = Series({code: part for part, codes in parts.items() for code in codes}, dtype="str")
    land = dissolve(grids, home.loc[grids.index]).loc[list(parts)] if len(grids) else None
    shown = parts if not towns else {
        town: [code for part in some for code in parts[part]] for town, some in towns.items()}
    whole = land
    if towns and land is not None:
        upper = {part: town for town, some in towns.items() for part in some}
        whole = dissolve(land.to_frame("geometry").set_geometry("geometry"),
                         Series(upper, dtype="str").loc[land.index])
    sheets = [_sheet(font, title or over, over, whole, shown, called, numbers)]
    for town, some in towns.items():
        mine = {part: parts[part] for part in some}
        there = None if land is None else land.loc[some]
        sheets.append(_sheet(font, called.get(town, town), over, there, mine, called, numbers))
    paths = _paths(parts, called, territories)
    return [*sheets, *register.draw_index(parts, paths, numbers, font, index)]


def count_overview(
    parts: Mapping[str, Sequence[str]], territories: GeoDataFrame | None = None
) -> int:
    """Return how many sheets `draw_overview` makes.

    Examples
    --------
    >>> count_overview({"T": ["A", "B"]})
    2
    """
    return 1 + len(divide_parts(parts, territories)) + register.count_index(parts)


def divide_parts(
    parts: Mapping[str, Sequence[str]], territories: GeoDataFrame | None
) -> dict[str, list[str]]:
    """Return the parts of each town where there are many; else none.

    Examples
    --------
    >>> divide_parts({"T": ["A", "B"]}, None)
    {}
    """
    if territories is None or "parent" not in territories or len(parts) <= _MOST:
        return {}
    parents = territories["parent"].dropna().to_dict()
    towns = {str(town): list(some) for town, some in
             groupby(parts, key=lambda part: parents.get(part, part))}
    return towns if 1 < len(towns) < len(parts) else {}


def _names(territories: GeoDataFrame | None) -> dict[str, str]:
    if territories is None or "name" not in territories:
        return {}
    return {str(code): str(name) for code, name in territories["name"].dropna().items()}


def _paths(
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str],
    territories: GeoDataFrame | None,
) -> dict[str, str]:
    """Return what heads the grids of a part: town and community."""
    if territories is None:
        return {part: called.get(part, part) for part in parts}
    places = tilings.name_places(Series(list(parts), index=list(parts), dtype="str"), territories)
    return {str(part): " · ".join(str(place).split(" · ")[-2:]) for part, place in places.items()}


def _sheet(
    font: Font, title: str, below: str, land: geopandas.GeoSeries | None,
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str], numbers: Mapping[str, int],
) -> Sheet:
    """Draw a sheet, upright or across as the land is."""
    wide, tall = register.WIDTH, register.HEIGHT
    drawn = ""
    if land is not None:
        west, south, east, north = land.total_bounds
        if east - west > 1.15 * (north - south):
            wide, tall = tall, wide
        box = (wide - _BESIDE[0], tall - _BESIDE[1])
        drawn = _map(font, land, box, parts, called, numbers)
    return Sheet(wide, tall, register.heading(font, title, below, height=tall) + drawn, title)


def _map(
    font: Font, land: geopandas.GeoSeries, box: tuple[float, float],
    parts: Mapping[str, Sequence[str]], called: Mapping[str, str], numbers: Mapping[str, int],
) -> str:
    """Draw parts in pastel, each with its name and pages, the largest named first."""
    west, south, east, north = land.total_bounds
    points = min(box[0] / max(east - west, 1e-9), box[1] / max(north - south, 1e-9)) * 0.97
    shift = np.array([_CORNER[0] + box[0] / 2, _CORNER[1] + box[1] / 2])
    middle = np.array([(west + east) / 2, (south + north) / 2])
    pages = shapely.transform(land.to_numpy(), lambda xy: (xy - middle) * points + shift)
    drawn = [f"{ink.rgb(_PASTELS[number % len(_PASTELS)])} rg .45 .5 .56 RG .5 w\n"
             f"{ink.trace(np.array([page]))}b*\n" for number, page in enumerate(pages)]
    corner = (_CORNER[0] + box[0], _CORNER[1] + box[1])
    bar, bar_room = marks.scale_bar(font, _CORNER, most=box[0] / 4, points=points, scale=1.0)
    arrow, arrow_room = marks.north_arrow(font, corner, scale=1.0)
    text = labels.set_labels(_named(pages, land.index.tolist(), parts, called, numbers), font,
                             (*_CORNER, *corner), (bar_room, arrow_room))
    return "".join([*drawn, text, bar, arrow])


def _named(
    pages: np.ndarray, order: Sequence[str], parts: Mapping[str, Sequence[str]],
    called: Mapping[str, str], numbers: Mapping[str, int],
) -> list[labels.Label]:
    anchors = labels.find_anchors(pages)
    boxes = shapely.bounds(pages)
    named = []
    for at in np.argsort(-shapely.area(pages), kind="stable").tolist():
        part = str(order[at])
        name, told = called.get(part, part), _range(parts[part], numbers)
        wide, tall = boxes[at, 2] - boxes[at, 0], boxes[at, 3] - boxes[at, 1]
        room = (1.3 * wide + 8, 1.3 * tall + 8)  # a name may reach over a border a little
        named.append(labels.Label((name, told), tuple(anchors[at]), 7.5, _INK, room, (name,)))
        # Where that lies on another, a smaller one may find room: it is skipped otherwise.
        named.append(labels.Label((name,), tuple(anchors[at]), 5.5, _INK, room))
    return named


def _range(codes: Sequence[str], numbers: Mapping[str, int]) -> str:
    first, last = numbers[codes[0]], numbers[codes[-1]]
    return str(first) if first == last else f"{first}–{last}"


def dissolve(shapes: GeoDataFrame, names: Series) -> geopandas.GeoSeries:
    """Return the land of each part of an atlas, in the order in which parts come.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> grids = sketch_grids("AB")
    >>> dissolve(grids, Series(["T", "T"], index=grids.index)).area.to_dict()
    {'T': 2.0}
    """
    return shapes.geometry.groupby(names, sort=False).agg(
        lambda some: shapely.union_all(some.to_numpy())).set_crs(shapes.crs)
