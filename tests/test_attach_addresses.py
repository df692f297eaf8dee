"""Chinese addresses: read level by level, and matched level by level."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import match_addresses, parse_addresses
from gridmap.attach.addresses import LEVELS
from gridmap.errors import SchemaError


def read(text):
    levels = parse_addresses(pd.Series([text])).iloc[0]
    return {name: levels[name] for name in LEVELS if pd.notna(levels[name])}


@pytest.mark.parametrize(("text", "levels"), [
    ("沙矶镇䶮塘村竹塘家园1号",
     {"town": "沙矶镇", "community": "䶮塘村", "number": "1号", "site": "竹塘家园"}),
    ("长屏街道新祥社区新祥雅居3号楼2单元",
     {"town": "长屏街道", "community": "新祥社区", "site": "新祥雅居", "building": "3栋",
      "entrance": "2单元"}),
    ("凤塘镇龙矶社区龙矶弄28号",
     {"town": "凤塘镇", "community": "龙矶社区", "road": "龙矶弄", "number": "28号"}),
    ("沙矶镇云宁村云宁三路10号",
     {"town": "沙矶镇", "community": "云宁村", "road": "云宁三路", "number": "10号"}),
    ("长康街道龙滨村295号",
     {"town": "长康街道", "community": "龙滨村", "number": "295号"}),
    ("山东省威海市环翠区鲸园街道塔山中路社区文化中路58号海景花园12栋A单元1502",
     {"province": "山东省", "city": "威海市", "county": "环翠区", "town": "鲸园街道",
      "community": "塔山中路社区", "road": "文化中路", "number": "58号", "site": "海景花园",
      "building": "12栋", "entrance": "A单元", "room": "1502"}),
    ("威海市荣成市崖头街道青山东路200号院",
     {"city": "威海市", "county": "荣成市", "town": "崖头街道", "road": "青山东路",
      "number": "200号院"}),
    ("浦东新区世纪大道1234弄阳光小区5号302室",
     {"county": "浦东新区", "road": "世纪大道", "lane": "1234弄", "number": "5号",
      "site": "阳光小区", "room": "302室"}),
    ("幸福新村七号楼", {"site": "幸福新村", "building": "7栋"}),
    ("文化路甲楼", {"road": "文化路", "site": "甲楼"}),
])
def test_levels_are_read_by_their_endings(text, levels):
    assert read(text) == levels


def test_spellings_of_one_address_are_equal():
    spellings = ["海韵花园３号楼２单元５０１室", "海韵花园 3幢 2单元 501室",
                 "海韵花园三栋二单元501房", "海韵花园3#楼2门501"]
    levels = parse_addresses(pd.Series(spellings))[list(LEVELS)]
    levels["room"] = levels["room"].str.removesuffix("室")
    assert (levels.fillna("") == levels.fillna("").iloc[0]).all().all()


def test_what_cannot_be_read_is_kept():
    levels = parse_addresses(pd.Series(["鲸园街道5号@对面", "", None]))
    assert levels["rest"].iloc[0] == "@对面"
    assert levels["read_share"].iloc[0] == pytest.approx(6 / 9)
    assert levels[list(LEVELS)].iloc[1:].isna().all().all()


def test_index_is_kept():
    index = pd.Index(["x", "y"], name="element")
    assert parse_addresses(pd.Series(["甲路1号", "乙路2号"], index=index)).index.equals(index)


def test_the_finest_common_level_decides():
    known = parse_addresses(pd.Series({
        "B1": "崖头街道青山社区青山西路12号海韵花园3栋",
        "B2": "崖头街道青山社区青山西路12号海韵花园4栋",
        "B3": "崖头街道青山社区青山西路14号", "B4": "成山镇青山西路14号"}))
    asked = parse_addresses(pd.Series({
        "a": "崖头街道青山社区青山西路12号海韵花园3号楼1单元", "b": "崖头街道青山社区海韵花园9栋",
        "c": "崖头街道青山西路14号", "d": "青山西路14号", "e": "崖头街道长江路1号"}))
    found = match_addresses(asked, known)
    assert found["match"].fillna("").to_dict() == {
        "a": "B1", "b": "B1", "c": "B3", "d": "B4", "e": ""}
    assert found["level"].fillna("").tolist() == ["building", "site", "number", "number", ""]
    assert found["score"].tolist() == [0.9, 0.5, 0.75, 0.65, 0.0]
    assert found["candidates"].tolist() == [1, 2, 1, 1, 0]


def test_another_community_is_another_place():
    known = parse_addresses(pd.Series({"B1": "崖头街道青山社区1号"}))
    asked = parse_addresses(pd.Series(["崖头街道河西社区1号", "成山镇青山社区1号"]))
    assert match_addresses(asked, known)["match"].isna().all()


def test_wrong_frames_are_named():
    levels = parse_addresses(pd.Series({"B1": "甲路1号"}))
    with pytest.raises(SchemaError, match="known: column room is absent: use parse_addresses"):
        match_addresses(levels, levels.drop(columns="room"))
    with pytest.raises(SchemaError, match="known: the index repeats B1"):
        match_addresses(levels, pd.concat([levels, levels]))


word = st.text("海韵青山文化新乐安宁", min_size=1, max_size=3)
digits = st.integers(1, 999).map(str)


@given(word, word, word, digits, word, digits, digits)
@settings(max_examples=40, deadline=None)
def test_a_composed_address_reads_back_and_matches_itself(town, community, road, number, site,
                                                          building, room):
    text = f"{town}镇{community}社区{road}路{number}号{site}花园{building}栋1单元{room}室"
    levels = {"town": f"{town}镇", "community": f"{community}社区", "road": f"{road}路",
              "number": f"{number}号", "site": f"{site}花园", "building": f"{building}栋",
              "entrance": "1单元", "room": f"{room}室"}
    assert read(text) == levels
    one = parse_addresses(pd.Series({"K": text}))
    assert match_addresses(one, one)[["match", "score"]].values.tolist() == [["K", 1.0]]


def test_row_order_does_not_matter():
    texts = [f"甲镇乙路{n}号丙苑{m}栋" for n in range(5) for m in range(4)]
    known = parse_addresses(pd.Series(texts, index=[f"k{n:02}" for n in range(20)]))
    asked = parse_addresses(pd.Series(texts[::3]))
    order = np.random.default_rng(1).permutation(20)
    pd.testing.assert_frame_equal(match_addresses(asked, known),
                                  match_addresses(asked, known.iloc[order]))


def test_repeated_addresses_are_read_alike_and_keep_their_places():
    texts = ["甲路1号", None, "乙路2号", "甲路1号", ""]
    levels = parse_addresses(pd.Series(texts, index=list("vwxyz")))
    assert levels.index.tolist() == list("vwxyz")
    assert levels["road"].fillna("").tolist() == ["甲路", "", "乙路", "甲路", ""]
    assert levels["read_share"].isna().tolist() == [False, True, False, False, True]
