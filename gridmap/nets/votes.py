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

    Two schemes agree on a piece where the work grid of one of them is a part of that of the
    other: a finer division of the same ground is no disagreement. Where work grids cross, the
    smaller of the common pieces are disagreements, by mass.

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
                agreed[both] = _find_nested(one[both], two[both], mass[both], size)
            yield Split(senior, junior, both, both & ~agreed, alone)


def _find_nested(one: Ints, two: Ints, mass: Floats, size: int) -> Flags:
    """Say of pieces whether one work grid of the two is a part of the other there.

    The largest common pieces come first. A pair is nested as long as each work grid is either
    whole, or divided by the other scheme into parts that are not divided themselves.
    """
    row, pair = pd.factorize(one * np.int64(size) + two, sort=True)
    common = np.bincount(row, mass, minlength=len(pair)).astype("float64")
    order = np.lexsort((pair, -common))
    nested = np.zeros(len(pair), dtype=bool)
    stars = _Stars()
    for at in order.tolist():  # each pair sees the ones before it
        nested[at] = stars.join(int(pair[at] // size), int(pair[at] % size))
    return np.asarray(nested[row])


class _Stars:
    """Work grids of two schemes as stars: one in the middle, its parts around it.

    Codes are unique over all schemes, so that one number tells the work grid.
    """

    def __init__(self) -> None:
        self.mate: dict[int, int] = {}  # of a star of two, in which either may be the middle
        self.middle: set[int] = set()
        self.part: set[int] = set()

    def join(self, one: int, two: int) -> bool:
        """Join two work grids if all stars stay stars, and say whether they did."""
        free = [not self._used(end) for end in (one, two)]
        if all(free):
            self.mate[one], self.mate[two] = two, one
            return True
        if not any(free):
            return False
        new, old = (one, two) if free[0] else (two, one)
        if old in self.part:
            return False
        other = self.mate.pop(old, None)
        if other is not None:
            del self.mate[other]
            self.part.add(other)
        self.middle.add(old)
        self.part.add(new)
        return True

    def _used(self, end: int) -> bool:
        return end in self.mate or end in self.middle or end in self.part
