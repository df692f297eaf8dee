"""How lines and sites look: width, colour, and the zoom from which a class is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pandas import Series


class Look(NamedTuple):
    """Width in pixels at zoom 13, colour, casing around it, first zoom, colour in the legend."""

    width: float
    colour: str
    casing: str
    zoom: float
    legend: str


def _road(width: float, colour: str, zoom: float) -> Look:
    return Look(width, colour, "rgba(70,76,86,.55)", zoom, "#8b93a0")


def _plain(width: float, colour: str, zoom: float) -> Look:
    return Look(width, colour, "", zoom, colour)


#: Most important first: it is drawn on top.
LOOKS: Mapping[str, Look] = {
    "coast": _plain(1.2, "#5d86a6", 0), "coastline": _plain(1.2, "#5d86a6", 0),
    "motorway": _road(3.4, "#ffd08a", 8), "trunk": _road(3.0, "#ffe0a8", 8),
    "primary": _road(2.6, "#ffffff", 10), "main road": _road(2.6, "#ffffff", 10),
    "secondary": _road(2.1, "#ffffff", 11), "tertiary": _road(1.7, "#ffffff", 12),
    "railway": _plain(1.3, "#6d7480", 11), "rail": _plain(1.3, "#6d7480", 11),
    "river": _plain(2.4, "#6fa8cf", 7), "canal": _plain(1.8, "#6fa8cf", 10),
    "street": _road(1.2, "#ffffff", 13), "residential": _road(1.2, "#ffffff", 13),
    "unclassified": _road(1.2, "#ffffff", 13), "stream": _plain(0.9, "#85b6d8", 12.5),
    "service": _road(0.7, "#ffffff", 15), "track": _plain(0.6, "#a39a8a", 15),
    "path": _plain(0.5, "#a39a8a", 15), "footway": _plain(0.5, "#a39a8a", 15),
}
_OTHER = _road(0.9, "#ffffff", 14)

SITE_COLOURS: Mapping[str, str] = {
    "compound": "#c7b299", "school": "#e2b93b", "hospital": "#d9748a", "park": "#8dbb7a",
    "mall": "#b48ac9", "office": "#7f9fcb", "estate": "#a3a0a8", "water": "#9cc3dc",
}


def look_of(kind: str) -> Look:
    """Return how a class of lines looks; an unknown one is a thin road.

    Examples
    --------
    >>> look_of("motorway").zoom, look_of("ditch").width
    (8, 0.9)
    """
    return LOOKS.get(kind, LOOKS.get(kind.removesuffix("_link"), _OTHER))


def order_kinds(kinds: Series) -> list[str]:
    """Return the distinct kinds, the most important first, unknown ones last by name.

    Examples
    --------
    >>> order_kinds(Series(["path", "ditch", "motorway", "path"]))
    ['motorway', 'path', 'ditch']
    """
    known = list(LOOKS)
    rank = {kind: known.index(kind) if kind in LOOKS else len(known) for kind in kinds.unique()}
    return sorted(rank, key=lambda kind: (rank[kind], kind))
