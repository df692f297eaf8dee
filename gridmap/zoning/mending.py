"""Second looks at grids that are still out of range, and at those around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .batches import Batch
from .kernels import anneal, arcs, repair, split

#: Sums of floats may miss a bound by this share of the scale.
SLACK = 1e-9

#: Temperatures of a second look, in typical rises, and prices of being out of range.
HEAT = (0.5, 0.02)
STRICT = np.array([5.0, 100.0])
HARD = np.array([100.0, 100.0])


def mend(
    batch: Batch, label: NDArray[np.int32], pull: NDArray[np.float64], rounds: int
) -> NDArray[np.int32]:
    """Draw the neighbourhoods of grids out of range again, keeping what gets better.

    Each round takes the grids out of range and those within two, three, … steps and
    anneals them alone. Where that does not help, each such cluster is drawn from nothing:
    halved by its masses, and annealed. The outcome is kept, cluster by cluster, if it has
    fewer grids out of range, or as many that are less far out.

    Parameters
    ----------
    batch : Batch
    label : array of int32
        Connected grids.
    pull : array
        What balance and compactness count for.
    rounds : int
        How often at most.

    Returns
    -------
    array of int32
    """
    for turn in range(rounds):
        for draw_again in (_anneal_again, _draw_from_nothing):
            off = find_off_range(batch, label)
            if not off.any():
                return label
            near = _neighbours(batch, label)
            active = _spread(near, off > 0, 2 + turn)
            trial = draw_again(batch, label, pull, off, near, active, turn)
            label = _keep_better(batch, label, trial, off, near, active)
    return label


def find_off_range(batch: Batch, label: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return how far each grid is out of what was asked, 0 for one in range."""
    masses = [0, *range(anneal.MORE, anneal.MORE + batch.board.limits)]
    sums = np.stack(
        [np.bincount(label, batch.board.unit[:, column], minlength=batch.grids)
         for column in masses], axis=1,
    )
    asked = np.repeat(batch.asked, np.diff(batch.parts[:, 2:])[:, 0], axis=0)
    out = np.maximum(asked[:, 0] - sums, sums - asked[:, 1]) * asked[:, 2]
    return np.where(out > SLACK, out, 0.0).sum(axis=1)


def _anneal_again(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
    turn: int,
) -> NDArray[np.int32]:
    """Anneal all clusters at once, from where they are."""
    rows = np.unique(_part_of_grid(batch)[off > 0])
    trial = label.copy()
    random = batch.random[rows]
    fixed = (batch.board, batch.asked[rows], pull, trial, batch.parts[rows], random, ~active)
    heat = batch.rise[rows, None] * np.array(HEAT)
    anneal.flip(*fixed, heat, STRICT, 150 * (1 + turn))
    anneal.flip(*fixed, 0.0 * heat, HARD, 10)
    batch.random[rows] = random
    return trial


def _draw_from_nothing(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
    turn: int,
) -> NDArray[np.int32]:
    """Halve each cluster anew and anneal it alone."""
    trial = label.copy()
    cluster = _clusters(near, active)
    part_of = _part_of_grid(batch)
    for which in np.unique(cluster[off > 0]):
        grids = np.flatnonzero((cluster == which) & active)
        if len(grids) > 1:
            units = np.flatnonzero(np.isin(label, grids))
            row = part_of[grids[0]]
            trial[units] = grids[_redraw(batch, units, len(grids), row, pull, turn)]
    return trial


def _redraw(
    batch: Batch,
    units: NDArray[np.int64],
    grids: int,
    row: int,
    pull: NDArray[np.float64],
    turn: int,
) -> NDArray[np.int32]:
    """Divide some connected units of one part into so many grids."""
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
    some = some._replace(linked=anneal.link_ring(some.start, some.neighbour))
    mass = some.unit[:, anneal.MASS]
    weight = mass + 1e-3 * mass.mean() + 1e-9
    label = split.halve(batch.place[units], weight, grids)
    repair.join_pieces(some.start, some.neighbour, some.length, weight, label, grids)
    parts = np.array([[0, len(units), 0, grids]])
    random = batch.random[row : row + 1]
    frozen = np.zeros(grids, np.bool_)
    fixed = (some, batch.asked[row : row + 1], pull, label, parts, random, frozen)
    heat = batch.rise[row : row + 1, None] * np.array(HEAT)
    anneal.flip(*fixed, heat, STRICT, 400 * (1 + turn))
    anneal.flip(*fixed, 0.0 * heat, HARD, 10)
    return label


def _part_of_grid(batch: Batch) -> NDArray[np.int64]:
    return np.repeat(np.arange(len(batch.parts)), np.diff(batch.parts[:, 2:])[:, 0])


def _neighbours(batch: Batch, label: NDArray[np.int32]) -> csr_array:
    """Return which grids border which."""
    source = np.repeat(label, np.diff(batch.board.start)).astype(np.int64)
    target = label[batch.board.neighbour].astype(np.int64)
    apart = source != target
    pairs = np.unique(source[apart] * batch.grids + target[apart])
    ones = np.ones(len(pairs), np.int8)
    return csr_array((ones, (pairs // batch.grids, pairs % batch.grids)),
                     shape=(batch.grids, batch.grids))


def _spread(
    near: csr_array, some: NDArray[np.bool_], steps: int
) -> NDArray[np.bool_]:
    """Return the grids within so many steps of some."""
    reached = some
    for _ in range(steps):
        reached = reached | (near @ reached.astype(np.int64) > 0)
    return reached


def _clusters(near: csr_array, active: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the connected clusters of active grids; others are clusters of their own."""
    inside = near.multiply(active[:, None]).multiply(active[None, :])
    return np.asarray(connected_components(inside, directed=False)[1], np.int64)


def _keep_better(
    batch: Batch,
    label: NDArray[np.int32],
    trial: NDArray[np.int32],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Take the new drawing cluster by cluster, where it is better than the old one."""
    cluster = _clusters(near, active)
    new = find_off_range(batch, trial)
    fewer = np.bincount(cluster, new > 0) - np.bincount(cluster, off > 0)
    nearer = np.bincount(cluster, new) - np.bincount(cluster, off)
    better = (fewer < 0) | ((fewer == 0) & (nearer < 0))
    return np.where(better[cluster[label]], trial, label).astype(np.int32)
