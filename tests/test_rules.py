"""Rules check themselves at birth, and profiles say exactly what is wrong with them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap import rules, schema
from gridmap.errors import ProfileError

URBAN = """
title = "Urban"
code = "cn15"

[size]
minimum = 300
target = 400
maximum = 500
"""


def written(folder: Path, text: str, name: str = "mine.toml") -> str:
    """Write a profile and return its path."""
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def test_ends_of_the_size_range_belong_to_it():
    size = rules.SizeRule(minimum=300, target=400, maximum=500)
    assert [size.state(n) for n in (299, 300, 500, 501)] == [
        "small", "in range", "in range", "large"]


@given(st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.floats(0.1, 1e6), st.floats(0, 2e6))
def test_every_size_has_exactly_one_state(a, b, c, size):
    low, middle, high = sorted((a, b, c))
    rule = rules.SizeRule(minimum=low, target=middle, maximum=high)
    assert (rule.state(size) == "in range") == (low <= size <= high)
    assert rule.state(size) in ("small", "in range", "large")


@pytest.mark.parametrize(("minimum", "target", "maximum"), [
    (0, 400, 500), (300, 200, 500), (300, 600, 500), (600, 600, 500), (float("nan"), 1, 2)])
def test_size_rule_that_contradicts_itself_is_refused(minimum, target, maximum):
    message = r"size rule asks for .* households around .*: the minimum must be above 0, and the"
    with pytest.raises(ProfileError, match=message):
        rules.SizeRule(minimum=minimum, target=target, maximum=maximum)


def test_size_rule_knows_its_measures():
    message = "a size rule goes by 'families': expected households, people, area_m2"
    with pytest.raises(ProfileError, match=message):
        rules.SizeRule(measure="families", minimum=1, target=2, maximum=3)


def test_limit_that_contradicts_itself_is_refused():
    message = r"limit on people runs from 3,000 to 2,500: the first must not be below 0 or above"
    with pytest.raises(ProfileError, match=message):
        rules.Limit(measure="people", minimum=3000, maximum=2500)
    with pytest.raises(ProfileError, match="a limit goes by 'dogs': expected households, people"):
        rules.Limit(measure="dogs")


def test_code_rule_counts_its_digits():
    rule = rules.CodeRule(name="cn15", parts=(6, 3, 3, 3))
    assert (rule.length, rule.prefix, rule.capacity) == (15, 12, 999)


def test_code_rule_without_parts_or_with_a_first_too_large_is_refused():
    with pytest.raises(ProfileError, match=r"code rule 'x' has parts \(\): one or more lengths"):
        rules.CodeRule(name="x", parts=())
    with pytest.raises(ProfileError, match="starts its sequence at 100, which does not fit"):
        rules.CodeRule(name="x", parts=(6, 2), first=100)


def test_tiling_rule_knows_three_ways_with_overlaps():
    with pytest.raises(ProfileError, match="overlaps go by 'luck': expected border"):
        rules.TilingRule(overlaps="luck")
    with pytest.raises(ProfileError, match=r"snap_m, .* must not be below 0"):
        rules.TilingRule(snap_m=-1)


def test_barrier_weights_lie_between_nothing_and_all():
    with pytest.raises(ProfileError, match="barrier weights of road, river are outside 0 to 1"):
        rules.BarrierRule(weights={"road": 1.5, "coast": 1.0, "river": float("nan")})


def test_publication_cannot_suppress_below_nothing():
    with pytest.raises(ProfileError, match="publication 'p' suppresses below -1: 0 or more"):
        rules.Publication(name="p", smallest=-1)


@pytest.mark.parametrize("name", rules.list_profiles())
def test_every_shipped_profile_loads_and_names_its_source(name):
    profile = rules.load_profile(name)
    assert profile.name == name
    assert profile.title
    assert profile.source
    assert profile.size.state(profile.size.target) == "in range"


@pytest.mark.parametrize("name", rules.list_code_rules())
def test_every_shipped_code_rule_loads(name):
    assert rules.load_code_rule(name).note


@pytest.mark.parametrize("name", rules.list_publications())
def test_every_shipped_publication_shows_known_figures_only(name):
    known = {column.name for column in schema.BY_GRID.columns}
    assert set(rules.load_publication(name).columns) <= known


def test_only_the_office_itself_sees_small_counts_and_single_elements():
    small = {name: rules.load_publication(name) for name in rules.list_publications()}
    assert small["internal"].smallest == 0
    assert small["internal"].elements
    assert small["shared"].smallest == small["public"].smallest == 10
    assert not small["public"].elements


@pytest.mark.parametrize(("name", "low", "target", "high"), [
    ("urban", 300, 400, 500), ("rural", 200, 300, 400), ("small_town", 100, 125, 150),
    ("enumeration_urban", 150, 175, 200), ("enumeration_rural", 80, 100, 120)])
def test_shipped_sizes_are_the_written_ones(name, low, target, high):
    size = rules.load_profile(name).size
    assert (size.minimum, size.target, size.maximum) == (low, target, high)


def test_profile_of_ones_own_is_read_from_a_file(tmp_path):
    profile = rules.load_profile(written(tmp_path, URBAN))
    assert profile.name == "mine"
    assert profile.size.maximum == 500
    assert profile.code == rules.load_code_rule("cn15")
    assert profile.barriers.weights == {}


def test_code_rule_of_a_profile_may_lie_beside_it_or_stand_inside(tmp_path):
    written(tmp_path, "parts = [4, 2]", name="code.toml")
    beside = URBAN.replace('"cn15"', '"code.toml"')
    inside = URBAN.replace('"cn15"', "{ parts = [4, 2] }")
    assert rules.load_profile(written(tmp_path, beside)).code.parts == (4, 2)
    assert rules.load_profile(written(tmp_path, inside)).code.parts == (4, 2)


def test_rules_cannot_be_changed_after_birth():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
        rules.load_profile("urban").size.maximum = 600


def test_unknown_profile_names_the_shipped_ones():
    message = r"there is no size profile 'town'\. Shipped are city_cell, .*urban, us_block_group; "
    with pytest.raises(ProfileError, match=message):
        rules.load_profile("town")
    with pytest.raises(ProfileError, match=r"no code profile 'x'\. Shipped are cn15, cn20, eu"):
        rules.load_code_rule("x")
    with pytest.raises(ProfileError, match=r"no publication profile 'x'\. Shipped are internal"):
        rules.load_publication("x")


def test_absent_profile_file_is_named():
    with pytest.raises(ProfileError, match=r"there is no profile file nowhere/mine\.toml"):
        rules.load_profile("nowhere/mine.toml")


@pytest.mark.parametrize(("change", "message"), [
    (("[size]", "[sise]"), r"mine.toml has no \[size\]"),
    (("[size]", "[size"), r"mine.toml is not valid TOML in UTF-8: "),
    (('code = "cn15"', "colour = 3"), "has unknown entries colour for Profile. Known are name, "),
    (("target = 400", "goal = 400"), "has unknown entries goal for SizeRule. Known are measure, "),
    (("target = 400", ""), "mine.toml lacks target for SizeRule"),
    (('title = "Urban"', ""), "mine.toml lacks title for Profile"),
    (("target = 400", 'target = "400"'), "mine.toml has an entry of the wrong type for SizeRule"),
    (('code = "cn15"', 'dedicated = "school"'), "dedicated = 'school', where a list is needed"),
    (('code = "cn15"', "barriers = 1"), r"has barriers = 1, where a table \[barriers\] is needed"),
    (('code = "cn15"', 'barriers = { a = "b" }'), "entry of the wrong type for BarrierRule"),
    (("maximum = 500", "maximum = 350"), "asks for 300 to 350 households around 400"),
])
def test_fault_in_a_profile_is_told_by_name(tmp_path, change, message):
    text = URBAN.replace(*change)
    assert text != URBAN
    with pytest.raises(ProfileError, match=message):
        rules.load_profile(written(tmp_path, text))


def test_profile_in_another_encoding_is_told(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_bytes(URBAN.replace("Urban", "城市").encode("gb18030"))
    with pytest.raises(ProfileError, match=r"not valid TOML in UTF-8: .*can't decode"):
        rules.load_profile(file)


def test_copy_of_a_shipped_profile_says_the_same(tmp_path):
    for name in rules.list_profiles():
        shipped = Path(rules.__file__).parent / "profiles" / "size" / f"{name}.toml"
        copied = rules.load_profile(written(tmp_path, shipped.read_text("utf-8"), f"{name}.toml"))
        assert copied == rules.load_profile(name)


def test_every_shipped_profile_says_in_its_first_line_what_it_is_for():
    folder = Path(rules.__file__).parent / "profiles"
    for file in folder.rglob("*.toml"):
        assert re.match(r"# .{10,}\.\n", file.read_text("utf-8")), file.name
