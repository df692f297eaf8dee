"""Grids drawn again in the territories whose units changed, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series
from pyarrow import Table

from .. import ledger, zoning
from ..tiling import areas
from . import arrow, between, changed, memory
from .changed import Flags, Rows, Shapes
from .meeting import widen
from .totals import MASSES

#: Above this share of all units the whole is drawn at once.
MOST = 0.4

#: Units no farther apart than this touch, and no farther from what changed is it felt.
TOUCH_M, FELT_M = 0.1, 1.0

#: Notes that look at all territories together; where there is one, the whole is drawn.
_OF_ALL = ("code rule not applicable", "code rule too short", "search cut short")
_OF_COUNTS = "number of grids not reached"


def sort_changes(changes: DataFrame) -> DataFrame:
    """Put rows of a drawing in order of what and which, whatever order they were drawn in.

    Examples
    --------
    >>> two = ledger.join_changes(ledger.note_changes(["B"], step="partition", what="b"),
    ...                           ledger.note_changes(["A"], step="partition", what="a"))
    >>> sort_changes(two)["id"].tolist()
    ['A', 'B']
    """
    return ledger.join_changes(changes.sort_values(["what", "id", "note"], kind="stable"))


class Units(NamedTuple):
    """The units of a run as a table, and the territory that each stays in, by its code."""

    table: Table
    home: NDArray[np.object_]


class Asked(NamedTuple):
    """What a drawing goes by, beside where units lie."""

    columns: Sequence[str]  # of units
    places: Shapes  # barriers that are not as they were
    draw: Callable[[Flags, Collection[str]], zoning.Partition]  # some units; some for their place


class Felt(NamedTuple):
    """Where it is felt that units are not as they were."""

    stale: set[str]  # territories to draw
    beside: set[str]  # those that touch them
    counted: Flags  # units elsewhere in which others live, and nothing else is new


class Drawn(NamedTuple):
    """What was drawn again, as tables among all that stands."""

    grids: Table
    assignment: Table
    changes: DataFrame


def draw_again(
    old: Units, new: Units, rows: Rows, before: Any, asked: Asked
) -> tuple[Drawn, str] | None:
    """Draw the grids of territories that a change touches; take over all others.

    Where only numbers changed that no drawing goes by, they are added up.

    Parameters
    ----------
    old, new : Units
        Of the run before and of this one.
    rows : Rows
        What became of them.
    before : Outputs
        What the step gave then.
    asked : Asked

    Returns
    -------
    drawn : Drawn
        As for the whole.
    told : str
        How many territories were drawn.
    """
    if before["changes"]["what"].isin([*_OF_ALL, _OF_COUNTS]).any():
        return None
    felt = _find_felt(old, new, rows, asked)
    some = between.find_among(new.home, felt.stale | felt.beside)
    if some.mean() > MOST:
        return None
    kept = _keep(before, old, new, felt)
    if kept is None:
        return None
    if some.any():
        part = asked.draw(some, felt.beside)
        if part.changes["what"].isin(_OF_ALL).any():
            return None
        kept = _put(kept, part, felt.stale, new, before.table("grids"))
    if kept is None:
        return None
    grids = _add_up(kept, new, felt.counted)
    told = f"{len(felt.stale):,} of {len(set(new.home)):,} territories"
    return kept._replace(grids=grids), told


def _find_felt(old: Units, new: Units, rows: Rows, asked: Asked) -> Felt:
    """Find out where what changed is felt.

    What is told of a grid names the territory beside it, so that a change of shapes is felt
    in the territories that touch it as well; one of numbers is not.
    """
    now = np.flatnonzero(~rows.same)
    there = now[rows.was[now] >= 0]
    was = rows.was[there]
    stays = old.home[was] == new.home[there]
    one, two = arrow.take(old.table, was), arrow.take(new.table, there)
    each = np.arange(len(there))
    placed = changed.compare_values(one, two, each, ["territory"]) & stays
    alike = changed.compare_values(one, two, each, asked.columns) & (_lived(one) == _lived(two))
    moved = (rows.was < 0) | (old.home[rows.was] != new.home)
    moved[there[~placed]] = True
    gone = np.setdiff1d(rows.gone, was[placed])
    touched = _find_touched(old, new, np.flatnonzero(moved), gone, asked.places)
    touched |= set(old.home[rows.was[moved & (rows.was >= 0)]]) & set(new.home)
    valued = set(new.home[there[placed & ~alike]])
    stale = _beside(new, touched) | valued
    counted = np.zeros(len(new.home), dtype=bool)
    counted[there[placed & alike]] = True
    return Felt(stale, _beside(new, stale) - stale,
                counted & ~between.find_among(new.home, stale))


def _lived(table: Table) -> Flags:
    """Say in which units somebody lives."""
    lived: Flags = np.add(*(np.nan_to_num(table[mass].to_numpy()) for mass in MASSES)) > 0
    return lived


def _find_touched(
    old: Units, new: Units, moved: NDArray[np.intp], gone: NDArray[np.intp], places: Shapes
) -> set[str]:
    """Return the territories with units that moved, or that lie where something did."""
    ground = np.concatenate([
        places, *(arrow.join_shapes(arrow.take(table, some)) for table, some in
                  ((old.table, gone), (new.table, moved)))])
    return set(new.home[moved]) | set(new.home[_find_near(new.table, ground, FELT_M)])


def _beside(units: Units, homes: set[str]) -> set[str]:
    """Return some territories and those that touch them."""
    rows = np.flatnonzero(between.find_among(units.home, homes))
    shapes = arrow.join_shapes(arrow.take(units.table, rows))
    return homes | set(units.home[_find_near(units.table, shapes, TOUCH_M)])


def _find_near(table: Table, ground: Shapes, reach_m: float) -> NDArray[np.intp]:
    """Return the rows within reach of some ground."""
    if not len(ground):
        return np.empty(0, dtype=np.intp)
    rows = arrow.find_rows(table, widen(shapely.bounds(ground), reach_m))
    shapes = arrow.join_shapes(arrow.take(table, rows))
    return rows[changed.find_near(shapes, ground, reach_m=reach_m)]


def _keep(before: Any, old: Units, new: Units, felt: Felt) -> Drawn | None:
    """Return what stands of a drawing; None where a note belongs to no territory."""
    grids, assignment = before.table("grids"), before.table("assignment")
    same = old.table is new.table or set(old.home) == set(new.home)
    if not felt.stale and same:
        return Drawn(grids, assignment, before["changes"])
    homes = set(new.home) - felt.stale
    codes, of = (between.texts_of(grids[name]) for name in ("grid", "territory"))
    stands = between.find_among(of, homes)
    changes = _pick(before["changes"], [(_codes(old), old.home), (codes, of)], homes)
    if changes is None:
        return None
    mine = ~between.find_among(between.texts_of(assignment["grid"]), codes[~stands])
    return Drawn(grids.filter(pa.array(stands)), assignment.filter(pa.array(mine)), changes)


def _put(
    kept: Drawn, part: zoning.Partition, stale: set[str], units: Units, before: Table
) -> Drawn | None:
    """Put what was drawn between what stands of the grids that were there before."""
    mine = part.grids[part.grids["territory"].isin(stale)]
    told = part.changes[part.changes["what"] != _OF_COUNTS]
    changes = _pick(told, [(_codes(units), units.home),
                           (part.grids.index, part.grids["territory"].to_numpy())], stale)
    if changes is None:
        return None
    assigned = part.assignment[part.assignment.isin(mine.index)].to_frame()
    grids = between.put_between(kept.grids, np.ones(len(kept.grids), bool), mine, by="grid")
    return Drawn(
        _measure(grids, mine.index, before),
        between.put_between(kept.assignment, np.ones(len(kept.assignment), bool), assigned,
                            by="unit"),
        sort_changes(ledger.join_changes(kept.changes, changes)))


def _measure(grids: Table, fresh: Index, before: Table) -> Table:
    """Measure grids that are new, or all where the layer does not lie as it did.

    The last digits of an area depend on the bounds of the whole layer.
    """
    bounds = _find_box(grids)
    rows = np.arange(len(grids))
    if bounds == _find_box(before):
        rows = np.flatnonzero(between.find_among(between.texts_of(grids["grid"]), fresh))
    area = grids["area_m2"].to_numpy().copy()
    some = arrow.to_frame(arrow.take(grids, rows))
    area[rows] = areas.measure_some(some, bounds).to_numpy()
    return between.put_numbers(grids, "area_m2", area)


def _find_box(table: Table) -> memory.Box:
    return memory.find_box(*(table[name] for name in arrow.SHAPE[:4]))


def _codes(units: Units) -> NDArray[np.object_]:
    return between.texts_of(units.table["unit"])


def _pick(
    changes: DataFrame, homes: Sequence[tuple[Any, Any]], wanted: set[str]
) -> DataFrame | None:
    """Return the rows of some territories; None where a row belongs to none."""
    of = np.full(len(changes), None, dtype=object)
    for codes, home in reversed(homes):
        at = Index(codes, dtype=object).get_indexer(Index(changes["id"], dtype=object))
        of[at >= 0] = np.asarray(home, dtype=object)[at[at >= 0]]
    return None if (of == None).any() else changes[between.find_among(of, wanted)]  # noqa: E711


def _add_up(kept: Drawn, units: Units, counted: Flags) -> Table:
    """Count the grids anew that hold some units."""
    if not counted.any():
        return kept.grids
    codes = _codes(units)
    unit, grid = (between.texts_of(kept.assignment[name]) for name in ("unit", "grid"))
    mine = grid[between.find_among(unit, codes[counted])]
    rows = np.flatnonzero(between.find_among(grid, mine))
    places = Index(codes, dtype=object).get_indexer(Index(unit[rows], dtype=object))
    held = arrow.to_plain(arrow.take(units.table, places))
    grids = kept.grids
    at = Index(between.texts_of(grids["grid"]), dtype=object)
    for mass in MASSES:
        sums: Series = held[mass].groupby(grid[rows]).sum()
        numbers = grids[mass].to_numpy().copy()
        numbers[at.get_indexer(sums.index)] = sums.to_numpy()
        grids = between.put_numbers(grids, mass, numbers)
    return grids
