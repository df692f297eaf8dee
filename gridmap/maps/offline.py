"""A folium map whose page names no other machine.

folium and its plugins name scripts and styles on the web. `Map` puts the committed copies
of ``vendor/`` into the page instead, forbids every connection by a content security
policy, and refuses to make a page that would need one.
"""

from __future__ import annotations

import html as html_text
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import folium
from branca.element import Element, Figure

from ..rules import Publication
from . import basemap, children, inline, style, words
from .binarylayer import BinaryLayer

_POLICY_GOES_HERE = "<!-- policy -->\n"


class Map(folium.Map):
    """A folium map that opens anywhere: one file, no network.

    Everything that folium can put on a map can be added, as long as it needs nothing from
    the web. Layers of this package bring a panel with search, legend and figures.

    Parameters
    ----------
    location : (latitude, longitude), optional
        Where to start; by default the layers fill the page.
    title : str or (English, 中文), default ""
        Heading of the panel and title of the page.
    publication : Publication, optional
        The profile under which the layers were drawn; the page says so.
    language : {"auto", "en", "zh"}, default "auto"
        Language at the start; ``auto`` is that of the browser.
    credits : str, default ""
        Notices of the sources, shown at the lower edge.
    base : str or Path, optional
        What lies under the layers: a GeoTIFF, which is put into the page, or the address of
        tiles (``http://10.0.0.5:8080/{z}/{x}/{y}.png``) or of a WMS
        (``http://10.0.0.5/wms?layers=photo``). The page may then ask that one machine. None
        by default.
    **options
        Further options of `folium.Map`. There are no base tiles.

    Raises
    ------
    SourceError
        If the base map is no such address, or cannot be read.
    PublicationError
        On rendering, if something on the map needs another machine.

    Examples
    --------
    >>> page = Map(title="Sample city").get_root().render()
    >>> "https://" in page.split("<body>")[1]
    False
    """

    def __init__(
        self,
        location: tuple[float, float] | None = None,
        *,
        title: words.Name = "",
        publication: Publication | None = None,
        language: str = "auto",
        credits: str = "",  # noqa: A002
        base: str | Path | None = None,
        **options: Any,
    ) -> None:
        super().__init__(location=location, tiles=None, **options)
        self.title = words.as_word(title)
        self.publication = publication
        self.language = language
        self.credits = credits
        self.fit = location is None
        self.extra: dict[str, Any] = {}  # more content for scripts of the page, as JSON
        self.machines: tuple[str, ...] = ()  # those that the page may ask
        if base is not None:
            ground = basemap.read_base(base)
            self.extra["base"] = ground.content()
            self.machines = (ground.machine,) if ground.machine else ()
        self.options.setdefault("maxZoom", 20)  # folium drops it where there are no tiles
        self.options["zoomSnap"] = 0.25
        self.options["zoomDelta"] = 1
        self.options["fadeAnimation"] = False  # a page is complete 0.4 s earlier without it
        self._parent = None  # type: ignore[assignment]
        _OfflinePage(self).add_child(self)

    def content(self) -> dict[str, Any]:
        """Return what the page's own script needs beside the layers."""
        credit = words.describe_publication(self.publication, self.credits)
        return {
            "title": self.title._asdict(), "language": self.language, "fit": self.fit,
            "credit": credit._asdict(),
            "words": {key: word._asdict() for key, word in words.PAGE.items()},
            "palettes": {
                palette: [style.sequence_colours(count, palette) for count in range(1, 7)]
                for palette in style.SEQUENCES
            },
            **self.extra,
        }

    def _repr_html_(self, **kwargs: Any) -> str:
        return framed(self.get_root().render(**kwargs))


class _OfflinePage(Figure):
    """The document around a map."""

    def __init__(self, page: Map) -> None:
        super().__init__()
        self._page = page

    def render(self, **kwargs: Any) -> str:
        """Return the whole document; the same map gives the same bytes."""
        document = super().render(**kwargs)
        numbers = {element._id: str(number) for number, element in enumerate(_elements(self))}
        head, body = inline.take_apart(_numbered(document, numbers))
        children.check_children(_elements(self), head + body)
        inline.check_remote(children.without_data(head + body))
        title = html_text.escape(self._page.title.en or "gridmap")
        page = "".join([
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n',
            _POLICY_GOES_HERE,
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            f"<title>{title}</title>\n", *inline.inlined(document, used_in=head + body), head,
            *self._own_parts(numbers, body), "</body>\n</html>\n",
        ])
        return page.replace(_POLICY_GOES_HERE, inline.policy(page, self._page.machines), 1)

    def _own_parts(self, numbers: Mapping[str, str], body: str) -> Iterator[str]:
        """Yield scripts, light blocks, the body, then heavy blocks: the map shows first."""
        layers = [element for element in _elements(self) if isinstance(element, BinaryLayer)]
        own = bool(layers or self._page.extra)
        if own:
            yield f"<style>\n{inline.page_part('page.css')}</style>\n"
            yield from (f"<script>\n{text}</script>\n" for text in inline.page_scripts())
        yield "</head>\n<body>\n"
        names = {layer: _numbered(layer.get_name(), numbers) for layer in layers}
        for layer in layers:
            if not layer.heavy:
                yield inline.block_tags(names[layer], layer.blocks)
        if own:
            about = {names[layer]: layer.about for layer in layers}
            yield inline.content_tag("gridmap-page", {**self._page.content(), "layers": about})
        yield body
        if own:
            yield f"<script>gridmap.start({_numbered(self._page.get_name(), numbers)})</script>\n"
        for layer in layers:
            if layer.heavy:
                yield inline.block_tags(names[layer], layer.blocks)
                yield f"<script>{names[layer]}.arrive()</script>\n"
        for layer in layers:
            if layer.told:
                yield inline.block_tags(f"told-{names[layer]}", {"told": layer.told})


def _elements(page: Figure) -> list[Element]:
    """Return all elements of a page, in the order in which they stand in it."""
    found: list[Element] = []
    waiting: list[Element] = [page, page.header, page.html, page.script]
    while waiting:
        element = waiting.pop(0)
        found.append(element)
        waiting = [*element._children.values(), *waiting]
    return list({element._id: element for element in found}.values())


def _numbered(document: str, numbers: Mapping[str, str]) -> str:
    """Number the elements: folium's random names would make every page different."""
    return re.sub("[0-9a-f]{32}", lambda found: numbers.get(found[0], found[0]), document)


def framed(page: str, *, height: str = "520px", picture: str = "") -> str:
    """Return a page in a frame for a notebook, before a picture for where frames are cut out.

    Examples
    --------
    >>> framed("<p>")
    '<div style="position:relative;height:520px"><iframe srcdoc="&lt;p&gt;" title="map" \
style="position:absolute;inset:0;width:100%;height:100%;border:0"></iframe></div>'
    """
    frame = (
        f'<iframe srcdoc="{html_text.escape(page)}" title="map" '
        'style="position:absolute;inset:0;width:100%;height:100%;border:0"></iframe>'
    )
    return f'<div style="position:relative;height:{height}">{picture}{frame}</div>'
