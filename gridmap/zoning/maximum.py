"""The last word on the maximum: no grid of several units may stay above it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import graph as graphs
from . import sizes
from .graph import UnitGraph
from .plan import Plan


def keep_maximum(plan: Plan, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide grids above a maximum until none is, and join what is too small where it fits.

    The search weighs small and large alike. But a grid that is too small is a matter of
    taste, one that is too large more than a worker can do: where whole units allow no grid
    in range, small ones are made. Parts whose number of grids was asked for stay as they
    are.

    Parameters
    ----------
    plan : Plan
    label : array of int
        The grid of each unit, -1 outside all parts.

    Returns
    -------
    array of int
        Numbered without gaps; -1 as before.
    """
    inside = np.flatnonzero(label >= 0)
    if not len(inside):
        return label
    label, bounds = label.copy(), _bounds(plan)
    members = _members(label, inside)
    first = np.array([some[0] for some in members])
    sums = sizes.sum_loads(plan.given.sizes.load[inside], label[inside], len(members))
    over = _above(sums, bounds.high[first]) & (np.bincount(label[inside]) > 1)
    fixed = np.array([number.fixed for number in plan.counts])[plan.parts.part[first]]
    for grid in np.flatnonzero(over & ~fixed):  # few: what the search could not bring in range
        some = members[grid]
        pieces = _divide(plan, some, bounds.high[some[0]])
        label[some] = np.where(pieces > 0, len(members) - 1 + pieces, grid)
        members[grid] = some[pieces == 0]
        members += [some[pieces == piece] for piece in range(1, pieces.max() + 1)]
        _join_small(plan, label, members, np.unique(label[some]), bounds)
    label[inside] = np.unique(label[inside], return_inverse=True)[1]
    return label


class _Bounds(NamedTuple):
    """The least and the most that the grid of each unit may hold."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def _above(sums: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray((sums > high * (1 + sizes.SLACK)).any(axis=-1))


def _members(label: NDArray[np.int64], inside: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the units of each grid, in order."""
    order = inside[np.argsort(label[inside], kind="stable")]
    return np.split(order, np.cumsum(np.bincount(label[inside]))[:-1])


def _bounds(plan: Plan) -> _Bounds:
    given = plan.given.sizes
    return _Bounds(np.stack([one.low for one in given.ranges])[given.row],
                   np.stack([one.high for one in given.ranges])[given.row])


def _divide(
    plan: Plan, some: NDArray[np.int64], high: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Divide connected units into as few contiguous pieces as keep the maximum."""
    from .kernels import repair, split  # numba is slow to load

    load = plan.given.sizes.load[some]
    graph = graphs.take_units(plan.parts.graph, some)
    full = np.where(np.isfinite(high), load / high, 0.0)
    weight = full.max(axis=1) + 1e-6
    fewest = max(2, int(np.ceil(full.sum(axis=0).max() * (1 - sizes.SLACK))))
    for count in range(min(fewest, len(some)), len(some)):
        pieces = split.halve(graph.place, weight, count)
        repair.join_pieces(graph.start, graph.neighbour, graph.length, weight, pieces, count)
        if not _above(sizes.sum_loads(load, pieces, count), high).any():
            return np.asarray(pieces, np.int64)
    return np.arange(len(some))


def _join_small(
    plan: Plan,
    label: NDArray[np.int64],
    members: list[NDArray[np.int64]],
    pieces: NDArray[np.int64],
    bounds: _Bounds,
) -> None:
    """Give each piece below a minimum to a neighbour that has room for it, in place.

    The smallest piece goes first, to the neighbour with the longest border, the first of
    equals.
    """
    graph, load = plan.parts.graph, plan.given.sizes.load
    mass = [load[members[piece], 0].sum() for piece in pieces]
    for piece in pieces[np.argsort(mass, kind="stable")]:
        mine = members[piece]
        held, low, high = load[mine].sum(axis=0), bounds.low[mine[0]], bounds.high[mine[0]]
        if not (held < low * (1 - sizes.SLACK)).any():
            continue
        for other in _beside(graph, label, mine):
            if not _above(held + load[members[other]].sum(axis=0), high):
                label[mine] = other
                members[other] = np.sort(np.append(members[other], mine))
                members[piece] = mine[:0]
                break


def _beside(
    graph: UnitGraph, label: NDArray[np.int64], mine: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the other grids that border some units, the longest border first."""
    arcs = np.concatenate([np.arange(graph.start[u], graph.start[u + 1]) for u in mine])
    beside = label[graph.neighbour[arcs]]
    apart = (beside >= 0) & (beside != label[mine[0]])
    grids, at = np.unique(beside[apart], return_inverse=True)
    border = np.bincount(at, graph.length[arcs][apart], minlength=len(grids))
    return np.asarray(grids[np.argsort(-border, kind="stable")])
