"""Names, phones and ID numbers are recognised, left out, and shown nowhere."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap.errors import GridmapError, SourceError
from gridmap.sources import load_elements, load_events, load_table
from gridmap.sources.personal import (
    find_personal,
    has_personal_values,
    hide_personal,
    is_personal_header,
)

HOMES = {"columns": {"element": "id", "x": "x", "y": "y"}, "constants": {"kind": "home"},
         "crs": "EPSG:32651"}


def right_id(body="37990119900101123"):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(d) * w for d, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("header", ["姓名", "户主", "聯絡電話", "身份证号码", "手机号", "phone",
                                    "Phone_No", "OwnerName", "E-mail", "ID number", "DOB",
                                    "householder", "网格员", "居民姓名", "姓 名", "联系 电话",
                                    "ＰＨＯＮＥ", "LXDH", "SFZH", "来电人", "applicant"])
def test_a_personal_header_is_known(header):
    assert is_personal_header(header)


@pytest.mark.parametrize("header", ["name", "NAME", "社区名称", "地址", "电话亭数", "联系人数",
                                    "户数", "hotel", "height", "phone_count", "resident", "人口",
                                    "编号", "网格员编号", "identifier", "building_id", "人行道",
                                    "申请人数", "tenants_count", "层高"])
def test_a_harmless_header_is_let_through(header):
    assert not is_personal_header(header)


def test_an_id_number_needs_its_check_digit():
    right = right_id()
    wrong = right[:-1] + ("0" if right[-1] != "0" else "1")
    assert find_personal(Series([right, wrong, right.lower()])).tolist() == [True, False, True]


def test_numbers_inside_text_are_found_and_hidden():
    values = Series([f"ask 13800138000 or {right_id()}", "gate 4", "+86 138-0013-8000", None])
    assert find_personal(values).tolist() == [True, False, True, False]
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


PHONE = "13800138000"
WRITTEN = [PHONE, f"tel{PHONE}", f"电话：{PHONE}", "+86 138-0013-8000", "138 0013 8000",
           f"{PHONE}.0", "１３８００１３８０００", "1.3800138E+10", f"\u200b138\u200b{PHONE[3:]}",
           right_id(), f"{right_id()[:6]} {right_id()[6:14]} {right_id()[14:]}",
           f"某某某 {PHONE}", f"\t'{PHONE}"]
TABLE = ["code", "x", "y", "n", "memo", "town", "opened"]
LOADERS = [
    lambda file: load_elements(file, crs="EPSG:32651", constants={"kind": "home"}, columns={
        "element": "code", "x": "x", "y": "y", "people": "n", "how": "memo", "territory": "town"}),
    lambda file: load_events(file, crs="EPSG:32651", columns={
        "event": "code", "x": "x", "y": "y", "matter": "memo", "opened": "opened",
        "closed": "opened", "level": "town"}),
    lambda file: load_table(file, key="code", columns={"n": "n", "memo": "memo", "town": "town"}),
]


@settings(deadline=None, max_examples=60)
@given(secrets=st.dictionaries(st.sampled_from(TABLE), st.sampled_from(WRITTEN), min_size=1),
       extra=st.booleans(), load=st.sampled_from(LOADERS), quote=st.sampled_from(["", '"']))
def test_a_number_in_any_cell_reaches_no_frame_no_account_and_no_error(
    tmp_path_factory, secrets, extra, load, quote
):
    rows = [[f"A{n}", str(n), "2", "3", "lamp out", "0371", "2026-03-01"] for n in range(9)]
    rows[4] = [secrets.get(name, cell) for name, cell in zip(TABLE, rows[4], strict=True)]
    lines = [",".join(f"{quote}{cell}{quote}" for cell in row) for row in rows]
    lines[4] += f",某某某{PHONE}" if extra else ""  # one cell too many
    file = tmp_path_factory.mktemp("files") / "file.csv"
    file.write_text("\n".join([",".join(TABLE), *lines]), encoding="utf-8")
    try:
        loaded = load(file)
    except GridmapError as error:
        told = "".join(traceback.format_exception(error)) + repr(error.rows)
    else:
        assert loaded.rows_in == len(loaded.frame) + len(loaded.rejects) == 9
        told = "".join(frame.reset_index().to_csv() for frame in loaded[:3])
    for secret in (PHONE, PHONE[3:], right_id(), right_id()[6:14], "某某某", "１３８"):
        assert secret not in told


def test_what_stands_for_a_number_is_shown_where_many_rows_say_it(tmp_path):
    file = tmp_path / "file.csv"
    cells = ["某某某", "不详", "不详", "不详", "?", "7"]
    lines = "".join(f"A{i},{i},1,{cell}\n" for i, cell in enumerate(cells))
    file.write_text(f"id,x,y,n\n{lines}", encoding="utf-8")
    loaded = load_elements(file, **{**HOMES, "columns": {**HOMES["columns"], "people": "n"}})
    told = loaded.changes.set_index("id")["before"]
    assert told[["A0", "A1", "A4"]].tolist() == ["…", "不详", "?"]


def test_a_personal_column_cannot_be_the_code(tmp_path):
    file = tmp_path / "file.csv"
    file.write_text("姓名,x,y\n某某某,1,2\n", encoding="utf-8")
    columns = {"element": "姓名", "x": "x", "y": "y"}
    with pytest.raises(SourceError, match="its header says that it holds names"):
        load_elements(file, **{**HOMES, "columns": columns})
    with pytest.raises(SourceError, match="its header says that it holds names"):
        load_table(file, key="姓名", columns={})


def test_a_file_without_a_header_line_shows_none_of_its_first_row(tmp_path):
    file = tmp_path / "file.csv"
    file.write_text(f"A,1,2,户主某某某,{PHONE}\nB,1,3,某某某,{PHONE}\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"has no column id, x, y\. Its columns are none"):
        load_elements(file, **HOMES)
    loaded = load_elements(file, **{**HOMES, "columns": {"element": 1, "x": 2, "y": 3}})
    assert "某某某" not in loaded.changes.to_csv()


def test_ids_of_openstreetmap_are_no_phones(tmp_path):
    file = tmp_path / "file.csv"
    file.write_text("osm_id,x,y\n13800138000,1,2\n13900139000,1,3\n")
    loaded = load_elements(file, **{**HOMES, "columns": {"element": "osm_id", "x": "x", "y": "y"}})
    assert len(loaded.frame) == 2


def test_a_number_reaches_no_message_and_no_row_of_an_error():
    error = GridmapError(f"row {PHONE} and code 371002001001", rows=[PHONE, "371002001001"])
    assert str(error) == "row … and code 371002001001"
    assert error.rows == ("…", "371002001001")
