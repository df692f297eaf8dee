"""The right reader for a file, by its ending."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..errors import SourceError, listed
from . import choose, vector
from .raw import Raw, check_columns, make_raw
from .text import read_text_table

TEXT = (".csv", ".tsv", ".txt")
SHEETS = (".xlsx", ".xls", ".ods")


def read_file(
    file: Path, wanted: choose.Wanted, *, layer: str | None = None, encoding: str | None = None
) -> Raw:
    """Read the columns of a file that are asked for.

    Parameters
    ----------
    file : Path
    wanted : Wanted
    layer : str, optional
        Layer of a file with several, or sheet of a workbook.
    encoding : str, optional
        Overrules what a text or a shapefile shows.

    Returns
    -------
    Raw

    Raises
    ------
    SourceError
        If the file is absent or cannot be read, or lacks a layer or a column.
    """
    if not file.exists():
        raise SourceError(f"there is no file {file}")
    ending = file.suffix.lower()
    if ending in TEXT:
        return read_text_table(file, wanted.headers, encoding=encoding, headed=wanted.headed)
    if not wanted.headed:
        raise SourceError(f"{file} names its columns: choose them by name, not by position")
    if ending in SHEETS:
        return _read_sheet(file, wanted.headers, layer)
    return vector.read_features(file, wanted.headers, layer=layer, encoding=encoding)


def _read_sheet(file: Path, wanted: list[str], sheet: str | None) -> Raw:
    try:
        table = pd.read_excel(file, sheet_name=sheet or 0, dtype="str")
    except ImportError as error:
        raise SourceError(f"{file} needs a reader of spreadsheets: {error}") from error
    except (ValueError, OSError, KeyError) as error:
        raise SourceError(f"{file} is no spreadsheet that can be read: {error}") from error
    headers = [str(c) for c in table.columns]
    check_columns(wanted, headers, file)
    return make_raw(table[wanted], headers)


def endings() -> str:
    """Return the endings that are read, for a message."""
    return listed(sorted([*vector.DRIVERS, *vector.PARQUET, *TEXT, *SHEETS]), show=30)
