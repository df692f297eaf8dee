"""What others put on a map: it works offline, or it is refused by name.

folium and its plugins name scripts, pictures and tiles on the web, and whoever writes a popup
may write anything into it. The policy of a page stops all of that without a word; so a page
that would show less than its maker put on it is not made, and the reason is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import folium
from branca.colormap import ColorMap
from branca.element import Element
from folium.raster_layers import VideoOverlay, WmsTileLayer

from ..errors import PublicationError, listed
from . import inline

_POINTS = "Use draw_points, which shows any number of points"
#: What to do instead, by the name of a class; of others the page has no substitute.
_INSTEAD = {
    "MarkerCluster": _POINTS, "FastMarkerCluster": _POINTS, "HeatMap": _POINTS,
    "MeasureControl": "Pages measure by themselves", "Search": "Pages search by themselves",
    "TopoJson": "Use folium.GeoJson, or draw_grids, which stores shared borders once",
    "Choropleth": "Use draw_grids, which brings its legend",
    "RegularPolygonMarker": "Use folium.CircleMarker or folium.DivIcon",
    "TileLayer": "Name the tiles by Map(base=…)", "WmsTileLayer": "Name the WMS by Map(base=…)",
}
_OTHERWISE = "Leave out the tiles or plugin that names it"

#: GeoJSON that folium writes as data: addresses in it are values, and nobody fetches them.
_DATA = re.compile(r"(?m)^\s*\w+_add\(\{.*\}\);\s*$")

_TEXT = r"[^<>]*?"
#: Markup that a page does not show, and why: what the policy would stop without a word.
_STOPPED = (
    (re.compile(r"<(?:iframe|frame|object|embed)\b[^>]*>?"), "pages hold no other pages",
     "Write the content itself into the popup"),
    (re.compile(r"<(?:video|audio)\b[^>]*>?"), "pages play nothing", "Leave it out"),
    (re.compile(r"""<(?:img|image|input)\b[^<>]*?\b(?:src|href|srcset)\s*=\s*"""
                r"""(?!["']?\s*(?:data:|blob:|#))[^<>]*>?"""),
     "its picture lies outside of the page", "Write the picture as a data: address"),
    (re.compile(r"<link\b[^>]*>?|@import\b[^;]*"), "its style lies outside of the page",
     "Write the style itself"),
    (re.compile(r"""[:,\s]url\(\s*["']?(?!\s*["']?(?:data:|blob:|#|\\?["']data:))[^)]*\)"""),
     "its picture lies outside of the page", "Write the picture as a data: address"),
    (re.compile(rf"<[a-zA-Z]{_TEXT}\son[a-z]+\s*=\s*[\"'][^\"']*"),
     "pages run no script out of an attribute", "Use folium.Element with a script"),
    (re.compile(r"<script\s+(?!type=.(?:text/javascript|application/(?:json|gridmap)).[\s>])"
                r"[^>]*>"),
     "pages run only scripts that stand in them as they are", "Write <script> alone"),
)
_INNER_SCRIPT = re.compile(r"<script\b[^>]*>((?:(?!</script>)[\s\S])*?<script\b[^>]*>)")


def check_children(elements: Iterable[Element], text: str) -> None:
    """Raise if something on a map would not show without another machine, or not at all.

    Parameters
    ----------
    elements : iterable of Element
        All elements of a page.
    text : str
        Head and body as folium made them, without the links that are inlined.

    Raises
    ------
    PublicationError
        With the name of what cannot be shown, why, and what to use in its place.

    Examples
    --------
    >>> check_children([folium.Marker((37.0, 122.0))], "")
    >>> check_children([folium.Icon("red")], "")
    Traceback (most recent call last):
    gridmap.errors.PublicationError: folium.Icon needs scripts and fonts that pages do not \
carry. Use draw_points, folium.CircleMarker or folium.DivIcon.
    """
    for element in elements:
        _check_kind(element)
    plain = without_data(text)
    inner = _INNER_SCRIPT.search(plain)
    if inner is not None:
        raise PublicationError("a popup or text on the map holds <script>, which would break "
                               "the page. Use folium.Element with a script")
    for pattern, why, instead in _STOPPED:
        found = pattern.search(plain)
        if found is not None:
            told = " ".join(found[0].split())
            raise PublicationError(
                f"something on the map holds {told[:80].strip()}: {why}. {instead}")


def _check_kind(element: Element) -> None:
    name = type(element).__name__
    if type(element) is folium.Icon:  # its kinds that carry their own picture are welcome
        raise PublicationError("folium.Icon needs scripts and fonts that pages do not carry. Use "
                               "draw_points, folium.CircleMarker or folium.DivIcon.")
    if isinstance(element, ColorMap):
        raise PublicationError(f"{name} needs a script that pages do not carry, as folium."
                               "Choropleth does for its legend. Use draw_grids, which brings its "
                               "legend.")
    if isinstance(element, VideoOverlay):
        raise PublicationError("VideoOverlay needs a file beside the page, and pages play "
                               "nothing. Use folium.raster_layers.ImageOverlay.")
    if getattr(element, "embed", True) is False:
        raise PublicationError(f"{name} would fetch its data. A page must not need another "
                               "machine. Leave out embed=False.")
    if name == "Timeline":
        raise PublicationError("Timeline needs a script that pages do not carry. Use draw_page "
                               "with over_time, which brings a slider of periods.")
    wanted = [*_addresses_of(element)]
    if wanted:
        raise PublicationError(
            f"{name} would fetch {listed(wanted)}. A page must not need another machine. "
            f"{_INSTEAD.get(name, _OTHERWISE)}.",
            rows=wanted,
        )


def _addresses_of(element: Element) -> Iterator[str]:
    """Yield what an element would fetch and a page does not carry."""
    if not isinstance(element, folium.Map):
        for kind in ("default_js", "default_css"):
            for _, address in getattr(element, kind, ()):
                if address not in inline.vendored():
                    yield address
    address = ""
    if isinstance(element, folium.TileLayer):
        address = str(element.tiles)
    elif isinstance(element, WmsTileLayer):
        address = str(element.url)
    if address and not address.startswith("data:image/"):
        yield address


def without_data(text: str) -> str:
    """Return a page without the GeoJSON in it.

    Examples
    --------
    >>> without_data('geo_json_1_add({"site": "https://a.test"});')
    ''
    """
    return _DATA.sub("", text)
