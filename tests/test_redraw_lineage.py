"""Lineage: what became of every grid, closed to the last household; traces; codes that last."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap import nets
from gridmap.errors import CodeError, CRSError, LedgerError, SchemaError
from gridmap.redraw import (
    build_lineage,
    build_version_crosswalk,
    check_lineage,
    find_heirs,
    measure_fates,
    measure_lineage,
    measure_lives,
    order_lineages,
    renew_codes,
    trace,
)
from gridmap.rules import load_code_rule
from gridmap.schema import CROSSWALK, LINEAGE, check_frame
from gridmap.sketch import sketch_grids, sketch_points, sketch_units
from gridmap.zoning import issue_codes

PLAIN = load_code_rule("plain")
MESH = sketch_units("ABCDEF", "GHIJKL", "MNOPQR", "STUVWX")


def kinds(old, new, **more):
    """Return (old, new, kind) of the lineage between two drawings."""
    lineage = build_lineage(sketch_grids(*old), sketch_grids(*new), **more)
    told = lineage[["old", "new"]].fillna("-")
    return list(zip(told["old"], told["new"], lineage["kind"], strict=True))


# -- kinds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("old", "new", "told"), [
    ("AAB", "AAB", [("A", "A", "kept"), ("B", "B", "kept")]),
    ("AAB", "ABB", [("A", "A", "changed"), ("A", "B", "moved"), ("B", "B", "changed")]),
    ("AAB", "ACB", [("A", "A", "changed"), ("A", "C", "split"), ("B", "B", "kept")]),
    ("AAB", "PQB", [("A", "P", "split"), ("A", "Q", "split"), ("B", "B", "kept")]),
    ("AAB", "AAA", [("A", "A", "changed"), ("B", "A", "merged")]),
    ("AAB", "PPP", [("A", "P", "merged"), ("B", "P", "merged")]),
    ("AAB", "PPB", [("A", "P", "recoded"), ("B", "B", "kept")]),
    ("AAB", "AA.", [("A", "A", "kept"), ("B", "-", "retired")]),
    ("AA.", "AAB", [("A", "A", "kept"), ("-", "B", "new")]),
    ("AA.", "AAA", [("A", "A", "changed"), ("-", "A", "moved")]),
    ("AAA", "AA.", [("A", "A", "changed"), ("A", "-", "moved")]),
    ("AAAB", "PQQQ", [("A", "P", "split"), ("A", "Q", "merged"), ("B", "Q", "merged")]),
])
def test_every_way_from_grid_to_grid_has_a_kind(old, new, told):
    assert kinds([old], [new]) == told


def test_layers_assignments_and_crosswalks_tell_the_same():
    old, new = sketch_grids("AABB", "AABB"), sketch_grids("ACCB", "AACB")
    units = sketch_units("abcd", "efgh")
    by_area = build_lineage(old, new)
    by_unit = build_lineage(Series(dict(zip("abcdefgh", "AABBAABB", strict=True))),
                            Series(dict(zip("abcdefgh", "ACCBAACB", strict=True))), units=units)
    homes = sketch_points(*((x + 0.5, y + 0.5) for x in range(4) for y in range(2)))
    by_home = build_lineage(old, new, units=homes.assign(households=1))
    ways = nets.build_crosswalk(old, new, basis="area")
    by_way = build_lineage(old, new, crosswalk=ways)
    columns = ["old", "new", "kind", "households", "old_share", "new_share"]
    for other in (by_unit, by_home, by_way):
        pd.testing.assert_frame_equal(by_area[columns], other[columns], check_exact=False)
    check_frame(by_area, LINEAGE, argument="lineage")
    assert by_area["households"].tolist() == [3, 1, 2, 2]
    assert by_area["area_m2"].sum() == pytest.approx(8, rel=1e-2)


def test_a_border_drawn_twice_is_no_change():
    old = sketch_grids("AB", side_m=100)
    new = old.copy()
    new["geometry"] = sketch_grids("AB", side_m=100).translate(0.02, 0).geometry
    assert build_lineage(old, new)["kind"].tolist() == ["kept", "kept"]
    assert len(build_lineage(old, new, snap_m=0.001)) > 2


def test_a_grid_without_households_is_shared_by_area():
    old = sketch_grids("AAAB").assign(households=[0, 1])
    lineage = build_lineage(old, sketch_grids("ACCB"))
    assert lineage["old_share"].round(6).tolist() == [0.333333, 0.666667, 1]
    assert lineage["households"].tolist() == [0, 0, 1]


def test_unknown_households_stay_unknown_and_shares_go_by_area():
    old = sketch_grids("AAB").assign(households=np.nan)
    lineage = build_lineage(old, sketch_grids("ACB"))
    assert lineage["households"].isna().all()
    assert lineage["old_share"].round(6).tolist() == [0.5, 0.5, 1]
    assert np.isnan(measure_lineage(lineage)["households moved"])
    check_lineage(lineage, old, sketch_grids("ACB"))


def test_order_of_rows_does_not_matter():
    old, new = sketch_grids("AABB", "CCDD"), sketch_grids("AEEB", "CCCD")
    backwards = build_lineage(old.iloc[::-1], new.iloc[::-1])
    pd.testing.assert_frame_equal(backwards, build_lineage(old, new))


def test_seven_hundred_grids_of_which_few_changed():
    letters = [chr(0x4E00 + n) for n in range(700)]
    rows = ["".join(letters[n:n + 35]) for n in range(0, 700, 35)]
    old = sketch_grids(*rows, side_m=100)
    rows[3] = rows[3][:5] + rows[3][6] * 2 + rows[3][7:]
    lineage = build_lineage(old, sketch_grids(*rows, side_m=100))
    assert lineage["kind"].value_counts().to_dict() == {"kept": 698, "changed": 1, "merged": 1}


def test_what_cannot_be_compared_is_told():
    grids, units = sketch_grids("AB"), sketch_units("AB")
    with pytest.raises(SchemaError, match="old and new are a layer and an assignment: two of a"):
        build_lineage(grids, Series({"A": "G"}), units=units)
    with pytest.raises(SchemaError, match="units are needed to compare two assignments"):
        build_lineage(Series({"A": "G"}), Series({"A": "G"}))
    with pytest.raises(SchemaError, match="new: the assignment names units that are not among"):
        build_lineage(Series({"A": "G"}), Series({"Z": "G"}), units=units)
    with pytest.raises(SchemaError, match="old: the assignment names twice A"):
        build_lineage(Series(["G", "H"], index=["A", "A"]), Series({"A": "G"}), units=units)
    with pytest.raises(SchemaError, match="old: column people is absent"):
        build_lineage(grids.drop(columns="people"), grids)
    with pytest.raises(CRSError, match="new is in EPSG:4326, which is in degrees"):
        build_lineage(grids, grids.to_crs(4326))
    ways = nets.build_crosswalk(grids, grids)
    with pytest.raises(SchemaError, match="crosswalk: it knows nothing of B"):
        build_lineage(grids, grids, crosswalk=ways[ways["source"] == "A"])
    with pytest.raises(SchemaError, match="it has weights that do not add up to 1 for A, B"):
        build_lineage(grids, grids, crosswalk=ways.assign(weight=0.5))


# -- sums -------------------------------------------------------------------------------------


def test_the_sum_counts_grids_and_households_once():
    old, new = sketch_grids("AABBCD"), sketch_grids("AEBBBF")
    sums = measure_lineage(build_lineage(old, new))
    assert sums.drop("share moved").to_dict() == {
        "grids before": 4, "grids after": 4, "kept": 0, "changed": 1, "split": 1, "merged": 1,
        "recoded": 1, "retired": 0, "new codes": 2, "retired codes": 2, "households": 6,
        "households moved": 2, "households recoded": 1}
    assert sums["share moved"] == pytest.approx(1 / 3)


def test_fates_name_each_code_once():
    fates = measure_fates(build_lineage(sketch_grids("AABBCD"), sketch_grids("AEBBBF")))
    assert fates.old.to_dict() == {"A": "split", "B": "changed", "C": "merged", "D": "recoded"}
    assert fates.new.to_dict() == {"A": "changed", "B": "merged", "E": "split", "F": "recoded"}


def test_a_lineage_that_lost_something_does_not_close():
    old, new = sketch_grids("AAB"), sketch_grids("ABB")
    lineage = build_lineage(old, new)
    check_lineage(lineage, old, new)
    with pytest.raises(LedgerError, match="old grids C are unknown") as caught:
        check_lineage(lineage.replace({"old": {"B": "C"}}), old, new)
    assert caught.value.rows == ("B", "C")
    with pytest.raises(LedgerError, match="households of old grids A do not add up"):
        check_lineage(lineage.assign(households=2.0), old.assign(households=[3, 2]), new)


# -- traces -----------------------------------------------------------------------------------


def history():
    """Return four years of a small net: a split, a merger, a move."""
    years = ["AABBCC", "AEBBCC", "AEEBCC", "AEECCC"]
    grids = [sketch_grids(year) for year in years]
    return [build_lineage(old, new, versions=(str(2023 + n), str(2024 + n)))
            for n, (old, new) in enumerate(pairwise(grids))]


def test_a_code_is_traced_back_and_forth():
    told = trace("B", history())
    told = told[["direction", "old_version", "old", "new", "kind", "share"]]
    assert told.values.tolist() == [
        ["back", "2023", "B", "B", "kept", 1.0], ["back", "2024", "B", "B", "changed", 1.0],
        ["forth", "2025", "B", "C", "merged", 1.0]]
    told = trace("B", history(), at="2023")
    assert told["direction"].tolist() == ["forth"] * 5
    assert told[told["old_version"] == "2025"]["share"].tolist() == [0.5, 0.5]


def test_a_trace_goes_through_grids_of_other_codes():
    told = trace("C", history())
    first = told[told["old_version"] == "2023"]
    assert first[["old", "share"]].values.tolist() == [["B", pytest.approx(1 / 3)],
                                                       ["C", pytest.approx(2 / 3)]]
    assert trace("C", history(), least=0.4)["old"].unique().tolist() == ["C"]


def test_lineages_are_put_in_the_order_of_their_versions():
    steps = history()
    shuffled = trace("C", [steps[2], steps[0], steps[1]])
    pd.testing.assert_frame_equal(shuffled, trace("C", steps))
    unnamed = [step.drop(columns=["old_version", "new_version"]) for step in steps]
    assert trace("C", unnamed)["old_version"].tolist() == ["1", "1", "2", "2", "3", "3"]


def test_versions_that_make_no_row_are_told():
    steps = history()
    with pytest.raises(SchemaError, match="make no single row: 2023 to 2024, 2025 to 2026"):
        order_lineages([steps[0], steps[2]])
    with pytest.raises(SchemaError, match="make no single row: 2023 to 2024, no names"):
        order_lineages([steps[0], steps[1].drop(columns="new_version")])
    with pytest.raises(SchemaError, match="lineages: none is given"):
        order_lineages([])


def test_a_code_that_is_nowhere_is_told():
    with pytest.raises(CodeError, match="code Z is in none of the versions 2023, 2024, 2025 and"):
        trace("Z", history())
    with pytest.raises(CodeError, match=r"code E is in no grid of version 2023\. It is in 2024"):
        trace("E", history(), at="2023")
    with pytest.raises(CodeError, match=r"there is no version 1999\. There are 2023, 2024"):
        trace("E", history(), at="1999")


def test_the_register_has_the_life_of_every_code():
    lives = measure_lives(history())
    assert lives.loc["B"].to_dict() == {"first_version": "2023", "last_version": "2025",
                                        "retired": True, "reissued": False}
    again = build_lineage(sketch_grids("AEECCC"), sketch_grids("BEECCC"),
                          versions=("2026", "2027"))
    assert measure_lives([*history(), again])["reissued"].to_dict() == {
        "A": False, "B": True, "C": False, "E": False}


# -- codes of a redrawn net -------------------------------------------------------------------


def test_the_heir_has_most_of_the_old_grid():
    lineage = build_lineage(sketch_grids("AAAABBCC"), sketch_grids("PPPQQRRR"))
    assert find_heirs(lineage).to_dict() == {"P": "A", "Q": "B", "R": "C"}
    assert find_heirs(lineage, least=0.9).to_dict() == {"R": "C"}
    halves = build_lineage(sketch_grids("AA"), sketch_grids("PQ"))
    assert find_heirs(halves).to_dict() == {"P": "A"}


def test_a_net_drawn_anew_gets_its_old_codes_back():
    old = sketch_grids("AABB", "CCDD")
    old.index = pd.Index(issue_codes(old, PLAIN), name="grid")
    new = sketch_grids("PPQQ", "RRSS")
    codes = renew_codes(new, build_lineage(old, new), PLAIN)
    assert codes.tolist() == old.index.tolist()


def test_a_crosswalk_of_versions_carries_what_the_lineage_says():
    old, new = sketch_grids("AAB."), sketch_grids("ACCC")
    ways = build_version_crosswalk(build_lineage(old, new))
    check_frame(ways, CROSSWALK, argument="crosswalk")
    by_area = nets.build_crosswalk(old, new)
    columns = ["source", "target", "weight"]
    pd.testing.assert_frame_equal(ways[columns], by_area[columns], check_exact=False)
    whole = nets.chain_crosswalks(*map(build_version_crosswalk, history()))
    carried = nets.convert(pd.DataFrame({"visits": [6, 6, 6]}, index=list("ABC")), whole)
    assert carried.table["visits"].to_dict() == {"A": 3, "C": 9, "E": 6}


# -- properties -------------------------------------------------------------------------------

LETTERS = st.text("ABCDE.", min_size=12, max_size=12)
ROWS = LETTERS.map(lambda t: [t[n:n + 4] for n in range(0, 12, 4)])


@settings(deadline=None, max_examples=15)
@given(ROWS, ROWS)
def test_every_old_household_is_in_exactly_one_new_grid(before, after):
    before, after = (["A" + rows[0][1:], *rows[1:]] for rows in (before, after))
    old, new = sketch_grids(*before), sketch_grids(*after)
    lineage = build_lineage(old, new)
    check_lineage(lineage, old, new)
    assert lineage["households"].sum() == old["households"].sum()
    assert (lineage["households"] == lineage["households"].round()).all()
    fates, sums = measure_fates(lineage), measure_lineage(lineage)
    assert fates.old.index.tolist() == old.index.tolist()
    assert fates.new.index.tolist() == new.index.tolist()
    parts = ["kept", "changed", "split", "merged", "recoded", "retired"]
    assert sums[parts].sum() == sums["grids before"] == len(old)


@settings(deadline=None, max_examples=4)
@given(st.integers(0, 2**32 - 1))
def test_a_net_redrawn_many_times_keeps_a_clean_register(seed):
    draw = np.random.default_rng(seed)
    assignment = Series("T-0001", index=MESH.index)
    steps, taken = [], {"T-0001"}
    for _ in range(4):
        labels = Series(draw.integers(0, 5, len(MESH)).astype("str"), index=MESH.index)
        grids = MESH.dissolve(labels, aggfunc={"territory": "first", "households": "sum"})
        lineage = build_lineage(assignment, labels, units=MESH)
        codes = renew_codes(grids, lineage, PLAIN, taken=taken)
        assert codes.is_unique
        after = labels.map(codes)
        steps.append(build_lineage(assignment, after, units=MESH))
        assert steps[-1]["households"].sum() == len(MESH)
        taken |= set(codes)
        assignment = after
    lives = measure_lives(steps)
    assert not lives["reissued"].any()
    assert set(lives.index) == taken
