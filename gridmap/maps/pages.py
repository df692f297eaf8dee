"""The main page of a run: every frame of it as a layer, over one ground."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame

from ..rules import Publication
from . import layers, style, things, words
from .binarylayer import BinaryLayer
from .offline import Map

#: Strength of borders by how many levels lie below: the highest is the strongest.
_WEIGHTS = (1.0, 1.5, 2.0, 2.4)


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
    table = grids if by_grid is None else by_grid
    if figure is None:
        shown = "size_state" in table and "size_state" in publication.columns
        figure = "size_state" if shown else "households"
    page = Map(title=title, publication=publication, language=language, credits=credits,
               base=base)
    others = _draw_others(publication, barriers=barriers, sites=sites, assets=assets,
                          elements=elements, events=events)
    add_layers(page, grids, figure, publication=publication, by_grid=by_grid,
               territories=territories, rule=rule, labels=labels, suppressed=suppressed,
               over_time=over_time, between=others)
    return page


def add_layers(
    page: Map,
    grids: GeoDataFrame,
    figure: str,
    *,
    territories: GeoDataFrame | None = None,
    between: Iterable[BinaryLayer] = (),
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
    territories : GeoDataFrame, schema TERRITORIES, optional
        Land, borders and names.
    between : iterable of BinaryLayer, default ()
        Layers over the grids and under the borders.
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
    borders = [] if territories is None else list(draw_borders(territories))
    grid_layer = layers.draw_grids(grids, figure, territories=territories, **options)
    if borders:
        layers.draw_land(borders[-1]).add_to(page)
    for layer in (grid_layer, *between, *borders):
        layer.add_to(page)


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


def _draw_others(
    publication: Publication,
    *,
    barriers: GeoDataFrame | None,
    sites: GeoDataFrame | None,
    assets: GeoDataFrame | None,
    elements: GeoDataFrame | None,
    events: GeoDataFrame | None,
) -> Iterator[BinaryLayer]:
    """Yield the layers of what there is, in the order in which they lie on each other."""
    if sites is not None and len(sites):
        yield things.draw_footprints(sites, publication=publication, show=False)
    if publication.elements and elements is not None:
        yield from _draw_elements(elements, publication)
    if barriers is not None and len(barriers):
        yield layers.draw_lines(barriers)
    if publication.elements and events is not None and len(events):
        yield things.draw_points(events, publication=publication, show=False)
    if assets is not None and len(assets):
        if assets["radius_m"].notna().any():
            yield things.draw_reach(assets)
        yield things.draw_points(assets, publication=publication, show=False)


def _draw_elements(elements: GeoDataFrame, publication: Publication) -> Iterator[BinaryLayer]:
    kinds = elements.geometry.geom_type
    footprints = elements[kinds.isin(["Polygon", "MultiPolygon"])]
    points = elements[kinds == "Point"]
    if len(footprints):
        yield things.draw_footprints(footprints, publication=publication)
    if len(points):
        yield things.draw_points(points, publication=publication, show=False)
