"""Footprints cut by polygons: which of them take no cutting, and the shares of the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from . import around
from .locator import Locator
from .places import NOWHERE

#: Shares are whole multiples of this. A power of two, so that sums of shares are exact in
#: any order; about 1e-9, which is what is left of an area after cutting at coordinates of
#: several million metres, so that two equal halves are equal.
QUANTUM = 2.0**-30


class Pieces(NamedTuple):
    """Pieces of footprints, sorted by row and then by position of the polygon."""

    row: NDArray[np.intp]  # position of the footprint
    position: NDArray[np.int32]  # of the polygon in order of code, -1 for outside of all
    share: NDArray[np.float64]  # multiples of QUANTUM above 0; those of a row add up to 1


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
    spread = around.look_around(footprints, ready)
    rest = np.flatnonzero(spread.holder == NOWHERE)
    cut = _cut(footprints[rest], whole[rest], spread.tidy[rest], ready.polygons)
    done = np.flatnonzero(spread.holder != NOWHERE)
    rows = np.concatenate([row[done], row[rest[cut.row]]])
    position = np.concatenate([spread.holder[done], cut.position])
    share = np.concatenate([np.ones(len(done)), cut.share])
    order = np.lexsort((position, rows))
    return Pieces(rows[order], position[order], share[order])


def _cut(
    footprints: NDArray[np.object_],
    whole: NDArray[np.float64],
    tidy: NDArray[np.bool_],
    polygons: NDArray[np.object_],
) -> Pieces:
    """Cut footprints by the polygons that touch them."""
    # Part by part: the box of a polygon in two places holds half the city.
    parts, number = shapely.get_parts(polygons, return_index=True)
    number = number.astype(np.int32)
    cutter, part = shapely.STRtree(footprints).query(parts, predicate="intersects")
    order = np.lexsort((cutter, part))  # parts of a polygon follow each other
    cutter, part = cutter[order], part[order]
    area = np.zeros(len(part))
    first = np.flatnonzero(np.diff(part, prepend=-1))
    # Where polygons tile, one piece of each footprint is what the others leave.
    spared = first[tidy[part[first]]]
    cut = np.ones(len(part), dtype=bool)
    cut[spared] = False
    area[cut] = _cut_pieces(footprints, parts, part[cut], cutter[cut], tidy)
    taken = np.bincount(part, weights=area, minlength=len(whole))
    area[spared] = np.maximum(whole[part[spared]] - taken[part[spared]], 0)
    polygon = number[cutter]
    new = np.flatnonzero((np.diff(part, prepend=-1) != 0) | (np.diff(polygon, prepend=-1) != 0))
    area = np.add.reduceat(area, new) if len(new) else area
    every = np.arange(len(footprints))
    return _share(
        whole, np.append(part[new], every),
        np.append(polygon[new], np.full(len(every), NOWHERE, dtype=np.int32)),
        np.append(area, np.zeros(len(every))),
    )


def _cut_pieces(
    footprints: NDArray[np.object_],
    parts: NDArray[np.object_],
    part: NDArray[np.intp],
    cutter: NDArray[np.intp],
    tidy: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return the area of each piece, less what a polygon with an earlier code holds of it."""
    pieces = shapely.intersection(footprints[part], parts[cutter])
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
