"""Footprints cut by polygons: which of them take no cutting, and the shares of the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from .edges import BITS, ONE
from .locator import Locator
from .places import NOWHERE

#: Shares are whole multiples of this. A power of two, so that sums of shares are exact in
#: any order; about 1e-9, which is what is left of an area after cutting at coordinates of
#: several million metres, so that two equal halves are equal.
QUANTUM = 2.0**-30

#: Footprints that reach over more squares of the lattice than this, either way, are cut.
SPAN = 4


class Pieces(NamedTuple):
    """Pieces of footprints, sorted by row and then by position of the polygon."""

    row: NDArray[np.intp]  # position of the footprint
    position: NDArray[np.int32]  # of the polygon in order of code, -1 for outside of all
    share: NDArray[np.float64]  # multiples of QUANTUM above 0; those of a row add up to 1


class _Spread(NamedTuple):
    """What the lattice tells about each footprint without a look at its shape."""

    holder: NDArray[np.int32]  # the polygon that holds all of its box, or -1
    tidy: NDArray[np.bool_]  # exactly one polygon covers each point of its box


def cut_footprints(shapes: NDArray[np.object_], ready: Locator) -> Pieces:
    """Return the share of each footprint in each polygon.

    Parameters
    ----------
    shapes : array of shapely geometries
        What is no polygon, or empty, or missing, has no pieces. An invalid polygon is cut as
        `shapely.make_valid` mends it.
    ready : Locator
        Where its polygons overlap, the common part belongs to the first of them.

    Returns
    -------
    Pieces

    Examples
    --------
    >>> from gridmap.attach.locator import build_locator
    >>> from gridmap.sketch import sketch_grids
    >>> home = np.array([shapely.box(0.5, 0, 1.5, 1)])
    >>> cut_footprints(home, build_locator(sketch_grids("AB"), engine="geos")).share.tolist()
    [0.5, 0.5]
    """
    row = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes))
    footprints = shapes[row]
    faulty = ~shapely.is_valid(footprints)
    footprints[faulty] = shapely.make_valid(footprints[faulty])
    whole = shapely.area(footprints)
    row, footprints, whole = row[whole > 0], footprints[whole > 0], whole[whole > 0]
    spread = _look_around(footprints, ready)
    rest = np.flatnonzero(spread.holder == NOWHERE)
    cut = _cut(footprints[rest], whole[rest], spread.tidy[rest], ready.polygons)
    done = np.flatnonzero(spread.holder != NOWHERE)
    rows = np.concatenate([row[done], row[rest[cut.row]]])
    position = np.concatenate([spread.holder[done], cut.position])
    share = np.concatenate([np.ones(len(done)), cut.share])
    order = np.lexsort((position, rows))
    return Pieces(rows[order], position[order], share[order])


def _look_around(footprints: NDArray[np.object_], ready: Locator) -> _Spread:
    """Ask the lattice about the squares that the box of each footprint touches."""
    holder = np.full(len(footprints), NOWHERE, dtype=np.int32)
    tidy = np.zeros(len(footprints), dtype=bool)
    if ready.engine == "geos" or not len(footprints):
        return _Spread(holder, tidy)
    squares, raster = ready.lattice, ready.cells.raster
    box = (shapely.bounds(footprints) - [squares.x, squares.y] * 2) / squares.side
    box = np.clip(box, 0, [squares.columns - 1, squares.rows - 1] * 2).astype(np.int32)
    left, below, width, height = box[:, 0], box[:, 1], box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
    near = np.flatnonzero((width < SPAN) & (height < SPAN))
    first = below[near] * squares.columns + left[near]
    held = raster[first]
    alone = held > NOWHERE
    clean = np.ones(len(near), dtype=bool)
    is_clean = _find_tidy(ready)
    for up in range(SPAN):
        for right in range(SPAN):
            inside = (up <= height[near]) & (right <= width[near])
            if not inside.any():
                continue
            square = first[inside] + up * squares.columns + right
            alone[inside] &= raster[square] == held[inside]
            clean[inside] &= is_clean[square]
    holder[near[alone]] = held[alone]
    tidy[near] = clean
    return _Spread(holder, tidy)


def _find_tidy(ready: Locator) -> NDArray[np.bool_]:
    """Say of each square whether exactly one polygon covers each point of it."""
    cells = ready.cells
    tidy = cells.raster > NOWHERE
    if not len(cells.head):
        return tidy
    counts = cells.head[:, 1] >> 2 & 0x3FFFFF
    steps = np.rint(cells.edges[:, 4] / ONE) != 0  # one polygon more or less across the edge
    number = np.repeat(np.arange(len(counts)), counts)
    uneven = np.bincount(number, weights=steps, minlength=len(counts)) > 0
    covers = (cells.head[:, 0] + (ONE >> 1)) >> BITS
    crossed = np.flatnonzero((cells.raster < NOWHERE) & (cells.raster >= -1 - len(counts)))
    tidy[crossed] = ((covers == 1) & ~uneven)[-2 - cells.raster[crossed]]
    return tidy


def _cut(
    footprints: NDArray[np.object_],
    whole: NDArray[np.float64],
    tidy: NDArray[np.bool_],
    polygons: NDArray[np.object_],
) -> Pieces:
    """Cut footprints by the polygons that touch them."""
    polygon, part = shapely.STRtree(footprints).query(polygons, predicate="intersects")
    order = np.lexsort((polygon, part))
    polygon, part = polygon[order].astype(np.int32), part[order]
    area = np.zeros(len(part))
    first = np.flatnonzero(np.diff(part, prepend=-1))
    # Where polygons tile, one piece of each footprint is what the others leave.
    spared = first[tidy[part[first]]]
    cut = np.ones(len(part), dtype=bool)
    cut[spared] = False
    area[cut] = _cut_pieces(footprints, polygons, part[cut], polygon[cut], tidy)
    taken = np.bincount(part, weights=area, minlength=len(whole))
    area[spared] = np.maximum(whole[part[spared]] - taken[part[spared]], 0)
    every = np.arange(len(footprints))
    return _share(
        whole, np.append(part, every), np.append(polygon, np.full_like(every, NOWHERE)),
        np.append(area, np.zeros(len(every))),
    )


def _cut_pieces(
    footprints: NDArray[np.object_],
    polygons: NDArray[np.object_],
    part: NDArray[np.intp],
    polygon: NDArray[np.int32],
    tidy: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the area of each piece, less what a polygon with an earlier code holds of it."""
    pieces = shapely.intersection(footprints[part], polygons[polygon])
    area: NDArray[np.float64] = shapely.area(pieces)
    # Row by row: only where polygons overlap, which a tiling never does.
    for row in _find_lapped(pieces, area, np.where(tidy[part], NOWHERE, part)):
        first, last = np.searchsorted(part, [row, row + 1])
        taken = shapely.Polygon()
        for k in range(first, last):
            area[k] = shapely.area(shapely.difference(pieces[k], taken))
            taken = shapely.union(taken, pieces[k])
    return area


def _find_lapped(
    pieces: NDArray[np.object_], area: NDArray[np.float64], part: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the footprints with pieces that overlap each other; pass over part -1."""
    lapped = [np.empty(0, dtype=np.intp)]
    step = 1
    while len(first := np.flatnonzero((part[step:] == part[:-step]) & (part[step:] >= 0))):
        common = shapely.area(shapely.intersection(pieces[first], pieces[first + step]))
        smaller = np.minimum(area[first], area[first + step])
        lapped.append(part[first[common > QUANTUM * smaller]])
        step += 1
    return np.unique(np.concatenate(lapped))


def _share(
    whole: NDArray[np.float64],
    part: NDArray[np.intp],
    polygon: NDArray[np.int32],
    area: NDArray[np.float64],
) -> Pieces:
    """Turn areas into multiples of QUANTUM; the outside of each footprint is the remainder."""
    order = np.lexsort((polygon, part))
    part, polygon, area = part[order], polygon[order], area[order]
    share = np.rint(area / whole[part] / QUANTUM)
    left = 1 / QUANTUM - np.bincount(part, weights=share, minlength=len(whole))
    starts = np.flatnonzero(polygon == NOWHERE)
    share[starts] = left[part[starts]]
    # Rounding can leave a few quanta too many or too few: the largest piece takes them, so
    # that a footprint inside the tiling has no outside.
    few = np.abs(share[starts]) <= 8
    biggest = first_largest(part, np.where(polygon == NOWHERE, -1.0, share))
    small = starts[few]
    pick = biggest[np.searchsorted(part[biggest], part[small])]
    settled = polygon[pick] != NOWHERE
    share[pick[settled]] += share[small[settled]]
    share[small[settled]] = 0
    keep = share > 0
    return Pieces(part[keep], polygon[keep], share[keep] * QUANTUM)


def first_largest(part: NDArray[np.intp], share: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return for each part the place of its largest share, the first of equals.

    Examples
    --------
    >>> first_largest(np.array([0, 0, 1]), np.array([0.25, 0.75, 1.0])).tolist()
    [1, 2]
    """
    order = np.lexsort((-share, part))
    return order[np.flatnonzero(np.diff(part[order], prepend=-1))]
