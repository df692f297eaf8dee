"""Workbooks: the cells of one sheet as the file writes them, so that codes stay codes."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
from pandas import DataFrame, Series

from ..errors import SourceError, listed
from . import archive, cells, contents
from .limits import USUAL, Limits
from .raw import Raw, check_columns, make_raw

ENDINGS = (".xlsx", ".xlsm")

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
#: Built-in number formats that show a date or a time (ECMA-376, part 1, 18.8.30).
_DATES = {*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)}


def read_sheet(path: Path, wanted: list[str], *, sheet: str | None = None,
               limits: Limits = USUAL) -> Raw:
    """Read columns of a sheet as text.

    Parameters
    ----------
    path : Path
        A workbook of Excel (``.xlsx``).
    wanted : list of str
        Headers in the first row that has any cell; other columns never enter.
    sheet : str, optional
        Its name; the first by default.
    limits : Limits, optional
        How much the workbook may unpack to.

    Returns
    -------
    Raw
        Cells as text, a number as the file writes it and a date as ISO 8601 has it. Rows
        without any cell are no rows.

    Raises
    ------
    SourceError
        If the file cannot be read, or lacks the sheet or a column.
    """
    try:
        with zipfile.ZipFile(path) as book:
            archive.check_members(path, book.infolist(), limits)
            for part in (name for name in book.namelist() if name.endswith((".xml", ".rels"))):
                with book.open(part) as stream:
                    contents.check_xml(stream, f"{path}, {part},")
            rows = list(_rows(book, _choose(book, sheet, path)))
    except (*archive.FAULTS, ElementTree.ParseError, LookupError, TypeError) as error:
        raise SourceError(f"{path} is no workbook that can be read: {error}") from error
    return take_columns(rows, wanted, path)


def take_columns(rows: list[dict[int, str]], wanted: list[str], path: Path) -> Raw:
    """Return columns of a sheet by the headers in its first row.

    Parameters
    ----------
    rows : list of dict
        Column number -> text, for each row that has a cell.
    wanted : list of str
        Headers to read; others never enter.
    path : Path
        For messages.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If there is no row, or a column is absent.
    """
    if not rows:
        raise SourceError(f"{path} has an empty sheet")
    places = {at: text.strip() for at, text in rows[0].items() if text.strip()}
    check_columns(wanted, list(places.values()), path)
    at = {name: next(place for place, text in places.items() if text == name) for name in wanted}
    table = DataFrame({name: cells.to_text(Series([row.get(place) for row in rows[1:]],
                                                  dtype="str")) for name, place in at.items()},
                      index=range(len(rows) - 1))
    return make_raw(table, list(places.values()))


def _choose(book: zipfile.ZipFile, sheet: str | None, path: Path) -> str:
    """Return the name of the part that holds a sheet."""
    tree = ElementTree.fromstring(book.read("xl/workbook.xml"))
    links = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id"): str(link.get("Target")) for link in links}
    sheets = {str(s.get("name")): targets[s.get(_LINK)] for s in tree.iter(f"{_MAIN}sheet")}
    if sheet is not None and sheet not in sheets:
        names = listed(sheets, show=20)
        raise SourceError(f"{path} has no sheet {sheet!r}. Its sheets are {names}")
    target = sheets[sheet] if sheet is not None else next(iter(sheets.values()))
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _rows(book: zipfile.ZipFile, part: str) -> Iterator[dict[int, str]]:
    """Yield the rows of a sheet that have a cell: column number -> text."""
    shared, dates = _shared_texts(book), _date_styles(book)
    with book.open(part) as stream:
        for _, element in ElementTree.iterparse(stream):
            if element.tag != f"{_MAIN}row":
                continue
            row: dict[int, str] = {}
            for number, cell in enumerate(element):
                text = _text(cell, shared, dates)
                if text is not None and text != "":
                    row[_column(cell.get("r"), number)] = text
            element.clear()
            if row:
                yield row


def _column(reference: str | None, number: int) -> int:
    """Return the number of a column from a reference such as AB12."""
    letters = re.match(r"[A-Z]+", reference or "")
    if letters is None:
        return number
    place = 0
    for letter in letters.group():
        place = 26 * place + ord(letter) - 64
    return place - 1


def _text(cell: Any, shared: list[str], dates: set[int]) -> str | None:
    kind = cell.get("t", "n")
    if kind == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{_MAIN}t"))
    value = cell.findtext(f"{_MAIN}v")
    if value is None:
        return None
    if kind == "s":
        return shared[int(value)]
    if kind == "n" and int(cell.get("s", 0)) in dates:
        return _date(value)
    return str(value)


def _date(value: str) -> str:
    """Write a date that Excel counts in days from 1899-12-30 as ISO 8601 does."""
    try:
        moment = pd.Timestamp("1899-12-30") + pd.Timedelta(days=float(value))
    except (ValueError, OverflowError):
        return value
    return moment.round("s").isoformat(sep=" ").removesuffix(" 00:00:00")


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    tree = ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
    # phonetic guides (rPh) are no part of the text
    return ["".join(run.text or "" for run in item.findall(f"{_MAIN}t") + item.findall(
        f"{_MAIN}r/{_MAIN}t")) for item in tree.iter(f"{_MAIN}si")]


def _date_styles(book: zipfile.ZipFile) -> set[int]:
    """Return the numbers of cell styles that show a date."""
    if "xl/styles.xml" not in book.namelist():
        return set()
    tree = ElementTree.fromstring(book.read("xl/styles.xml"))
    own = {int(f.get("numFmtId", 0)) for f in tree.iter(f"{_MAIN}numFmt")
           if _shows_date(str(f.get("formatCode")))}
    styles = tree.find(f"{_MAIN}cellXfs")
    numbers = [int(style.get("numFmtId", 0)) for style in (styles if styles is not None else [])]
    return {at for at, number in enumerate(numbers) if number in _DATES | own}


def _shows_date(code: str) -> bool:
    bare = re.sub(r'"[^"]*"|\[[^\]]*\]|\\.', "", code)
    return bool(re.search(r"[ymdh年月日]", bare, re.IGNORECASE)) and "general" not in bare.lower()
