"""Redrawing nets of few, large units: what can be mended is, and what cannot is said so."""

from pathlib import Path

import numpy as np
import pytest
from pandas import Series

import gridmap
from gridmap import Budget, SizeRule, repartition
from gridmap.sketch import sketch_units

LETTERS = "ABCDEFGHI"
NO_WAY = "out of range: whole units do not fit"
SAMPLE = Path(__file__).parent.parent / "data" / "sample" / "gridmap.toml"


def square(households):
    """Nine units in a square, one letter each."""
    return sketch_units("ABC", "DEF", "GHI").assign(households=households, people=1)


def two_grids(upper=6):
    return Series({letter: "G" if n < upper else "H" for n, letter in enumerate(LETTERS)})


def sums(units, assignment):
    return units["households"].groupby(assignment.reindex(units.index)).sum()


def hangs_together(some):
    """Say whether units of the square hang together, by a walk of our own."""
    seen, ahead = set(), [min(some)]
    while ahead:
        unit = ahead.pop()
        seen.add(unit)
        row, column = divmod(unit, 3)
        near = [(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)]
        ahead += [3 * r + c for r, c in near
                  if 0 <= r < 3 and 0 <= c < 3 and 3 * r + c in some and 3 * r + c not in seen]
    return len(seen) == len(some)


def can_be_divided(households, size):
    """Say whether the square can be divided into grids in range, by trying all divisions."""
    fits = []
    for number in range(1, 512):
        some = {unit for unit in range(9) if number >> unit & 1}
        held = sum(households[unit] for unit in some)
        if size.minimum <= held <= size.maximum and hangs_together(some):
            fits.append(number)
    reached = {0}
    for unit in range(9):  # the first unit not yet in a grid gets one
        reached |= {done | one for done in reached for one in fits
                    if not done & one and (one >> unit & 1) and not done >> unit & 1
                    and done & ((1 << unit) - 1) == (1 << unit) - 1}
    return 511 in reached


def test_where_only_one_division_is_in_range_it_is_found():
    units, size = square([6, 7, 2, 3, 5, 5, 4, 4, 2]), SizeRule(minimum=19, target=19, maximum=20)
    redrawn = repartition(two_grids(5), units, size)
    parts = redrawn.assignment.groupby(redrawn.assignment).groups.values()
    assert sorted("".join(part) for part in parts) == ["ADGHI", "BCEF"]
    assert redrawn.changes.empty


def test_that_whole_units_do_not_fit_is_said_only_where_no_division_is_in_range():
    size = SizeRule(minimum=19, target=20, maximum=21)
    random = np.random.default_rng(5)
    told = 0
    for _ in range(8):
        households = random.integers(2, 9, 9)
        units = square(households * 40 // households.sum())
        redrawn = repartition(two_grids(), units, size)
        reached = sums(units, redrawn.assignment).between(19, 21).all()
        assert can_be_divided(units["households"].tolist(), size) == reached
        told += NO_WAY in set(redrawn.changes["what"])
    assert told < 8


def test_where_whole_units_do_not_fit_the_reason_says_so():
    units = square([9, 0, 0, 9, 0, 0, 9, 0, 0])
    size = SizeRule(minimum=12, target=13, maximum=14)
    redrawn = repartition(two_grids(), units, size)
    assert set(redrawn.changes["what"]) == {NO_WAY}
    assert redrawn.changes["note"].str.contains("divide a unit, widen the range").all()


def test_an_exchange_stays_within_budget_and_leaves_locked_grids_alone():
    units, size = square([6, 7, 2, 3, 5, 5, 4, 4, 2]), SizeRule(minimum=19, target=19, maximum=20)
    cheap = repartition(two_grids(5), units, size, budget=Budget(households=3))
    assert cheap.bill.totals["households_moved"] <= 3
    locked = repartition(two_grids(5), units, size, locked=["H"])
    assert (locked.assignment[list("FGHI")] == "H").all()


@pytest.fixture(scope="module")
def city():
    config = gridmap.load_config(SAMPLE)
    joined = gridmap.join_totals(
        gridmap.mend_inputs(gridmap.load_inputs(config), config), config)
    counted = gridmap.make_units(joined, config)
    return config, counted.units, gridmap.draw_base_grids(counted, config).assignment


@pytest.mark.parametrize(("factor", "most"), [(1.25, 2), (1.4, 1)])
def test_after_a_town_grew_only_what_cannot_be_mended_stays_out_of_range(city, factor, most):
    config, units, before = city
    grown = units["territory"].str.startswith("379901001")
    units = units.copy()
    for column in ("households", "people"):
        units.loc[grown, column] = (units.loc[grown, column] * factor).round()
    redrawn = repartition(before, units, config.profile.size, code=config.profile.code,
                          dedicated=config.profile.dedicated, seed=1)
    told = redrawn.changes["what"].value_counts()
    assert "out of range: not found" not in told
    assert told.get(NO_WAY, 0) <= most
    assert redrawn.bill.totals["households_moved"] > 0
