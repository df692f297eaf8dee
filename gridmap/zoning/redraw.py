"""Drawing a cluster of grids from nothing, with one grid more or less where that helps."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .batches import Batch
from .kernels import anneal, arcs, boards, repair, split, trade

#: Sums of floats may miss a bound by this share of the scale.
SLACK = 1e-9

#: Temperatures of a second look, in typical rises, and prices of being out of range.
HEAT = np.array([0.5, 0.02])
STRICT = np.array([5.0, 100.0])
HARD = np.array([100.0, 100.0])

#: Units are gone over so many times for trades: they end by themselves long before.
TRADES = 50

#: Clusters of more grids are not evened out: all of them would lose shape for the one.
FEW = 12


class Rank(NamedTuple):
    """How bad a drawing is: grids out of range, and how far they are out in all."""

    grids: int
    off: float


def masses(batch: Batch, units: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the masses of units that are bounded, a column each."""
    columns = [boards.MASS, *range(boards.MORE, boards.MORE + batch.board.limits)]
    return batch.board.unit[np.ix_(units, columns)]


def sum_masses(
    mass: NDArray[np.float64], label: NDArray[np.int32], count: int
) -> NDArray[np.float64]:
    """Add up columns of masses per grid."""
    sums = [np.bincount(label, column, minlength=count) for column in mass.T]
    return np.stack(sums, axis=1).astype(np.float64)


def off_range(sums: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far rows of sums are out of what was asked, 0 for one in range.

    ``asked`` holds low, high and one over the scale; for all rows, or for each of them.

    Examples
    --------
    >>> off_range(np.array([[250.0], [400.0]]), np.array([[300.0], [500.0], [1 / 400]])).tolist()
    [0.125, 0.0]
    """
    low, high, scale = asked[..., 0, :], asked[..., 1, :], asked[..., 2, :]
    out = np.maximum(low - sums, sums - high) * scale
    return np.where(out > SLACK, out, 0.0).sum(axis=-1)


def rank(sums: NDArray[np.float64], asked: NDArray[np.float64]) -> Rank:
    """Say how bad grids with such sums are."""
    off = off_range(sums, asked)
    return Rank(int((off > 0).sum()), float(off.sum()))


def redraw(
    batch: Batch,
    units: NDArray[np.int64],
    grids: int,
    row: int,
    pull: NDArray[np.float64],
    sweeps: int,
) -> tuple[NDArray[np.int32], Rank]:
    """Divide some connected units of one part into about so many grids, from nothing.

    The number of grids may differ by one, if the part is free to and grids are in range
    only then; of those it can be, the number nearest to the given one is tried first.

    Returns
    -------
    label : array of int32
        Grids of the units, numbered from 0.
    rank : Rank
    """
    mass = masses(batch, units)
    asked = batch.asked[row]
    best: tuple[NDArray[np.int32], Rank] | None = None
    for count in _counts(mass.sum(axis=0), grids, len(units), asked, bool(batch.free[row])):
        label = _divide(batch, units, count, row, pull, sweeps)
        found = rank(sum_masses(mass, label, count), asked)
        if found.grids:
            evened = even_out(batch, units, label)
            traded = rank(sum_masses(mass, evened, count), asked)
            if traded.grids < found.grids:
                label, found = evened, traded
        if best is None or found < best[1]:
            best = label, found
        if found.grids == 0:
            break
    return best if best is not None else (np.zeros(len(units), np.int32), Rank(1, math.inf))


def even_out(
    batch: Batch, units: NDArray[np.int64], label: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Trade units between a few grids until their masses are as even as can be."""
    label = label.copy()
    if label.max() < FEW:
        board = batch.board
        start, _, neighbour = arcs.take(board.start, board.neighbour, units)
        trade.even_out(start, neighbour, board.unit[units, boards.MASS], label, TRADES)
    return label


def _counts(
    total: NDArray[np.float64], grids: int, units: int, asked: NDArray[np.float64], free: bool
) -> list[int]:
    """Return the numbers of grids to try, those with a mean in range only."""
    numbers = [grids, grids + 1, grids - 1] if free else [grids]
    return [
        number for number in numbers
        if 1 <= number <= units
        and (number == grids or not off_range(total[None] / number, asked).any())
    ]


def _divide(
    batch: Batch,
    units: NDArray[np.int64],
    grids: int,
    row: int,
    pull: NDArray[np.float64],
    sweeps: int,
) -> NDArray[np.int32]:
    """Halve the units by their masses and anneal them alone."""
    board = batch.board
    start, arc, neighbour = arcs.take(board.start, board.neighbour, units)
    some = board._replace(
        start=start.astype(np.int32),
        neighbour=neighbour.astype(np.int32),
        length=board.length[arc],
        fence=board.fence[arc] if len(board.fence) else board.fence,
        unit=board.unit[units],
        anchor=np.full((grids, 2), np.nan) if len(board.anchor) else board.anchor,
    )
    some = some._replace(linked=boards.link_ring(some.start, some.neighbour))
    weight = batch.weight[units]
    label: NDArray[np.int32] = split.halve(batch.place[units], weight, grids)
    repair.join_pieces(some.start, some.neighbour, some.length, weight, label, grids)
    parts = np.array([[0, len(units), 0, grids]])
    random = batch.random[row : row + 1]
    frozen = np.zeros(grids, np.bool_)
    fixed = (some, batch.asked[row : row + 1], pull, label, parts, random, frozen)
    heat = batch.rise[row : row + 1, None] * HEAT
    anneal.flip(*fixed, heat, STRICT, sweeps)
    anneal.flip(*fixed, 0.0 * heat, HARD, 10)
    return label
