"""Print: one page for each grid, as an atlas, as notice boards or as contact cards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from geopandas import GeoDataFrame
from pandas import DataFrame

from ...rules import Publication
from .. import words
from . import overview, page, pdf, plan
from .template import Template


class Part(NamedTuple):
    """A PDF of some grids, to be written under its name."""

    name: str
    pages: int
    content: bytes


def draw_atlas(
    grids: GeoDataFrame,
    *,
    publication: Publication,
    template: Template | None = None,
    by_grid: DataFrame | None = None,
    territories: GeoDataFrame | None = None,
    barriers: GeoDataFrame | None = None,
    buildings: GeoDataFrame | None = None,
    assets: GeoDataFrame | None = None,
    contacts: DataFrame | None = None,
    texts: Mapping[str, str] | None = None,
    labels: Mapping[str, words.Name] | None = None,
    qr: str = "{grid}",
    language: str = "zh",
    font: Path | None = None,
    done: Collection[str] = (),
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Iterator[Part]:
    """Print every grid with its neighbours, streets, buildings and figures, part by part.

    Parameters
    ----------
    grids : GeoDataFrame, index ``grid``
        Polygons in a CRS in metres, as all frames here.
    publication : Publication
        Only its figures are printed.
    template : Template, optional
        The layout; by default the shipped ``atlas``.
    by_grid : DataFrame, index ``grid``, optional
        The figures of the same grids.
    territories, barriers, buildings, assets : GeoDataFrame, optional
        Names and borders; roads and water; footprints; points. Footprints on a map are what
        any map shows: they need no profile with single elements.
    contacts : DataFrame, index ``grid``, optional
        Text columns for the template, such as ``contact``: what the user wants to be public.
    texts : mapping, optional
        Further fields, the same on every page: ``title``, ``heading``, ``note``.
    labels : mapping, optional
        Names of figures: column to text, or to (English, 中文).
    qr : str, default "{grid}"
        What QR codes say, such as ``"https://example.org/{grid}"``.
    language : {"zh", "en"}, default "zh"
        Language of names and units.
    font : Path, optional
        A font file that has all characters; by default the one of `find_font`.
    done : collection of str, default ()
        Names of parts that need not be drawn again.
    progress : callable, optional
        Called with (pages done, pages in all).

    Yields
    ------
    Part
        A PDF for each territory of the grids, in the order of codes; an ``overview`` with an
        index of pages comes first. Where there are no territories, or pages share sheets,
        a PDF for every 200 grids.

    Raises
    ------
    PublicationError
        If small counts are present that must not be.
    ProfileError
        If the template names a field that there is not.
    SchemaError
        If grids are no polygons with unique codes, or ``contacts`` has unknown grids.
    SourceError
        If the font lacks a character: nothing is left blank.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> parts = draw_atlas(sketch_grids("AB", side_m=100),
    ...                    publication=load_publication("internal"))
    >>> [(part.name, part.pages) for part in parts]
    [('overview', 2), ('T', 2)]
    """
    made = plan.plan_atlas(
        grids, publication=publication, template=template, by_grid=by_grid,
        territories=territories, barriers=barriers, buildings=buildings, assets=assets,
        contacts=contacts, texts=texts, labels=labels, qr=qr, language=language, font=font)
    parts = made.parts
    if made.template.sheet is not None:
        order = sorted(made.order)
        parts = {f"{start // plan.PART + 1:03d}": order[start:start + plan.PART]
                 for start in range(0, len(order), plan.PART)}
    finished = 0
    if "overview" not in done:
        sheets = overview.draw_overview(grids, parts, made.told.common["title"], made.face,
                                        territories=territories, language=language)
        yield Part("overview", len(sheets), pdf.write_pdf(sheets, made.face, title="overview"))
    for name, members in parts.items():
        if name not in done:
            some = made._replace(order=members)
            sheets = page.draw_sheets(some, 0, page.count_sheets(some))
            yield Part(name, len(sheets), pdf.write_pdf(sheets, made.face, title=name))
        finished += len(members)
        progress(finished, len(made.order))
