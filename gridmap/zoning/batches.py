"""Parts in a row, laid out as the kernels want them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import graph as graphs
from .counts import Count
from .graph import UnitGraph
from .kernels import arcs, boards
from .kernels.boards import AREA, Board
from .plan import Plan
from .qualities import Moments, measure_moments

#: Parts are drawn together until they have this many units: enough to be worth a call, few
#: enough to stay in the cache.
BATCH = 4_000

#: How far inside its range a grid aims to be, as a share of the range.
MARGIN = 0.025

#: What a metre of barrier left inside a grid costs, against a metre of outline: the more,
#: the more barriers are followed, by ever less compact grids.
FENCE = 2.5


class Batch(NamedTuple):
    """One or more parts that are drawn in one go.

    Rows of ``parts`` are first unit, past the last, first grid, past the last. ``asked``
    and ``aimed`` hold for each part and measure the low, the high and one over the scale:
    what a grid must keep, and what it aims at.
    """

    units: NDArray[np.int64]  # positions in the plan, in the order of the board
    board: Board
    place: NDArray[np.float64]
    weight: NDArray[np.float64]  # what a first drawing evens out
    strength: NDArray[np.float64]  # of the barrier along each arc
    parts: NDArray[np.int64]
    asked: NDArray[np.float64]
    aimed: NDArray[np.float64]
    random: NDArray[np.uint64]
    free: NDArray[np.bool_]  # whether the number of grids of a part may still change
    moments: list[Moments]  # of each part
    rise: NDArray[np.float64]  # what a typical move costs, per part, after the first drawing

    @property
    def grids(self) -> int:
        """Number of grids of all parts."""
        return int(self.parts[-1, 3])


def group_parts(plan: Plan) -> list[list[int]]:
    """Put parts that have more than one grid into groups of about `BATCH` units."""
    groups: list[list[int]] = []
    filled = BATCH
    for part, members in enumerate(plan.members):
        if plan.counts[part].grids == 1:
            continue
        if filled >= BATCH:
            groups.append([])
            filled = 0
        groups[-1].append(part)
        filled += len(members)
    return groups


def build_batch(plan: Plan, group: list[int]) -> Batch:
    """Lay out some parts as the kernels want them.

    Units follow a Hilbert curve inside each part, so that what is near on the ground is
    near in memory: a sweep over 200,000 units then costs as much per unit as over 2,000.
    """
    everywhere = plan.parts.graph.place
    ordered = [some[curve_order(everywhere[some])] for some in
               (plan.members[part] for part in group)]
    numbers = [plan.counts[part] for part in group]
    units = np.concatenate(ordered)
    graph = ring_order(graphs.take_units(plan.parts.graph, units))
    unit_ends = np.cumsum([0, *map(len, ordered)])
    grid_ends = np.cumsum([0, *(number.grids for number in numbers)])
    asked, aimed = _ranges(plan, ordered, numbers)
    moments = _moments(plan, ordered, numbers)
    return Batch(
        units=units,
        board=_board(graph, plan.given.sizes.load[units], moments),
        place=graph.place,
        weight=plan.weight[units],
        strength=graph.barrier,
        parts=np.stack([unit_ends[:-1], unit_ends[1:], grid_ends[:-1], grid_ends[1:]], axis=1),
        asked=asked,
        aimed=aimed,
        random=np.array([scramble(plan.seeds[part]) for part in group], np.uint64),
        free=np.array([not number.fault and not number.fixed for number in numbers]),
        moments=moments,
        rise=np.zeros(len(group)),
    )


def _board(graph: UnitGraph, load: NDArray[np.float64], moments: list[Moments]) -> Board:
    start = graph.start.astype(np.int32)
    neighbour = graph.neighbour.astype(np.int32)
    alike = np.concatenate([one.column for one in moments])
    unit = [load[:, 0], graph.area, graph.outline, np.zeros(graph.size), load[:, 1:], alike]
    return Board(
        start=start,
        neighbour=neighbour,
        length=graph.length,
        fence=np.zeros(0),
        linked=boards.link_ring(start, neighbour),
        unit=np.column_stack(unit),
        anchor=np.zeros((0, 2)),
        limits=load.shape[1] - 1,
    )


def _moments(
    plan: Plan, ordered: list[NDArray[np.int64]], numbers: list[Count]
) -> list[Moments]:
    """Return the moments of the units of each part."""
    area, given = plan.parts.graph.area, plan.given
    return [
        measure_moments(
            given.qualities._replace(value=given.qualities.value[some]),
            given.sizes.load[some, 0], float(area[some].sum()), number.grids,
        )
        for some, number in zip(ordered, numbers, strict=True)
    ]


def _ranges(
    plan: Plan, ordered: list[NDArray[np.int64]], numbers: list[Count]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what grids of each part must keep, and what they aim at.

    Where the mean grid itself is out of range, the range slides to hold it: grids are then
    drawn as even as can be.
    """
    sizes = plan.given.sizes
    ranges = [sizes.ranges[sizes.row[some[0]]] for some in ordered]
    mean = np.stack([sizes.load[some].sum(axis=0) / number.grids
                     for some, number in zip(ordered, numbers, strict=True)])
    mean = np.maximum(mean, 1e-9)
    low = np.stack([one.low for one in ranges])
    high = np.stack([one.high for one in ranges])
    low = np.where(mean < low, 0.97 * mean, low)
    high = np.where(mean > high, 1.03 * mean, high)
    scale = np.where(np.isfinite(high), high, mean)
    scale[:, 0] = mean[:, 0]
    margin = np.where(np.isfinite(high), MARGIN * (high - low), 0.0)
    inner_low = np.where(low > 0, np.minimum(low + margin, (low + mean) / 2), low)
    inner_high = np.where(
        np.isfinite(high), np.maximum(high - margin, (high + mean) / 2), high
    )
    asked = np.stack([low, high, 1.0 / scale], axis=1)
    return asked, np.stack([inner_low, inner_high, 1.0 / scale], axis=1)


def add_anchors(batch: Batch, plan: Plan, label: NDArray[np.int32]) -> Batch:
    """Return the batch with grids anchored at the homes of workers.

    The homes of a part are matched with the centres of its grids so that the sum of squared
    distances is least; with more homes than grids the farthest are left over.
    """
    given = plan.given
    part_of_unit = np.full(len(given.codes) + 1, -1)
    for row, part in enumerate(batch.parts):
        part_of_unit[batch.units[part[0] : part[1]]] = row
    rows = part_of_unit[given.home_unit]  # a home outside every unit: the last place, -1
    if not (rows >= 0).any():
        return batch
    from scipy.optimize import linear_sum_assignment  # loading it takes longer than a drawing

    anchor = np.full((batch.grids, 2), np.nan)
    count = np.bincount(label, minlength=batch.grids)
    for row in np.unique(rows[rows >= 0]):
        first, last = batch.parts[row, 2:]
        centre = np.stack([np.bincount(label, batch.place[:, axis], minlength=batch.grids)
                           for axis in (0, 1)], axis=1)[first:last] / count[first:last, None]
        homes = given.home_place[rows == row]
        far = ((homes[:, None] - centre[None]) ** 2).sum(axis=2)
        home, grid = linear_sum_assignment(far)
        moments = batch.moments[row]
        anchor[first + grid] = (homes[home] - moments.centre[:2]) * moments.factor[:2]
    return batch._replace(board=batch.board._replace(anchor=anchor))


def add_fences(batch: Batch, label: NDArray[np.int32], weight: float) -> Batch:
    """Return the batch with what it costs to leave barriers inside grids.

    A metre of barrier counts against the outline of grids in that neighbourhood, known from
    the first drawing: grids of a town are a hundredth of those in the country.
    """
    if not weight or not batch.strength.any():
        return batch
    board = batch.board
    area = np.bincount(label, board.unit[:, AREA])[label]
    source = np.repeat(np.arange(len(label)), np.diff(board.start))
    near = np.minimum(area[source], area[board.neighbour])
    outline = np.sqrt(boards.FOUR_PI * near / 1.5)
    price = FENCE * weight * batch.strength * board.length * 2.0 / outline
    return batch._replace(board=board._replace(fence=price))


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
        x[mirrored] = step - 1 - (x[mirrored] & (step - 1))
        y[mirrored] = step - 1 - (y[mirrored] & (step - 1))
        turned = ~upper
        x[turned], y[turned] = y[turned].copy(), x[turned].copy()
        x &= step - 1
        y &= step - 1
        step //= 2
    return np.argsort(key, kind="stable")


def ring_order(graph: UnitGraph) -> UnitGraph:
    """Return the graph with the neighbours of each unit in the order of their bearing.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> graph = graphs.build_graph(sketch_units(".B.", "CAD"))
    >>> ring_order(graph).neighbour[:3].tolist()  # of A: east, north, west
    [3, 1, 2]
    """
    order = arcs.by_bearing(graph.start, graph.neighbour, graph.place)
    return UnitGraph(
        start=graph.start,
        neighbour=graph.neighbour[order],
        length=graph.length[order],
        barrier=graph.barrier[order],
        area=graph.area,
        outline=graph.outline,
        place=graph.place,
    )


def scramble(seed: int) -> int:
    """Spread a seed over 64 bits, never 0.

    Examples
    --------
    >>> scramble(1) != scramble(2), scramble(1) == scramble(1)
    (True, True)
    """
    x = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & (2**64 - 1)
    x ^= x >> 31
    return (x * 0xBF58476D1CE4E5B9 & (2**64 - 1)) or 1
