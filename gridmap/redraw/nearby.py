"""Where a few coarse units are all there is: the places around grids out of range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..zoning.kernels import arcs
from . import exact
from .exact import Division, Place
from .kernels.state import Land

#: Grids in a place, at most.
GRIDS = 4


def take_units(land: Land, which: NDArray[np.int64]) -> Land:
    """Return some units alone, in the order given.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> take_units(row_of_units([1, 2, 3]), np.array([2, 1])).load[:, 0].tolist()
    [3.0, 2.0]
    """
    start, arc, neighbour = arcs.take(land.start, land.neighbour, which)
    return Land(
        start=start, neighbour=neighbour, length=land.length[arc],
        load=np.ascontiguousarray(land.load[which]), cost=land.cost[which],
        area=land.area[which], outline=land.outline[which], place=land.place[which],
    )


def mend(
    land: Land, label: NDArray[np.int64], home: NDArray[np.int64], low: NDArray[np.float64],
    high: NDArray[np.float64], frozen: NDArray[np.bool_], odd: NDArray[np.bool_], grids: int,
    *, kept: bool,
) -> tuple[NDArray[np.int64], int]:
    """Divide the places around grids out of range anew, where fewer of them stay so.

    ``low`` and ``high`` get the rows of grids that are opened. Returns the new labels and
    the first number that no grid has.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> land, label = row_of_units([4, 2, 1, 2]), np.array([0, 0, 1, 1])
    >>> low, high = np.full((9, 1), 4.0), np.full((9, 1), 5.0)
    >>> out = np.arange(9) < 2
    >>> mend(land, label, label, low, high, np.zeros(9, bool), out, 2, kept=False)
    (array([0, 1, 1, 1]), 2)
    """
    label, odd = label.copy(), odd.copy()
    for grid in np.flatnonzero(odd).tolist():
        if not odd[grid]:
            continue  # mended together with one before
        for some in find_places(land, label, frozen, grid):
            place, which = take_place(land, label, home, low, high, odd, some, grid, grids, kept)
            found = exact.divide(place)
            if found is not None and found.odd < odd[some].sum():
                numbers = np.append(some, np.arange(grids, grids + exact.NEW))
                label[which] = numbers[found.label]
                begun = np.unique(label[which][label[which] >= grids])
                low[begun], high[begun] = low[grid], high[grid]
                grids += len(begun)
                odd[some] = _find_odd(place, found)
                break
            if found is not None and found.proven:
                break
    return label, grids


def is_hopeless(
    land: Land, label: NDArray[np.int64], low: NDArray[np.float64], high: NDArray[np.float64],
    frozen: NDArray[np.bool_], grid: int, *, kept: bool,
) -> bool:
    """Say whether it is proven that no division brings a grid and all it can reach into range.

    Only where all that can be reached is few units and grids; elsewhere nothing is proven.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> land, label = row_of_units([4, 4, 1]), np.array([0, 0, 1])
    >>> low, high = np.full((2, 1), 3.0), np.full((2, 1), 4.0)
    >>> is_hopeless(land, label, low, high, np.zeros(2, bool), 0, kept=False)
    True
    """
    places = find_places(land, label, frozen, grid)
    if not places:
        return False
    some = places[0]
    own = np.isin(label, some)
    source = np.repeat(np.arange(len(label)), np.diff(land.start))
    beyond = own[source] & ~own[land.neighbour] & ~frozen[label[land.neighbour]]
    total = float(land.load[own, 0].sum())
    if beyond.any() or total / max(low[grid, 0], 1e-9) >= len(some) + exact.NEW + 1:
        return False
    spare = np.full(exact.NEW, grid)  # rows for grids that may be opened
    ends = len(low)
    place, _ = take_place(
        land, label, label, np.concatenate([low, low[spare]]),
        np.concatenate([high, high[spare]]), np.zeros(ends + exact.NEW, bool), some, grid,
        ends, kept)
    return exact.is_impossible(place)


def take_place(
    land: Land, label: NDArray[np.int64], home: NDArray[np.int64], low: NDArray[np.float64],
    high: NDArray[np.float64], odd: NDArray[np.bool_], some: NDArray[np.int64], grid: int,
    grids: int, kept: bool,
) -> tuple[Place, NDArray[np.int64]]:
    """Return the place that some grids make up, with room for new ones, and its units."""
    which = np.flatnonzero(np.isin(label, some))
    total = float(land.load[which, 0].sum())
    fitting = int(total / max(low[grid, 0], 1e-9)) - len(some)
    new = 0 if kept else int(np.clip(min(fitting, len(low) - grids), 0, exact.NEW))
    row = np.append(some, np.full(new, grid))
    at = np.searchsorted(some, home[which])
    inside = (at < len(some)) & (some[np.minimum(at, len(some) - 1)] == home[which])
    return Place(
        take_units(land, which), np.where(inside, at, -1), low[row], high[row],
        np.append(odd[some], np.zeros(new, bool)), len(some), kept), which


def find_places(
    land: Land, label: NDArray[np.int64], frozen: NDArray[np.bool_], grid: int
) -> list[NDArray[np.int64]]:
    """Return sets of grids around one, widest first: neighbours of neighbours, pairs, alone.

    None has more than so many units and grids. A grid nearer by goes before one farther
    off, then the one of the lower number.

    Examples
    --------
    >>> from gridmap.redraw.examples import row_of_units
    >>> land = row_of_units([1, 1, 1])
    >>> [some.tolist() for some in find_places(land, np.arange(3), np.zeros(3, bool), 1)]
    [[0, 1, 2], [0, 1], [1, 2], [1]]
    """
    units = np.bincount(label)
    if units[grid] > exact.MOST:
        return []
    source = np.repeat(label, np.diff(land.start))
    other = label[land.neighbour]
    free = (source != other) & ~frozen[other]
    source, other = source[free], other[free]
    some, ring, pairs = [grid], [grid], []
    while ring:
        beside = np.setdiff1d(other[np.isin(source, ring)], some).tolist()
        if len(some) == 1:
            pairs = [[grid, one] for one in beside if units[[grid, one]].sum() <= exact.MOST]
        ring = []
        for one in beside:
            if len(some) < GRIDS and units[[*some, one]].sum() <= exact.MOST:
                some.append(one)
                ring.append(one)
    places = [tuple(sorted(one)) for one in (some, *pairs, [grid])]
    return [np.array(one, np.int64) for one in dict.fromkeys(places)]


def _find_odd(place: Place, found: Division) -> NDArray[np.bool_]:
    """Return which of the grids that were there are out of range now."""
    size = len(place.low)
    held = np.stack([np.bincount(found.label, column, minlength=size)
                     for column in place.land.load.T], axis=1)
    slack = 2 * exact.ROUNDING * np.where(np.isfinite(place.high), place.high, 1.0) + 1e-9
    out = ((held > place.high + slack) | (held < place.low - slack)).any(axis=1)
    there = np.bincount(found.label, minlength=size) > 0
    return np.asarray((out & there)[: place.known])
