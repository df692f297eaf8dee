"""Names, phones and ID numbers are recognised, left out, and shown nowhere."""

from __future__ import annotations

import pytest
from pandas import Series

from gridmap.errors import SourceError
from gridmap.sources import load_elements, load_table
from gridmap.sources.personal import (
    find_personal,
    has_personal_values,
    hide_personal,
    is_personal_header,
)

#: A made-up number of a region that does not exist, with a right check digit.
ID = "379901199001011235"
HOMES = {"columns": {"element": "id", "x": "x", "y": "y"}, "constants": {"kind": "home"},
         "crs": "EPSG:32651"}


def right_id(body="37990119900101123"):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("header", ["姓名", "户主", "聯絡電話", "身份证号码", "手机号", "phone",
                                    "Phone_No", "OwnerName", "E-mail", "ID number", "DOB",
                                    "householder", "网格员", "居民姓名"])
def test_a_personal_header_is_known(header):
    assert is_personal_header(header)


@pytest.mark.parametrize("header", ["name", "NAME", "社区名称", "地址", "电话亭数", "联系人数",
                                    "户数", "hotel", "height", "phone_count", "resident", "人口",
                                    "编号", "网格员编号", "identifier", "building_id"])
def test_a_harmless_header_is_let_through(header):
    assert not is_personal_header(header)


def test_an_id_number_needs_its_check_digit():
    right = right_id()
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert find_personal(Series([right, wrong, right.lower()])).tolist() == [True, False, True]


def test_numbers_inside_text_are_found_and_hidden():
    values = Series([f"ask 13800138000 or {right_id()}", "gate 4", "+86 138-0013-8000", None])
    assert find_personal(values).tolist()[:2] == [True, False]
    assert hide_personal(values).tolist()[0] == "ask … or …"


def test_codes_of_many_digits_are_no_phones():
    assert not has_personal_values(Series([f"3710020010{n:02d}" for n in range(50)]))
    assert not has_personal_values(Series([f"37100200100{n:04d}" for n in range(50)]))


def test_phones_stored_as_numbers_are_found_too():
    assert has_personal_values(Series([13800138000, 13900139000]))
    assert has_personal_values(Series([13800138000.0, None]))


def test_no_personal_value_reaches_any_output(tmp_path):
    right = right_id()
    file = tmp_path / "file.csv"
    file.write_text(
        "id,x,y,户主,联系电话,note,town\n"
        f"A,1,2,某人,13800138000,call 13900139000,0371\n"
        f"{right},1,3,某人,13800138000,quiet,13700137000\n"
        f"B,1,4,某人,13800138000,quiet,{right}\n"
        + "".join(f"C{n},1,{n + 5},某人,13800138000,quiet,0371\n" for n in range(20)),
        encoding="utf-8",
    )
    columns = {**HOMES["columns"], "how": "note", "territory": "town"}
    loaded = load_elements(file, **{**HOMES, "columns": columns})
    everything = "".join(frame.reset_index().to_csv() for frame in
                         (loaded.frame, loaded.changes, loaded.rejects))
    for secret in ("某人", "13800138000", "13900139000", "13700137000", right):
        assert secret not in everything
    assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects) == 23
    assert loaded.rejects["what"].tolist() == ["code is personal"]
    assert loaded.frame.loc["A", "how"] == "call …"
    told = loaded.changes[loaded.changes["what"] == "personal column left out"]
    assert told["before"].tolist() == ["户主, 联系电话"]


def test_a_key_of_phones_is_refused_and_none_is_shown(tmp_path):
    file = tmp_path / "file.csv"
    file.write_text("k,n\n13800138000,1\n13900139000,2\n")
    with pytest.raises(SourceError, match="holds phone or ID numbers") as told:
        load_table(file, key="k", columns={"n": "n"})
    assert "1380" not in str(told.value)


def test_a_personal_column_of_a_table_is_left_out(tmp_path):
    file = tmp_path / "file.csv"
    file.write_text("k,n,户主,t\n01,1,某人,13800138000\n02,2,某人,13900139000\n", encoding="utf-8")
    loaded = load_table(file, key="k", columns={"n": "n", "head": "户主", "t": "t"})
    assert loaded.frame.columns.tolist() == ["n"]
