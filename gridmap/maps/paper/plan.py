"""What an atlas is made of: texts of every grid, the map around it, the font, the order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from string import Formatter
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ... import schema
from ...errors import ProfileError, SchemaError, listed
from ...rules import Publication
from ...version import __version__
from .. import figures, legend, style, tilings, words
from . import fonts, overview, surroundings, wrap
from . import legend as signs
from .pdf import MM
from .template import Template, load_template

#: Grids in a part where no territory divides them.
PART = 200


class Told(NamedTuple):
    """What can be said about grids."""

    fields: dict[str, dict[str, str]]  # name of a field -> grid -> text
    common: dict[str, str]  # the same for all
    figures: dict[str, str]  # column -> what it is called, in the order of the profile


class Plan(NamedTuple):
    """All that sheets are drawn from: the same plan gives the same sheets."""

    template: Template
    told: Told
    around: surroundings.Surroundings
    face: fonts.Font
    parts: dict[str, list[str]]  # territory -> its grids, in the order of pages
    order: list[str]  # of pages
    language: str
    first: int = 1  # number of the first page


def plan_atlas(
    grids: GeoDataFrame,
    *,
    publication: Publication,
    template: Template | None = None,
    by_grid: DataFrame | None = None,
    suppressed: DataFrame | None = None,
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
) -> Plan:
    """Make everything ready from which the sheets of an atlas are drawn.

    Parameters
    ----------
    grids, publication, template, by_grid, territories, barriers, buildings, assets, contacts, \
texts, labels, language, font
        As in `draw_atlas`.
    suppressed : DataFrame, optional
        As `suppress_counts` tells it: a page says "withheld" and not "unknown" there.
    qr : str, default "{grid}"
        What QR codes say; other fields may stand in it as well.

    Returns
    -------
    Plan

    Raises
    ------
    PublicationError, ProfileError, SchemaError, SourceError
        As in `draw_atlas`.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> plan_atlas(sketch_grids("BA", side_m=9),
    ...            publication=load_publication("internal")).order
    ['A', 'B']
    """
    template = template or load_template("atlas")
    schema.check_metric_crs(grids=grids)
    allowed = figures.pick_allowed(figures.match_figures(grids, by_grid), publication)
    told = _tell(allowed, territories, contacts, publication, labels, texts, language, suppressed)
    told = told._replace(fields={**told.fields, "qr": _fill_qr(qr, told)})
    _check_fields(template, told)
    parts = _divide(allowed, territories)
    face = fonts.build_font(
        [*_all_text(template, told), *_names(territories)], path=font,
        where=lambda letter: _find_letter(letter, told))
    if contacts is not None:
        _check_room(template, told, face, language, {str(name) for name in contacts})
    around = surroundings.gather(
        grids, territories=territories, barriers=barriers, buildings=buildings, assets=assets,
        codes=Series(told.fields["short"]),
        homes=Series(told.fields["place"]).str.split(" · ").str[-1])
    order = [code for codes in parts.values() for code in codes]
    return Plan(template, told, around, face, parts, order, language)


def _tell(
    allowed: DataFrame,
    territories: GeoDataFrame | None,
    contacts: DataFrame | None,
    publication: Publication,
    labels: Mapping[str, words.Name] | None,
    texts: Mapping[str, str] | None,
    language: str,
    suppressed: DataFrame | None,
) -> Told:
    index = allowed.index
    place = Series("", index=index)
    if "territory" in allowed:
        place = allowed["territory"].astype("str")
        if territories is not None:
            place = tilings.name_places(place, territories)
    fields = {"code": Series(index, index=index), "grid": Series(index, index=index),
              "place": place, "short": Series(tilings.short_codes(allowed), index=index)}
    called = {}
    for name in allowed.columns:
        if name != "territory":
            fields[name] = _written(allowed[name], language, suppressed)
            called[name] = getattr(words.name_figure(name, labels), language)
    common = {"title": "", "heading": "", "note": "", "contact": "", **(texts or {}), "page": ""}
    common["credit"] = getattr(words.describe_publication(publication), language)
    if contacts is not None:
        odd = contacts.index.difference(index)
        if len(odd):
            raise SchemaError(f"contacts: {listed(odd)} are no grids", rows=list(map(str, odd)))
        known = contacts.reindex(index).astype("str").where(lambda cell: cell.notna(), "")
        fields |= {str(name): known[name] for name in known}
    written = {name: dict(zip(index, values, strict=True)) for name, values in fields.items()}
    return Told(written, common, called)


def _written(values: Series, language: str, suppressed: DataFrame | None) -> Series:
    """Write a figure of all grids; what was taken out says so."""
    unknown = getattr(words.PAGE["unknown"], language)
    name = str(values.name)
    if style.is_sequence(values):
        text = values.map(lambda value: unknown if value != value else
                          legend.write_number(float(value), name))
    else:
        text = values.map(lambda value: getattr(words.name_value(value), language)
                          if isinstance(value, str) else unknown)
    if suppressed is not None:
        rows = suppressed[(suppressed["level"] == "grid") & (suppressed["column"] == name)]
        absent = rows[rows["id"].isin(values.index[values.isna()])]
        for reason, word in ((True, "inapplicable"), (False, "withheld")):
            ids = absent.loc[(absent["reason"] == "not applicable") == reason, "id"]
            text = text.mask(text.index.isin(ids), getattr(words.PAGE[word], language))
    return text


def _fill_qr(qr: str, told: Told) -> dict[str, str]:
    """Return what each QR code says; in an address, codes are quoted as addresses need it."""
    try:
        named = {name for _, name, _, _ in Formatter().parse(qr) if name is not None}
    except ValueError as error:
        raise ProfileError(f"the QR text {qr!r} is no template: {error}") from error
    known = [name for name in (*told.fields, *told.common) if name != "page"]
    unknown = sorted(named - set(known))
    if unknown:
        raise ProfileError(
            f"the QR text names {listed(unknown)}, which no grid has. Fields are "
            f"{listed(known, show=40)}; write it as "
            "https://example.org/{grid}")
    address = qr.startswith(("http://", "https://"))
    filled = {}
    for code in told.fields["code"]:
        said = {**told.common, **{name: texts[code] for name, texts in told.fields.items()}}
        filled[code] = qr.format_map({name: quote(said[name]) if address else said[name]
                                      for name in named})
    return filled


def _check_fields(template: Template, told: Told) -> None:
    missing = sorted(template.fields - {*told.fields, *told.common})
    if missing:
        raise ProfileError(
            f"the template names {listed(missing)}, which no grid has. Fields are "
            f"{listed([*told.fields, *told.common], show=40)}: add columns to contacts, or texts."
        )
    columns = {name for item in template.items for name in item.columns}
    odd = sorted(columns - {*told.figures, *words.FIGURES})
    if odd:
        raise ProfileError(
            f"the template lists the figures {listed(odd)}, which the publication profile does "
            f"not let out. Figures are {listed(told.figures, show=30)}."
        )


def _check_room(
    template: Template, told: Told, face: fonts.Font, language: str, names: set[str]
) -> None:
    """Raise where a contact line would be cut: half a phone number helps nobody."""
    for item in template.items:
        text = item.say(language)
        fields = {name for _, name, _, _ in Formatter().parse(text) if name}
        if item.kind != "text" or not fields & names:
            continue
        size, width = item.size * template.scale, item.width * MM * template.scale
        long = [code for code in told.fields["code"] if not wrap.has_room(
            face, text.format_map({**told.common, **{
                name: told.fields[name][code] for name in fields & told.fields.keys()}}),
            size, width, item.lines)]
        if long:
            raise ProfileError(
                f"{listed(sorted(fields & names))} of {listed(long)}: too long for the "
                f"{item.width:g} mm that the template has for {text!r}. Shorten it, or give the "
                "item more width or lines, or a smaller size.", rows=long)


def _divide(allowed: DataFrame, territories: GeoDataFrame | None) -> dict[str, list[str]]:
    """Divide grids by territory, towns in order and communities in them; else by number."""
    if "territory" not in allowed:
        order = sorted(allowed.index)
        return {f"{start // PART + 1:03d}": order[start:start + PART]
                for start in range(0, len(order), PART)}
    home = allowed["territory"].astype("str")
    parents = {} if territories is None or "parent" not in territories else (
        territories["parent"].dropna().to_dict())
    chains = {code: _chain(code, parents) for code in home.unique()}
    by_home = sorted(allowed.index, key=lambda code: (chains[home[code]], code))
    return {name: list(some) for name, some in groupby(by_home, key=lambda code: home[code])}


def _chain(code: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    chain = [code]
    while chain[0] in parents and parents[chain[0]] not in chain:
        chain.insert(0, parents[chain[0]])
    return tuple(chain)


def _names(territories: GeoDataFrame | None) -> list[str]:
    if territories is None or "name" not in territories:
        return []
    return [*territories["name"].dropna(), *territories.index.astype("str")]


def _all_text(template: Template, told: Told) -> Iterator[str]:
    """Yield every text that may be set, once or more."""
    yield from ("".join(item.text + item.text_en for item in template.items),
                "".join(told.common.values()))
    yield from (*overview.TEXTS, *signs.TEXTS)
    yield from ("".join([*word]) for word in words.VALUES.values())
    for name, texts in told.fields.items():
        if name != "qr":
            yield from set(texts.values())
    yield from told.figures.values()


def _find_letter(letter: str, told: Told) -> str:
    """Say which field of which grid has a letter."""
    for name, texts in told.fields.items():
        for code, text in texts.items():
            if letter in text and name != "qr":
                return f" in {name} of {code}"
    return ""


def fingerprint(plan: Plan) -> str:
    """Return a hash of all that decides how the sheets of a plan look.

    Examples
    --------
    >>> from gridmap.rules import load_publication
    >>> from gridmap.sketch import sketch_grids
    >>> internal = load_publication("internal")
    >>> one = plan_atlas(sketch_grids("A"), publication=internal)
    >>> two = plan_atlas(sketch_grids("A"), publication=internal, language="en")
    >>> fingerprint(one) == fingerprint(one), fingerprint(one) == fingerprint(two)
    (True, False)
    """
    digest = hashlib.sha256(repr((__version__, plan.template, plan.told, plan.parts,
                                  plan.language, plan.first)).encode())
    digest.update(plan.face.program)
    around = plan.around
    for layer in (around.grids, around.territories, around.lines, around.buildings,
                  around.assets):
        digest.update(b"|")
        if layer is not None:
            digest.update(repr(layer.names).encode() + np.asarray(layer.classes).tobytes())
            digest.update(b"".join(shapely.to_wkb(layer.shapes)))
    return digest.hexdigest()
