"""How many grids a total makes, and whether any number of them can be in range."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .sizes import SLACK, Range


class Count(NamedTuple):
    """A number of grids, and why none fits if none does.

    ``fault`` is empty when the mean grid keeps all bounds, "small" when the total is below
    one minimum, "whole" when it lies between two numbers of grids, or the measure of a
    limit that no number of grids keeps. ``fixed`` says that the number was asked for.
    """

    grids: int
    fault: str
    fixed: bool = False


def count_grids(totals: NDArray[np.float64], units: int, size: Range) -> Count:
    """Choose how many grids a part of a territory is divided into.

    The nearest whole number to total / target, moved as little as needed so that the mean
    grid keeps the range and every limit. Where no number can, the smallest number that
    exceeds no maximum: too small is easier to mend than too large.

    Parameters
    ----------
    totals : array
        Sum of each measure.
    units : int
        How many units there are: no more grids than that.
    size : Range

    Returns
    -------
    Count
        At least one grid.

    Examples
    --------
    >>> from gridmap.rules import SizeRule
    >>> from gridmap.zoning.sizes import make_range
    >>> size = make_range(SizeRule(minimum=300, target=400, maximum=500), ("households",))
    >>> count_grids(np.array([2500.0]), 90, size)
    Count(grids=6, fault='', fixed=False)
    >>> count_grids(np.array([550.0]), 90, size)
    Count(grids=2, fault='whole', fixed=False)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        fewest = np.ceil(totals / size.high * (1 - SLACK))
        most = np.floor(totals / size.low * (1 + SLACK))
    most[size.low == 0] = math.inf
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


def _fault(fewest: NDArray[np.float64], most: NDArray[np.float64], size: Range) -> str:
    if most[0] < 1:
        return "small"
    if max(1.0, fewest[0]) > most[0]:
        return "whole"
    if most.min() < max(1.0, fewest[0]):
        return size.measures[int(most.argmin())]
    return size.measures[int(fewest.argmax())]


def find_fault(mean: NDArray[np.float64], size: Range) -> str:
    """Say which bound a mean grid breaks, as the ``fault`` of a `Count`.

    Examples
    --------
    >>> from gridmap.rules import SizeRule
    >>> from gridmap.zoning.sizes import make_range
    >>> size = make_range(SizeRule(minimum=300, target=400, maximum=500), ("households",))
    >>> find_fault(np.array([550.0]), size)
    'whole'
    """
    odd = (mean < size.low * (1 - SLACK)) | (mean > size.high * (1 + SLACK))
    if not odd.any():
        return ""
    return "whole" if odd[0] else size.measures[int(odd.argmax())]


def share_grids(
    wanted: int, totals: NDArray[np.float64], units: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Share a number of grids out among parts, by their totals.

    Each part gets one grid at least and no more than it has units; the rest goes grid by
    grid to the part whose mean grid is largest, the first of equals.

    Parameters
    ----------
    wanted : int
    totals : array
        What sizes a grid, per part.
    units : array of int
        Units per part.

    Returns
    -------
    array of int
        Adds up to ``wanted`` where that lies between the number of parts and of units.

    Examples
    --------
    >>> share_grids(5, np.array([300.0, 100.0]), np.array([9, 9])).tolist()
    [4, 1]
    """
    grids = np.ones(len(totals), np.int64)
    if not len(totals):
        return grids
    share = totals / max(float(totals.sum()), 1e-12)
    whole = np.floor(share * max(wanted - len(totals), 0)).astype(np.int64)
    grids = np.maximum(grids, np.minimum(whole, units))
    # What rounding leaves: about one grid for each part.
    while grids.sum() < wanted and (grids < units).any():
        grids[np.argmax(np.where(grids < units, totals / grids, -1.0))] += 1
    return grids
