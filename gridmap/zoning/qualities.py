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


class Moments(NamedTuple):
    """Moments of units, and how values were moved and scaled for them."""

    column: NDArray[np.float64]  # weight, sum of squares, a first moment for each quality
    centre: NDArray[np.float64]
    factor: NDArray[np.float64]


def measure_moments(
    qualities: Qualities, weight: NDArray[np.float64], area: float, grids: int
) -> Moments:
    """Return the moments of the units of one part.

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
    Moments
        Without any column where there are no qualities.

    Examples
    --------
    >>> floors = Qualities(np.array([[1.0], [3.0]]), np.array([1.0]), travel=False)
    >>> measure_moments(floors, np.array([1.0, 1.0]), 2.0, 2).column.round(3).tolist()
    [[1.0, 1.0, -1.0], [1.0, 1.0, 1.0]]
    """
    value = qualities.value
    if not value.shape[1]:
        return Moments(np.zeros((len(weight), 0)), np.zeros(0), np.zeros(0))
    heavy = weight + 1e-3 * weight.mean() + 1e-12
    heavy = heavy * grids / heavy.sum()
    centre = np.average(value, axis=0, weights=heavy)
    spread = np.sqrt(np.average((value - centre) ** 2, axis=0, weights=heavy))
    if qualities.travel:
        spread[:2] = np.sqrt(area / grids / (2.0 * np.pi))
    factor = np.divide(np.sqrt(qualities.pull), spread, out=np.zeros(len(spread)),
                       where=spread > 0)
    scaled = (value - centre) * factor
    squares = heavy * (scaled**2).sum(axis=1)
    column = np.column_stack([heavy, squares, heavy[:, None] * scaled])
    return Moments(column, centre, factor)
