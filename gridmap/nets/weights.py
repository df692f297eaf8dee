"""Weights that add up to exactly 1, whatever the order they are added in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..attach.cutting import QUANTUM

#: Position of the target that takes what no target takes. Never leaves this room.
NOBODY = -1


class Weights(NamedTuple):
    """Shares of sources in targets, by position, sorted by both; the leftover comes last."""

    source: NDArray[np.int64]
    target: NDArray[np.int64]  # NOBODY for what no target takes
    weight: NDArray[np.float64]  # above 0; those of a source add up to exactly 1


def share_masses(
    source: NDArray[np.int64], target: NDArray[np.int64], mass: NDArray[np.float64]
) -> Weights:
    """Turn masses that sources share with targets into weights.

    Parameters
    ----------
    source, target : array of int
        Positions; a pair may occur several times. ``NOBODY`` is a target as well.
    mass : array of float
        What each row brings, 0 or more.

    Returns
    -------
    Weights
        Whole multiples of 2**-30, so that sums are exact in any order. What rounding leaves
        goes to the largest weight of the source, the first of equals. A source without mass
        has no rows.

    Examples
    --------
    >>> zero = np.zeros(3, dtype=np.int64)
    >>> share_masses(zero, np.array([1, 0, NOBODY]), np.array([1.0, 2.0, 1.0])).weight.tolist()
    [0.5, 0.25, 0.25]
    """
    source, target, mass = _sum_pairs(source, target, mass)
    if not len(source):
        return Weights(source, target, mass)
    first = np.flatnonzero(np.diff(source, prepend=-1))
    count = np.diff(np.append(first, len(source)))
    whole = np.repeat(np.add.reduceat(mass, first), count)
    quanta = np.rint(mass / whole / QUANTUM)
    largest = _first_largest(source, mass, first)
    quanta[largest] += 1 / QUANTUM - np.add.reduceat(quanta, first)
    kept = quanta > 0
    return Weights(source[kept], target[kept], quanta[kept] * QUANTUM)


def _sum_pairs(
    source: NDArray[np.int64], target: NDArray[np.int64], mass: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Add up the rows of the same pair; the smallest masses first, so that order is nothing."""
    some = mass > 0
    source, target, mass = source[some], target[some], mass[some]
    last = np.where(target == NOBODY, np.iinfo(np.int64).max, target)
    order = np.lexsort((mass, last, source))
    source, target, mass = source[order], target[order], mass[order]
    new = np.flatnonzero((np.diff(source, prepend=-9) != 0) | (np.diff(target, prepend=-9) != 0))
    total = np.add.reduceat(mass, new) if len(new) else mass
    return source[new], target[new], total


def _first_largest(
    source: NDArray[np.int64], mass: NDArray[np.float64], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    order = np.lexsort((np.arange(len(mass)), -mass, source))
    return order[first]
