"""How much of a grid each unit takes up, where limits bind in some places and not in others."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .counts import Count
from .sizes import Range

#: Grids are counted to fill a limit by this share: whole units never fill it to the brim.
ROOM = 0.93

#: Looks at ever smaller pieces of a part, each with the grids that the last one needs.
LOOKS = 3


def weigh_evenly(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of units that a first drawing evens out: what sizes a grid.

    An empty unit weighs a thousandth of a mean one.

    Examples
    --------
    >>> weigh_evenly(np.array([[1.0], [3.0]])).round(3).tolist()
    [1.002, 3.002]
    """
    mass = load[:, 0]
    return np.asarray(mass + 1e-3 * mass.mean() + 1e-9, np.float64)


def weigh_units(
    place: NDArray[np.float64], load: NDArray[np.float64], count: Count, size: Range
) -> tuple[Count, NDArray[np.float64]]:
    """Count the grids of a part once more, place by place, and weigh its units by them.

    Totals may keep every limit while a dense quarter alone does not: there a grid must be
    smaller, and more of them are needed. The part is halved into pieces about as large as
    grids; a piece needs as many grids as the measure that fills them first says, and its
    units share this need by what they hold of that measure.

    Parameters
    ----------
    place, load : arrays
        Of the units of the part; a column of ``load`` for each measure.
    count : Count
        The number of grids by totals.
    size : Range

    Returns
    -------
    count : Count
        With more grids where limits ask for them, as far as the minimum allows.
    weight : array
        Of each unit.

    Examples
    --------
    >>> from gridmap.rules import Limit, SizeRule
    >>> from gridmap.zoning.sizes import make_range
    >>> rule = SizeRule(minimum=2, target=4, maximum=4,
    ...     limits=(Limit(measure="people", maximum=8),))
    >>> load = np.array([[1.0, 1.0]] * 8 + [[1.0, 4.0]] * 8)
    >>> place = np.array([[float(at), 0.0] for at in range(16)])
    >>> size = make_range(rule, ("households", "people"))
    >>> weigh_units(place, load, Count(5, ""), size)[0].grids
    6
    """
    even = weigh_evenly(load)
    bound = np.isfinite(size.high[1:])
    if count.fault or count.fixed or len(load) < 2 or not bound.any():
        return count, even
    from .kernels import split  # numba is slow to load

    full = np.append(size.target, ROOM * size.high[1:])
    most = _most(load.sum(axis=0), size)
    grids, weight = count.grids, even
    for _ in range(LOOKS):
        label = split.halve(place, weight, grids)
        sums = np.stack([np.bincount(label, one, minlength=grids) for one in load.T], axis=1)
        filled = np.where(np.isfinite(full), sums / full, 0.0)
        first = filled.argmax(axis=1)  # the measure that fills a grid first
        need, held = filled.max(axis=1), sums[np.arange(grids), first]
        wanted = int(min(math.ceil(need.sum() - 0.5), most, len(load)))
        if wanted <= count.grids:
            return count, even
        share = load[np.arange(len(load)), first[label]] / np.maximum(held[label], 1e-12)
        grids, weight = wanted, need[label] * share
        weight = weight + 1e-3 * weight.mean() + 1e-9
    return Count(grids, ""), weight


def _most(total: NDArray[np.float64], size: Range) -> float:
    """Return how many grids the minima allow."""
    with np.errstate(divide="ignore", invalid="ignore"):
        most = np.where(size.low > 0, np.floor(total / size.low * (1 + 1e-9)), math.inf)
    return float(most.min())
