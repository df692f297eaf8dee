"""How far the schemes agree: on each border between atoms, and on each atom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..tiling.rings import Flags, Floats, Ints
from .ground import NONE, Ground
from .intake import Given


class Votes(NamedTuple):
    """Borders between pieces of one territory, each once, and who draws them."""

    first: Ints
    second: Ints
    length: Floats
    drawn: Ints  # how many schemes have a border here
    asked: Ints  # how many claim land on one side or both


class Split(NamedTuple):
    """What two schemes have to say about each piece."""

    senior: int  # position of the scheme
    junior: int
    both: Flags  # both claim it
    apart: Flags  # both claim it, and it is not where they agree
    alone: Flags  # only one claims it


def count_votes(ground: Ground) -> Votes:
    """Count for each border the schemes that draw it, and those that might.

    A scheme has a say where it claims land on one side or on both.
    """
    borders, claims = ground.borders, ground.claims
    home = ground.territory
    once = (borders.face < borders.other) & (home[borders.face] == home[borders.other])
    once &= home[borders.face] != NONE
    first, second = borders.face[once], borders.other[once]
    one, two = claims[first], claims[second]
    asked = ((one != NONE) | (two != NONE)).sum(axis=1)
    drawn = (one != two).sum(axis=1)
    return Votes(first, second, borders.length[once], drawn, asked)


def compare_pairs(ground: Ground, given: Given, mass: Floats) -> Iterator[Split]:
    """Yield for each pair of schemes the pieces on which they agree or do not.

    Two schemes agree on a piece where the work grid of one of them lies mostly, by mass, in
    that of the other: a finer division of the same ground is no disagreement.

    Parameters
    ----------
    ground : Ground
    given : Given
    mass : array of float
        What each piece weighs, above 0.
    """
    claims = ground.claims
    schemes = claims.shape[1]
    size = len(given.codes)
    for senior in range(schemes):
        for junior in range(senior + 1, schemes):
            one, two = claims[:, senior], claims[:, junior]
            both = (one != NONE) & (two != NONE)
            alone = (one != NONE) ^ (two != NONE)
            agreed = np.zeros(len(one), dtype=bool)
            if both.any():
                agreed[both] = _are_partners(one[both], two[both], mass[both], size)
            yield Split(senior, junior, both, both & ~agreed, alone)


def _are_partners(one: Ints, two: Ints, mass: Floats, size: int) -> Flags:
    """Say of pieces whether one work grid lies mostly in the other."""
    row, pair = pd.factorize(one * np.int64(size) + two, sort=True)
    common = np.bincount(row, mass, minlength=len(pair)).astype("float64")
    first, second = pair // size, pair % size
    best = _best_of(first, common) | _best_of(second, common)
    return np.asarray(best[row])


def _best_of(owner: Ints, common: Floats) -> Flags:
    """Say of pairs whether they are the largest of their owner, the first of equals."""
    order = np.lexsort((np.arange(len(owner)), -common, owner))
    first = order[np.flatnonzero(np.diff(owner[order], prepend=-1))]
    best = np.zeros(len(owner), dtype=bool)
    best[first] = True
    return best
