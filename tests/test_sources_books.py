"""Workbooks of old Excel and LibreOffice: codes stay codes, and damage is told."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import SourceError
from gridmap.sources import load_assets, load_table

#: Codes as text and as numbers, one of them beyond 2**53, an empty row and a column of names.
PEOPLE = Path(__file__).parent / "seeds" / "people.xls"
POINTS = {"columns": {"asset": "id", "x": "lon", "y": "lat"}, "constants": {"kind": "lamp"},
          "crs": "EPSG:4326"}


def write_ods(file, rows):
    """Write a sheet as LibreOffice does: numbers are floats, all else is text."""
    def cell(value):
        if value is None:
            return "<table:table-cell/>"
        kind = ("float" if isinstance(value, (int, float)) else "string")
        number = f' office:value="{value}"' if kind == "float" else ""
        return (f'<table:table-cell office:value-type="{kind}"{number}><text:p>{value}</text:p>'
                "</table:table-cell>")

    lines = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>"
                    for row in rows)
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"'
                     for n in ("office", "table", "text"))
    with zipfile.ZipFile(file, "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("META-INF/manifest.xml",
                      '<manifest:manifest xmlns:manifest="urn:oasis:names:'
                      'tc:opendocument:xmlns:manifest:1.0"/>')
        book.writestr("content.xml", f'<?xml version="1.0" encoding="UTF-8"?><office:document-'
                      f'content {names}><office:body><office:spreadsheet><table:table '
                      f'table:name="灯">{lines}</table:table></office:spreadsheet></office:body>'
                      "</office:document-content>")


def test_an_old_workbook_keeps_codes_and_says_which_lost_digits():
    loaded = load_table(PEOPLE, key="代码", columns={"people": "人口", "day": "日期"})
    assert loaded.frame["people"].to_dict() == {"0371": 12, "371002001001": 7.5, "村䶮": 3}
    assert loaded.frame.loc["0371", "day"] == "2026-03-01"
    assert loaded.rejects[["what", "id"]].values.tolist() == [["code unreadable", "row 3"]]
    assert loaded.rows_in == 4
    told = loaded.changes[loaded.changes["what"] == "personal column left out"]
    assert told["before"].tolist() == ["户主"]


def test_a_sheet_of_libreoffice_gives_points(tmp_path):
    file = tmp_path / "lamps.ods"
    write_ods(file, [["id", "lon", "lat"], ["01", 122.1, 37.1], ["02", None, 37],
                     [3, "122.2", 37]])
    loaded = load_assets(file, **POINTS)
    assert loaded.frame.index.tolist() == ["01", "3"]
    assert loaded.rejects["note"].tolist() == ["no coordinates"]
    with pytest.raises(SourceError, match=r"has no sheet 'lamps'\. Its sheets are 灯"):
        load_assets(file, **POINTS, layer="lamps")


@pytest.mark.parametrize("keep", [10, 600, 3_000, 5_000])
def test_a_workbook_that_is_cut_short_is_told(tmp_path, keep):
    file = tmp_path / "people.xls"
    file.write_bytes(PEOPLE.read_bytes()[:keep])
    with pytest.raises(SourceError, match="is no workbook that can be read"):
        load_table(file, key="代码", columns={})


def test_a_workbook_of_another_kind_or_without_rows_is_told(tmp_path):
    (tmp_path / "a.xls").write_text("id,lon,lat\n1,2,3\n")
    with pytest.raises(SourceError, match="is no workbook that can be read"):
        load_assets(tmp_path / "a.xls", **POINTS)
    write_ods(tmp_path / "b.ods", [])
    with pytest.raises(SourceError, match="has an empty sheet"):
        load_assets(tmp_path / "b.ods", **POINTS)
    with pytest.raises(SourceError, match="has an empty sheet"):
        load_assets(PEOPLE, **POINTS, layer="空")


def test_a_chain_of_sectors_that_runs_in_a_circle_is_told():
    # read by others this file takes all the memory there is
    with pytest.raises(SourceError, match="a chain of its sectors runs in a circle"):
        load_assets(PEOPLE.with_name("circle.xls"), **POINTS)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_workbook_is_read_or_told(tmp_path_factory, data):
    content = bytearray(PEOPLE.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        at = data.draw(st.integers(0, 700) | st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    keep = data.draw(st.integers(len(content) - 1500, len(content)))
    file = tmp_path_factory.mktemp("book") / "people.xls"
    file.write_bytes(content[:keep])
    try:
        loaded = load_table(file, key="代码", columns={"people": "人口"})
    except SourceError as error:
        assert str(error)
    else:
        assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects)
