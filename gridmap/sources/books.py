"""Workbooks of old Excel and of LibreOffice, whose cells calamine reads.

Sheets of ``.xlsx`` are read from their XML instead, where a number keeps the digits that are
written. These formats store numbers as floats: a code beyond 2**53 has lost digits.
"""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import python_calamine as calamine

from ..errors import SourceError, listed
from . import archive, compound, sheets
from .limits import USUAL, Limits
from .raw import Raw

ENDINGS = (".xls", ".xlsb", ".ods")

_FAULTS = (calamine.CalamineError, ValueError, OSError, OverflowError)


def read_book(path: Path, wanted: list[str], *, sheet: str | None = None,
              limits: Limits = USUAL) -> Raw:
    """Read columns of a sheet as text.

    Parameters
    ----------
    path : Path
        A workbook (``.xls``, ``.xlsb``, ``.ods``).
    wanted : list of str
        Headers in the first row that has any cell; other columns never enter.
    sheet : str, optional
        Its name; the first by default.
    limits : Limits, optional
        How much the workbook may unpack to.

    Returns
    -------
    Raw
        Cells as text, whole numbers in full and dates as ISO 8601 has them. Rows without
        any cell are no rows.

    Raises
    ------
    SourceError
        If the file cannot be read, or lacks the sheet or a column.
    """
    _check_whole(path, limits)
    try:
        with ExitStack() as stack:
            stack.push(partial(_tell_panic, path))
            book = stack.enter_context(calamine.load_workbook(str(path)))
            names = book.sheet_names
            if sheet is not None and sheet not in names:
                raise SourceError(f"{path} has no sheet {sheet!r}. Its sheets are "
                                  f"{listed(names, show=20)}")
            lines = book.get_sheet_by_name(sheet) if sheet else book.get_sheet_by_index(0)
            rows = list(_rows(lines.to_python(skip_empty_area=False)))
    except _FAULTS as error:
        raise SourceError(f"{path} is no workbook that can be read: {error}") from error
    return sheets.take_columns(rows, wanted, path)


def _check_whole(path: Path, limits: Limits) -> None:
    """Raise where a damaged file, or one that grows beyond measure, would take all memory."""
    if path.suffix.lower() == ".xls":
        try:
            compound.check_compound(path.read_bytes())
        except SourceError as error:
            raise SourceError(f"{path} is no workbook that can be read: {error}") from error
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as book:
                archive.check_members(path, book.infolist(), limits)
        except archive.FAULTS as error:
            raise SourceError(f"{path} is no workbook that can be read: {error}") from error


def _tell_panic(
    path: Path, kind: type[BaseException] | None, error: BaseException | None, _: Any
) -> None:
    """Tell of a fault inside calamine, whose class derives from no Exception and has no name."""
    if kind is not None and kind.__name__ == "PanicException":
        raise SourceError(f"{path} is no workbook that can be read: it is damaged") from error


def _rows(lines: list[list[Any]]) -> Iterator[dict[int, str]]:
    for line in lines:
        row = {at: text for at, cell in enumerate(line) if (text := _text(cell)) != ""}
        if row:
            yield row


def _text(cell: Any) -> str:
    """Write a cell as text: whole numbers in full, what is beyond 2**53 with its exponent."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ").removesuffix(" 00:00:00")
    return str(cell)
