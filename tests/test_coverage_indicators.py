"""Indicators over time: lights, ranks, changes, gaps that are no zeros, and carrying over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import DataFrame

from gridmap import (
    carry_indicators,
    load_table,
    measure_indicators,
    stack_indicators,
    sum_periods,
)
from gridmap.coverage.periods import find_previous
from gridmap.errors import SchemaError
from gridmap.nets import chain_crosswalks
from gridmap.redraw import build_lineage, build_version_crosswalk
from gridmap.sketch import sketch_grids


def series(*rows, **more):
    """Return rows of code, period and value of visits."""
    frame = DataFrame(rows, columns=["code", "period", "value"]).assign(indicator="visits", **more)
    return frame.astype({"value": "float64"})


def ways(*rows):
    """Return a crosswalk."""
    frame = DataFrame(rows, columns=["source", "target", "weight"]).assign(basis="households")
    return frame.astype({"target": "str"}).rename_axis("number")


# -- judging ----------------------------------------------------------------------------------


def test_no_data_not_applicable_and_zero_are_three_things():
    values = series(("A", "2026-01", 0), ("B", "2026-01", np.nan), ("C", "2026-01", 5),
                    applies=[True, True, False])
    told = measure_indicators(values, {"visits": 10}, codes=["A", "B", "C", "D"])
    assert told["state"].tolist() == ["known", "no data", "not applicable", "no data"]
    assert told["value"].fillna(-1).tolist() == [0, -1, -1, -1]
    assert told["light"].fillna("none").tolist() == ["red", "none", "none", "none"]
    assert told["rank"].fillna(0).tolist() == [1, 0, 0, 0]


def test_a_code_that_did_not_report_has_no_data():
    values = series(("A", "2026-01", 1), ("A", "2026-02", 1), ("B", "2026-02", 1))
    told = measure_indicators(values, {}, codes=["A", "B"])
    assert told[["period", "code", "state"]].values.tolist() == [
        ["2026-01", "A", "known"], ["2026-01", "B", "no data"], ["2026-02", "A", "known"],
        ["2026-02", "B", "known"]]


def test_change_is_from_the_period_just_before_and_from_no_other():
    values = series(("A", "2025-12", 4), ("A", "2026-01", 6), ("A", "2026-03", 9))
    told = measure_indicators(values, {})
    assert told["change"].fillna(0).tolist() == [0, 2, 0]
    assert told["change_share"].fillna(0).tolist() == [0, 0.5, 0]


@pytest.mark.parametrize(("period", "before"), [
    ("2026-01", "2025-12"), ("2026-10", "2026-09"), ("2026Q1", "2025Q4"), ("2026-Q3", "2026-Q2"),
    ("2026", "2025"), ("2026-13", np.nan)])
def test_the_period_before_is_that_of_the_calendar(period, before):
    assert find_previous(pd.Series([period])).fillna("").tolist() == [
        "" if before is np.nan else before]


def test_targets_may_differ_by_code_and_period():
    values = series(("A", "2026Q1", 8), ("A", "2026Q2", 8), ("B", "2026Q1", 8))
    targets = DataFrame({"indicator": "visits", "code": ["A", "A", "B"],
                         "period": ["2026Q1", "2026Q2", "2026Q1"], "target": [8, 10, 8.5]})
    told = measure_indicators(values, targets, warning=0.9)
    assert told["light"].tolist() == ["green", "yellow", "red"]
    assert measure_indicators(values, targets.iloc[:1])["light"].notna().tolist() == [
        True, False, False]
    with pytest.raises(SchemaError, match="targets: visits has several for the same indicator, p"):
        measure_indicators(values, pd.concat([targets, targets]))
    with pytest.raises(SchemaError, match="targets: column target is absent"):
        measure_indicators(values, targets.drop(columns="target"))


def test_a_target_of_zero_is_reached_by_zero():
    values = series(("A", "2026", 0), ("B", "2026", 3))
    assert measure_indicators(values, {"visits": 0})["light"].tolist() == ["green", "green"]
    told = measure_indicators(values, {"visits": 0}, lower_is_better=("visits",))
    assert told["light"].tolist() == ["green", "red"]


def test_what_was_signed_off_stays_green_even_without_data():
    values = series(("A", "2026-01", 1), ("A", "2026-02", 1), ("A", "2026-03", np.nan))
    signed = DataFrame({"code": ["A"], "indicator": "visits", "period": "2026-02"})
    told = measure_indicators(values, {"visits": 10}, signed_off=signed)
    assert told["light"].tolist() == ["red", "green", "green"]
    assert told["signed_off"].tolist() == [False, True, True]
    assert told["state"].tolist() == ["known", "known", "no data"]


def test_a_wide_table_is_stacked():
    table = DataFrame({"town": ["T1", "T2"], "period": ["2026-01", "2026-01"],
                       "visits": [3, np.nan], "events": [1, 0], "note": ["x", "y"]})
    rows = stack_indicators(table, code="town")
    assert rows[["code", "indicator", "value"]].fillna(-1).values.tolist() == [
        ["T1", "visits", 3], ["T2", "visits", -1], ["T1", "events", 1], ["T2", "events", 0]]
    assert stack_indicators(table, code="town", indicators=["events"])["value"].tolist() == [1, 0]
    with pytest.raises(SchemaError, match="table: column code, calls is absent"):
        stack_indicators(table, indicators=["calls"])


def test_a_table_with_periods_is_read_whole_and_judged(tmp_path):
    file = tmp_path / "monthly.csv"
    file.write_text("community,month,visits\n379,2026-01,4\n379,2026-02,\n380,2026-01,0\n"
                    "380,2026-02,9\n380,2026-02,7\n380,,5\n")
    loaded = load_table(file, key="community", period="month", columns={"visits": "visits"})
    assert loaded.rejects[["what", "id"]].values.tolist() == [
        ["code repeated", "380"], ["period missing", "380"]]
    told = measure_indicators(stack_indicators(loaded.frame.reset_index()), {"visits": 5})
    assert told[["period", "code", "state", "light"]].fillna("-").values.tolist() == [
        ["2026-01", "379", "known", "red"], ["2026-01", "380", "known", "red"],
        ["2026-02", "379", "no data", "-"], ["2026-02", "380", "known", "green"]]
    years = tmp_path / "yearly.csv"
    years.write_text("town,year,visits\n01,2025,4\n01,2026,5\n")
    loaded = load_table(years, key="town", period="year", columns={"visits": "visits"})
    assert loaded.frame["period"].tolist() == ["2025", "2026"]


# -- quarters ---------------------------------------------------------------------------------


def test_months_make_quarters_and_years_unless_one_is_missing():
    months = series(*(("A", f"2026-{m:02d}", m) for m in range(1, 12)))
    quarters = sum_periods(months, "quarter")
    assert quarters["period"].tolist() == ["2026Q1", "2026Q2", "2026Q3", "2026Q4"]
    assert quarters["value"].fillna(-1).tolist() == [6, 15, 24, -1]
    last = sum_periods(months, "quarter", ways={"visits": "last"})
    assert last["value"].fillna(-1).tolist() == [3, 6, 9, -1]
    whole = series(*(("A", f"2026-{m:02d}", m) for m in range(1, 13)))
    assert sum_periods(whole, "year", ways={"visits": "mean"}).values.tolist() == [
        ["A", "2026", "visits", 6.5]]


def test_what_cannot_be_put_together_is_told():
    months = series(("A", "2026-01", 1))
    with pytest.raises(SchemaError, match=r"into: week is not known\. Expected are quarter, y"):
        sum_periods(months, "week")
    with pytest.raises(SchemaError, match=r"ways: most is not known\. Expected are sum, last"):
        sum_periods(months, "year", ways={"visits": "most"})
    with pytest.raises(SchemaError, match=r"values: 2026Q1 are no months\. Write them as 2026"):
        sum_periods(series(("A", "2026Q1", 1)), "year")


# -- carrying over ----------------------------------------------------------------------------


def test_a_series_is_carried_through_several_changes_of_the_grids():
    first = ways(("A", "A", 0.5), ("A", "B", 0.5), ("C", "C", 1))
    then = ways(("A", "A", 1), ("B", "C", 1), ("C", "C", 1))
    values = series(("A", "2024", 8), ("C", "2024", 2), ("A", "2025", 5), ("B", "2025", 6),
                    ("C", "2025", 1), ("A", "2026", 4), ("C", "2026", 9))
    today = carry_indicators(values, [first, then], since=["2025", "2026"])
    assert today[["code", "period", "value"]].values.tolist() == [
        ["A", "2024", 4], ["A", "2025", 5], ["A", "2026", 4],
        ["C", "2024", 6], ["C", "2025", 7], ["C", "2026", 9]]
    old = values[values["period"] == "2024"]
    chained = carry_indicators(old, chain_crosswalks(first, then))
    pd.testing.assert_frame_equal(chained, carry_indicators(old, [first, then]))


def test_no_data_in_a_part_is_no_data_in_the_whole():
    merged = ways(("A", "P", 1), ("B", "P", 1))
    for values in (series(("A", "2026", 3)), series(("A", "2026", 3), ("B", "2026", np.nan))):
        assert carry_indicators(values, merged)["value"].isna().tolist() == [True]
    values = series(("A", "2026", 3), ("B", "2026", 7), applies=[True, False])
    assert carry_indicators(values, merged)[["value", "applies"]].values.tolist() == [[3, True]]
    nowhere = carry_indicators(values.assign(applies=False), merged)
    assert nowhere["value"].isna().all() and not nowhere["applies"].any()


def test_a_rate_is_averaged_by_what_it_is_of():
    merged = ways(("A", "P", 1), ("B", "P", 0.5), ("B", "Q", 0.5), ("C", "Q", 1))
    rows = [("A", "events", 10), ("B", "events", 20), ("C", "events", 0), ("A", "closed", 0.9),
            ("B", "closed", 0.6), ("C", "closed", np.nan)]
    values = DataFrame(rows, columns=["code", "indicator", "value"]).assign(period="2026")
    carried = carry_indicators(values, merged, rates={"closed": "events"})
    assert carried.set_index(["code", "indicator"])["value"].to_dict() == {
        ("P", "closed"): pytest.approx(0.75), ("P", "events"): 20,
        ("Q", "closed"): pytest.approx(0.6), ("Q", "events"): 10}
    with pytest.raises(SchemaError, match=r"rates: values has no indicator events\. A rate"):
        carry_indicators(values[values["indicator"] == "closed"], merged,
                         rates={"closed": "events"})


def test_what_is_lost_at_several_steps_is_one_row():
    first, then = ways(("A", "A", 0.5), ("A", None, 0.5)), ways(("A", None, 1))
    carried = carry_indicators(series(("A", "2026", 8)), [first, then])
    assert carried["code"].isna().tolist() == [True]
    assert carried["value"].tolist() == [8]


def test_what_does_not_fit_is_told():
    one = ways(("A", "A", 1))
    with pytest.raises(SchemaError, match="since has 2 periods for 1 crosswalks: one for each is"):
        carry_indicators(series(("A", "2026", 8)), one, since=["2025", "2026"])
    with pytest.raises(SchemaError, match=r"crosswalk: none is given\. One for each change of"):
        carry_indicators(series(("A", "2026", 8)), [])
    with pytest.raises(SchemaError, match="values: 1 rows repeat a code, period and indicator: A"):
        carry_indicators(series(("A", "2026", 8), ("A", "2026", 9)), one)


YEARS = st.text("ABCD", min_size=8, max_size=8)


@settings(deadline=None, max_examples=15)
@given(st.lists(YEARS, min_size=2, max_size=4))
def test_the_sum_of_a_count_is_the_same_in_old_grids_and_in_new_ones(years):
    nets = [sketch_grids(year) for year in years]
    steps = [build_version_crosswalk(build_lineage(old, new))
             for old, new in pairwise(nets)]
    codes = nets[0].index
    values = DataFrame({"code": codes, "period": "2026-01", "indicator": "visits",
                        "value": np.arange(1.0, len(codes) + 1)})
    carried = carry_indicators(values, steps)
    assert carried["value"].sum() == pytest.approx(values["value"].sum())
    assert set(carried["code"]) == set(nets[-1].index)
