"""Footprints to polygons: whole buildings by rule, or shares that add up to exactly 1."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import schema
from ..errors import SchemaError
from . import counts, places, points
from .places import NOWHERE, Attachment

RULES = ("largest", "point")

#: Shares are whole multiples of this. A power of two, so that sums of shares are exact in
#: any order; about 1e-9, which is what is left of an area after cutting at coordinates of
#: several million metres, so that two equal halves are equal.
QUANTUM = 2.0**-30


class Pieces(NamedTuple):
    """Pieces of footprints, sorted by row and then by position of the polygon."""

    row: NDArray[np.intp]  # position of the element
    position: NDArray[np.int32]  # position of the polygon in order of code, -1 for outside
    share: NDArray[np.float64]  # multiples of QUANTUM above 0; those of a row add up to 1


def attach_footprints(
    elements: GeoDataFrame,
    grids: GeoDataFrame,
    *,
    rule: str = "largest",
    nearest_m: float | None = None,
) -> Attachment:
    """Give every footprint the code of one polygon; points among them go as points.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        Polygons, and points if need be, in a CRS in metres. A row without a place is kept
        and becomes a reject.
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in the same
        CRS.
    rule : {"largest", "point"}, default "largest"
        By the largest share of the footprint, and of equal shares the code that sorts first;
        or by a point inside the footprint, as `attach_points` would.
    nearest_m : float, optional
        Give a footprint outside of all polygons to the one nearest to a point inside it, if
        that is at most so many metres away.

    Returns
    -------
    Attachment
        As from `attach_points`. ``how`` is "inside" (one polygon holds all of it), "largest"
        (the largest of several shares), "border" (one of several equal shares, by the code),
        "nearest" or missing; with the rule "point" and for points it is as there.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, or ``rule`` is unknown.
    CRSError
        If the CRS differ or are not in metres.
    TilingError
        If a polygon of ``grids`` is not valid.

    See Also
    --------
    measure_footprint_shares : The shares themselves.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0.9, 0.5), (1.0, 0.5))
    >>> homes = homes.set_geometry(homes.buffer(0.2))  # both straddle A and B
    >>> attach_footprints(homes, sketch_grids("AB")).elements[["grid", "how"]].values.tolist()
    [['A', 'largest'], ['A', 'border']]
    """
    _check(elements, grids)
    points.check_nearest(nearest_m)
    if rule not in RULES:
        raise SchemaError(f"rule is {rule!r}: {' or '.join(RULES)} is needed")
    shapes = elements.geometry.to_numpy()
    spots = shapes.copy()
    flat = np.flatnonzero(_is_polygon(shapes))
    spots[flat] = shapely.point_on_surface(shapes[flat])
    found = places.places_of(spots)
    position, how = points.hold_places(found, grids, nearest_m=nearest_m)
    if rule == "largest":
        by_code = places.order_of_code(grids)
        pieces = _cut(shapes, grids.geometry.to_numpy()[by_code])
        best = _largest(pieces)
        position[best.row] = by_code[best.position]
        how[best.row] = best.how
    return Attachment(
        places.write_holders(elements, position, how, grids.index),
        counts.count_held(elements, position, grids.index),
        places.write_rejects(elements, position, found.reason, grids.index),
    )


def measure_footprint_shares(elements: GeoDataFrame, grids: GeoDataFrame) -> DataFrame:
    """Return the share of each footprint in each polygon; they add up to exactly 1.

    Where polygons overlap, the common part belongs to the one whose code sorts first, as a
    point there would. A share below 1e-9 is nothing.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        Polygons, in a CRS in metres. Points and rows without a place have no share.
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in the same
        CRS.

    Returns
    -------
    DataFrame, schema CROSSWALK
        One row for each element and polygon that share some area, in the order of the
        elements and then of the codes. The part outside of all polygons has a row of its
        own, the first of its element, with a missing ``target``. An invalid footprint is
        measured as `shapely.make_valid` mends it.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema.
    CRSError
        If the CRS differ or are not in metres.
    TilingError
        If a polygon of ``grids`` is not valid.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> home = sketch_points((1.5, 0.5))
    >>> home = home.set_geometry(home.buffer(1.0, cap_style="square"))  # from 0.5 to 2.5
    >>> measure_footprint_shares(home, sketch_grids("AB"))[["target", "weight"]].values.tolist()
    [[nan, 0.625], ['A', 0.125], ['B', 0.25]]
    """
    _check(elements, grids)
    by_code = places.order_of_code(grids)
    pieces = _cut(elements.geometry.to_numpy(), grids.geometry.to_numpy()[by_code])
    codes = grids.index[by_code].astype("str").array
    target = pd.api.extensions.take(codes, pieces.position, allow_fill=True)
    source = elements.index.astype("str").array.take(pieces.row)
    number = pd.RangeIndex(len(source), name=schema.CROSSWALK.index)
    columns = {"source": source, "target": target, "weight": pieces.share}
    return DataFrame(columns, index=number).assign(basis=Series("area", number, dtype="str"))


def _check(elements: GeoDataFrame, grids: GeoDataFrame) -> None:
    places.check_attached(elements, footprints=True)
    places.check_holders(grids)
    schema.check_metric_crs(elements=elements, grids=grids)


def _is_polygon(shapes: NDArray[np.object_]) -> NDArray[np.bool_]:
    flat: NDArray[np.bool_] = shapely.get_dimensions(shapes) == 2
    return flat & ~shapely.is_empty(shapes)


def _cut(shapes: NDArray[np.object_], polygons: NDArray[np.object_]) -> Pieces:
    """Cut footprints by polygons that stand in order of code."""
    flat = np.flatnonzero(_is_polygon(shapes))
    footprints = shapes[flat]
    faulty = ~shapely.is_valid(footprints)
    footprints[faulty] = shapely.make_valid(footprints[faulty])
    whole = shapely.area(footprints)
    flat, footprints, whole = flat[whole > 0], footprints[whole > 0], whole[whole > 0]
    tree = shapely.STRtree(footprints)
    holder, inside = tree.query(polygons, predicate="covers")
    first = np.full(len(flat), len(polygons))
    np.minimum.at(first, inside, holder)
    polygon, part = tree.query(polygons, predicate="intersects")
    # Whole in the first polygon that touches it: nothing to cut.
    lowest = np.full(len(flat), len(polygons))
    np.minimum.at(lowest, part, polygon)
    done = (first == lowest) & (first < len(polygons))
    cut = ~done[part]
    polygon, part = polygon[cut], part[cut]
    order = np.lexsort((polygon, part))
    polygon, part = polygon[order], part[order]
    area = _cut_pieces(footprints, polygons, part, polygon)
    rest = np.flatnonzero(~done)
    shared = _share(whole, np.append(part, rest), np.append(polygon, np.full_like(rest, NOWHERE)),
                    np.append(area, np.zeros(len(rest))))
    full = np.flatnonzero(done)
    row = np.concatenate([flat[full], flat[shared.row]])
    position = np.concatenate([first[full], shared.position]).astype(np.int32)
    share = np.concatenate([np.ones(len(full)), shared.share])
    order = np.lexsort((position, row))
    return Pieces(row[order], position[order], share[order])


def _cut_pieces(
    footprints: NDArray[np.object_],
    polygons: NDArray[np.object_],
    part: NDArray[np.intp],
    polygon: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Return the area of each piece, less what a polygon with an earlier code holds of it."""
    pieces = shapely.intersection(footprints[part], polygons[polygon])
    area: NDArray[np.float64] = shapely.area(pieces)
    # Row by row: only where polygons overlap, which a tiling never does.
    for row in _find_lapped(pieces, area, part):
        first, last = np.searchsorted(part, [row, row + 1])
        taken = shapely.Polygon()
        for k in range(first, last):
            area[k] = shapely.area(shapely.difference(pieces[k], taken))
            taken = shapely.union(taken, pieces[k])
    return area


def _find_lapped(
    pieces: NDArray[np.object_], area: NDArray[np.float64], part: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Return the footprints with pieces that overlap each other."""
    lapped = [np.empty(0, dtype=np.intp)]
    step = 1
    while len(first := np.flatnonzero(part[step:] == part[:-step])):
        common = shapely.area(shapely.intersection(pieces[first], pieces[first + step]))
        smaller = np.minimum(area[first], area[first + step])
        lapped.append(part[first[common > QUANTUM * smaller]])
        step += 1
    return np.unique(np.concatenate(lapped))


def _share(
    whole: NDArray[np.float64],
    part: NDArray[np.intp],
    polygon: NDArray[np.intp],
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
    biggest = _first_largest(part, np.where(polygon == NOWHERE, -1.0, share))
    small = starts[few]
    pick = biggest[np.searchsorted(part[biggest], part[small])]
    settled = polygon[pick] != NOWHERE
    share[pick[settled]] += share[small[settled]]
    share[small[settled]] = 0
    keep = share > 0
    return Pieces(part[keep], polygon[keep].astype(np.int32), share[keep] * QUANTUM)


def _first_largest(part: NDArray[np.intp], share: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return for each part the place of its largest share, the first of equals."""
    order = np.lexsort((-share, part))
    return order[np.flatnonzero(np.diff(part[order], prepend=-1))]


class _Best(NamedTuple):
    row: NDArray[np.intp]
    position: NDArray[np.int32]
    how: NDArray[np.object_]


def _largest(pieces: Pieces) -> _Best:
    inner = pieces.position != NOWHERE
    row, position, share = pieces.row[inner], pieces.position[inner], pieces.share[inner]
    pick = _first_largest(row, share)
    ties = np.bincount(row, weights=share == _best_of(row, share, pick))[row[pick]]
    how = np.select([share[pick] == 1, ties > 1], ["inside", "border"], "largest")
    return _Best(row[pick], position[pick], how.astype(object))


def _best_of(
    row: NDArray[np.intp], share: NDArray[np.float64], pick: NDArray[np.intp]
) -> NDArray[np.float64]:
    return share[pick][np.searchsorted(row[pick], row)]
