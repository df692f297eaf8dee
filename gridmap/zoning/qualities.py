"""What should be alike inside a grid, as moments that add up: places and chosen columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Qualities(NamedTuple):
    """Numbers of units that should differ little inside a grid, and how much each counts.

    Where ways should be short, the first two columns are the place of the unit.
    """

    value: NDArray[np.float64]
    pull: NDArray[np.float64]
    travel: bool


def moments(
    qualities: Qualities, weight: NDArray[np.float64], area: float, grids: int
) -> NDArray[np.float64]:
    """Return the moments of the units of one part: weight, sum of squares, first moments.

    Scaled so that a compact grid of mean size costs about 1 for travel, and a grid as mixed
    as the whole part 1 for each quality. An empty unit weighs a thousandth of a mean one.

    Parameters
    ----------
    qualities : Qualities
        Of the units of the part.
    weight : array
        Households, or what else sizes a grid.
    area : float
        Of the part, in m².
    grids : int

    Returns
    -------
    array
        No column at all where there are no qualities.

    Examples
    --------
    >>> floors = Qualities(np.array([[1.0], [3.0]]), np.array([1.0]), travel=False)
    >>> moments(floors, np.array([1.0, 1.0]), 2.0, 2).round(3).tolist()
    [[1.0, 1.0, -1.0], [1.0, 1.0, 1.0]]
    """
    if not qualities.value.shape[1]:
        return np.zeros((len(weight), 0))
    heavy = weight + 1e-3 * weight.mean() + 1e-12
    heavy = heavy * grids / heavy.sum()
    centred = qualities.value - np.average(qualities.value, axis=0, weights=heavy)
    spread = np.sqrt(np.average(centred**2, axis=0, weights=heavy))
    if qualities.travel:
        spread[:2] = np.sqrt(area / grids / (2.0 * np.pi))
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    scaled *= np.sqrt(qualities.pull)
    squares = heavy * (scaled**2).sum(axis=1)
    return np.column_stack([heavy, squares, heavy[:, None] * scaled])
