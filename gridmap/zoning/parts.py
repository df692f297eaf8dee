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
    empty: NDArray[np.bool_],
    large: NDArray[np.bool_],
    own: NDArray[np.bool_],
    minimum: float,
) -> Parts:
    """Divide units into pieces that are drawn on their own.

    Arcs across territories are dropped. Units that are ``large`` or have their ``own``
    grid are taken out. A piece of the rest with less than ``minimum`` that touches a large
    unit joins its grid, the one with the longest border; so does a piece in which nobody
    lives that touches only units with their own grid. Any other piece that is too small is
    linked by a bridge to the nearest piece of the same territory, the smallest piece first,
    until each is large enough or the only one left.

    Parameters
    ----------
    graph : UnitGraph
    shapes : array of polygons
        In the order of the graph.
    territory : array of int
        Territory of each unit, as a number.
    mass : array
        What sizes a grid, per unit.
    empty : array of bool
        Units in which nobody lives.
    large, own : array of bool
        Units larger than a grid may be; units that get a grid of their own by rule.
    minimum : float
        A piece with less than this cannot make a grid.

    Returns
    -------
    Parts
        With pieces numbered by territory, then by their first unit.
    """
    inside = graphs.keep_arcs(graph, territory[graph.source] == territory[graph.neighbour])
    alone = large | own
    free = graphs.keep_arcs(inside, ~alone[inside.source] & ~alone[inside.neighbour])
    piece = graphs.find_parts(free)[1]
    host = np.where(alone, np.arange(graph.size), -1)
    total = np.bincount(piece, mass).astype(np.float64)
    small = (total < minimum) & ~np.bincount(piece, alone).astype(bool)
    _join_pockets(inside, piece, host, small, large, own, empty)
    bridges = _bridge(shapes, piece, host, territory, total, minimum)
    linked = graphs.add_bridges(free, bridges[:, 0], bridges[:, 1])
    return Parts(linked, _numbered(linked, host, territory), host, bridges)


def _join_pockets(
    inside: UnitGraph,
    piece: NDArray[np.int64],
    host: NDArray[np.int64],
    small: NDArray[np.bool_],
    large: NDArray[np.bool_],
    own: NDArray[np.bool_],
    empty: NDArray[np.bool_],
) -> None:
    """Give small pieces beside large units (or, if empty, beside own grids) to them."""
    desert = np.bincount(piece, ~empty) == 0
    source, target = inside.source, inside.neighbour
    open_arc = small[piece[source]] & (host[source] < 0)
    takes = np.where(large[target], 2, np.where(own[target] & desert[piece[source]], 1, 0))
    arcs = np.flatnonzero(open_arc & (takes > 0))
    if not len(arcs):
        return
    pairs, pair_of = np.unique(
        np.stack([piece[source[arcs]], target[arcs]]), axis=1, return_inverse=True
    )
    border = np.bincount(pair_of, inside.length[arcs])
    rank = np.where(large[pairs[1]], 2, 1)
    # The last of each piece: large units before own grids, then the longest border, then
    # the first unit.
    order = np.lexsort((-pairs[1], border, rank, pairs[0]))
    last = np.append(np.diff(pairs[0][order]) > 0, True)
    takers = dict(zip(pairs[0][order][last], pairs[1][order][last], strict=True))
    for which, unit in takers.items():
        host[piece == which] = unit


def _bridge(
    shapes: NDArray[np.object_],
    piece: NDArray[np.int64],
    host: NDArray[np.int64],
    territory: NDArray[np.int64],
    total: NDArray[np.float64],
    minimum: float,
) -> NDArray[np.int64]:
    """Link pieces that are too small to the nearest one of their territory."""
    open_units = np.flatnonzero(host < 0)
    first = np.full(len(total), -1)
    first[piece[open_units][::-1]] = open_units[::-1]
    home = np.where(first >= 0, territory[first], -1)
    counts = np.bincount(home[home >= 0], minlength=territory.max(initial=-1) + 1)
    bridges: list[tuple[int, int]] = []
    for where in np.flatnonzero(counts > 1):
        pieces = np.flatnonzero(home == where)
        if (total[pieces] < minimum).any():
            members = open_units[territory[open_units] == where]
            bridges += _bridge_territory(shapes, members, piece[members], total, minimum)
    return np.array(bridges, dtype=np.int64).reshape(-1, 2)


def _bridge_territory(
    shapes: NDArray[np.object_],
    members: NDArray[np.int64],
    piece: NDArray[np.int64],
    total: NDArray[np.float64],
    minimum: float,
) -> list[tuple[int, int]]:
    tree = shapely.STRtree(shapes[members])
    group = np.unique(piece, return_inverse=True)[1]
    mass = np.bincount(group, total[piece]) / np.bincount(group)
    waiting = [(mass[g], g) for g in range(len(mass)) if mass[g] < minimum]
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
        if mass[taker] < minimum:
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
