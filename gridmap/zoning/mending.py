"""Second looks at grids that are still out of range, and at those around them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy  # its parts are loaded when they are first named
from numpy.typing import NDArray
from scipy.sparse import csr_array

from . import redraw
from .batches import Batch
from .effort import Effort
from .kernels import anneal
from .redraw import Rank

#: Temperatures at the end, in typical rises.
POLISH = np.array([0.25, 0.04])

#: Clusters grow for so many rounds; after that only the luck of the draw changes.
WIDEST = 2


def mend(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    effort: Effort,
    stopped: Callable[[], bool],
) -> tuple[Batch, NDArray[np.int32]]:
    """Draw the neighbourhoods of grids out of range again, keeping what gets better.

    Each round takes the grids out of range and those within two, three, … steps and
    anneals them alone. Where that does not help, each such cluster is drawn from nothing.
    The outcome is kept, cluster by cluster, if it has fewer grids out of range, or as many
    that are less far out.

    Parameters
    ----------
    batch : Batch
    label : array of int32
        Connected grids.
    pull : array
        What balance and compactness count for.
    effort : Effort
        How many rounds at most, and how many sweeps to round what was mended.
    stopped : callable
        Asked before each round whether to end with what there is.

    Returns
    -------
    batch : Batch
        Its numbers of grids may have changed.
    label : array of int32
    """
    touched = np.zeros(len(label), np.bool_)
    for turn in range(effort.mending):
        off = find_off_range(batch, label)
        if not off.any() or stopped():
            break
        near = _neighbours(batch, label)
        active = _spread(near, off > 0, 2 + min(turn, WIDEST))
        touched |= active[label]
        trial = _anneal_again(batch, label, pull, off, active, 150 * (1 + min(turn, WIDEST)))
        label = _keep_better(batch, label, trial, off, near, active)
        off = find_off_range(batch, label)
        if not off.any() or stopped():
            break
        near = _neighbours(batch, label)
        active = _spread(near, off > 0, 1 + min(turn, WIDEST))
        sweeps = 400 * (1 + min(turn, WIDEST))
        batch, label = _draw_from_nothing(batch, label, pull, off, near, active, sweeps)
        label = _trade(batch, label, 2 + min(turn, WIDEST))
    if touched.any() and not stopped():
        active = np.bincount(label[touched], minlength=batch.grids) > 0
        _polish(batch, label, pull, active, effort.sweeps)
    return batch, label


def _polish(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    active: NDArray[np.bool_],
    sweeps: int,
) -> None:
    """Round grids that were mended, without letting any out of its range."""
    rows = np.unique(_part_of_grid(batch)[active])
    random = batch.random[rows]
    fixed = (batch.board, batch.asked[rows], pull, label, batch.parts[rows], random, ~active)
    heat = batch.rise[rows, None] * POLISH
    anneal.flip(*fixed, heat, redraw.HARD, sweeps)
    anneal.flip(*fixed, 0.0 * heat, redraw.HARD, 10)
    batch.random[rows] = random


def find_off_range(batch: Batch, label: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return how far each grid is out of what was asked, 0 for one in range."""
    mass = redraw.masses(batch, np.arange(len(label)))
    sums = redraw.sum_masses(mass, label, batch.grids)
    return redraw.off_range(sums, batch.asked[_part_of_grid(batch)])


def _anneal_again(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    off: NDArray[np.float64],
    active: NDArray[np.bool_],
    sweeps: int,
) -> NDArray[np.int32]:
    """Anneal all clusters at once, from where they are."""
    rows = np.unique(_part_of_grid(batch)[off > 0])
    trial = label.copy()
    random = batch.random[rows]
    fixed = (batch.board, batch.asked[rows], pull, trial, batch.parts[rows], random, ~active)
    heat = batch.rise[rows, None] * redraw.HEAT
    anneal.flip(*fixed, heat, redraw.STRICT, sweeps)
    anneal.flip(*fixed, 0.0 * heat, redraw.HARD, 10)
    batch.random[rows] = random
    return trial


def _draw_from_nothing(
    batch: Batch,
    label: NDArray[np.int32],
    pull: NDArray[np.float64],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
    sweeps: int,
) -> tuple[Batch, NDArray[np.int32]]:
    """Draw each cluster anew, and take it where it is better."""
    old, label = label, label.copy()
    cluster = _clusters(near, active)
    part_of = _part_of_grid(batch)
    owner = [part_of]
    used = batch.grids
    for which in np.unique(cluster[off > 0]):
        grids = np.flatnonzero(cluster == which)
        units = np.flatnonzero(cluster[old] == which)
        row = int(part_of[grids[0]])
        drawn, found = redraw.redraw(batch, units, len(grids), row, pull, sweeps)
        if found < Rank(int((off[grids] > 0).sum()), float(off[grids].sum())):
            more = max(0, int(drawn.max()) + 1 - len(grids))
            names = np.concatenate([grids, np.arange(used, used + more)])
            label[units] = names[drawn]
            owner.append(np.full(more, row))
            used += more
    return _renumber(batch, label, np.concatenate(owner))


def _trade(batch: Batch, label: NDArray[np.int32], steps: int) -> NDArray[np.int32]:
    """Even out each cluster by trading units, and take it where it is better."""
    off = find_off_range(batch, label)
    near = _neighbours(batch, label)
    active = _spread(near, off > 0, steps)
    cluster = _clusters(near, active)
    trial = label.copy()
    for which in np.unique(cluster[off > 0]):
        units = np.flatnonzero(cluster[label] == which)
        names, mine = np.unique(label[units], return_inverse=True)
        trial[units] = names[redraw.even_out(batch, units, mine.astype(np.int32))]
    return _keep_better(batch, label, trial, off, near, active, nearer_counts=False)


def _renumber(
    batch: Batch, label: NDArray[np.int32], part_of: NDArray[np.int64]
) -> tuple[Batch, NDArray[np.int32]]:
    """Number grids part by part again, leaving out those that are gone."""
    living = np.unique(label)
    order = living[np.argsort(part_of[living], kind="stable")]
    new = np.zeros(len(part_of), np.int32)
    new[order] = np.arange(len(order))
    ends = np.cumsum(np.bincount(part_of[living], minlength=len(batch.parts)))
    parts = batch.parts.copy()
    parts[:, 2] = np.concatenate([[0], ends[:-1]])
    parts[:, 3] = ends
    board = batch.board
    if len(board.anchor):  # a grid that was opened has no anchor
        more = np.full((len(part_of) - len(board.anchor), 2), np.nan)
        board = board._replace(anchor=np.concatenate([board.anchor, more])[order])
    return batch._replace(parts=parts, board=board), new[label]


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
    inside = near.multiply(active[:, None]).multiply(active[None, :]).tocsr()
    inside.eliminate_zeros()  # a stored zero would count as a border
    found = scipy.sparse.csgraph.connected_components(inside, directed=False)
    return np.asarray(found[1], np.int64)


def _keep_better(
    batch: Batch,
    label: NDArray[np.int32],
    trial: NDArray[np.int32],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
    *,
    nearer_counts: bool = True,
) -> NDArray[np.int32]:
    """Take the new drawing cluster by cluster, where it is better than the old one."""
    cluster = _clusters(near, active)
    new = find_off_range(batch, trial)
    fewer = np.bincount(cluster, new > 0) - np.bincount(cluster, off > 0)
    nearer = np.bincount(cluster, new) - np.bincount(cluster, off)
    better = (fewer < 0) | ((fewer == 0) & (nearer < 0) & nearer_counts)
    return np.where(better[cluster[label]], trial, label).astype(np.int32)
