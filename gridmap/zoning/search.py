"""Drawing the grids of one part: a first drawing, then annealed flips."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import graph as graphs
from .graph import UnitGraph

#: Balance, range and compactness in the cost of a grid.
PULL = (0.5, 40.0, 1.0)
#: First and last temperature.
HEAT = (0.5, 0.02)
#: How often a border that follows a barrier fully counts less than its length.
BARRIER_DISCOUNT = 0.75


class Effort(NamedTuple):
    """How long the search looks."""

    sweeps: int
    tries: int


EFFORTS = {
    "draft": Effort(100, 1),
    "normal": Effort(1_000, 3),
    "best": Effort(8_000, 5),
}


class Task(NamedTuple):
    """One part to be divided into ``grids`` grids.

    ``load`` has a column for each measure; rows of ``bounds`` are the lowest and the
    highest value of each.
    """

    graph: UnitGraph
    load: NDArray[np.float64]
    bounds: NDArray[np.float64]
    grids: int
    seed: int


def draw_part(task: Task, effort: Effort) -> NDArray[np.int64]:
    """Divide the units of a part into connected grids as even and compact as can be.

    Parameters
    ----------
    task : Task
        Its graph is connected, and has at least as many units as grids are wanted.
    effort : Effort

    Returns
    -------
    array of int
        The grid of each unit, 0 to ``grids - 1``.
    """
    if task.grids == 1:
        return np.zeros(task.graph.size, np.int64)
    order = curve_order(task.graph.place)
    sorted_task = task._replace(
        graph=graphs.take_units(task.graph, order), load=task.load[order]
    )
    best = _anneal(sorted_task, effort, task.seed)
    fewest = _out_of_range(best, sorted_task)
    for attempt in range(1, effort.tries):
        if not fewest:
            break
        label = _anneal(sorted_task, effort, task.seed + attempt)
        odd = _out_of_range(label, sorted_task)
        if odd < fewest:
            best, fewest = label, odd
    drawn = np.empty(task.graph.size, np.int64)
    drawn[order] = best
    return drawn


def curve_order(place: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order places along a Hilbert curve, so that near units lie near in memory.

    Examples
    --------
    >>> curve_order(np.array([[0.0, 0.0], [9.0, 9.0], [0.0, 9.0], [9.0, 0.0]])).tolist()
    [0, 2, 1, 3]
    """
    bits = 16
    low = place.min(axis=0)
    spread = max(float((place.max(axis=0) - low).max()), 1e-9)
    x, y = ((place - low) / spread * (2**bits - 1)).astype(np.int64).T.copy()
    key = np.zeros(len(place), np.int64)
    step = 2 ** (bits - 1)
    while step:
        right, upper = (x & step) > 0, (y & step) > 0
        key += step * step * ((3 * right) ^ upper)
        mirrored = ~upper & right
        x[mirrored], y[mirrored] = step - 1 - (x[mirrored] & (step - 1)), step - 1 - (
            y[mirrored] & (step - 1)
        )
        turned = ~upper
        x[turned], y[turned] = y[turned].copy(), x[turned].copy()
        x &= step - 1
        y &= step - 1
        step //= 2
    return np.argsort(key, kind="stable")


def _anneal(task: Task, effort: Effort, seed: int) -> NDArray[np.int64]:
    from .kernels import anneal, repair, split

    graph = ring_order(task.graph)
    start, neighbour = graph.start, graph.neighbour
    weight = task.load[:, 0] + 1e-3 * task.load[:, 0].mean() + 1e-9
    label = split.halve(graph.place, weight, task.grids)
    discount = 1.0 - BARRIER_DISCOUNT * graph.barrier
    length = graph.length * discount
    shorter = np.bincount(graph.source, graph.length - length, minlength=graph.size)
    repair.join_pieces(start, neighbour, length, weight, label, task.grids)
    land = np.stack([graph.area, graph.outline - shorter], axis=1)
    bounds = _aimed(task)
    linked = anneal.link_ring(start, neighbour)
    random = np.array([_scrambled(seed)], np.uint64)
    pull = np.array(PULL)
    fixed = (start, neighbour, length, linked, land, task.load, label, bounds, pull, task.grids)
    anneal.flip(*fixed, np.array(HEAT), effort.sweeps, random)
    anneal.flip(*fixed, np.array([0.0, 0.0]), 20, random)
    return label.astype(np.int64)


def ring_order(graph: UnitGraph) -> UnitGraph:
    """Return the graph with the neighbours of each unit in the order of their bearing."""
    source, target = graph.source, graph.neighbour
    way = graph.place[target] - graph.place[source]
    order = np.lexsort((target, np.arctan2(way[:, 1], way[:, 0]), source))
    return UnitGraph(
        start=graph.start,
        neighbour=target[order],
        length=graph.length[order],
        barrier=graph.barrier[order],
        area=graph.area,
        outline=graph.outline,
        place=graph.place,
    )


def _aimed(task: Task) -> NDArray[np.float64]:
    """Return low, high and scale of each measure, a little inside the range allowed.

    Where the mean grid itself is out of range, the range slides to hold the mean.
    """
    mean = np.maximum(task.load.sum(axis=0) / task.grids, 1e-9)
    low, high = task.bounds
    margin = np.where(np.isfinite(high), 0.05 * (high - low), 0.0)
    low = np.minimum(np.where(low > 0, low + margin, low), 0.97 * mean)
    high = np.maximum(np.where(np.isfinite(high), high - margin, high), 1.03 * mean)
    scale = np.where(np.isfinite(high), np.maximum(high, 1e-9), mean)
    scale[0] = mean[0]
    return np.stack([low, high, scale])


def _out_of_range(label: NDArray[np.int64], task: Task) -> int:
    low, high = task.bounds
    sums = np.stack(
        [np.bincount(label, column, minlength=task.grids) for column in task.load.T], axis=1
    )
    return int(((sums < low - 1e-9) | (sums > high + 1e-9)).any(axis=1).sum())


def _scrambled(seed: int) -> int:
    """Spread a seed over 64 bits, never 0."""
    x = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & (2**64 - 1)
    x ^= x >> 31
    return x * 0xBF58476D1CE4E5B9 & (2**64 - 1) or 1
