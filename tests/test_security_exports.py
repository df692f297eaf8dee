"""What leaves the house does no harm to who opens it: no formulas, no script."""

from __future__ import annotations

import csv
import zipfile

import pandas as pd
import pytest
from pandas import DataFrame

import gridmap as gm
from gridmap.pipeline import run, save_run
from gridmap.sketch import save_sketch, sketch_grids
from gridmap.workspace import load_config, save_table

FORMULAS = ["=HYPERLINK(\"http://x\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"]


def read_cells(file):
    with file.open(encoding="utf-8-sig", newline="") as stream:
        return [cell for row in csv.reader(stream) for cell in row]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_file_begins_as_a_formula(text, tmp_path):
    table = DataFrame({"name": [text, "plain"], "n": [-1.5, 2.0]},
                      index=pd.Index([text, "B"], name="grid"))
    save_table(tmp_path / "table.csv", table)
    gm.save_layer(sketch_grids("AB").assign(name=[text, "plain"]), tmp_path / "layer.csv")
    for file in ("table.csv", "layer.csv"):
        cells = read_cells(tmp_path / file)
        assert f"'{text}".replace("\r", "\n") in cells
        assert not [cell for cell in cells if cell.startswith(tuple("=+@\t\r"))]
    assert "-1.5" in read_cells(tmp_path / "table.csv")  # a number stays one


def test_a_return_in_a_text_begins_no_row(tmp_path):
    save_table(tmp_path / "table.csv", DataFrame({"name": ["A\r=1+1", "B\r\n=1"], "=x": [1, 2]}))
    assert read_cells(tmp_path / "table.csv") == [
        "", "name", "'=x", "0", "A\n=1+1", "1", "1", "B\n=1", "2"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_workbook_holds_texts_and_no_formula(text, tmp_path):
    pytest.importorskip("xlsxwriter", reason="XlsxWriter is not installed")
    from gridmap.workspace.exports import save_export
    config = load_config(save_sketch(tmp_path))
    file = next(tmp_path.glob("gridmap.toml"))
    told = file.read_text("utf-8")
    file.write_text(told.replace('name = "Drawn town"', f"name = {text!r}"), "utf-8")
    config = load_config(file)
    save_run(run(config), config)
    save_export(config.workspace, tmp_path / "summary.xlsx", layers=["grids"])
    with zipfile.ZipFile(tmp_path / "summary.xlsx") as book:
        sheets = [book.read(n).decode() for n in book.namelist() if "worksheets/" in n]
    assert sheets and not any("<f>" in sheet for sheet in sheets)


def test_a_text_of_the_input_is_never_markup_on_a_page_or_in_a_report(tmp_path):
    evil = '</script><script>alert(1)</script><img src=x onerror=alert(1)>'
    file = save_sketch(tmp_path)
    file = file / "gridmap.toml" if file.is_dir() else file
    said = file.read_text("utf-8").replace('name = "Drawn town"', f"name = '{evil}'")
    file.write_text(said, "utf-8")
    config = load_config(file)
    save_run(run(config), config)
    for name in ("map.html", "report.html"):
        page = (config.workspace / name).read_text("utf-8")
        assert "<script>alert(1)" not in page
        assert "<img src=x" not in page
