"""Text files: every line is a row or a reject, whatever quotes and separators do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import SourceError
from gridmap.sources import load_elements, load_events, load_table

HOMES = {"columns": {"element": "id", "x": "x", "y": "y"}, "constants": {"kind": "home"},
         "crs": "EPSG:32651"}


def write(folder, text, name="file.csv", encoding="utf-8"):
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_is_found(tmp_path, separator):
    text = "id,x,y\nA,1,2\nB,3,4\n".replace(",", separator)
    assert load_elements(write(tmp_path, text), **HOMES).frame.index.tolist() == ["A", "B"]


def test_a_bar_inside_a_character_of_two_bytes_is_no_separator(tmp_path):
    barred = next(c for c in map(chr, range(0x4E00, 0x9FFF))
                  if c.encode("gb18030")[-1:] == b"|")
    text = f"id|name|x|y\nA|望湾社区{barred}|1|2\nB|金林村委员会|3|4\n"
    loaded = load_elements(write(tmp_path, text, encoding="gb18030"), **HOMES)
    assert (loaded.rows_in, loaded.frame.index.tolist()) == (2, ["A", "B"])


def test_quoted_cells_keep_separators_quotes_and_lines(tmp_path):
    text = 'id,name,x,y\nA,"one, ""two""\nthree",1,2\nB,plain,3,4\n'
    loaded = load_elements(write(tmp_path, text), **HOMES)
    assert (loaded.rows_in, loaded.frame.index.tolist()) == (2, ["A", "B"])


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path):
    rows = "".join(f"R{i},home,1,{i}\n" for i in range(50))
    file = write(tmp_path, f'id,name,x,y\nA,"broken,1,2\n{rows}')
    loaded = load_elements(file, **HOMES)
    assert loaded.rows_in == 51
    assert len(loaded.frame) >= 50


def test_a_stray_quote_with_a_separator_is_a_reject_with_its_reason(tmp_path):
    rows = "".join(f"R{i},home,1,{i}\n" for i in range(50))
    loaded = load_elements(write(tmp_path, f'id,name,x,y\nA,"one, two,1,2\n{rows}'), **HOMES)
    assert loaded.rejects["id"].tolist() == ["row 1"]
    assert loaded.rejects["note"].tolist() == ["a quote is not closed, 5 cells instead of 4"]


def test_rows_of_too_many_cells_are_named_by_their_number(tmp_path):
    text = "id,x,y\nA,1,2\nB,1\n\nC,1,2,3\nD,3,4\n,5,6\n"
    loaded = load_elements(write(tmp_path, text), **HOMES)
    assert loaded.frame.index.tolist() == ["A", "D"]
    assert dict(zip(loaded.rejects["id"], loaded.rejects["note"], strict=True)) == {
        "row 2": "2 cells instead of 3", "row 3": "4 cells instead of 3",
        "row 5": "a row needs a code of its own",
    }


def test_a_file_without_a_header_is_read_by_position(tmp_path):
    file = write(tmp_path, "A,x,1,2\nB,x,3,4\n")
    loaded = load_elements(file, columns={"element": 1, "x": 3, "y": 4},
                           constants={"kind": "home"}, crs="EPSG:32651")
    assert loaded.frame.index.tolist() == ["A", "B"]
    with pytest.raises(SourceError, match="mixes names and positions"):
        load_elements(file, columns={"element": 1, "x": "x", "y": 4},
                      constants={"kind": "home"}, crs="EPSG:32651")


def test_a_header_in_quotes_and_with_blanks_is_found(tmp_path):
    file = write(tmp_path, '\ufeff"id" ,"x\n1", x,y\nA,9,1,2\n')
    assert load_elements(file, **HOMES).frame.index.tolist() == ["A"]


def test_an_absent_column_is_told_with_the_nearest(tmp_path):
    with pytest.raises(SourceError, match=r"has no column x\. Its columns are id, X, y\. Is X "):
        load_elements(write(tmp_path, "id,X,y\nA,1,2\n"), **HOMES)


def test_the_first_line_of_a_headless_file_is_not_shown_in_a_message(tmp_path):
    file = write(tmp_path, "A,13800138000,x\n")
    with pytest.raises(SourceError) as told:
        load_elements(file, **HOMES)
    assert "13800138000" not in str(told.value)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.text("ab,\"\n ", max_size=5), st.floats(-1e6, 1e6)), max_size=8))
def test_whatever_is_written_by_the_rules_is_read_back(tmp_path_factory, rows):
    import csv

    file = tmp_path_factory.mktemp("text") / "file.csv"
    with file.open("w", newline="", encoding="utf-8") as sink:
        writer = csv.writer(sink)
        writer.writerow(["id", "name", "x", "y"])
        writer.writerows([f"R{n}", name, x, 2] for n, (name, x) in enumerate(rows))
    loaded = load_elements(file, **HOMES)
    assert loaded.rows_in == len(rows) == len(loaded.frame)
    assert loaded.frame.geometry.x.tolist() == [x for _, x in rows]


def test_an_empty_table_is_an_empty_frame(tmp_path):
    loaded = load_elements(write(tmp_path, "id,x,y\n"), **HOMES)
    assert (loaded.rows_in, len(loaded.frame)) == (0, 0)
    assert loaded.frame.crs.to_epsg() == 32651


def test_quantities_are_read_with_care_and_told(tmp_path):
    file = write(tmp_path, 'id,x,y,floors\nA,1,2,6层\nB,1,3,2;3\nC,1,4,"1,200"\nD,1,5,１２\n'
                           "E,1,6,many\nF,1,7,\nG,1,8,4\n")
    columns = {**HOMES["columns"], "floors": "floors"}
    loaded = load_elements(file, **{**HOMES, "columns": columns})
    assert loaded.frame["floors"].dropna().to_dict() == {"A": 6, "B": 3, "C": 1200, "D": 12,
                                                         "G": 4}
    whats = loaded.changes.dropna(subset="id").set_index("id")["what"]
    assert whats.reindex(list("ABCDE")).tolist() == ["floors mended"] * 4 + ["floors unreadable"]


@pytest.mark.parametrize("text", ["2026-03-01 08:05:00", "2026-03-01T08:05", "2026/3/1 8:05",
                                  "2026年3月1日 8时5分", "2026-03-01T08:05:00+08:00",
                                  "2026.03.01 08:05"])
def test_times_are_read_with_the_year_first(tmp_path, text):
    file = write(tmp_path, f"opened,x,y\n2026-01-01,1,1\n{text},1,2\n")
    loaded = load_events(file, columns={"opened": "opened", "x": "x", "y": "y"},
                         crs="EPSG:32651")
    assert str(loaded.frame["opened"].iloc[1]) == "2026-03-01 08:05:00"


def test_a_time_that_nobody_can_read_is_told_and_missing(tmp_path):
    file = write(tmp_path, "opened,x,y\nyesterday,1,1\n")
    loaded = load_events(file, columns={"opened": "opened", "x": "x", "y": "y"},
                         crs="EPSG:32651")
    assert loaded.frame["opened"].isna().all()
    assert (loaded.changes["what"] == "opened unreadable").sum() == 1


def test_a_table_keeps_text_and_reads_figures(tmp_path):
    file = write(tmp_path, "code,name,people\n01,望湾,1679\n02,金林,n/a\n合计,,3000\n,,1\n")
    loaded = load_table(file, key="code", columns={"name": "name", "people": "people"})
    assert loaded.frame["people"].tolist()[::2] == [1679, 3000]
    assert loaded.frame.loc["01", "name"] == "望湾"
    assert loaded.rejects["id"].tolist() == ["row 4"]
