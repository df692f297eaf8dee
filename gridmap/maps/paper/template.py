"""Layouts for print: what stands where on a page, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any

from ...errors import ProfileError, listed

KINDS = ("text", "map", "figures", "qr", "box")
ALIGNS = ("left", "centre", "right")


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One thing on a page. Lengths in millimetres from its upper left corner.

    Parameters
    ----------
    kind : {"text", "map", "figures", "qr", "box"}
        ``figures`` is the list of a grid's figures, ``box`` a filled rectangle.
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

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ProfileError(f"there is no item {self.kind!r}. Items are "
                               f"{listed(KINDS, show=9)}")
        if self.align not in ALIGNS:
            raise ProfileError(f"text is aligned {self.align!r}: expected {listed(ALIGNS)}")
        if self.kind in ("map", "qr", "box") and not min(self.box) > 0:
            raise ProfileError(f"a {self.kind} needs box = [width, height], both above 0")


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

    @property
    def fields(self) -> frozenset[str]:
        """The ``{fields}`` that its texts name."""
        import string

        return frozenset(name for item in self.items
                         for _, name, _, _ in string.Formatter().parse(item.text) if name)


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
    if where.endswith(".toml"):
        if not Path(where).is_file():
            raise ProfileError(f"there is no template file {where}")
        text = Path(where).read_text(encoding="utf-8")
    elif where in list_templates():
        shipped = resources.files(__package__).joinpath("templates", f"{where}.toml")
        text = shipped.read_text(encoding="utf-8")
    else:
        raise ProfileError(f"there is no template {where!r}. Shipped are "
                           f"{listed(list_templates())}; a file of your own ends in .toml")
    try:
        entries = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"template {where} is not valid TOML: {error}") from error
    items = tuple(_build(Item, item, where) for item in entries.pop("items", []))
    template: Template = _build(Template, {**entries, "items": items}, where)
    return template


def _build(kind: type, entries: Mapping[str, Any], where: str) -> Any:
    known = [one.name for one in fields(kind)]
    unknown = [key for key in entries if key not in known]
    if unknown:
        raise ProfileError(f"template {where} has unknown entries {listed(unknown)} for "
                           f"{kind.__name__}. Known are {listed(known, show=20)}")
    values = {key: tuple(value) if isinstance(value, list) else value
              for key, value in entries.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise ProfileError(f"template {where} cannot make a {kind.__name__}: {error}") from error
