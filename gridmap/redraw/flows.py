"""Who gives how much to whom: the cheapest flow between neighbouring grids."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, hstack, identity, vstack

#: What a household out of range costs, in households moved across a border: no chain of
#: grids is longer, so that a grid is left out of range only where nothing else is possible.
MISS = 200.0

#: Grids this many steps from one that is out of range may take part in a flow.
REACH = 8

#: From so many grids on the interior-point method was faster than the simplex.
MANY = 1500


class Flow(NamedTuple):
    """Amounts that cross borders: from ``give`` to ``take``, the number of a grid each."""

    give: NDArray[np.int64]
    take: NDArray[np.int64]
    amount: NDArray[np.float64]


def find_borders(
    start: NDArray[np.int64], neighbour: NDArray[np.int64], label: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the pairs of grids that share a border, both ways, sorted.

    Examples
    --------
    >>> find_borders(np.array([0, 1, 2]), np.array([1, 0]), np.array([3, 5])).tolist()
    [[3, 5], [5, 3]]
    """
    source = np.repeat(label, np.diff(start))
    target = label[neighbour]
    apart = source != target
    keys = np.unique(source[apart] * np.int64(1 << 32) + target[apart])
    return np.stack([keys >> 32, keys & ((1 << 32) - 1)], axis=1)


def find_flow(
    borders: NDArray[np.int64],
    load: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    frozen: NDArray[np.bool_],
) -> Flow:
    """Return the cheapest flow that brings grids into range, as far as it goes.

    Parameters
    ----------
    borders : array
        Pairs of grids that share a border, both ways.
    load, low, high : arrays
        What each grid holds, and what it may hold.
    frozen : array of bool
        Grids that neither give nor take.

    Examples
    --------
    >>> borders = np.array([[0, 1], [1, 0]])
    >>> flow = find_flow(borders, np.array([9.0, 1.0]), np.array([2.0, 2.0]),
    ...                  np.array([6.0, 6.0]), np.zeros(2, bool))
    >>> flow.give.tolist(), flow.take.tolist(), flow.amount.tolist()
    ([0], [1], [3.0])
    """
    near = _near(borders, ((load > high) | (load < low)) & ~frozen, frozen)
    number = np.cumsum(near) - 1
    some = borders[near[borders].all(axis=1)]
    if not len(some):
        none = np.zeros(0, np.int64)
        return Flow(none, none, np.zeros(0))
    amount = _solve(number[some], load[near], low[near], high[near])
    real = amount > 1e-6
    order = np.lexsort((some[real, 1], some[real, 0], -amount[real]))
    return Flow(some[real, 0][order], some[real, 1][order], amount[real][order])


def _near(
    borders: NDArray[np.int64], wanted: NDArray[np.bool_], frozen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    near = wanted.copy()
    for _ in range(REACH):
        near[borders[near[borders[:, 0]], 1]] = True
        near &= ~frozen
    return near


def _solve(
    borders: NDArray[np.int64],
    load: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the amount across each border; what cannot be met is missed, at a price."""
    grids, flows = len(load), np.arange(len(borders))
    ones = np.ones(len(borders))
    gain = coo_array(
        (np.concatenate([-ones, ones]),
         (np.concatenate([borders[:, 0], borders[:, 1]]), np.concatenate([flows, flows]))),
        shape=(grids, len(borders)),
    ).tocsr()
    miss, none = identity(grids, format="csr"), coo_array((grids, grids)).tocsr()
    solved = linprog(
        np.concatenate([ones, np.full(2 * grids, MISS)]),
        A_ub=vstack([hstack([gain, -miss, none]), hstack([-gain, none, -miss])]).tocsr(),
        b_ub=np.concatenate([high - load, load - low]),
        bounds=(0, None),
        method="highs-ds" if grids < MANY else "highs-ipm",
    )
    return np.asarray(solved.x[: len(borders)], np.float64)
