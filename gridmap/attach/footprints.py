"""Footprints to polygons: whole buildings by rule, or shares that add up to exactly 1."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import schema
from ..errors import SchemaError
from . import counts, cutting, entrances, places, points
from .cutting import Pieces
from .locator import Locator
from .places import NOWHERE, Attachment, Held

RULES = ("largest", "point", "entrance")


def attach_footprints(
    elements: GeoDataFrame,
    grids: GeoDataFrame,
    *,
    rule: str = "largest",
    doors: GeoDataFrame | None = None,
    nearest_m: float | None = None,
    sums: Collection[str] = (),
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
    rule : {"largest", "point", "entrance"}, default "largest"
        By the largest share of the footprint, and of equal shares the code that sorts first;
        by a point inside the footprint, as `attach_points` would; or by the polygon that most
        of its ``doors`` lie in, and by the largest share where it has none.
    doors : GeoDataFrame, schema ELEMENTS, optional
        Points for the rule "entrance": entrances or address points. Their column ``building``
        says which footprint they belong to; without it, the one that covers them.
    nearest_m : float, optional
        Give a footprint outside of all polygons to the one nearest to a point inside it, if
        that is at most so many metres away.
    sums : collection of str, optional
        Further columns of numbers to sum up by grid.

    Returns
    -------
    Attachment
        As from `attach_points`, and by grid ``footprint_m2`` and ``floor_area_m2``, where
        missing ``floors`` count 1. ``how`` is "inside" (one polygon holds all of it), "largest"
        (the largest of several shares), "border" (one of several equal shares, by the code),
        "entrance" (by its doors), "nearest" or missing; with the rule "point" and for points it
        is as there.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, ``rule`` is unknown, the rule "entrance" has no
        ``doors`` or another rule has some, or a column of ``sums`` is absent.
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
    counts.check_sums(elements, sums)
    _check_rule(rule, doors)
    held = hold_footprints(elements, points.make_ready(grids, len(elements)), rule=rule,
                           doors=doors, nearest_m=nearest_m)
    return Attachment(
        places.write_holders(elements, held.position, held.way, grids.index),
        count_footprints(elements, held.position, grids.index, sums=sums),
        places.write_rejects(elements, held.position, held.reason, grids.index),
    )


def hold_footprints(
    elements: GeoDataFrame, ready: Locator, *, rule: str = "largest",
    doors: GeoDataFrame | None = None, nearest_m: float | None = None,
) -> Held:
    """Return which polygon holds each footprint, or each point among them.

    Parameters
    ----------
    elements : GeoDataFrame
        Polygons and points.
    ready : Locator
    rule, doors, nearest_m
        See `attach_footprints`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((1.5, 0.5))
    >>> homes = homes.set_geometry(homes.buffer(0.2))
    >>> hold_footprints(homes, points.make_ready(sketch_grids("AB"), 1)).position
    array([1], dtype=int32)
    """
    shapes = elements.geometry.to_numpy()
    position = np.full(len(shapes), NOWHERE, dtype=np.int32)
    way = np.full(len(shapes), NOWHERE, dtype=np.int8)
    if doors is not None:
        voted = entrances.vote(elements, doors, ready)
        position[voted.row], way[voted.row] = voted.position, places.ENTRANCE
    if rule != "point":
        open_ = np.flatnonzero(position == NOWHERE)
        best = _largest(cutting.cut_footprints(shapes[open_], ready))
        position[open_[best.row]] = ready.by_code[best.position]
        way[open_[best.row]] = best.way
    rest = np.flatnonzero(position == NOWHERE)
    found = places.places_of(_stand_in(shapes[rest]))
    position[rest], way[rest] = points.hold_places(found, ready, nearest_m=nearest_m)
    reason = np.full(len(shapes), None, dtype=object)
    reason[rest] = found.reason
    return Held(position, way, reason)


def count_footprints(
    elements: GeoDataFrame, position: NDArray[np.integer], codes: pd.Index, *,
    sums: Collection[str] = (),
) -> DataFrame:
    """Count what each polygon holds, as `count_held` does, and sum up footprints.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> codes = pd.Index(["A"], name="grid")
    >>> count_footprints(sketch_points((0, 0)), np.array([0]), codes)["footprint_m2"].tolist()
    [0.0]
    """
    return counts.count_held(elements, position, codes, sums=sums).join(
        counts.sum_areas(elements, position, codes))


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
    ready = points.make_ready(grids, len(elements))
    pieces = cutting.cut_footprints(elements.geometry.to_numpy(), ready)
    codes = grids.index[ready.by_code].astype("str").array
    target = pd.api.extensions.take(codes, pieces.position, allow_fill=True)
    source = elements.index.astype("str").array.take(pieces.row)
    number = pd.RangeIndex(len(source), name=schema.CROSSWALK.index)
    columns = {"source": source, "target": target, "weight": pieces.share}
    return DataFrame(columns, index=number).assign(basis=Series("area", number, dtype="str"))


def _check(elements: GeoDataFrame, grids: GeoDataFrame) -> None:
    places.check_attached(elements, footprints=True)
    places.check_holders(grids)
    schema.check_metric_crs(elements=elements, grids=grids)


def _check_rule(rule: str, doors: GeoDataFrame | None) -> None:
    if rule not in RULES:
        raise SchemaError(f"rule is {rule!r}: largest, point or entrance is needed")
    if (rule == "entrance") != (doors is not None):
        raise SchemaError(
            f"rule is {rule!r}, and doors {'were' if doors is not None else 'were not'} given: "
            "the rule 'entrance' needs doors=…, a frame of points, and no other rule takes them"
        )


def _stand_in(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return points as they are, and a point inside of each polygon."""
    flat = np.flatnonzero((shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes))
    spots = shapes.copy()
    spots[flat] = shapely.point_on_surface(shapes[flat])
    return spots


class _Best(NamedTuple):
    row: NDArray[np.intp]
    position: NDArray[np.int32]
    way: NDArray[np.int8]


def _largest(pieces: Pieces) -> _Best:
    inner = pieces.position != NOWHERE
    row, position, share = pieces.row[inner], pieces.position[inner], pieces.share[inner]
    pick = cutting.first_largest(row, share)
    ties = np.bincount(row, weights=share == _best_of(row, share, pick))[row[pick]]
    way = np.select([share[pick] == 1, ties > 1], [places.INSIDE, places.BORDER], places.LARGEST)
    return _Best(row[pick], position[pick], way.astype(np.int8))


def _best_of(
    row: NDArray[np.intp], share: NDArray[np.float64], pick: NDArray[np.intp]
) -> NDArray[np.float64]:
    return share[pick][np.searchsorted(row[pick], row)]
