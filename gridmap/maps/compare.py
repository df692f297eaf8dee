"""Two states of the same territory on one page: swipe over them, or see them side by side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from ..rules import Publication
from . import figures, layers, pages, style, words
from .offline import Map

BEFORE = words.Word("Before", "调整前")
AFTER = words.Word("After", "调整后")


def draw_comparison(
    before: GeoDataFrame,
    after: GeoDataFrame,
    *,
    publication: Publication,
    figure: str = "households",
    territories: GeoDataFrame | None = None,
    barriers: GeoDataFrame | None = None,
    names: tuple[words.Name, words.Name] = (BEFORE, AFTER),
    rule: style.ClassRule | None = None,
    labels: Mapping[str, words.Name] | None = None,
    title: words.Name = "",
    language: str = "auto",
    credits: str = "",  # noqa: A002
    base: str | Path | None = None,
) -> Map:
    """Compare two layers of grids: the same figure, the same classes, the same colours.

    Parameters
    ----------
    before, after : GeoDataFrame, index ``grid``
        Polygons with their figures. Any CRS. Figures that only one of them has are left out.
    publication : Publication
        What the page may show. Two versions together can tell what one hides: see that both
        were suppressed with the same totals in mind.
    figure : str, default "households"
        The figure shown at first.
    territories, barriers : GeoDataFrame, optional
        Land, borders and names; roads and water.
    names : pair of text or (English, 中文)
        What the two sides are called.
    rule : ClassRule, optional
        How the numbers of both together are cut into classes.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    title : text or (English, 中文), default ""
        Heading of the page; what is compared is said after it.
    language : {"auto", "en", "zh"}, default "auto"
        Language at the start.
    credits : str, default ""
        Notices of the sources, shown at the lower edge.
    base : str or Path, optional
        What lies under both, as for `Map`.

    Returns
    -------
    Map
        With a divider to drag, by mouse or arrow keys, and a tool for two maps in step.

    Raises
    ------
    PublicationError
        If the figure is not allowed, or small counts are present that must not be.
    SchemaError
        If grids are no polygons with unique codes.
    SourceError
        If the base map is no such address, or cannot be read.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> page = draw_comparison(sketch_grids("AAB"), sketch_grids("ABB"),
    ...                        publication=load_publication("internal"))
    >>> page.get_root().render().count('"side": "after"')
    1
    """
    tables = [figures.match_figures(grids, None) for grids in (before, after)]
    common = [name for name in tables[1].columns if name in tables[0].columns]
    pool = pd.concat([figures.pick_allowed(table[common], publication) for table in tables])
    page = Map(title=name_comparison(title, names), publication=publication, language=language,
               credits=credits, base=base)
    borders = [] if territories is None else list(pages.draw_borders(territories))
    if borders:
        layers.draw_land(borders[-1]).add_to(page)
    for grids, table, side, name in zip(
        (before, after), tables, ("before", "after"), names, strict=True
    ):
        layers.draw_grids(
            grids[[grids.geometry.name]], figure, publication=publication,
            by_grid=DataFrame(table[common]), territories=territories, rule=rule, labels=labels,
            pool=pool, side=side, name=name,
        ).add_to(page)
    if barriers is not None and len(barriers):
        layers.draw_lines(barriers).add_to(page)
    for layer in borders:
        layer.add_to(page)
    return page


def name_comparison(title: words.Name, names: tuple[words.Name, words.Name]) -> words.Word:
    """Return a heading that says what is compared, once.

    Examples
    --------
    >>> name_comparison("City", (BEFORE, AFTER))
    Word(en='City: Before\\xa0→\\xa0After', zh='City：调整前\\xa0→\\xa0调整后')
    >>> name_comparison("May → June", ("May", "June")).en
    'May → June'
    """
    said, (first, last) = words.as_word(title), map(words.as_word, names)
    told = []
    for text, one, other, between in ((said.en, first.en, last.en, ": "),
                                      (said.zh, first.zh, last.zh, "："),):
        pair = f"{one}\u00a0→\u00a0{other}"
        known = one in text and other in text
        told.append(text if known else f"{text}{between}{pair}" if text else pair)
    return words.Word(*told)
