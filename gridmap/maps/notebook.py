"""A map of a figure in a notebook, in one call and without a network."""

from __future__ import annotations

import html as html_text
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from branca.element import Element
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import coverage
from ..rules import Publication, load_publication
from . import figures, offline, pages, pictures, style, words

if TYPE_CHECKING:
    from .canvas import Picture


#: Where scripts are blocked the page is empty: it lets the picture behind it be seen.
_SEE_THROUGH = ("<noscript><style>html, body, body > div { background: transparent !important }"
                "</style></noscript>\n")


class NotebookMap(offline.Map):
    """A page that a notebook shows in a frame, over a picture for where frames are cut out."""

    picture: Picture | None = None
    figure_name: str = ""

    def _repr_html_(self, **kwargs: Any) -> str:
        shown = "" if self.picture is None else (
            f'<img src="{pictures.picture_uri(self.picture)}" '
            f'alt="{html_text.escape(self.figure_name)}" '
            'style="max-width:100%;max-height:100%">')
        return offline.framed(self.get_root().render(**kwargs), picture=shown)

    def _repr_png_(self) -> bytes | None:
        """Return the picture alone, for paper and for viewers that show no HTML."""
        return None if self.picture is None else pictures.write_small(self.picture)


def explore(
    grids: GeoDataFrame,
    figure: str = "households",
    *,
    by_grid: DataFrame | None = None,
    publication: Publication | None = None,
    territories: GeoDataFrame | None = None,
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    title: words.Name = "",
    language: str = "auto",
) -> offline.Map:
    """Show grids by a figure in a notebook: Jupyter, VS Code, nbconvert, all offline.

    What the publication profile withholds is withheld here too: a notebook is passed on
    more easily than it seems.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons with figures, or with ``by_grid`` beside them. Any CRS.
    figure : str, default "households"
        What the colours show at first.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids, suppressed or not.
    publication : Publication, optional
        ``shared`` by default.
    territories : GeoDataFrame, schema TERRITORIES, optional
        Borders and names.
    rule : ClassRule, optional
        How numbers are cut into classes.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    title : text or (English, 中文), optional
        Heading; by default the name of the figure.
    language : {"auto", "en", "zh"}, default "auto"
        Language at the start.

    Returns
    -------
    Map
        The last line of a cell shows it. Where scripts or frames are blocked, a picture of
        the same map is seen.

    Raises
    ------
    PublicationError
        If the figure is not allowed.
    SchemaError
        If grids are no polygons with unique codes, or ``by_grid`` has other rows.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> shown = explore(sketch_grids("AAAAAAAAAAAAB"), "area_m2")
    >>> shown._repr_html_()[:26]
    '<div style="position:relat'
    """
    publication = publication or load_publication("shared")
    table = figures.match_figures(grids, by_grid)
    published = coverage.suppress_counts(table, publication)
    shapes = grids[[grids.geometry.name]]
    page = NotebookMap(title=title or words.name_figure(figure, labels), publication=publication,
                       language=language)
    borders = [] if territories is None else list(pages.draw_borders(territories))
    pages.add_layers(page, shapes, figure, borders=borders,
                     by_grid=published.by_grid, publication=publication,
                     territories=territories, rule=rule, labels=labels,
                     suppressed=published.suppressed)
    page.picture = pictures.draw_picture(shapes, figure, by_grid=published.by_grid, rule=rule,
                                         publication=publication, labels=labels,
                                         suppressed=published.suppressed)
    page.figure_name = figure
    document: Any = page.get_root()
    document.header.add_child(Element(_SEE_THROUGH))
    return page
