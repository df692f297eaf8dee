"""From a net in use to a better one: move little, keep the codes, and write the bill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import ledger
from ..errors import PartitionError
from ..rules import CodeRule, SizeRule
from ..zoning import measure, sizes
from ..zoning.measure import Measures
from . import bill, frames, ground
from .bill import Bill
from .budget import Budget
from .ground import STEP, Ground

#: Why a grid stays out of range, and the way out.
SOLVES = {
    "locked": "the grid was locked: unlock it, or divide it by hand",
    "territory too small": (
        "all of its piece of the territory holds less than the minimum: join it with a "
        "neighbour, or lower the minimum"
    ),
    "total fits no whole number of grids": (
        "no number of grids brings the mean of this piece of the territory into range: widen "
        "the range, or move the border of the territory"
    ),
    "unit larger than the maximum": (
        "one unit alone holds more than a grid may: divide it into smaller units"
    ),
    "whole units do not fit": (
        "however the units of this piece of the territory are put together, a grid stays out of "
        "range: divide a unit, widen the range, or move the border of the territory"
    ),
    "budget": "bringing it into range would break the budget: raise it, or leave the grid",
    "not found": "the search found no way: try another seed, or move units by hand",
}


class Repartition(NamedTuple):
    """Grids redrawn, and what that costs."""

    grids: GeoDataFrame  # schema GRIDS
    assignment: Series  # unit -> grid, every unit once
    changes: DataFrame  # schema CHANGES: what could not be reached, and why
    bill: Bill


def repartition(
    grids: GeoDataFrame | Series,
    units: GeoDataFrame,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str = "territory",
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
    budget: Budget | None = None,
    locked: Collection[str] = (),
    counts: Mapping[str, int] | None = None,
    dedicated: Collection[str] = (),
    links: DataFrame | None = None,
    code: CodeRule | None = None,
    retired: Iterable[str] = (),
    workers: DataFrame | None = None,
    assets: GeoDataFrame | None = None,
    seed: int = 0,
    snap_m: float = 0.05,
) -> Repartition:
    """Bring a net of grids back into range, moving as few households as possible.

    Give it today's units: with today's counts, in the territories they belong to today.
    New grids open where growth is local, emptied ones are dissolved, and between
    neighbours whole units move along the cheapest flow. Where every grid is in range
    nothing moves at all. Grids keep their codes.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS, or Series
        The net in use, in the CRS of units; or the grid of each unit, by its code.
    units : GeoDataFrame, schema UNITS
        In a CRS in metres. A unit without a grid joins a neighbour; the order of rows does
        not matter.
    size : SizeRule or mapping of str to SizeRule
        The range that grids should keep.
    within : str, default "territory"
        Column of units with the territory that no grid may cross. A grid that lies in
        several now keeps its code in the one with most of its households.
    size_by, workload : optional
        As in `partition`.
    budget : Budget, optional
        Households moved and grids touched at most: never exceeded. Grids that stay out of
        range for it are named in ``changes``.
    locked : collection of str, default ()
        Codes of grids that neither give nor take a unit.
    counts : mapping of str to int, optional
        Number of grids of some territories, as of workers there, by the territory's code.
    dedicated : collection of str, default ()
        Kinds of units whose grid stays as it is; so do grids of kind "dedicated".
    links : DataFrame, optional
        Pairs of units that count as neighbours, as in `partition`.
    code : CodeRule, optional
        How codes of new grids are laid out; as in `partition` by default.
    retired : iterable of str, default ()
        Codes of former grids: never issued again, like those of today.
    workers : DataFrame, schema WORKERS, optional
        Posts with their grid, for the bill.
    assets : GeoDataFrame, schema ASSETS, optional
        Notice boards among them are counted for the bill.
    seed : int, default 0
        Another seed gives another drawing; the same gives the same.
    snap_m : float, default 0.05
        How far apart two outlines may run and still be one border, in metres.

    Returns
    -------
    Repartition
        ``grids`` sorted by code, those not touched with the geometry they had;
        ``assignment`` sorted by unit; ``changes`` with a row for each grid that stays out
        of range and why; ``bill``.

    Raises
    ------
    SchemaError, CRSError
        If a frame does not follow its schema, or frames are not in one CRS in metres.
    PartitionError
        If an argument names what is not there, or borders alone break the budget.
    CodeError
        If a territory has more grids than the code rule has numbers.

    See Also
    --------
    partition : Draw grids from nothing.
    start_draft : Change single grids by hand.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("ABCD").assign(households=[4, 2, 1, 2])
    >>> now = Series({"A": "G", "B": "G", "C": "H", "D": "H"})
    >>> redrawn = repartition(now, units, SizeRule(minimum=4, target=4, maximum=5))
    >>> redrawn.assignment.to_dict()
    {'A': 'G', 'B': 'H', 'C': 'H', 'D': 'H'}
    >>> int(redrawn.bill.totals["households_moved"]), int(redrawn.bill.totals["must_move"])
    (2, 1)
    """
    from . import afford, tasks  # numba is slow to load

    if isinstance(grids, GeoDataFrame):
        grids = grids.sort_index()
    land = ground.take_ground(
        grids, units, size, within=within, size_by=size_by, workload=workload, locked=locked,
        dedicated=dedicated, declared=links, snap_m=snap_m)
    if not len(land.units):
        raise PartitionError("units are empty: there is nothing to redraw")
    wanted = dict(counts or {})
    bounds = tasks.find_bounds(land, wanted)
    drawn = afford.redraw(
        land, bounds, budget=budget or Budget(), wanted=wanted, seed=seed)
    known = grids if isinstance(grids, GeoDataFrame) else None
    redrawn, after = name_grids(land, drawn.label, known, code, retired)
    measured = (measure_net(land, name_units(land, land.label)), measure_net(land, after))
    changes = ledger.join_changes(
        land.changes,
        _explain(land, drawn.label, after, measured[1], bounds.fault, drawn.left,
                 lambda grid: tasks.is_hopeless(land, bounds, drawn.label, wanted, grid)),
        _missed(redrawn, wanted),
    )
    return Repartition(redrawn.sort_index(), after, changes, bill.make_bill(
        land.units, old_assignment(land), after,
        measured=(measured[0].by_grid, measured[1].by_grid),
        totals=(measured[0].totals, measured[1].totals), must_move=tasks.must_move(land, bounds),
        workers=workers, assets=assets))


def name_grids(
    land: Ground, label: NDArray[np.int64], known: GeoDataFrame | None, code: CodeRule | None,
    retired: Iterable[str],
) -> tuple[GeoDataFrame, Series]:
    """Return grids with their codes, and the grid of each unit."""
    grids, numbers = frames.build_grids(land, label, known)
    codes = frames.issue(land, grids, numbers, code, retired)
    grids.index = Index(codes, dtype="str", name="grid")
    at = np.searchsorted(numbers, label)
    return grids, Series(codes[at], index=land.units.index, name="grid", dtype="str")


def old_assignment(land: Ground) -> Series:
    """Return the grid of each unit so far, missing where it had none."""
    names = np.array([*land.codes, None], dtype=object)
    return Series(names[land.old], index=land.units.index, name="grid", dtype="str")


def name_units(land: Ground, label: NDArray[np.int64]) -> Series:
    """Return the grid of each unit, those without a code by their number."""
    begun = [f"new {number}" for number in range(len(land.codes), int(label.max()) + 1)]
    names = np.array([*land.codes, *begun], dtype=object)
    return Series(names[label], index=land.units.index, name="grid", dtype="str")


def measure_net(land: Ground, assignment: Series) -> Measures:
    """Measure an assignment on the graph that is known."""
    return measure.measure_drawn(
        land.units, land.whole, assignment, land.sizes, land.within, _kinds(land))


def _kinds(land: Ground) -> list[str]:
    if "kind" not in land.units:
        return []
    own = land.dedicated[land.label]
    kinds = land.units["kind"]
    return sorted(set(kinds[own]) - set(kinds[~own]))


def _explain(
    land: Ground, label: NDArray[np.int64], after: Series, measured: Measures,
    fault: NDArray[np.object_], left: NDArray[np.bool_], hopeless: Callable[[int], bool],
) -> DataFrame:
    """Name every grid that stays out of range, and why."""
    state = measured.by_grid["size_state"]
    odd = sorted(state.index[state.isin(["small", "large"])])
    number = Series(label, index=after.to_numpy()).groupby(level=0).first()
    large = _largest_units(land, after)
    rows = []
    for grid in odd:
        at = number[grid]
        known = at < land.size
        if known and land.dedicated[at]:
            continue
        if known and land.fixed[at]:
            why = "locked"
        elif large.get(grid, False) and state[grid] == "large":
            why = "unit larger than the maximum"
        elif known and fault[at]:
            why = {"small": "territory too small"}.get(
                fault[at], "total fits no whole number of grids")
        elif known and left[at]:
            why = "budget"
        else:
            why = "whole units do not fit" if hopeless(int(at)) else "not found"
        rows.append((grid, why))
    held = measured.by_grid["households"]
    told = []
    for why, note in SOLVES.items():
        mine = [grid for grid, reason in rows if reason == why]
        if not mine:
            continue
        told.append(ledger.note_changes(
            mine, step=STEP, what=f"out of range: {why}",
            after=[f"{held[grid]:,.6g} households" for grid in mine], note=note))
    return ledger.join_changes(*told)


def _largest_units(land: Ground, after: Series) -> dict[str, bool]:
    """Say of each grid whether one of its units alone is larger than a grid may be."""
    high = np.stack([one.high for one in land.sizes.ranges])[land.sizes.row]
    large = (land.sizes.load > high * (1 + sizes.SLACK)).any(axis=1)
    found = Series(large, index=after.to_numpy()).groupby(level=0).any()
    return {str(grid): bool(value) for grid, value in found.items()}


def _missed(grids: GeoDataFrame, wanted: Mapping[str, int]) -> DataFrame:
    """Name every territory that did not get the number of grids asked for."""
    free = grids[grids["kind"] != "dedicated"]
    made = free["territory"].value_counts()
    missed = [name for name in sorted(wanted) if made.get(name, 0) != wanted[name]]
    if not missed:
        return ledger.join_changes()
    return ledger.note_changes(
        missed, step=STEP, what="number of grids not reached",
        before=[str(wanted[name]) for name in missed],
        after=[str(made.get(name, 0)) for name in missed],
        note="locked grids, the budget or the size of units stand against it",
    )
