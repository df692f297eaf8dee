"""Events, hot spots, workload and indicators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap import (
    carry_indicators,
    compare_totals,
    find_hot_spots,
    measure_gini,
    measure_indicators,
    measure_matters,
    measure_ratios,
    measure_workload,
    sketch_grids,
)
from gridmap.errors import SchemaError


def events(**columns):
    opened = pd.to_datetime(["2026-02-27", "2026-03-01", "2026-03-02", "2026-03-30"])
    closed = pd.to_datetime(["2026-03-01", "2026-03-11", None, "2026-03-31"])
    frame = {"opened": opened, "closed": closed, "level": ["grid", "town", None, "grid"],
             "matter": ["noise", "noise", "noise", "parking"], **columns}
    index = pd.Index([f"e{n}" for n in range(4)], name="event")
    return pd.DataFrame(frame, index=index).astype({"level": "str", "matter": "str"})


def test_matters_tell_who_closed_and_how_fast():
    told = measure_matters(events())
    assert told.loc["noise", ["opened", "closed", "closed_in_grid", "handed_on"]].tolist() == [
        3, 2, 1, 1]
    assert told.loc["noise", "closed_in_grid_share"] == 0.5
    assert told.loc["noise", "median_days"] == 6 and told.loc["parking", "p90_days"] == 1


def test_overdue_counts_late_and_open_ones_and_knows_what_it_does_not_know():
    late = measure_matters(events(), limits_days={"noise": 5})
    assert late["overdue"].fillna(-1).to_dict() == {"noise": 1, "parking": -1}
    until = pd.Timestamp("2026-04-01")
    assert measure_matters(events(), limits_days=5, until=until).loc["noise", "overdue"] == 2


def test_any_column_and_period_sums_up():
    monthly = measure_matters(events(grid=["A", "A", None, "B"]), by=("grid", "month"))
    assert monthly["opened"].to_dict() == {("A", "2026-02"): 1, ("A", "2026-03"): 1,
                                           ("B", "2026-03"): 1}
    weekly = measure_matters(events(), by=("week",))
    assert weekly["opened"].tolist() == [2, 1, 1]
    with pytest.raises(SchemaError, match="events: column town is absent"):
        measure_matters(events(), by=("town",))


def test_hot_spots_are_where_neighbours_are_high_as_well():
    rows = ["".join(chr(0x4E00 + 9 * r + c) for c in range(9)) for r in range(9)]
    grids = sketch_grids(*rows)
    counts = pd.Series(1.0, index=grids.index)
    for r in (0, 1, 2):
        for c in (0, 1, 2):
            counts[rows[r][c]] = 50.0
    told = find_hot_spots(counts, grids)
    assert told.loc[rows[1][1], "spot"] == "hot"
    assert (told["spot"] == "hot").sum() < 12
    assert told.loc[rows[8][8], "spot"] == "neither"


def test_rates_have_no_spot_without_a_base():
    grids = sketch_grids("ABCD")
    told = find_hot_spots(pd.Series({"A": 3, "B": 1, "C": 2, "D": 9}), grids,
                          base=pd.Series({"A": 10, "B": 0, "C": 10, "D": 10}))
    assert told["spot"].isna().tolist() == [False, True, False, False]
    with pytest.raises(SchemaError, match="counts: X are no grids"):
        find_hot_spots(pd.Series({"X": 1}), grids)


def test_hot_spots_agree_with_esda():
    esda = pytest.importorskip("esda", reason="esda is not installed")
    import libpysal
    grids = sketch_grids("ABCD", "EEFG", "HIJK")
    counts = pd.Series(np.random.default_rng(1).gamma(2, 5, len(grids)), index=grids.index)
    weights = libpysal.weights.fill_diagonal(
        libpysal.weights.Queen.from_dataframe(grids, use_index=True), 1.0)
    peer = esda.G_Local(counts.to_numpy(), weights, transform="B", star=None, permutations=0)
    assert find_hot_spots(counts, grids)["z"].to_numpy() == pytest.approx(peer.Zs)


def figures(**columns):
    index = pd.Index(["A", "B", "C", "D"], name="grid")
    return pd.DataFrame({"territory": ["T", "T", "U", "U"], **columns}, index=index)


def staff(*posts):
    grid, role, territory = zip(*posts, strict=True)
    return pd.DataFrame({"grid": grid, "role": role, "territory": territory})


def test_load_is_the_weighted_sum_and_unknown_stays_unknown():
    told = measure_workload(figures(households=[300, 100, 0, 0], visits=[1, 1, 2, np.nan]),
                            {"households": 1, "visits": 50})
    assert told.by_grid["load"].fillna(-1).tolist() == [350, 150, 100, -1]
    assert told.by_grid["load_index"].round(2).fillna(-1).tolist() == [1.75, 0.75, 0.5, -1]
    assert told.totals["worst_tenth_share"] == pytest.approx(350 / 600)


def test_vacant_posts_and_spans_of_leads():
    workers = staff(("A", "lead", "T"), ("A", "full-time", "T"), ("B", "full-time", "T"),
                    ("C", "part-time", "U"), (None, "full-time", "U"))
    told = measure_workload(figures(households=[4, 4, 4, 4]), {"households": 1}, workers=workers,
                            team={"lead": 1, "full-time": 1})
    assert told.by_grid["workers"].tolist() == [2, 1, 1, 0]
    assert told.by_grid["load_each"].fillna(-1).tolist() == [2, 4, 4, -1]
    assert told.by_grid["vacant"].tolist() == [0, 1, 2, 2]
    assert told.by_grid["team_complete"].tolist() == [True, False, False, False]
    assert told.totals[["workers", "grids_without_worker", "vacant", "team_complete_share",
                        "span_of_lead"]].tolist() == [5, 1, 5, 0.25, 2]


def test_wrong_weights_and_posts_are_named():
    with pytest.raises(SchemaError, match="by_grid: column visits is absent"):
        measure_workload(figures(), {"visits": 1})
    with pytest.raises(SchemaError, match="weights of households are below 0"):
        measure_workload(figures(households=1), {"households": -1})
    with pytest.raises(SchemaError, match="workers: column grid is absent"):
        measure_workload(figures(households=1), {"households": 1}, workers=pd.DataFrame())


@given(st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=30))
def test_gini_is_the_mean_difference_of_all_pairs(values):
    series = pd.Series(values)
    gini = measure_gini(series)
    if not series.sum():
        assert np.isnan(gini)
        return
    pairs = np.abs(np.subtract.outer(values, values)).mean()
    assert gini == pytest.approx(pairs / (2 * series.mean()), abs=1e-9)


def indicators(**rows):
    told = [(code, period, "visits", value) for key, value in rows.items()
            for code, period in [key.split("_")]]
    return pd.DataFrame(told, columns=["code", "period", "indicator", "value"])


def test_lights_ranks_and_changes():
    told = measure_indicators(
        indicators(A_1=100.0, B_1=95.0, C_1=np.nan, A_2=80.0, B_2=99.0, C_2=99.0),
        {"visits": 100})
    assert told["light"].fillna("").tolist() == ["green", "yellow", "", "red", "yellow", "yellow"]
    assert told["rank"].fillna(0).tolist() == [1, 2, 0, 3, 1, 1]
    assert told["change"].fillna(0).tolist() == [0, 0, 0, -20, 4, 0]


def test_lower_can_be_better_and_signed_off_is_green():
    values = indicators(A_1=5.0, B_1=12.0, A_2=0.0, B_2=30.0)
    signed = pd.DataFrame({"code": ["B"], "indicator": ["visits"], "period": ["2"]})
    told = measure_indicators(values, {"visits": 11}, lower_is_better=("visits",),
                              signed_off=signed)
    assert told["light"].tolist() == ["green", "yellow", "green", "green"]
    assert told["rank"].tolist() == [1, 2, 1, 2]
    assert told["signed_off"].tolist() == [False, False, False, True]


def test_indicators_without_target_have_no_light():
    assert measure_indicators(indicators(A_1=5.0), {})["light"].isna().all()
    with pytest.raises(SchemaError, match="values: 1 rows repeat a code, period and indicator"):
        measure_indicators(pd.concat([indicators(A_1=1.0)] * 2), {})
    with pytest.raises(SchemaError, match="warning is 0: above 0"):
        measure_indicators(indicators(A_1=1.0), {}, warning=0)


def test_counts_are_carried_over_and_none_is_lost():
    crosswalk = pd.DataFrame({
        "source": ["A", "A", "B", "B"], "target": ["P", "Q", "Q", None],
        "weight": [0.25, 0.75, 0.5, 0.5], "basis": "households"})
    carried = carry_indicators(indicators(A_1=8.0, B_1=4.0), crosswalk)
    assert carried["code"].fillna("").tolist() == ["P", "Q", ""]
    assert carried["value"].tolist() == [2, 8, 2]
    unknown = carry_indicators(indicators(A_1=8.0, B_1=np.nan), crosswalk)
    assert unknown["value"].isna().tolist() == [False, True, True]
    with pytest.raises(SchemaError, match="crosswalk: it knows nothing of C"):
        carry_indicators(indicators(C_1=1.0), crosswalk)


def test_ratios_tell_value_gap_and_what_is_unknown():
    by_grid = figures(cards=[80, 30, 0, np.nan], households=[100, 20, 0, 50])
    measured = measure_ratios(by_grid, {"each": ("cards", "households")}, targets={"each": 1.0})
    assert measured.totals.loc["each"].to_dict() == pytest.approx(
        {"value": 110 / 120, "target": 1, "share": 110 / 120, "gap": 20, "grids_short": 1})
    assert measured.by_grid["each"].isna().tolist() == [False, False, True, True]
    assert measured.by_grid["gap_each"].fillna(-1).tolist() == [20, 0, -1, -1]
    monthly = measure_ratios(by_grid, {"each": ("cards", "households")}, periods=2)
    assert monthly.by_grid["each"].iloc[0] == 0.4
    assert np.isnan(monthly.totals.loc["each", "gap"])


def test_wrong_ratios_are_named():
    by_grid = figures(cards=80)
    with pytest.raises(SchemaError, match="by_grid: column households is absent"):
        measure_ratios(by_grid, {"each": ("cards", "households")})
    with pytest.raises(SchemaError, match="targets: both are none of the ratios"):
        measure_ratios(by_grid, {"each": ("cards", "cards")}, targets={"both": 1})
    with pytest.raises(SchemaError, match="periods is 0: 1 or more is needed"):
        measure_ratios(by_grid, {"each": ("cards", "cards")}, periods=0)


def test_a_redraw_is_seen_in_the_totals_of_the_work():
    before, after = (
        measure_workload(figures(households=homes), {"households": 1}).totals
        for homes in ([300, 100, 0, 0], [210, 190, 0, 0]))
    told = compare_totals(before, after)
    assert told.loc["gini", "change"] < 0 and told.loc["load_mean", "change"] == 0


def test_a_table_of_matters_gives_departments_and_limits():
    times = pd.to_datetime(["2026-03-01", "2026-03-03"])
    told = pd.DataFrame({"matter": ["noise", "lamp"], "opened": times[[0, 0]],
                         "closed": times[[1, 1]], "level": ["grid", "town"]})
    matters = pd.DataFrame({"department": ["police", "streets"], "limit_days": [1, 5]},
                           index=pd.Index(["noise", "lamp"], name="matter"))
    sums = measure_matters(told, by=["department"], matters=matters)
    assert sums["overdue"].to_dict() == {"police": 1, "streets": 0}
    assert sums["handed_on"].to_dict() == {"police": 0, "streets": 1}
    with pytest.raises(SchemaError, match="matters: it knows nothing of lamp"):
        measure_matters(told, matters=matters.iloc[:1])
