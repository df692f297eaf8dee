"""Differencing: what old and new releases give away together."""

from __future__ import annotations

import geopandas
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap import check_disclosure, find_disclosures, merge_zones, suppress_counts
from gridmap.errors import PublicationError
from gridmap.rules import Publication

SHARED = Publication(name="shared", smallest=10, columns=("territory", "people"))


def homes(*rows):
    """Take rows of old zone, new zone and people."""
    old, new, people = zip(*rows, strict=True)
    return pd.DataFrame({"old": pd.array(old, dtype="str"), "new": pd.array(new, dtype="str"),
                         "people": people})


def counted(elements, *names):
    return {name: elements.groupby(name)["people"].sum() for name in names}


def exposed(elements, **withheld):
    releases = counted(elements, "old", "new")
    for name, zones in withheld.items():
        releases[name] = releases[name].drop(zones)
    return find_disclosures(elements, releases, SHARED)


def test_a_border_that_moves_a_little_exposes_the_strip():
    strip = homes(("A", "P", 40), ("A", "Q", 3), ("B", "Q", 50))
    assert exposed(strip)[["old", "new", "at_most"]].values.tolist() == [["A", "Q", 3]]


def test_a_border_that_moves_far_exposes_nothing():
    assert len(exposed(homes(("A", "P", 40), ("A", "Q", 30), ("B", "Q", 50)))) == 0


def test_a_strip_nobody_lives_in_is_no_secret():
    assert len(exposed(homes(("A", "P", 40), ("A", "Q", 0), ("B", "Q", 50)))) == 0


def test_exchanged_strips_hide_each_other_if_they_are_large_enough():
    both = homes(("A", "P", 40), ("A", "Q", 3), ("B", "P", 30), ("B", "Q", 50))
    assert len(exposed(both)) == 0


def test_a_withheld_count_keeps_the_secret():
    strip = homes(("A", "P", 40), ("A", "Q", 3), ("B", "Q", 50))
    assert len(exposed(strip, old=["A", "B"])) == 0
    assert len(exposed(strip, new=["P", "Q"])) == 0


def test_nested_zones_expose_what_suppression_left_open():
    nested = homes(("T", "A", 4), ("T", "B", 60), ("T", "C", 90))
    assert exposed(nested, new=["A"])["new"].tolist() == ["A"]
    assert len(exposed(nested, new=["A", "B"])) == 0


def test_land_outside_one_release_counts_as_well():
    elements = homes(("A", "P", 40), ("A", None, 3))
    assert exposed(elements)[["old"]].values.tolist() == [["A"]]


def test_the_release_is_refused_and_a_coarser_one_proposed():
    strip = homes(("A", "P", 40), ("A", "Q", 3), ("B", "Q", 50), ("C", "R", 70))
    releases = counted(strip, "old", "new")
    with pytest.raises(PublicationError, match=r"old and new together expose 1 slices with fewer "
                                               r"than 10 people: A/Q\. Publish new with P\+Q"):
        check_disclosure(strip, releases, SHARED)
    merged = merge_zones(strip, releases, SHARED)
    assert merged.to_dict() == {"P": "P", "Q": "P", "R": "R"}
    coarser = strip.assign(new=strip["new"].map(merged))
    check_disclosure(coarser, counted(coarser, "old", "new"), SHARED)


def test_where_no_merging_helps_the_release_is_refused():
    with pytest.raises(PublicationError, match="Do not publish new: no merging of its zones"):
        lone = homes(("A", "P", 40), ("A", None, 3))
        check_disclosure(lone, counted(lone, "old", "new"), SHARED)


def test_counts_of_other_elements_are_refused():
    strip = homes(("A", "P", 40))
    with pytest.raises(PublicationError, match="the counts of old differ from the elements in A"):
        find_disclosures(strip, {"old": pd.Series({"A": 41})}, SHARED)
    with pytest.raises(PublicationError, match="elements: column older is absent"):
        find_disclosures(strip, {"older": pd.Series({"A": 41})}, SHARED)


table = st.lists(st.tuples(st.sampled_from("ABCD"), st.sampled_from("PQRS"),
                           st.one_of(st.integers(0, 12), st.integers(0, 60))),
                 min_size=1, max_size=14)


@given(table)
@settings(max_examples=60, deadline=None)
def test_another_spread_of_people_fits_what_is_not_exposed(rows):
    """Whatever is not exposed could hold as many as the smallest count: show such a world."""
    elements = homes(*rows).groupby(["old", "new"], as_index=False)["people"].sum()
    found = set(map(tuple, exposed(elements)[["old", "new"]].values))
    sums = counted(elements, "old", "new")
    for row in elements.itertuples():
        alone = (elements["old"] == row.old).sum() == 1 or (elements["new"] == row.new).sum() == 1
        if not 0 < row.people < 10 or alone or (row.old, row.new) in found:
            continue
        rest = elements[(elements["old"] != row.old) & (elements["new"] != row.new)]
        assert min(sums["old"][row.old], sums["new"][row.new]) >= 10
        assert len(rest), "only a way round through other zones can leave room"


@given(table)
@settings(max_examples=40, deadline=None)
def test_what_merging_proposes_exposes_nothing_or_is_one_zone(rows):
    elements = homes(*rows)
    merged = merge_zones(elements, counted(elements, "old", "new"), SHARED)
    coarser = elements.assign(new=elements["new"].map(merged))
    left = find_disclosures(coarser, counted(coarser, "old", "new"), SHARED)
    for row in left.itertuples():
        around = coarser.loc[coarser["old"] == row.old, "new"].unique()
        assert around.tolist() == [row.new]


@given(st.lists(st.tuples(st.sampled_from("TUV"), st.integers(0, 60)), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_differencing_finds_nothing_that_suppression_left(rows):
    codes = pd.Index([f"G{n:02}" for n in range(len(rows))], name="grid", dtype="str")
    by_grid = pd.DataFrame({"territory": [t for t, _ in rows], "people": [p for _, p in rows]},
                           index=codes)
    published = suppress_counts(by_grid, SHARED)
    told = published.suppressed
    withheld = told.loc[told["level"] == "territory", "id"]
    totals = by_grid.groupby("territory")["people"].sum().drop(withheld)
    elements = by_grid.reset_index().assign(all="all")
    whole = pd.Series({"all": by_grid["people"].sum()}).drop(
        told.loc[told["level"] == "all", "id"])
    releases = {"grid": published.by_grid["people"], "territory": totals, "all": whole}
    assert len(find_disclosures(elements, releases, SHARED)) == 0


@pytest.mark.real
def test_statistical_areas_in_their_towns_keep_their_secrets(real_data):
    areas = geopandas.read_parquet(real_data / "tw_base_units" / "chiayi_city_1505.parquet")
    codes = pd.Index(areas["CODEBASE"], name="grid")
    by_grid = pd.DataFrame({"territory": areas["TOWN_ID"].to_numpy(),
                            "people": areas["P_CNT"].clip(lower=10).to_numpy()}, index=codes)
    by_grid.loc[codes[700], "people"] = 3
    totals = by_grid.groupby("territory")["people"].sum()
    published = suppress_counts(by_grid, SHARED).by_grid["people"]
    assert published.isna().sum() == 2
    elements = by_grid.reset_index()
    releases = {"territory": totals, "grid": published}
    assert len(find_disclosures(elements, releases, SHARED)) == 0
    careless = by_grid["people"].where(by_grid["people"] >= 10)
    attacked = find_disclosures(elements, {**releases, "grid": careless}, SHARED)
    assert attacked["grid"].tolist() == [codes[700]] and attacked["at_most"].tolist() == [3]
