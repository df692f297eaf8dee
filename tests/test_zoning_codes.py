"""Codes: issued in page order, kept for good, read back, and their faults told."""

from __future__ import annotations

import geopandas
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap import rules
from gridmap.errors import CodeError, ProfileError
from gridmap.rules import CodeRule, load_code_rule
from gridmap.sketch import CRS, sketch_grids
from gridmap.zoning import (
    check_codes,
    find_code_faults,
    issue_codes,
    issue_merged_codes,
    parse_codes,
)

CN15 = load_code_rule("cn15")
CN20 = load_code_rule("cn20")
PLAIN = load_code_rule("plain")
TOWN = "371002001001"


def grids_in(territory, *rows):
    return sketch_grids(*rows, territory=territory)


def square_grids(count, territory):
    """Return a row of squares, numbered from west to east."""
    boxes = [shapely.box(i, 0, i + 1, 1) for i in range(count)]
    index = pd.Index([f"g{i:05d}" for i in range(count)], name="grid")
    return geopandas.GeoDataFrame({"territory": territory}, geometry=boxes, index=index, crs=CRS)


# -- rules ------------------------------------------------------------------------------------


def test_a_rule_of_ones_own_is_read_from_a_file(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text(
        'parts = [2, 3, 2]\nnames = ["ward", "estate", "sequence"]\nseparator = "/"\n'
        'first = 10\n[ranges.estate]\nold = [0, 99]\nnew = [100, 999]\n',
        encoding="utf-8",
    )
    rule = load_code_rule(file)
    assert (rule.name, rule.length, rule.territory, rule.mark) == ("ours", 8, 5, "/")
    codes = issue_codes(grids_in("WA107", "AB"), rule)
    assert codes.tolist() == ["WA107/10", "WA107/11"]
    parsed = parse_codes(codes, rule)
    assert parsed.columns.tolist() == [
        "ward", "estate", "sequence", "territory", "estate_kind", "number"]
    assert parsed.iloc[0].tolist() == ["WA", "107", "10", "WA107", "new", 10]


@pytest.mark.parametrize(("entries", "message"), [
    ({"parts": (6, 2), "names": ("a",)}, "has 2 parts and 1 names for them"),
    ({"parts": (6, 2), "names": ("a", "a")}, "calls two of its parts by the same name"),
    ({"parts": (6, 2), "names": ("number", "a")}, "calls a part number: that is what is read"),
    ({"parts": (2, 2, 2), "names": ("a", "territory", "b")}, "calls a part territory: that is"),
    ({"parts": (2, 2), "lead": "371"}, "leads with '371', longer than the parts before the"),
    ({"parts": (4,), "merged_from": 601}, "has numbers for merged communities, but no part"),
    ({"parts": (2, 2), "ranges": {"town": {}}}, "has ranges of town, which none of its parts"),
    ({"parts": (2, 2), "patterns": ("(?P<a>x)",)}, "has parts and patterns: one of the two"),
    ({"patterns": ("(x",)}, r"has the pattern '\(x', which is no regular expression: missing"),
    ({"patterns": ("x",)}, r"has the pattern 'x' without a named group \(\?P<name>…\)"),
])
def test_a_rule_that_contradicts_itself_is_refused(entries, message):
    with pytest.raises(ProfileError, match=f"code rule 'x' {message}"):
        CodeRule(name="x", **entries)


def test_a_range_in_a_file_has_two_ends(tmp_path):
    file = tmp_path / "ours.toml"
    file.write_text('parts = [2, 2]\nnames = ["town", "grid"]\n[ranges.town]\nold = [9, 1]\n')
    with pytest.raises(ProfileError, match=r"the range old = \[9, 1\], where \[first"):
        load_code_rule(file)


# -- issuing ----------------------------------------------------------------------------------


def test_rows_go_from_north_to_south_and_each_from_west_to_east():
    codes = issue_codes(grids_in(TOWN, "DCB", "AFE"), CN15)
    assert codes.sort_values().index.tolist() == list("DCBAFE")


def test_a_kept_code_stays_and_new_numbers_follow_the_highest_in_use():
    codes = issue_codes(grids_in(TOWN, "ABC"), CN15, kept=Series({"C": f"{TOWN}004"}))
    assert codes.str[-3:].to_dict() == {"A": "005", "B": "006", "C": "004"}


def test_a_retired_code_is_not_issued_even_as_the_only_gap():
    rule = CodeRule(name="short", parts=(1, 1))
    taken = [f"T{n}" for n in (1, 2, 3, 5, 6, 7, 8, 9)]
    assert issue_codes(grids_in("T", "A"), rule, taken=taken).tolist() == ["T4"]
    with pytest.raises(CodeError, match="territory T has 2 grids, but code rule 'short' has 1"):
        issue_codes(grids_in("T", "AB"), rule, taken=taken)


def test_a_code_of_another_territory_is_not_kept():
    codes = issue_codes(grids_in(TOWN, "AB"), CN15, kept=Series({"A": "371002001002007"}))
    assert codes.tolist() == [f"{TOWN}001", f"{TOWN}002"]


def test_a_whole_territory_gives_up_its_zero_when_it_is_divided_and_never_gets_it_back():
    territory = "1" * 18
    whole = issue_codes(grids_in(territory, "A"), CN20)
    assert whole.tolist() == [f"{territory}00"]
    divided = issue_codes(grids_in(territory, "AB"), CN20, kept=whole)
    assert divided.str[-2:].tolist() == ["01", "02"]
    again = issue_codes(grids_in(territory, "A"), CN20, taken=[*whole, *divided])
    assert again.tolist() == [f"{territory}03"]


def test_a_lead_stands_before_codes_of_territories_without_it():
    rule = CodeRule(name="led", parts=(6, 6, 3, 3, 2), lead="010101", first=0)
    codes = issue_codes(grids_in(TOWN, "AB"), rule)
    assert codes.tolist() == [f"010101{TOWN}01", f"010101{TOWN}02"]
    assert parse_codes(codes, rule)["territory"].tolist() == [TOWN, TOWN]
    with pytest.raises(CodeError, match="codes of territories 3710 do not have the 12 characters"):
        issue_codes(grids_in("3710", "A"), rule)


def test_every_territory_that_is_full_is_named_at_once():
    full = pd.concat([square_grids(1001, TOWN), square_grids(1000, "371002001002").set_axis(
        [f"h{i:05d}" for i in range(1000)])])
    message = (r"territory 371002001001 has 1,001 grids, territory 371002001002 has 1,000 grids, "
               r"but code rule 'cn15' has 999, 999 numbers left for them\. Take a rule with a")
    with pytest.raises(CodeError, match=message) as caught:
        issue_codes(full, CN15)
    assert caught.value.rows == (TOWN, "371002001002")


def test_codes_that_are_kept_must_make_sense():
    grids = grids_in(TOWN, "AB")
    with pytest.raises(CodeError, match="kept names Z, which are not among the grids"):
        issue_codes(grids, CN15, kept=Series({"Z": "1"}))
    with pytest.raises(CodeError, match="kept gives code 1 to 2 grids: a code belongs to one"):
        issue_codes(grids, CN15, kept=Series({"A": "1", "B": "1"}))


def test_places_are_not_issued():
    with pytest.raises(CodeError, match="code rule 'eu' issues no codes: they tell a place"):
        issue_codes(grids_in("T", "A"), load_code_rule("eu"))


def test_seven_thousand_grids_have_codes_of_their_own():
    parts = [square_grids(20, f"3710020{n:05d}").add_prefix(f"{n}-", axis=0) for n in range(370)]
    codes = issue_codes(pd.concat(parts), CN15)
    assert codes.is_unique
    assert find_code_faults(codes, CN15).empty


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_a_kept_code_does_not_depend_on_the_others(order, still):
    grids = square_grids(12, TOWN)
    first = issue_codes(grids, CN15)
    shuffled = grids.iloc[list(order)]
    assert issue_codes(shuffled, CN15).sort_index().equals(first)
    kept = first.iloc[sorted(still)]
    second = issue_codes(shuffled, CN15, kept=kept, taken=first)
    assert second[kept.index].equals(kept)
    assert not set(second.drop(kept.index)) & set(first)


# -- merged communities -----------------------------------------------------------------------


def test_merged_communities_are_numbered_from_601_inside_their_town():
    merged = Series({"371002001004": "B", "371002001001": "A", "371002001003": "A",
                     "371002002001": "C", "371002002002": "C"})
    issued = issue_merged_codes(merged, CN15)
    assert issued.to_dict() == {"A": "371002001601", "B": "371002001602", "C": "371002002601"}
    later = issue_merged_codes(Series({"371002001601": "D", "371002001009": "D"}), CN15,
                               taken=issued)
    assert later.tolist() == ["371002001603"]
    parsed = parse_codes([f"{later['D']}001"], CN15)
    assert parsed["merged"].tolist() == [True]


def test_what_cannot_be_merged_is_named():
    with pytest.raises(CodeError, match="code rule 'plain' has no numbers for merged communities"):
        issue_merged_codes(Series({"A": "X"}), PLAIN)
    with pytest.raises(CodeError, match="communities of several towns are merged into X: codes"):
        issue_merged_codes(Series({"371002001001": "X", "371002002001": "X"}), CN15)
    with pytest.raises(CodeError, match="town 371002001 has used all 399 numbers that code"):
        issue_merged_codes(Series({"371002001999": "X"}), CN15)


# -- reading ----------------------------------------------------------------------------------


def test_codes_are_taken_apart_by_name():
    parsed = parse_codes(["37990137100200100100", "nonsense"], CN20)
    assert parsed.iloc[0].to_dict() == {
        "object": "379901", "county": "371002", "town": "001", "community": "001",
        "sequence": "00", "territory": "379901371002001001", "number": 0, "merged": False}
    assert parsed.iloc[1].isna().all()
    assert parse_codes([], CN15).empty


def test_both_orders_of_the_european_lattice_are_read_as_the_same_cell():
    codes = ["1kmN2599E4695", "1kmE4695N2599", "CRS3035RES1000mN2599000E4695000", "1kmX"]
    parsed = parse_codes(codes, load_code_rule("eu"))
    assert parsed.columns.tolist() == ["size", "measure", "northing", "easting"]
    assert parsed.iloc[0].equals(parsed.iloc[1])
    assert parsed.iloc[2].tolist() == ["1000", "m", "2599000", "4695000"]
    assert parsed.iloc[3].isna().all()
    faults = find_code_faults(codes, load_code_rule("eu"))
    assert faults["note"].tolist() == ["1kmX is in no form of code rule 'eu'"]


def test_a_rule_without_names_numbers_its_parts():
    parsed = parse_codes(["123456"], CodeRule(name="x", parts=(2, 2, 2)))
    assert parsed.columns.tolist() == ["part 1", "part 2", "sequence", "territory", "number"]


def test_a_part_that_is_the_whole_territory_may_be_called_so():
    rule = CodeRule(name="x", parts=(3, 2), names=("territory", "grid"))
    parsed = parse_codes(["12345"], rule)
    assert parsed.iloc[0].to_dict() == {"territory": "123", "grid": "45", "number": 45}


def test_statistical_codes_of_a_whole_city_follow_their_rule(real_data):
    table = pd.read_csv(real_data / "codes/china_division_2.7.0_weihai_villages.csv", dtype="str")
    rule = load_code_rule("statistical")
    parsed = parse_codes(table["code"], rule)
    assert find_code_faults(table["code"], rule).empty
    assert parsed["town_kind"].value_counts().index.tolist()[0] == "town"
    assert parsed["town_kind"].notna().all()


ROUND = st.tuples(st.sampled_from([CN15, CN20, PLAIN]), st.integers(1, 8))


@settings(deadline=None, max_examples=30)
@given(ROUND)
def test_codes_that_are_issued_are_read_back(case):
    rule, count = case
    territory = {"cn15": TOWN, "cn20": "379901" + TOWN, "plain": "West-7"}[rule.name]
    codes = issue_codes(square_grids(count, territory), rule)
    parsed = parse_codes(codes, rule)
    first = 0 if rule.first == 0 and count == 1 else 1
    assert parsed["number"].tolist() == list(range(first, first + count))
    assert (parsed["territory"] == territory).all()
    assert find_code_faults(codes, rule, territories=[territory] * count).empty


# -- faults -----------------------------------------------------------------------------------


def test_every_fault_is_told_in_words():
    codes = [None, f"{TOWN}001", f"{TOWN}001", "123", f"{TOWN}0O1", f"{TOWN}000",
             "371002001002001", f"{TOWN}009"]
    lies = [TOWN] * len(codes)
    faults = find_code_faults(codes, CN15, territories=lies, retired=[f"{TOWN}009"])
    assert faults[["position", "what", "note"]].values.tolist() == [
        [0, "missing", "a code is missing"],
        [1, "repeated", "371002001001001 stands 2 times"],
        [2, "repeated", "371002001001001 stands 2 times"],
        [3, "length", "123 has 3 characters, 15 are needed"],
        [4, "characters", "3710020010010O1 has other characters than digits"],
        [5, "number", "371002001001000 has a number below 1"],
        [6, "territory", "371002001002001 is a code of territory 371002001002, and the grid lies "
                         "in 371002001001"],
        [7, "retired", "371002001001009 was retired and must not come again"],
    ]


def test_faults_of_the_other_layouts_are_told_too():
    assert find_code_faults(["T0001"], PLAIN)["note"].tolist() == [
        "T0001 does not end in '-' and 4 digits"]
    ours = CodeRule(name="ours", parts=(2, 2))
    assert find_code_faults(["ABXY"], ours)["note"].tolist() == ["ABXY does not end in 2 digits"]
    led = CodeRule(name="led", parts=(2, 2, 2), lead="99")
    assert find_code_faults(["981201"], led)["note"].tolist() == ["981201 does not begin with 99"]
    statistical = load_code_rule("statistical")
    assert find_code_faults(["371002700001"], statistical)["note"].tolist() == [
        "371002700001 has the town 700, none of 1 to 99, 100 to 199, 200 to 399, 400 to 599"]
    divided = ["1" * 18 + "00", "1" * 18 + "01"]
    assert find_code_faults(divided, CN20)["what"].tolist() == ["whole"]


def test_faults_are_raised_together():
    with pytest.raises(CodeError, match=r"2 codes do not follow code rule 'cn15': 1 has") as e:
        check_codes(["1", "2", f"{TOWN}001"], CN15)
    assert e.value.rows == ("1", "2")
    check_codes([f"{TOWN}001"], CN15)


def test_shipped_rules_say_what_their_parts_are():
    for name in rules.list_code_rules():
        rule = load_code_rule(name)
        assert rule.patterns or len(rule.names) == len(rule.parts)
