"""The encoding of a text is proven by its bytes, and what it cannot hold is told."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.errors import SourceError
from gridmap.sources import find_encoding, load_assets
from gridmap.sources.encodings import check_encoding_holds, known_encoding

NAMES = "里長服務處,社區發展協會,公園路口,市民活動中心,國民小學,消防分隊"
SIMPLE = "望湾社区居民委员会,金林村,新港小区,人民公园,第一中学,派出所"
ASSETS = {"columns": {"asset": "id", "kind": "kind", "x": "x", "y": "y"}, "crs": "EPSG:32651"}


def listing(names):
    return "id,kind,x,y\n" + "".join(f"{i},{n},1,{i}\n" for i, n in enumerate(names.split(",")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16",
                                      "utf-16-le", "utf-16-be", "utf-32"])
def test_simplified_chinese_is_read_in_any_encoding(tmp_path, encoding):
    file = tmp_path / "file.csv"
    file.write_bytes(listing(SIMPLE).encode(encoding))
    loaded = load_assets(file, **ASSETS)
    assert loaded.frame["kind"].tolist() == SIMPLE.split(",")


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "cp950", "utf-16", "gb18030"])
def test_traditional_chinese_is_read_in_any_encoding(tmp_path, encoding):
    file = tmp_path / "file.csv"
    file.write_bytes(listing(NAMES).encode(encoding))
    loaded = load_assets(file, **ASSETS)
    assert loaded.frame["kind"].tolist() == NAMES.split(",")


@settings(deadline=None)
@given(st.lists(st.sampled_from("望湾社区金林村路号楼单元室街道办事处中心小学"), min_size=4))
def test_common_characters_tell_gb_from_big5(characters):
    text = "".join(characters)
    assert find_encoding(text.encode("gb18030")).name == "GB18030"
    assert find_encoding(text.encode()).name == "UTF-8"


@settings(deadline=None)
@given(st.permutations("里長服務處社區發展協會公園路口市民活動中心國民小學消防分隊"))
def test_common_characters_tell_big5_from_gb(characters):
    assert find_encoding("".join(characters).encode("big5")).name == "Big5"


@pytest.mark.parametrize(
    ("content", "declared", "name", "evidence"),
    [
        ("望湾社区".encode("gbk"), "GBK", "GB18030", "declares GBK, and its bytes agree"),
        ("望湾社区".encode("gbk"), "UTF-8", "GB18030", "declares UTF-8, which its bytes deny"),
        ("望湾社区".encode("gbk"), "ISO-8859-1", "GB18030", "which its bytes deny"),
        ("望湾社区".encode(), "GBK", "UTF-8", "declares GBK, which its bytes deny"),
        ("望湾社区".encode(), "Klingon", "UTF-8", "declares Klingon, which nobody knows"),
        ("里長服務處".encode("big5"), "GBK", "Big5", "declares GBK, which its bytes deny"),
        ("Straße".encode("latin-1"), "ISO 88591", "ISO-8859-1", "and its bytes agree"),
        (b"plain", "GBK", "UTF-8", "only ASCII bytes"),
        ("Zażółć gęślą jaźń".encode("cp1250"), None, "ISO-8859-1", "a guess, look at the text"),
    ],
)
def test_what_a_file_declares_is_held_against_its_bytes(content, declared, name, evidence):
    found = find_encoding(content, declared=declared)
    assert found.name == name
    assert evidence in found.evidence


def test_names_of_encodings_are_known_in_any_spelling():
    assert {known_encoding(n) for n in ("gbk", "GB2312", "936", "ANSI 936", "cp936")} == {
        "GB18030"}
    assert {known_encoding(n) for n in ("big5", "Big-5", "950", "OEM 950")} == {"Big5"}
    assert known_encoding("GBQ") is None


def test_a_rare_character_survives_and_gbk_would_lose_it(tmp_path):
    file = tmp_path / "file.csv"
    file.write_bytes(listing("龑村䶮家,新港小区,人民公园").encode("gb18030"))
    assert load_assets(file, **ASSETS).frame["kind"].iloc[0] == "龑村䶮家"
    check_encoding_holds(["龑村䶮家"], "GB18030")
    with pytest.raises(SourceError, match=r"GBK has no character for 䶮 \(U\+4DAE\)"):
        check_encoding_holds(["龑村䶮家"], "GBK")
    with pytest.raises(SourceError, match="there is no encoding 'GBQ'"):
        check_encoding_holds(["A"], "GBQ")


def test_chinese_far_behind_the_samples_is_found_all_the_same(tmp_path, monkeypatch):
    from gridmap.sources import text

    monkeypatch.setattr(text, "_WHOLE_BYTES", 100)
    monkeypatch.setattr(text, "_SAMPLE_BYTES", 60)
    plain = "".join(f"{i},lamp,1,2\n" for i in range(2_000))
    file = tmp_path / "file.csv"
    file.write_bytes(("id,kind,x,y\n" + plain + "Z,望湾社区居民,1,2\n" + plain.replace(
        ",lamp", "b,lamp")).encode("gbk"))
    loaded = load_assets(file, **ASSETS)
    assert loaded.frame.loc["Z", "kind"] == "望湾社区居民"
    told = loaded.changes.loc[loaded.changes["what"] == "encoding", "note"]
    assert told.str.contains("kind is GB18030").any()


def test_bytes_that_are_no_text_are_marked_and_told(tmp_path):
    file = tmp_path / "file.csv"
    file.write_bytes(listing(SIMPLE).encode() + b"Z,gate\xff,1,2\n")
    loaded = load_assets(file, **ASSETS, encoding="UTF-8")
    assert loaded.frame.loc["Z", "kind"] == "gate\ufffd"
    told = loaded.changes[loaded.changes["what"] == "characters unreadable"]
    assert told["id"].tolist() == ["Z"]
