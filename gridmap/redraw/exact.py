"""The few units around a grid out of range, divided anew as well as can be: exactly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp
from scipy.sparse import coo_array, csr_array

from .kernels.state import Land

#: A place is so many units at most: what is beyond is left to the search.
MOST = 40

#: New grids in a place, at most.
NEW = 3

#: Nodes of the search tree, a count and no time, so that every machine finds the same.
NODES = 500

#: What a new grid costs beside the moves, so that none is opened for nothing.
OPENED = 1e-3

#: Sums may miss their bounds by this share of a maximum; far below one household.
ROUNDING = 1e-7

#: What the solver says where there is no solution.
IMPOSSIBLE = 2


class Place(NamedTuple):
    """Some units, and the grids that may hold them, each by its row here.

    ``home`` is the grid that a unit stays in for nothing, -1 if it lies elsewhere; grids
    from ``known`` on are not there yet. ``odd`` ones may stay out of range, at a price.
    ``kept`` says that the number of grids has to stay.
    """

    land: Land
    home: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    odd: NDArray[np.bool_]
    known: int
    kept: bool


class Division(NamedTuple):
    """The grid of each unit, how many stay out of range, and whether no division has fewer."""

    label: NDArray[np.int64]
    odd: int
    proven: bool


class _Columns(NamedTuple):
    """Where the unknowns begin: unit in grid, root, supply, flow, grid is there, grid is odd."""

    inside: int
    root: int
    supply: int
    flow: int
    there: int
    odd: int
    end: int


def divide(place: Place) -> Division | None:
    """Divide units so that few grids are out of range, and then little moves.

    Every grid hangs together: from one of its units, its root, a flow reaches the others.
    Returns nothing where no division was found within the nodes allowed.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> place = Place(row_of_units([4, 2, 1, 2]), np.array([0, 0, 1, 1]), np.full((2, 1), 4.0),
    ...               np.full((2, 1), 5.0), np.array([True, True]), 2, False)
    >>> found = divide(place)
    >>> found.label.tolist(), found.odd, found.proven
    ([0, 1, 1, 1], 0, True)
    """
    at, solved = _solve(place)
    if solved.x is None:
        return None
    inside = solved.x[: at.root].reshape(len(place.home), len(place.low))
    label = np.argmax(inside, axis=1).astype(np.int64)
    odd = int(np.round(solved.x[at.odd : at.end]).sum())
    return Division(label, odd, solved.status == 0)


def is_impossible(place: Place) -> bool:
    """Say whether it is proven that no division keeps all grids that are not odd in range.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> place = Place(row_of_units([4, 4]), np.zeros(2, int), np.full((1, 1), 4.0),
    ...               np.full((1, 1), 6.0), np.array([False]), 1, False)
    >>> is_impossible(place)
    True
    """
    return bool(_solve(place)[1].status == IMPOSSIBLE)


def _solve(place: Place) -> tuple[_Columns, OptimizeResult]:
    units, grids = len(place.home), len(place.low)
    arcs = len(place.land.neighbour)
    sizes = [units * grids] * 3 + [arcs * grids, grids, grids]
    at = _Columns(*np.concatenate([[0], np.cumsum(sizes)]).tolist())
    upper = np.ones(at.end)
    upper[at.supply : at.there] = units
    upper[at.odd : at.end] = place.odd
    lower = np.zeros(at.end)
    lower[at.there : at.there + place.known] = float(place.kept)
    whole = np.ones(at.end)
    whole[at.supply : at.there] = 0
    return at, milp(
        _prices(place, at), integrality=whole, bounds=Bounds(lower, upper),
        constraints=[*_hang_together(place, at), *_keep_range(place, at)],
        options={"node_limit": NODES, "mip_rel_gap": 1e-6})


def _prices(place: Place, at: _Columns) -> NDArray[np.float64]:
    price = np.zeros(at.end)
    grids = len(place.low)
    stays = np.flatnonzero(place.home >= 0)
    price[at.inside + stays * grids + place.home[stays]] = -place.land.cost[stays]
    price[at.there + place.known : at.odd] = OPENED
    price[at.odd : at.end] = 1.0 + place.land.cost.sum()
    return price


def _rows(
    at: _Columns, entries: list[tuple[NDArray[np.int64], NDArray[np.int64], float | NDArray]],
    count: int,
) -> csr_array:
    """Build rows of coefficients from lists of row, column and value."""
    row = np.concatenate([one.ravel() for one, _, _ in entries])
    column = np.concatenate([np.broadcast_to(two, one.shape).ravel() for one, two, _ in entries])
    value = np.concatenate([np.broadcast_to(three, one.shape).ravel()
                            for one, _, three in entries])
    return coo_array((value, (row, column)), shape=(count, at.end)).tocsr()


def _hang_together(place: Place, at: _Columns) -> list[LinearConstraint]:
    """Every unit is in one grid, and each grid has one root that feeds all of it.

    The root is the first unit of the grid, the heaviest units being the first: of all ways to
    say the same only one is left.
    """
    land = place.land
    units, grids = len(place.home), len(place.low)
    cell = np.arange(units * grids).reshape(units, grids)
    unit = np.repeat(np.arange(units)[:, None], grids, axis=1)
    grid = np.broadcast_to(np.arange(grids), (units, grids))
    source = np.repeat(np.arange(units), np.diff(land.start))
    arc = np.arange(len(source) * grids).reshape(len(source), grids)
    leaves, enters = cell[source], cell[land.neighbour]
    order = np.lexsort((np.arange(units), -land.load[:, 0]))
    rank = np.empty(units, np.int64)
    rank[order] = np.arange(units)
    first, second = np.nonzero(rank[:, None] < rank[None, :])  # first comes before second
    once = _rows(at, [(unit, at.inside + cell, 1.0)], units)
    fed = _rows(at, [
        (cell, at.supply + cell, 1.0), (cell, at.inside + cell, -1.0),
        (leaves, at.flow + arc, -1.0), (enters, at.flow + arc, 1.0)], units * grids)
    rooted = _rows(at, [
        (cell, at.supply + cell, 1.0), (cell, at.root + cell, -float(units))], units * grids)
    inner = _rows(at, [(cell, at.root + cell, 1.0), (cell, at.inside + cell, -1.0)],
                  units * grids)
    one = _rows(at, [(grid, at.root + cell, 1.0),
                     (np.arange(grids), at.there + np.arange(grids), -1.0)], grids)
    ways = [_rows(at, [(arc, at.flow + arc, 1.0), (arc, at.inside + end, -(units - 1.0))],
                  arc.size) for end in (leaves, enters)]
    lowest = _rows(at, [
        (cell[second], at.inside + cell[first], 1.0),
        (cell, at.root + cell, np.broadcast_to(rank[:, None], cell.shape).astype(float))],
        units * grids)
    nothing = [LinearConstraint(some, ub=0.0) for some in (rooted, inner, *ways)]
    return [LinearConstraint(once, 1.0, 1.0), LinearConstraint(fed, 0.0, 0.0),
            LinearConstraint(one, 0.0, 0.0), *nothing,
            LinearConstraint(lowest, ub=np.repeat(rank, grids).astype(float))]


def _keep_range(place: Place, at: _Columns) -> list[LinearConstraint]:
    """A grid that is there holds what it may, or is odd; new ones are opened in order."""
    land, grids = place.land, np.arange(len(place.low))
    units = np.arange(len(place.home))
    cell = units[:, None] * len(grids) + grids
    row = np.broadcast_to(grids, cell.shape)
    kept = []
    for measure in range(land.load.shape[1]):
        load = np.broadcast_to(land.load[:, measure][:, None], cell.shape)
        total = float(land.load[:, measure].sum())
        low = place.low[:, measure]
        high = np.minimum(place.high[:, measure], total)
        slack = ROUNDING * np.maximum(high, 1.0)
        held = (row, at.inside + cell, load)
        above = _rows(at, [held, (grids, at.there + grids, -high),
                           (grids, at.odd + grids, -(total - high))], len(grids))
        below = _rows(at, [held, (grids, at.there + grids, -low), (grids, at.odd + grids, low)],
                      len(grids))
        kept += [LinearConstraint(above, ub=slack), LinearConstraint(below, lb=-slack)]
    new = np.arange(place.known, len(grids) - 1)
    if len(new):
        turn = np.arange(len(new))
        kept.append(LinearConstraint(_rows(at, [
            (turn, at.there + new, 1.0), (turn, at.there + new + 1, -1.0)], len(new)), lb=0.0))
    return kept
