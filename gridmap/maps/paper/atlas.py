"""Print: one page for each grid, as an atlas, as notice boards or as contact cards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ... import schema
from ...errors import ProfileError, SchemaError, listed
from ...rules import Publication
from .. import figures, layers, legend, style, words
from . import fonts, ink, overview, pdf, surroundings
from .pdf import MM, Sheet
from .surroundings import Surroundings
from .template import Item, Template, load_template

#: Grids in a part where no territory divides them.
PART = 200


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
    template = template or load_template("atlas")
    schema.check_metric_crs(grids=grids)
    allowed = figures.pick_allowed(figures.match_figures(grids, by_grid), publication)
    told = _tell(allowed, territories, contacts, publication, labels, texts, language)
    missing = sorted(template.fields - {*told.fields, *told.common})
    if missing:
        raise ProfileError(
            f"the template names {listed(missing)}, which no grid has. Fields are "
            f"{listed([*told.fields, *told.common], show=40)}: add columns to contacts, or texts."
        )
    order = sorted(allowed.index)
    face = fonts.build_font(_all_text(template, told, territories), path=font)
    around = surroundings.gather(grids, territories=territories, barriers=barriers,
                                 buildings=buildings, assets=assets, labels=told.fields["short"])
    parts = _divide(order, allowed, shared=template.sheet is not None)
    finished = 0
    if "overview" not in done:
        sheets = overview.draw_overview(grids, parts, told.common["title"], face,
                                        territories=territories, language=language)
        yield Part("overview", len(sheets), pdf.write_pdf(sheets, face, title="overview"))
    for name, members in parts.items():
        if name not in done:
            pages = [_draw_page(code, template, told, around, face) for code in members]
            sheets = _impose(pages, members, template)
            yield Part(name, len(sheets), pdf.write_pdf(sheets, face, title=name))
        finished += len(members)
        progress(finished, len(order))


class _Told(NamedTuple):
    """What can be said about grids."""

    fields: dict[str, Series]  # text by grid
    common: dict[str, str]  # the same for all
    figures: list[tuple[str, Series]]  # name and text by grid, in the order of the profile


def _tell(
    allowed: DataFrame,
    territories: GeoDataFrame | None,
    contacts: DataFrame | None,
    publication: Publication,
    labels: Mapping[str, words.Name] | None,
    texts: Mapping[str, str] | None,
    language: str,
) -> _Told:
    index = allowed.index
    place = Series("", index=index)
    if "territory" in allowed:
        place = allowed["territory"].astype("str")
        if territories is not None:
            place = layers.name_places(place, territories)
    fields = {"code": Series(index, index=index), "place": place,
              "short": Series(layers.short_codes(allowed), index=index)}
    told = []
    for name in allowed.columns:
        if name != "territory":
            fields[name] = _written(allowed[name], language)
            told.append((getattr(words.name_figure(name, labels), language), fields[name]))
    common = {"title": "", "heading": "", "note": "", "contact": "", **(texts or {})}
    common["credit"] = getattr(words.describe_publication(publication), language)
    if contacts is not None:
        odd = contacts.index.difference(index)
        if len(odd):
            raise SchemaError(f"contacts: {listed(odd)} are no grids", rows=list(map(str, odd)))
        known = contacts.reindex(index).astype("str").where(lambda cell: cell.notna(), "")
        fields |= {str(name): known[name] for name in known}
    return _Told(fields, common, told)


def _written(values: Series, language: str) -> Series:
    unknown = getattr(words.PAGE["unknown"], language)
    if style.is_sequence(values):
        name = str(values.name)
        return values.map(lambda value: unknown if value != value else
                          legend.write_number(float(value), name))
    return values.map(lambda value: getattr(words.name_value(value), language)
                      if isinstance(value, str) else unknown)


def _all_text(
    template: Template, told: _Told, territories: GeoDataFrame | None
) -> Iterator[str]:
    """Yield every text that may be set, once or more."""
    yield from ("".join(item.text for item in template.items), "".join(told.common.values()))
    yield from overview.TEXTS
    for values in told.fields.values():
        yield from values.unique()
    yield from (name for name, _ in told.figures)
    if territories is not None and "name" in territories:
        yield from territories["name"].dropna()


def _divide(order: list[str], allowed: DataFrame, *, shared: bool) -> dict[str, list[str]]:
    """Divide grids into parts: by territory, or by number where pages share sheets."""
    if shared or "territory" not in allowed:
        return {f"{start // PART + 1:03d}": order[start:start + PART]
                for start in range(0, len(order), PART)}
    home = allowed["territory"].astype("str")
    by_home = sorted(order, key=lambda code: (home[code], code))
    return {name: list(some) for name, some in groupby(by_home, key=lambda code: home[code])}


def _draw_page(
    code: str, template: Template, told: _Told, around: Surroundings, face: fonts.Font
) -> str:
    """Return the operators of one grid's page, in points from its lower left corner."""
    unit = MM * template.scale
    height = template.page[1] * unit
    said = {name: values[code] for name, values in told.fields.items()}
    said = {**told.common, **said}
    drawn = []
    for item in template.items:
        x, y = item.place[0] * unit, height - item.place[1] * unit
        wide, tall = item.box[0] * unit, item.box[1] * unit
        if item.kind == "text":
            drawn.append(_set_line(item, item.text.format_map(said), (x, y), face, template))
        elif item.kind == "map":
            drawn.append(surroundings.draw_map(code, around, face, (x, y - tall), (wide, tall)))
        elif item.kind == "qr":
            drawn.append(ink.draw_qr(item.text.format_map(said), (x, y), min(wide, tall)))
        elif item.kind == "box":
            drawn.append(ink.fill_box((x, y - tall), (wide, tall), item.colour))
        else:
            drawn.append(_list_figures(code, item, told, (x, y), face, template))
    return "".join(drawn)


def _set_line(
    item: Item, text: str, place: tuple[float, float], face: fonts.Font, template: Template
) -> str:
    if not text:
        return ""
    size = item.size * template.scale
    return ink.set_text(face, text, (place[0], place[1] - 0.88 * size), size=size,
                        colour=item.colour, align=item.align, bold=item.bold,
                        width=item.width * MM * template.scale)


def _list_figures(
    code: str,
    item: Item,
    told: _Told,
    place: tuple[float, float],
    face: fonts.Font,
    template: Template,
) -> str:
    size, wide = item.size * template.scale, item.width * MM * template.scale
    x, y = place[0], place[1] - size
    lines = []
    for name, values in told.figures[:item.rows]:
        lines.append(ink.set_text(face, name, (x, y), size=size, colour="#55606e",
                                  width=0.6 * wide))
        lines.append(ink.set_text(face, values[code], (x + wide, y), size=size, align="right",
                                  width=0.38 * wide))
        lines.append(f".88 .9 .92 RG .4 w {x:.1f} {y - 0.42 * size:.1f} m "
                     f"{x + wide:.1f} {y - 0.42 * size:.1f} l S\n")
        y -= 1.62 * size
    return "".join(lines)


def _impose(pages: list[str], codes: list[str], template: Template) -> list[Sheet]:
    """Put pages on sheets, from the upper left, with marks to cut along if several share one."""
    unit = MM * template.scale
    wide, tall = template.page[0] * unit, template.page[1] * unit
    if template.sheet is None:
        return [Sheet(wide, tall, page, code) for page, code in zip(pages, codes, strict=True)]
    sheet = (template.sheet[0] * unit, template.sheet[1] * unit)
    columns, rows = template.grid
    step = (wide + template.gap[0] * unit, tall + template.gap[1] * unit)
    left = (sheet[0] - columns * step[0] + template.gap[0] * unit) / 2
    top = (sheet[1] + rows * step[1] - template.gap[1] * unit) / 2
    sheets = []
    for start in range(0, len(pages), columns * rows):
        drawn = []
        for place, page in enumerate(pages[start:start + columns * rows]):
            x = left + (place % columns) * step[0]
            y = top - tall - (place // columns) * step[1]
            drawn.append(f"q 1 0 0 1 {x:.2f} {y:.2f} cm\n{page}.7 G .3 w 0 0 {wide:.2f} "
                         f"{tall:.2f} re S Q\n")
        sheets.append(Sheet(*sheet, "".join(drawn), codes[start]))
    return sheets
