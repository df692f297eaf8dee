"""Second looks at grids that are still out of range, and at those around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from .batches import Batch
from .kernels import anneal

#: Sums of floats may miss a bound by this share of the scale.
SLACK = 1e-9


def mend(
    batch: Batch, label: NDArray[np.int32], pull: NDArray[np.float64], rounds: int
) -> NDArray[np.int32]:
    """Draw the neighbourhoods of grids out of range again, keeping what gets better.

    Each round takes the grids out of range and those within two, three, … steps, anneals
    them alone, and keeps the outcome of each such cluster if it has fewer grids out of
    range, or as many that are less far out.

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
        off = find_off_range(batch, label)
        if not off.any():
            break
        part_of = np.repeat(np.arange(len(batch.parts)), np.diff(batch.parts[:, 2:])[:, 0])
        rows = np.unique(part_of[off > 0])
        near = _neighbours(batch, label)
        active = _spread(near, off > 0, 2 + turn)
        trial = label.copy()
        random = batch.random[rows]
        fixed = (batch.board, batch.asked[rows], pull, trial, batch.parts[rows], random, ~active)
        anneal.flip(*fixed, np.array([0.3, 0.01]), np.array([5.0, 100.0]), 150 * (1 + turn))
        anneal.flip(*fixed, np.zeros(2), np.array([100.0, 100.0]), 10)
        batch.random[rows] = random
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


def _keep_better(
    batch: Batch,
    label: NDArray[np.int32],
    trial: NDArray[np.int32],
    off: NDArray[np.float64],
    near: csr_array,
    active: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Take the new drawing cluster by cluster, where it is better than the old one."""
    inside = near.multiply(active[:, None]).multiply(active[None, :])
    count, cluster = connected_components(inside, directed=False)
    new = find_off_range(batch, trial)
    fewer = np.bincount(cluster, new > 0, count) - np.bincount(cluster, off > 0, count)
    nearer = np.bincount(cluster, new, count) - np.bincount(cluster, off, count)
    better = (fewer < 0) | ((fewer == 0) & (nearer < 0))
    return np.where(better[cluster[label]], trial, label).astype(np.int32)
