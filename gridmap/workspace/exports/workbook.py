"""A summary as an Excel workbook: figures, what is withheld, and the profile that says so."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas import DataFrame

from ... import schema
from ...errors import WorkspaceError
from .published import PublishedLayer

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

#: The workbook notes when it was made; a fixed time keeps the bytes the same.
_FIXED_TIME = datetime.datetime(2000, 1, 1)

#: What a sheet holds below its head, and how wide its columns may become.
_MOST_ROWS, _WIDEST = 1_048_575, 48


def save_workbook(layers: Sequence[PublishedLayer], file: Path) -> list[str]:
    """Write a layer without its shapes as a workbook; return what was changed.

    Sheets: the layer by territory, the layer, the cells that are withheld and why, what the
    columns mean, and what let the file out. Every text is a text, also one that begins as a
    formula does.

    Raises
    ------
    WorkspaceError
        If XlsxWriter is not installed, or the layer has more rows than a sheet.
    """
    try:
        from xlsxwriter import Workbook
    except ImportError as error:
        raise WorkspaceError(
            f"{file.name}: workbooks need XlsxWriter: pip install 'gridmap[export]'") from error
    layer = layers[0]
    if len(layer.frame) > _MOST_ROWS:
        raise WorkspaceError(f"{layer.name} has {len(layer.frame):,} rows, and a sheet holds "
                             f"{_MOST_ROWS:,}. Export to .gpkg or .parquet instead")
    figures = DataFrame(layer.frame.drop(columns=layer.frame.geometry.name))
    with Workbook(str(file), {"strings_to_formulas": False, "strings_to_urls": False,
                              "strings_to_numbers": False}) as book:
        book.set_properties({"created": _FIXED_TIME, "title": layer.note.title,
                             "comments": layer.note.line})
        looks = _Looks(book)
        if "territory" in figures:
            looks.add_sheet("by territory", sum_by_territory(figures, layer.withheld))
        looks.add_sheet(layer.name, figures, grey=_find_cells(figures, layer.withheld))
        looks.add_sheet("withheld", layer.withheld)
        looks.add_sheet("columns", explain_columns(figures))
        looks.add_sheet("about", DataFrame({"entry": layer.note.entries.keys(),
                                            "value": layer.note.entries.values()}))
    grey = "" if layer.note.withheld is None else " and grey"
    return [f"shapes are left out; withheld cells are empty{grey}"]


def sum_by_territory(figures: DataFrame, withheld: DataFrame) -> DataFrame:
    """Count the rows of a layer by territory, and add up the figures that are shown.

    Sums are of shown cells only, and are called so; beside them stands how many cells are
    withheld.

    Examples
    --------
    >>> figures = DataFrame({"grid": ["A", "B"], "territory": "T", "households": [30, None]})
    >>> withheld = DataFrame({"id": ["B"], "column": ["households"]})
    >>> sum_by_territory(figures, withheld).to_dict("records")
    [{'territory': 'T', 'rows': 2, 'households_shown': 30.0, 'cells_withheld': 1}]
    """
    groups = figures.groupby("territory", sort=True, dropna=False)
    counts = groups.size().rename("rows").to_frame()
    for name in ("households", "people", "area_m2"):
        if name in figures:
            kept = name if name == "area_m2" else f"{name}_shown"
            counts[kept] = groups[name].sum(min_count=1)
    homes = figures.set_index(figures.columns[0])["territory"]
    cells = withheld["id"].map(homes).value_counts()
    counts["cells_withheld"] = cells.reindex(counts.index).fillna(0).astype("int64")
    return counts.reset_index()


def explain_columns(figures: DataFrame) -> DataFrame:
    """Return what the columns mean, with their units, where a schema has them."""
    known = {column.name: column for kind in (schema.BY_GRID, schema.GRIDS, schema.TERRITORIES)
             for column in kind.columns}
    rows = [(name, known[name].unit or "", known[name].meaning) if name in known else
            (name, "", "") for name in map(str, figures.columns)]
    return DataFrame(rows, columns=["column", "unit", "meaning"])


def _find_cells(figures: DataFrame, withheld: DataFrame) -> set[tuple[int, int]]:
    """Return row and column of every cell that is withheld."""
    rows = pd.Index(figures[figures.columns[0]]).get_indexer(pd.Index(withheld["id"]))
    columns = figures.columns.get_indexer(pd.Index(withheld["column"]))
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


class _Looks:
    """A workbook with the three ways in which its cells look."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._head: Format = book.add_format({"bold": True, "bottom": 1})
        # The quote prefix keeps a text a text when somebody edits its cell.
        self._text: Format = book.add_format({"num_format": "@", "quote_prefix": True})
        self._grey: Format = book.add_format({"bg_color": "#D9D9D9"})

    def add_sheet(self, name: str, table: DataFrame, *,
                  grey: Collection[tuple[int, int]] = ()) -> None:
        """Write a table under a head that stays in sight, with columns as wide as their text."""
        sheet = self._book.add_worksheet(name[:31])
        sheet.freeze_panes(1, 1)
        for place, column in enumerate(table.columns):
            values = table[column].tolist()
            sheet.write_string(0, place, str(column), self._head)
            widest = max([_width(column), *(_width(v) for v in values[:1000])])
            sheet.set_column(place, place, min(widest + 2, _WIDEST))
            # Cell by cell: a cell is the unit in which a workbook is written.
            for row, value in enumerate(values):
                if (row, place) in grey:
                    sheet.write_blank(row + 1, place, None, self._grey)
                elif value is not None and value == value:  # neither None nor NaN
                    self._write(sheet, row + 1, place, value)
        if len(table):
            sheet.autofilter(0, 0, len(table), len(table.columns) - 1)

    def _write(self, sheet: Any, row: int, place: int, value: object) -> None:
        if isinstance(value, bool):
            sheet.write_boolean(row, place, value)
        elif isinstance(value, int | float):
            sheet.write_number(row, place, value)
        else:
            sheet.write_string(row, place, str(value), self._text)


def _width(value: object) -> int:
    """Return how many letters wide a text is; a Chinese character is two."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return sum(1 + (ord(letter) > 0x2E7F) for letter in text)
