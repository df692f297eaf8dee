"""Layouts for print: what stands where on a page, read from TOML."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from ...errors import ProfileError, listed

KINDS = ("text", "map", "figures", "qr", "box", "legend")
ALIGNS = ("left", "centre", "right")


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing on a page. Lengths in millimetres from its upper left corner.

    Parameters
    ----------
    kind : {"text", "map", "figures", "qr", "box", "legend"}
        ``figures`` is the list of a grid's figures, ``box`` a filled rectangle, ``legend``
        names the dots of the map.
    place : (x, y)
        Upper left corner; of a text its left end, middle or right end as ``align`` says.
    box : (width, height)
        Size of a map, a QR code or a box.
    text : str
        With ``{fields}`` of the grid.
    size : float
        Of letters, in points. Text wider than ``width`` is set smaller.
    rows : int
        The most lines of ``figures``.
    columns : tuple of str
        The figures that ``figures`` lists, in this order; by default all that may be shown.
    lines : int
        A text wider than ``width`` is broken into so many lines; so many rows of a legend.
    text_en : str
        The text where the language is English; by default ``text``.
    needs : str
        The item is left out where this field is empty.
    """

    kind: str
    place: tuple[float, float]
    box: tuple[float, float] = (0.0, 0.0)
    text: str = ""
    size: float = 10.0
    width: float = 0.0
    align: str = "left"
    bold: bool = False
    colour: str = "#17202b"
    rows: int = 8
    lines: int = 1
    columns: tuple[str, ...] = ()
    text_en: str = ""
    needs: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ProfileError(f"there is no item {self.kind!r}. Items are "
                               f"{listed(KINDS, show=9)}")
        if self.align not in ALIGNS:
            raise ProfileError(f"text is aligned {self.align!r}: expected {listed(ALIGNS)}")
        if self.kind in ("map", "qr", "box") and not min(self.box) > 0:
            raise ProfileError(f"a {self.kind} needs box = [width, height], both above 0")
        if not re.fullmatch("#[0-9a-fA-F]{6}", self.colour):
            raise ProfileError(f"a colour is {self.colour!r}: expected one such as '#1f5fae'")

    def say(self, language: str) -> str:
        """Return the text in a language."""
        return self.text_en if language == "en" and self.text_en else self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A layout: the page of one grid, and how many pages share a sheet.

    Parameters
    ----------
    page : (width, height)
        In millimetres.
    items : tuple of Item
        From the ground up.
    sheet : (width, height), optional
        Paper that holds several pages; by default one page is one sheet.
    grid : (columns, rows), default (1, 1)
        Pages on a sheet.
    gap : (x, y), default (0, 0)
        Space between them.
    scale : float, default 1.0
        Enlarges everything: 1.414 makes A1 of A2.

    Examples
    --------
    >>> load_template("card").grid
    (2, 5)
    """

    page: tuple[float, float]
    items: tuple[Item, ...]
    sheet: tuple[float, float] | None = None
    grid: tuple[int, int] = (1, 1)
    gap: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not min(*self.page, *self.grid, self.scale) > 0:
            raise ProfileError("a template needs a page, a grid and a scale above 0")
        for item in self.items:
            right, below = item.place[0] + item.box[0], item.place[1] + item.box[1]
            if min(item.place) < 0 or right > self.page[0] + 0.1 or below > self.page[1] + 0.1:
                raise ProfileError(
                    f"a {item.kind} at place = [{item.place[0]:g}, {item.place[1]:g}] reaches "
                    f"beyond the page of {self.page[0]:g} by {self.page[1]:g} mm")

    @property
    def fields(self) -> frozenset[str]:
        """The ``{fields}`` that its texts name."""
        import string

        return frozenset(name for item in self.items
                         for text in (item.text, item.text_en)
                         for _, name, _, _ in string.Formatter().parse(text) if name) | {
                             item.needs for item in self.items if item.needs}


def list_templates() -> tuple[str, ...]:
    """Return the names of the shipped templates, sorted.

    Examples
    --------
    >>> list_templates()
    ('atlas', 'board', 'card')
    """
    files = resources.files(__package__).joinpath("templates").iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def load_template(name_or_path: str | Path) -> Template:
    """Read a template: a shipped one by name, or a TOML file.

    Parameters
    ----------
    name_or_path : str or Path
        A name out of `list_templates`, or a path that ends in ``.toml``.

    Returns
    -------
    Template

    Raises
    ------
    ProfileError
        If there is no such template, or its entries are wrong.

    Examples
    --------
    >>> load_template("atlas").page
    (210, 297)
    """
    where = str(name_or_path)
    text = read_template(name_or_path)
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"template {where} is not valid TOML: {error}") from error
    items = tuple(_build(Item, item, where) for item in entries.pop("items", []))
    template: Template = _build(Template, {**entries, "items": items}, where)
    return template


def read_template(name_or_path: str | Path) -> str:
    """Return the text of a template, to be copied and changed.

    Examples
    --------
    >>> read_template("card").splitlines()[0]
    '# Contact cards (联系卡), ten on an A4 sheet to be cut.'
    """
    where = str(name_or_path)
    if where.endswith(".toml"):
        if not Path(where).is_file():
            raise ProfileError(f"there is no template file {where}")
        return Path(where).read_text(encoding="utf-8")
    if where in list_templates():
        shipped = resources.files(__package__).joinpath("templates", f"{where}.toml")
        return shipped.read_text(encoding="utf-8")
    raise ProfileError(f"there is no template {where!r}. Shipped are "
                       f"{listed(list_templates())}; a file of your own ends in .toml")


#: Papers, upright, in millimetres.
PAPERS = {"A1": (594, 841), "A2": (420, 594), "A3": (297, 420), "A4": (210, 297)}


def fit_paper(template: Template, paper: str) -> Template:
    """Return a template for another paper: enlarged, or with as many pages as fit.

    Parameters
    ----------
    template : Template
        One that shares sheets keeps the size of its pages.
    paper : {"A1", "A2", "A3", "A4"}

    Raises
    ------
    ProfileError
        If there is no such paper, or no page fits.

    Examples
    --------
    >>> fit_paper(load_template("card"), "A3").grid
    (3, 7)
    """
    if paper not in PAPERS:
        raise ProfileError(f"there is no paper {paper!r}: expected {listed(PAPERS, show=9)}")
    wide, tall = PAPERS[paper]
    if template.sheet is None:
        page = template.page
        if page[0] > page[1]:
            wide, tall = tall, wide
        return replace(template, scale=min(wide / page[0], tall / page[1]))
    counts = [int((side - 12 + gap) // (size + gap)) for side, size, gap in
              zip((wide, tall), template.page, template.gap, strict=True)]
    if min(counts) < 1:
        raise ProfileError(f"a page of {template.page[0]:g} by {template.page[1]:g} mm does not "
                           f"fit on {paper}")
    return replace(template, sheet=(wide, tall), grid=(counts[0], counts[1]), scale=1.0)


#: What each entry of a template is, in words, and how it is known.
_NUMBERS = ("size", "width", "scale")
_COUNTS = ("rows", "lines")
_PAIRS = ("place", "box", "page", "sheet", "grid", "gap")
_TEXTS = ("kind", "text", "text_en", "needs", "align", "colour")


def _check_entry(name: str, value: Any, where: str) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    pair = isinstance(value, list) and len(value) == 2 and all(
        isinstance(side, (int, float)) and not isinstance(side, bool) for side in value)
    names = isinstance(value, list) and all(isinstance(one, str) for one in value)
    rules = ((_NUMBERS, number and value > -1e-9, "a number, not below 0"),
             (_COUNTS, isinstance(value, int) and number and value > 0, "a whole number above 0"),
             (_PAIRS, pair, "two numbers, such as [10, 20]"),
             (_TEXTS, isinstance(value, str), "text in quotation marks"),
             (("bold",), isinstance(value, bool), "true or false"),
             (("columns",), names, 'names of figures, such as ["households"]'))
    for entries, holds, expected in rules:
        if name in entries and not holds:
            raise ProfileError(f"template {where}: {name} is {value!r}: expected {expected}")


def _build(kind: type, entries: Mapping[str, Any], where: str) -> Any:
    known = [one.name for one in fields(kind)]
    unknown = [key for key in entries if key not in known]
    if unknown:
        raise ProfileError(f"template {where} has unknown entries {listed(unknown)} for "
                           f"{kind.__name__}. Known are {listed(known, show=20)}")
    for key, value in entries.items():
        _check_entry(key, value, where)
    values = {key: tuple(value) if isinstance(value, list) else value
              for key, value in entries.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ProfileError(f"template {where} cannot make a {kind.__name__}: {error}") from error
