"""The main page of a run: every frame of it as a layer, over one ground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame

from ..rules import Publication
from . import hollow, layers, style, things, tilings, words
from .binarylayer import BinaryLayer
from .offline import Map

#: Strength of borders by how many levels lie below: the highest is the strongest.
_WEIGHTS = (1.0, 1.5, 2.0, 2.4)

#: Frames whose layers lie over the grids and under the borders, from the ground up.
BETWEEN = ("sites", "elements", "barriers", "events", "assets")


def draw_page(
    grids: GeoDataFrame,
    *,
    publication: Publication,
    figure: str | None = None,
    by_grid: DataFrame | None = None,
    territories: GeoDataFrame | None = None,
    barriers: GeoDataFrame | None = None,
    sites: GeoDataFrame | None = None,
    assets: GeoDataFrame | None = None,
    elements: GeoDataFrame | None = None,
    events: GeoDataFrame | None = None,
    suppressed: DataFrame | None = None,
    over_time: Mapping[str, DataFrame] | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    title: words.Name = "",
    language: str = "auto",
    credits: str = "",  # noqa: A002
    base: str | Path | None = None,
) -> Map:
    """Compose the page of a run: grids by their figures, over land, with all layers at hand.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons with figures, or with ``by_grid`` beside them. Any CRS, as for all frames.
    publication : Publication
        What the page may show. Elements and events are left out where it shows none.
    figure : str, optional
        The figure shown at first; by default the size state, or households.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids.
    territories, barriers, sites, assets, elements, events : GeoDataFrame, optional
        Further layers, by their schemas. Elements may be points and footprints.
    suppressed : DataFrame, optional
        As `suppress_counts` tells it.
    over_time : mapping, optional
        Figure to its values by grid (rows) and period (columns): the page gets a slider.
    rule : ClassRule, optional
        How numbers are cut into classes.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    title : text or (English, 中文), default ""
        Heading of the page.
    language : {"auto", "en", "zh"}, default "auto"
        Language at the start.
    credits : str, default ""
        Notices of the sources, shown at the lower edge.
    base : str or Path, optional
        What lies under the grids, as for `Map`: a GeoTIFF, or the address of tiles or a WMS.

    Returns
    -------
    Map
        Write it with ``page.save(path)``, or take ``page.get_root().render()``.

    Raises
    ------
    PublicationError
        If the figure is not allowed, or small counts are present that must not be.
    SchemaError
        If grids are no polygons with unique codes, or ``by_grid`` has other rows.
    SourceError
        If the base map is no such address, or cannot be read.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> page = draw_page(sketch_grids("AB"), publication=load_publication("internal"))
    >>> "<!DOCTYPE html>" in page.get_root().render()
    True
    """
    given = {"sites": sites, "elements": elements, "barriers": barriers, "events": events,
             "assets": assets, "territories": territories}
    beside = {name: list(draw_beside(name, frame, publication))
              for name, frame in given.items()}
    return compose_page(
        grids, beside, publication=publication, figure=figure, by_grid=by_grid,
        territories=territories, rule=rule, labels=labels, suppressed=suppressed,
        over_time=over_time, title=title, language=language, credits=credits, base=base)


def compose_page(
    grids: GeoDataFrame,
    beside: Mapping[str, Sequence[BinaryLayer]],
    *,
    publication: Publication,
    figure: str | None = None,
    title: words.Name = "",
    language: str = "auto",
    credits: str = "",  # noqa: A002
    base: str | Path | None = None,
    **options: Any,
) -> Map:
    """Compose a page of grids, and of layers that were drawn of the frames beside them.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        As for `draw_page`.
    beside : mapping
        By the name of a frame, as `draw_beside` draws its layers.
    publication, figure, title, language, credits, base
        As for `draw_page`.
    **options
        As for `draw_grids`, with the ``by_grid`` and ``territories`` of `draw_page`.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> page = compose_page(sketch_grids("AB"), {}, publication=load_publication("internal"))
    >>> len(page._children)
    1
    """
    by_grid = options.get("by_grid")
    table = grids if by_grid is None else by_grid
    figure = figure or tilings.choose_figure(table, publication)
    page = Map(title=title, publication=publication, language=language, credits=credits,
               base=base)
    add_layers(page, grids, figure, publication=publication,
               between=[layer for name in BETWEEN for layer in beside.get(name, ())],
               borders=beside.get("territories", ()), **options)
    return page


def add_layers(
    page: Map,
    grids: GeoDataFrame,
    figure: str,
    *,
    between: Sequence[BinaryLayer] = (),
    borders: Sequence[BinaryLayer] = (),
    **options: Any,
) -> None:
    """Add land, grids, further layers and borders to a page, from the ground up.

    Parameters
    ----------
    page : Map
        The map to add to.
    grids : GeoDataFrame, index ``grid``
        Polygons.
    figure : str
        The figure shown at first.
    between : sequence of BinaryLayer, default ()
        Layers over the grids and under the borders.
    borders : sequence of BinaryLayer, default ()
        As `draw_borders` yields them; the last one is the land as well.
    **options
        As for `draw_grids`.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> page = Map()
    >>> add_layers(page, sketch_grids("AB"), "people", publication=load_publication("internal"))
    >>> "gridmap.Layer" in page.get_root().render()
    True
    """
    _stack(page, layers.draw_grids(grids, figure, **options), between, borders)


def _stack(page: Map, grid_layer: BinaryLayer, between: Sequence[BinaryLayer],
           borders: Sequence[BinaryLayer]) -> None:
    if borders:
        layers.draw_land(borders[-1]).add_to(page)
    for layer in (grid_layer, *between, *borders):
        layer.add_to(page)


def draw_hollow(
    beside: Mapping[str, Sequence[BinaryLayer]],
    *,
    publication: Publication,
    title: words.Name = "",
) -> str:
    """Write the page of `compose_page` without its grids, for `fill_page` to put them in.

    Parameters
    ----------
    beside : mapping
        As for `compose_page`.
    publication, title
        As for `draw_page`.

    Examples
    --------
    >>> from gridmap.maps import fill_page, lay_out_grids
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> grids, internal = sketch_grids("AB"), load_publication("internal")
    >>> page = draw_page(grids, publication=internal).get_root().render()
    >>> hollow = draw_hollow({}, publication=internal)
    >>> fill_page(hollow, lay_out_grids(grids, publication=internal)) == page
    True
    """
    page = Map(title=title, publication=publication)
    _stack(page, BinaryLayer(**hollow.HOLLOW._asdict()),
           [layer for name in BETWEEN for layer in beside.get(name, ())],
           beside.get("territories", ()))
    return str(page.get_root().render())


def draw_borders(territories: GeoDataFrame) -> Iterator[BinaryLayer]:
    """Yield a layer for each level, from the level with the most territories to the top.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> towns = sketch_grids("AB").rename_axis("territory").assign(level="town")
    >>> [layer.about["name"]["en"] for layer in draw_borders(towns)]
    ['Towns']
    """
    sizes = territories["level"].value_counts().to_dict()
    for rank, level in enumerate(sorted(sizes, key=lambda name: (-sizes[name], name))):
        weight = _WEIGHTS[min(rank, len(_WEIGHTS) - 1)] if len(sizes) > 1 else 1.5
        yield layers.draw_territories(territories, level, weight=weight)


def draw_beside(
    name: str, frame: GeoDataFrame | None, publication: Publication
) -> Iterator[BinaryLayer]:
    """Yield the layers of a frame beside the grids, in the order in which they lie.

    Parameters
    ----------
    name : str
        What the frame is: territories, barriers, sites, assets, elements or events.
    frame : GeoDataFrame or None
    publication : Publication
        Elements and events are left out where it shows none.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0))
    >>> [len(list(draw_beside("elements", homes, load_publication(name))))
    ...  for name in ("internal", "public")]
    [1, 0]
    """
    if frame is None or (name in ("elements", "events") and not publication.elements):
        return
    if name == "territories":
        yield from draw_borders(frame)
    elif name == "elements":
        yield from _draw_elements(frame, publication)
    elif not len(frame):
        return
    elif name == "sites":
        yield things.draw_footprints(frame, publication=publication, show=False)
    elif name == "barriers":
        yield layers.draw_lines(frame)
    else:
        if name == "assets" and frame["radius_m"].notna().any():
            yield things.draw_reach(frame)
        yield things.draw_points(frame, publication=publication, show=False)


def _draw_elements(elements: GeoDataFrame, publication: Publication) -> Iterator[BinaryLayer]:
    kinds = elements.geometry.geom_type
    footprints = elements[kinds.isin(["Polygon", "MultiPolygon"])]
    points = elements[kinds == "Point"]
    if len(footprints):
        yield things.draw_footprints(footprints, publication=publication)
    if len(points):
        yield things.draw_points(points, publication=publication, show=False)
