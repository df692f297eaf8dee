"""How many grids a total makes, and whether any number of them can be in range."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rules import SizeRule

#: Sums of floats may miss a bound by this share of it.
SLACK = 1e-9


class Count(NamedTuple):
    """A number of grids, and why none fits if none does."""

    grids: int
    fault: str  # "", "small", "whole" or the measure of the limit that stands in the way
    fixed: bool = False  # whether the number was asked for


def measures_of(size: SizeRule) -> tuple[str, ...]:
    """Return the measures that a rule bounds, the one that sizes a grid first.

    Examples
    --------
    >>> from gridmap.rules import load_profile
    >>> measures_of(load_profile("urban").size)
    ('households', 'people')
    """
    return (size.measure, *(limit.measure for limit in size.limits))


def bounds_of(size: SizeRule) -> NDArray[np.float64]:
    """Return the lowest and the highest value of each measure, as two rows.

    Examples
    --------
    >>> from gridmap.rules import load_profile
    >>> bounds_of(load_profile("urban").size).tolist()
    [[300.0, 0.0], [500.0, 2500.0]]
    """
    low = [size.minimum, *(limit.minimum for limit in size.limits)]
    high = [size.maximum, *(limit.maximum for limit in size.limits)]
    return np.array([low, high], dtype=np.float64)


def count_grids(totals: NDArray[np.float64], units: int, size: SizeRule) -> Count:
    """Choose how many grids a part of a territory is divided into.

    The nearest whole number to total / target, moved as little as needed so that the mean
    grid keeps the range and every limit. Where no number can, the smallest number that
    exceeds no maximum: too small is easier to mend than too large.

    Parameters
    ----------
    totals : array
        Sum of each measure, in the order of `measures_of`.
    units : int
        How many units there are: no more grids than that.
    size : SizeRule

    Returns
    -------
    Count
        At least one grid. ``fault`` is empty when the mean grid keeps all bounds, "small"
        when the total is below one minimum, "whole" when it lies between two numbers of
        grids, or the measure of a limit that no number of grids keeps.

    Examples
    --------
    >>> size = SizeRule(minimum=300, target=400, maximum=500)
    >>> count_grids(np.array([2500.0]), 90, size)
    Count(grids=6, fault='', fixed=False)
    >>> count_grids(np.array([550.0]), 90, size)
    Count(grids=2, fault='whole', fixed=False)
    """
    bounds = bounds_of(size)
    with np.errstate(divide="ignore", invalid="ignore"):
        fewest = np.ceil(totals / bounds[1] * (1 - SLACK))
        most = np.floor(totals / bounds[0] * (1 + SLACK))
    most[bounds[0] == 0] = math.inf
    nearest = max(1.0, math.floor(totals[0] / size.target + 0.5))
    low, high = max(1.0, fewest.max()), most.min()
    fault = ""
    if low > high:
        fault = _fault(fewest, most, size)
        chosen = low
    else:
        chosen = min(max(nearest, low), high)
    if chosen > units:
        chosen, fault = units, fault or "whole"
    return Count(int(chosen), fault)


def _fault(fewest: NDArray[np.float64], most: NDArray[np.float64], size: SizeRule) -> str:
    if most[0] < 1:
        return "small"
    if max(1.0, fewest[0]) > most[0]:
        return "whole"
    if most.min() < max(1.0, fewest[0]):
        return measures_of(size)[int(most.argmin())]
    return measures_of(size)[int(fewest.argmax())]
