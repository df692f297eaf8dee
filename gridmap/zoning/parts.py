"""What is drawn apart: units with a grid of their own, islands, and pockets between them."""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from . import graph as graphs
from .graph import UnitGraph


class Parts(NamedTuple):
    """The units in pieces that are drawn one by one.

    ``part`` is the piece of each unit, -1 for a unit with a grid of its own; ``host`` is
    the unit whose grid such a unit belongs to (itself, or the one that a pocket joined).
    ``bridges`` are pairs of units that were linked although they do not touch.
    """

    graph: UnitGraph
    part: NDArray[np.int64]
    host: NDArray[np.int64]
    bridges: NDArray[np.int64]


def find_drawing_parts(
    graph: UnitGraph,
    shapes: NDArray[np.object_],
    *,
    territory: NDArray[np.int64],
    mass: NDArray[np.float64],
    minimum: NDArray[np.float64],
    empty: NDArray[np.bool_],
    large: NDArray[np.bool_],
    own: NDArray[np.bool_],
    locked: NDArray[np.int64],
) -> Parts:
    """Divide units into pieces that are drawn on their own.

    Arcs across territories are dropped. Units that are ``large``, have their ``own`` grid
    or are ``locked`` are taken out. What is left of a territory may lie in pieces, and a
    piece may be too small for a grid. Then, in this order:

    1. One that touches a large unit joins its grid if it has less than half of the minimum,
       and is a grid of its own if it has more.
    2. One in which nobody lives that touches a unit with its own grid joins that.
    3. Any other is linked by a bridge to the nearest piece of the same territory, the
       smallest piece first, until each is large enough or the only one left.

    A piece that touches several such units joins the one with the longest border.

    Parameters
    ----------
    graph : UnitGraph
    shapes : array of polygons
        In the order of the graph.
    territory : array of int
        Territory of each unit, as a number.
    mass, minimum : arrays
        What sizes a grid, per unit, and the least that a grid there may have.
    empty : array of bool
        Units in which nobody lives.
    large, own : arrays of bool
        Units larger than a grid may be; units that get a grid of their own by rule.
    locked : array of int
        Number of the grid that a unit must stay in, -1 where it is free.

    Returns
    -------
    Parts
        With pieces numbered by territory, then by their first unit.
    """
    inside = graphs.keep_arcs(graph, territory[graph.source] == territory[graph.neighbour])
    alone = large | own | (locked >= 0)
    free = graphs.keep_arcs(inside, ~alone[inside.source] & ~alone[inside.neighbour])
    piece = graphs.find_parts(free)[1]
    host = np.where(alone, np.arange(graph.size), -1)
    _gather_locked(host, locked)
    total = np.bincount(piece, mass).astype(np.float64)
    least = np.zeros(len(total))
    least[piece] = minimum
    short = np.where(np.bincount(piece, alone) > 0, 0.0, np.maximum(least - total, 0.0))
    stands = _join_pockets(inside, piece, host, short, total, large, own, empty)
    short[stands] = 0.0
    bridges = _bridge(shapes, piece, host, territory, total, np.where(short > 0, least, 0.0))
    linked = graphs.add_bridges(free, bridges[:, 0], bridges[:, 1])
    return Parts(linked, _numbered(linked, host, territory), host, bridges)


def _gather_locked(host: NDArray[np.int64], locked: NDArray[np.int64]) -> None:
    """Make the first unit of each locked grid the host of all of it."""
    units = np.flatnonzero(locked >= 0)
    if len(units):
        first = np.full(locked.max() + 1, len(host))
        np.minimum.at(first, locked[units], units)
        host[units] = first[locked[units]]


def _join_pockets(
    inside: UnitGraph,
    piece: NDArray[np.int64],
    host: NDArray[np.int64],
    short: NDArray[np.float64],
    total: NDArray[np.float64],
    large: NDArray[np.bool_],
    own: NDArray[np.bool_],
    empty: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Give small pieces beside large units, and empty ones beside own grids, to them.

    Returns the pieces that are large enough to stand alone beside a large unit.
    """
    desert = np.bincount(piece, ~empty) == 0
    source, target = inside.source, inside.neighbour
    open_arc = (short[piece[source]] > 0) & (host[source] < 0)
    takes = np.where(large[target], 2, np.where(own[target] & desert[piece[source]], 1, 0))
    arcs = np.flatnonzero(open_arc & (takes > 0))
    keys = piece[source[arcs]] * np.int64(len(host)) + target[arcs]
    pairs, pair_of = np.unique(keys, return_inverse=True)
    pocket, taker = pairs // len(host), pairs % len(host)
    border = np.bincount(pair_of, inside.length[arcs], minlength=len(pairs))
    # The last of each piece: large units before own grids, then the longest border, then
    # the first unit.
    order = np.lexsort((-taker, border, large[taker], pocket))
    last = order[np.append(np.diff(pocket[order]) > 0, True)] if len(order) else order
    # Short by less than what it has: more than half of the minimum.
    stands = large[taker[last]] & (short[pocket[last]] < total[pocket[last]])
    joins = np.full(len(total), -1)
    joins[pocket[last][~stands]] = taker[last][~stands]
    given = (host < 0) & (joins[piece] >= 0)
    host[given] = joins[piece[given]]
    return pocket[last][stands]


def _bridge(
    shapes: NDArray[np.object_],
    piece: NDArray[np.int64],
    host: NDArray[np.int64],
    territory: NDArray[np.int64],
    total: NDArray[np.float64],
    minimum: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Link pieces below their minimum to the nearest one of their territory."""
    open_units = np.flatnonzero(host < 0)
    first = np.full(len(total), -1)
    first[piece[open_units][::-1]] = open_units[::-1]
    home = np.where(first >= 0, territory[first], -1)
    counts = np.bincount(home[home >= 0], minlength=territory.max(initial=-1) + 1)
    bridges: list[tuple[int, int]] = []
    for where in np.flatnonzero(counts > 1):
        pieces = np.flatnonzero(home == where)
        if (total[pieces] < minimum[pieces]).any():
            members = open_units[territory[open_units] == where]
            bridges += _bridge_territory(shapes, members, piece[members], total, minimum)
    return np.array(bridges, dtype=np.int64).reshape(-1, 2)


def _bridge_territory(
    shapes: NDArray[np.object_],
    members: NDArray[np.int64],
    piece: NDArray[np.int64],
    total: NDArray[np.float64],
    minimum: NDArray[np.float64],
) -> list[tuple[int, int]]:
    tree = shapely.STRtree(shapes[members])
    group = np.unique(piece, return_inverse=True)[1]
    one_of = np.unique(piece)
    mass, least = total[one_of].copy(), minimum[one_of]
    waiting = [(mass[g], g) for g in range(len(mass)) if mass[g] < least[g]]
    heapq.heapify(waiting)
    bridges = []
    groups = len(mass)
    # One piece after the other, because each link changes what the next one finds.
    while waiting and groups > 1:
        known, which = heapq.heappop(waiting)
        if known != mass[which] or not (group == which).any():
            continue
        one, other = _nearest(tree, shapes[members], group, which)
        taker = group[other]
        bridges.append((int(members[one]), int(members[other])))
        group[group == which] = taker
        mass[taker] += mass[which]
        groups -= 1
        if mass[taker] < least[taker]:
            heapq.heappush(waiting, (mass[taker], taker))
    return bridges


def _nearest(
    tree: shapely.STRtree, shapes: NDArray[np.object_], group: NDArray[np.int64], which: int
) -> tuple[int, int]:
    """Return the closest pair of a unit of a group and a unit of another one."""
    mine = np.flatnonzero(group == which)
    reach = 16.0
    while True:
        one, other = tree.query(shapes[mine], predicate="dwithin", distance=reach)
        apart = group[other] != which
        if apart.any():
            one, other = mine[one[apart]], other[apart]
            gap = shapely.distance(shapes[one], shapes[other])
            best = np.lexsort((other, one, gap))[0]
            return int(one[best]), int(other[best])
        reach *= 4.0


def _numbered(
    linked: UnitGraph, host: NDArray[np.int64], territory: NDArray[np.int64]
) -> NDArray[np.int64]:
    count, piece = graphs.find_parts(linked)
    free = host < 0
    keys = territory[free] * np.int64(count) + piece[free]
    part = np.full(len(host), -1, np.int64)
    part[free] = np.unique(keys, return_inverse=True)[1]
    return part
