"""Points to polygons: every point in exactly one of those that cover it."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from .. import schema
from ..errors import SchemaError
from ..executors.base import Executor
from . import counts, exact, locator, places
from .locator import Locator
from .places import NOWHERE, Attachment, Held, Places

#: Below this many points asking GEOS takes less time than building a lattice.
FEW_POINTS = 50_000

#: Points that an executor gives to a worker at a time.
SLICE = 1_000_000


def attach_points(
    elements: GeoDataFrame,
    grids: GeoDataFrame,
    *,
    nearest_m: float | None = None,
    sums: Collection[str] = (),
    executor: Executor | None = None,
) -> Attachment:
    """Give every point the code of the polygon that holds it.

    Among the polygons that cover a point, border included, the one whose code sorts first
    holds it. So a point inside a tiling is counted exactly once, and the answer does not
    depend on the order of the rows.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS, ASSETS, EVENTS or VISITS
        Points, in a CRS in metres. A row without a place is kept and becomes a reject.
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in the same
        CRS. They may overlap and leave gaps.
    nearest_m : float, optional
        Give a point outside of all polygons to the nearest one, if it is at most so many
        metres away; of two equally near the one whose code sorts first. By default such a
        point is held by none.
    sums : collection of str, optional
        Further columns of numbers to sum up by grid.
    executor : Executor, optional
        Looks for the points side by side, where there are more than a million.

    Returns
    -------
    Attachment
        ``elements``: same rows, same order, and two more columns: one with the name of the
        index of ``grids``, missing where none holds the point, and ``how``: "inside",
        "border" (on the border of a polygon that covers it), "nearest", or missing.
        ``by_grid``: one row for every polygon in the order of ``grids``: rows, households,
        people and ``sums``, and for each kind ``count_`` and the kind. ``rejects``: one row
        for every point that no polygon holds, with the reason. Empty frames give empty answers.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, elements are no points, ``nearest_m`` is not
        above 0, or a column of ``sums`` is absent.
    CRSError
        If the CRS differ or are not in metres.
    TilingError
        If a polygon is not valid.

    See Also
    --------
    attach_footprints : The same for polygons, such as buildings.
    measure_territories : The counts of grids, added up by territory.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> grids = sketch_grids("AB")  # two squares of 1 m, side by side
    >>> attached = attach_points(sketch_points((0.5, 0.5), (1.0, 0.5), (9.0, 9.0)), grids)
    >>> attached.elements[["grid", "how"]].values.tolist()
    [['A', 'inside'], ['A', 'border'], [nan, nan]]
    >>> attached.by_grid["count_address"].to_dict()
    {'A': 2, 'B': 0}
    """
    places.check_attached(elements, footprints=False)
    schema.check_metric_crs(elements=elements, grids=grids)
    check_nearest(nearest_m)
    counts.check_sums(elements, sums)
    held = hold_points(elements, make_ready(grids, len(elements)), nearest_m=nearest_m,
                       executor=executor)
    return Attachment(
        places.write_holders(elements, held.position, held.way, grids.index),
        counts.count_held(elements, held.position, grids.index, sums=sums),
        places.write_rejects(elements, held.position, held.reason, grids.index),
    )


def hold_points(
    elements: GeoDataFrame, ready: Locator, *, nearest_m: float | None = None,
    executor: Executor | None = None,
) -> Held:
    """Return which polygon holds each point.

    Parameters
    ----------
    elements : GeoDataFrame
        Points.
    ready : Locator
    nearest_m, executor
        See `attach_points`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> hold_points(sketch_points((1.5, 0.5)), make_ready(sketch_grids("AB"), 1)).position
    array([1], dtype=int32)
    """
    found = places.find_places(elements)
    if executor is None or len(elements) <= SLICE:
        position, way = hold_places(found, ready, nearest_m=nearest_m)
    else:
        position, way = _hold_elsewhere(found, ready, nearest_m, executor)
    return Held(position, way, found.reason)


def _hold_elsewhere(
    found: Places, ready: Locator, nearest_m: float | None, executor: Executor
) -> tuple[NDArray[np.integer], NDArray[np.int8]]:
    """As `hold_places`, some places after the others: no place depends on another one."""
    task = executor.broadcast((ready, nearest_m))
    placed = found.reason == None  # noqa: E711
    parts = ((found.x[at : at + SLICE], found.y[at : at + SLICE], placed[at : at + SLICE])
             for at in range(0, len(found.x), SLICE))
    answers = list(executor.map(_hold, parts, shared=task))
    return (np.concatenate([position for position, _ in answers]),
            np.concatenate([way for _, way in answers]))


def _hold(
    part: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]],
    task: tuple[Locator, float | None],
) -> tuple[NDArray[np.integer], NDArray[np.int8]]:
    return _find_holders(*part, *task)


def check_nearest(nearest_m: float | None) -> None:
    """Raise unless a distance is above 0, or none is given.

    Raises
    ------
    SchemaError
        If it is not above 0 or not finite.

    Examples
    --------
    >>> check_nearest(5.0)
    """
    if nearest_m is not None and not 0 < nearest_m < np.inf:
        raise SchemaError(f"nearest_m is {nearest_m}: a distance above 0 in metres is needed")


def make_ready(grids: GeoDataFrame, size: int) -> Locator:
    """Return a locator that suits a number of points.

    Parameters
    ----------
    grids : GeoDataFrame
        Polygons; see `build_locator`.
    size : int
        How many points there are to locate.

    Returns
    -------
    Locator

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> make_ready(sketch_grids("AB"), 3).engine
    'geos'
    """
    return locator.build_locator(grids, engine="geos" if size < FEW_POINTS else None)


def hold_places(
    found: Places, ready: Locator, *, nearest_m: float | None = None
) -> tuple[NDArray[np.integer], NDArray[np.int8]]:
    """Return the position of the polygon that holds each place, and how.

    Parameters
    ----------
    found : Places
        Coordinates, and the reason where a row has none.
    ready : Locator
    nearest_m : float, optional
        See `attach_points`.

    Returns
    -------
    position : array of int
        -1 where none holds the place.
    way : array of int
        Position in `places.WAYS`, -1 where none holds it.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> found = places.find_places(sketch_points((1.5, 0.5)))
    >>> hold_places(found, make_ready(sketch_grids("AB"), 1))[0].tolist()
    [1]
    """
    placed = found.reason == None  # noqa: E711
    return _find_holders(found.x, found.y, placed, ready, nearest_m)


def _find_holders(
    x: NDArray[np.float64], y: NDArray[np.float64], placed: NDArray[np.bool_], ready: Locator,
    nearest_m: float | None,
) -> tuple[NDArray[np.integer], NDArray[np.int8]]:
    position, border = locator.locate_points(ready, x, y)
    way = np.where(border, places.BORDER, places.INSIDE).astype(np.int8)
    way[position == NOWHERE] = NOWHERE
    if nearest_m is not None:
        out = np.flatnonzero((position == NOWHERE) & placed)
        near = exact.find_nearest(ready.polygons, x[out], y[out], within_m=nearest_m)
        position[out] = np.append(ready.by_code, NOWHERE)[near]
        way[out] = np.where(near == NOWHERE, NOWHERE, places.NEAREST)
    return position, way
