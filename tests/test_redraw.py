"""Redrawing a net in use: little moves, nothing is lost, budgets are kept."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

import gridmap
from gridmap import Budget, SizeRule, repartition
from gridmap.errors import PartitionError, ProfileError
from gridmap.rules import load_code_rule
from gridmap.sketch import sketch_points, sketch_units

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij"
SIZE = SizeRule(minimum=6, target=9, maximum=12)


def town(households=None, wide=6, high=6):
    """Units in a square, one letter each, with households given or one each."""
    rows = [LETTERS[y * wide : (y + 1) * wide] for y in range(high)]
    units = sketch_units(*rows)
    if households is not None:
        units["households"] = np.resize(np.array(households), len(units))
        units["people"] = 2 * units["households"]
    return units


def quarters(units, wide=6):
    """Four grids, one in each corner of the square."""
    at = {letter: divmod(n, wide) for n, letter in enumerate(LETTERS)}
    names = {u: f"T-{1 + at[u][0] // 3 * 2 + at[u][1] // 3:04}" for u in units.index}
    return Series(names, dtype="str").rename_axis("unit")


def sums(units, assignment):
    return units["households"].groupby(assignment.reindex(units.index)).sum()


def pieces(units, assignment):
    return gridmap.measure_partition(units, assignment, SIZE).by_grid["parts"]


households_of_towns = st.lists(st.integers(0, 4), min_size=36, max_size=36).filter(
    lambda some: sum(some) > 0)


def test_where_every_grid_is_in_range_nothing_moves():
    units = town([1, 1, 1, 1, 2, 1])
    redrawn = repartition(quarters(units), units, SIZE)
    assert redrawn.assignment.to_dict() == quarters(units).to_dict()
    assert redrawn.bill.totals[["households_moved", "must_move", "grids_touched"]].sum() == 0
    assert set(redrawn.bill.by_grid["fate"]) == {"kept"}


def test_a_grid_that_doubled_gives_birth_to_a_new_one_with_the_next_code():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    redrawn = repartition(home, units, SIZE, code=load_code_rule("plain"))
    assert sums(units, redrawn.assignment).between(6, 12).all()
    moved = redrawn.assignment[redrawn.assignment != home.reindex(units.index)]
    assert set(moved) == {"T-0005"}
    fates = redrawn.bill.by_grid["fate"]
    assert (fates["T-0001"], fates["T-0005"], fates["T-0002"]) == ("split", "new", "kept")


def test_a_grid_that_emptied_is_dissolved_and_its_code_retired():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0004", "households"] = 0
    units.loc["j", "households"] = 2
    redrawn = repartition(home, units, SIZE)
    assert sums(units, redrawn.assignment).between(6, 12).all()
    assert redrawn.bill.by_grid["fate"]["T-0004"] == "retired"
    assert redrawn.bill.totals["grids_retired"] == 1


def test_retired_codes_are_never_issued_again():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    redrawn = repartition(home, units, SIZE, retired=["T-0005", "T-0006"])
    assert sorted(set(redrawn.assignment)) == ["T-0001", "T-0002", "T-0003", "T-0004", "T-0007"]


def test_locked_grids_keep_all_their_units_and_are_named():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    redrawn = repartition(home, units, SIZE, locked=["T-0001"])
    assert (redrawn.assignment[home == "T-0001"] == "T-0001").all()
    told = redrawn.changes.set_index("id")["what"]
    assert told["T-0001"] == "out of range: locked"


def test_a_lock_that_names_no_grid_is_an_error():
    units = town()
    with pytest.raises(PartitionError, match="locked names X, which no unit is in"):
        repartition(quarters(units), units, SIZE, locked=["X"])


def test_a_budget_below_nothing_is_an_error():
    with pytest.raises(ProfileError, match="must not be below 0"):
        Budget(households=-1)


def test_what_the_budget_does_not_reach_is_named():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    redrawn = repartition(home, units, SIZE, budget=Budget(households=0))
    assert redrawn.bill.totals["households_moved"] == 0
    assert redrawn.changes["what"].tolist() == ["out of range: budget"]


def test_a_new_border_of_territories_leaves_the_code_with_the_larger_part():
    units = town()
    home = quarters(units)
    units["territory"] = np.where(units.geometry.centroid.x < 4, "T", "U")
    units["territory"] = units["territory"].astype("str")
    size = SizeRule(minimum=3, target=9, maximum=15)
    redrawn = repartition(home, units, size)
    crossing = units["territory"].groupby(redrawn.assignment).nunique()
    assert (crossing == 1).all()
    assert (redrawn.assignment[home == "T-0001"] == "T-0001").all()
    cut = redrawn.changes[redrawn.changes["what"] == "cut by a border of territories"]
    assert cut["id"].tolist() == ["T-0002", "T-0004"]


def test_borders_that_break_the_budget_alone_are_an_error():
    units = town()
    home = quarters(units)
    units["territory"] = np.where(units.geometry.centroid.x < 4, "T", "U")
    units["territory"] = units["territory"].astype("str")
    with pytest.raises(PartitionError, match="force 6 households and 4 grids to change already"):
        repartition(home, units, SIZE, budget=Budget(households=1))


def test_merged_towns_let_grids_grow_across_the_old_border():
    units = town([1])
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = [2, 2, 2, 2, 1, 1, 1, 1, 1]
    merged = repartition(home, units, SIZE)
    apart = units.assign(territory=home.reindex(units.index).to_numpy())
    alone = repartition(home, apart, SIZE)
    assert sums(units, merged.assignment).between(6, 12).all()
    assert (merged.assignment.nunique(), alone.assignment.nunique()) == (4, 5)


def test_new_units_join_a_neighbour_and_are_no_move():
    units = town([1])
    home = quarters(units).drop(["A", "F"])
    redrawn = repartition(home, units, SIZE)
    assert redrawn.assignment[["A", "F"]].tolist() == ["T-0001", "T-0002"]
    assert redrawn.bill.totals["households_moved"] == 0
    assert redrawn.changes["what"].tolist() == ["new unit", "new unit"]


def test_more_or_fewer_workers_ask_for_a_number_of_grids():
    units = town([1])
    size = SizeRule(minimum=3, target=9, maximum=20)
    for count in (2, 3, 5, 6):
        redrawn = repartition(quarters(units), units, size, counts={"T": count})
        assert redrawn.assignment.nunique() == count
        assert (pieces(units, redrawn.assignment) == 1).all()


def test_the_bill_counts_boards_cards_and_workers_of_touched_grids():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    boards = sketch_points((0.5, 5.5), (5.5, 5.5), kind="notice board")
    boards = boards.assign(radius_m=200.0)
    boards.index.name = "asset"
    workers = pd.DataFrame(
        {"territory": ["T", "T"], "grid": ["T-0001", "T-0003"]},
        index=pd.Index(["w1", "w2"], dtype="str", name="worker")).astype("str")
    bill = repartition(home, units, SIZE, assets=boards, workers=workers).bill
    assert bill.totals["notice_boards"] == 1
    assert bill.totals["workers_affected"] == 1
    assert bill.totals["contact_cards"] == bill.totals["households_moved"]


def test_grids_that_are_not_touched_keep_their_geometry():
    units = town()
    home = quarters(units)
    first = repartition(home, units, SIZE)
    units.loc[home == "T-0001", "households"] = 2
    again = repartition(first.grids, units, SIZE)
    kept = again.bill.by_grid.index[again.bill.by_grid["fate"] == "kept"]
    assert again.grids.loc[kept].geometry.to_wkb().tolist() == (
        first.grids.loc[kept].geometry.to_wkb().tolist())


@settings(max_examples=6, deadline=None)
@given(households_of_towns, st.integers(0, 3))
def test_nobody_is_lost_and_every_grid_hangs_together(households, seed):
    units = town(households)
    redrawn = repartition(quarters(units), units, SIZE, seed=seed)
    assert redrawn.assignment.index.equals(units.index)
    assert redrawn.grids["households"].sum() == units["households"].sum()
    assert redrawn.bill.moves["units"].sum() == len(units)
    assert (pieces(units, redrawn.assignment) == 1).all()
    assert redrawn.bill.totals["households_moved"] >= 0


@settings(max_examples=6, deadline=None)
@given(households_of_towns)
def test_where_all_is_in_range_no_less_than_the_proven_bound_has_moved(households):
    units = town(households)
    redrawn = repartition(quarters(units), units, SIZE)
    held = sums(units, redrawn.assignment)
    if held.between(6, 12).all():
        totals = redrawn.bill.totals
        assert totals["households_moved"] >= totals["must_move"] - 1e-6


@settings(max_examples=6, deadline=None)
@given(households_of_towns, st.integers(0, 12), st.integers(0, 5))
def test_a_budget_is_never_exceeded(households, most, grids):
    units = town(households)
    home = quarters(units)
    redrawn = repartition(home, units, SIZE, budget=Budget(households=most, grids=grids))
    assert redrawn.bill.totals["households_moved"] <= most
    assert redrawn.bill.totals["grids_touched"] <= grids


@settings(max_examples=4, deadline=None)
@given(households_of_towns, st.sets(st.sampled_from(["T-0001", "T-0002", "T-0003", "T-0004"])))
def test_locked_grids_are_untouched(households, locked):
    units = town(households)
    home = quarters(units).reindex(units.index)
    redrawn = repartition(home, units, SIZE, locked=sorted(locked))
    fixed = home.isin(locked)
    assert (redrawn.assignment[fixed] == home[fixed]).all()
    assert not redrawn.assignment[~fixed].isin(locked).any()


@settings(max_examples=4, deadline=None)
@given(households_of_towns, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(households, random):
    units = town(households)
    order = list(units.index)
    random.shuffle(order)
    one = repartition(quarters(units), units, SIZE)
    other = repartition(quarters(units).loc[order[::-1]], units.loc[order], SIZE)
    assert one.assignment.equals(other.assignment)
    assert one.grids.geometry.to_wkb().tolist() == other.grids.geometry.to_wkb().tolist()


@settings(max_examples=4, deadline=None)
@given(st.lists(st.floats(0.9, 1.1), min_size=36, max_size=36))
def test_drift_alone_moves_nothing(factors):
    units = town([100])
    size = SizeRule(minimum=600, target=900, maximum=1200)
    units["households"] = np.round(units["households"] * factors).astype("int64")
    redrawn = repartition(quarters(units), units, size)
    assert redrawn.bill.totals["households_moved"] == 0


ALONE = """
import sys
if {blocked}:
    sys.modules["numba"] = None
sys.path.insert(0, {folder!r})
from test_redraw import SIZE, quarters, repartition, town
units = town()
home = quarters(units)
units.loc[home == "T-0001", "households"] = 2
print(*repartition(home, units, SIZE).assignment)
"""


def test_without_numba_the_outcome_is_the_same():
    folder = str(Path(__file__).parent)
    told = [
        subprocess.run([sys.executable, "-c", ALONE.format(blocked=blocked, folder=folder)],
                       capture_output=True, text=True, check=True).stdout
        for blocked in (True, False)
    ]
    assert told[0] == told[1] and "T-0005" in told[0]


def test_the_text_of_a_bill_says_what_moves_and_what_must():
    units = town()
    home = quarters(units)
    units.loc[home == "T-0001", "households"] = 2
    text = gridmap.describe_bill(repartition(home, units, SIZE).bill)
    assert "must move" in text and "1 split" in text and "1 new" in text


def test_the_command_redraws_the_workspace_and_writes_the_bill(tmp_path, capsys):
    from gridmap.cli import main
    from gridmap.sketch import save_sketch

    save_sketch(tmp_path, "AABB", "CCDD")
    assert main(["run", str(tmp_path), "--quiet"]) == 0
    assert main(["redraw", str(tmp_path), "--households", "3"]) == 0
    assert "households moved" in capsys.readouterr().out
    folder = tmp_path / "out-redrawn"
    bill = pd.read_csv(folder / "bill.csv", index_col="figure")["value"]
    assert bill["households_moved"] <= 3
    assert {"redraw.html", "bill.html", "grids.gpkg"} <= {file.name for file in folder.iterdir()}
