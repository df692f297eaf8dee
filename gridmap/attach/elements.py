"""Anything to polygons: points as points, and footprints by their largest share."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .. import schema
from ..executors import Executor
from . import counts, footprints, places, points
from .locator import Locator
from .places import Attachment, Held


def attach_elements(
    elements: GeoDataFrame,
    grids: GeoDataFrame,
    *,
    nearest_m: float | None = None,
    sums: Collection[str] = (),
    executor: Executor | None = None,
) -> Attachment:
    """Give every element the code of the polygon that holds it.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS, ASSETS, EVENTS or VISITS
        Points, polygons or both, in a CRS in metres. A row without a place is kept and
        becomes a reject.
    grids : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in the same
        CRS.
    nearest_m : float, optional
        Give an element outside of all polygons to the nearest one, if it is at most so many
        metres away.
    sums : collection of str, optional
        Further columns of numbers to sum up by grid.
    executor : Executor, optional
        Looks for points side by side where there are millions; footprints are attached here.

    Returns
    -------
    Attachment
        As from `attach_points` if all are points, otherwise from `attach_footprints`.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, or a column of ``sums`` is absent.
    CRSError
        If the CRS differ or are not in metres.
    TilingError
        If a polygon of ``grids`` is not valid.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> attached = attach_elements(sketch_points((1.0, 0.5)), sketch_grids("AB"))
    >>> attached.elements["grid"].tolist()
    ['A']
    """
    if has_footprints(elements.geometry.to_numpy()):
        return footprints.attach_footprints(elements, grids, nearest_m=nearest_m, sums=sums)
    return points.attach_points(elements, grids, nearest_m=nearest_m, sums=sums,
                                executor=executor)


def has_footprints(shapes: NDArray[np.object_]) -> bool:
    """Say whether any of the shapes is no point.

    Examples
    --------
    >>> has_footprints(shapely.points([[0, 0]]))
    False
    """
    return bool((shapely.get_type_id(shapes) > 0).any())


def hold_elements(
    elements: GeoDataFrame, grids: GeoDataFrame, *, nearest_m: float | None = None,
    executor: Executor | None = None, ready: Locator | None = None,
) -> Held:
    """Return which polygon holds each element, and how it was found, as numbers.

    Parameters
    ----------
    elements, grids, nearest_m, executor
        See `attach_elements`.
    ready : Locator, optional
        Of ``grids``; by default one that suits the number of elements.

    Returns
    -------
    Held

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> hold_elements(sketch_points((1.0, 0.5)), sketch_grids("AB")).way.tolist()
    [1]
    """
    flat = has_footprints(elements.geometry.to_numpy())
    places.check_attached(elements, footprints=flat)
    schema.check_metric_crs(elements=elements, grids=grids)
    points.check_nearest(nearest_m)
    ready = points.make_ready(grids, len(elements)) if ready is None else ready
    if flat:
        return footprints.hold_footprints(elements, ready, nearest_m=nearest_m)
    return points.hold_points(elements, ready, nearest_m=nearest_m, executor=executor)


def count_elements(
    elements: GeoDataFrame, position: NDArray[np.integer], codes: pd.Index, *,
    footprints_too: bool | None = None,
) -> DataFrame:
    """Count what each polygon holds, one row for every polygon, as `attach_elements` does.

    Parameters
    ----------
    elements : GeoDataFrame
    position : array of int
        Position in ``codes`` for each row, -1 for none.
    codes : Index
    footprints_too : bool, optional
        Sum up footprints; by default where there are any.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> codes = pd.Index(["A"], name="grid")
    >>> count_elements(sketch_points((0, 0)), np.array([0]), codes)["rows"].tolist()
    [1]
    """
    flat = has_footprints(elements.geometry.to_numpy()) if footprints_too is None else (
        footprints_too)
    count = footprints.count_footprints if flat else counts.count_held
    return count(elements, position, codes)
