"""Anything to polygons: points as points, and footprints by their largest share."""

from __future__ import annotations

from collections.abc import Collection

import shapely
from geopandas import GeoDataFrame

from ..executors import Executor
from . import footprints, points
from .places import Attachment


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
    kinds = shapely.get_type_id(elements.geometry.to_numpy())
    if (kinds > 0).any():
        return footprints.attach_footprints(elements, grids, nearest_m=nearest_m, sums=sums)
    return points.attach_points(elements, grids, nearest_m=nearest_m, sums=sums,
                                executor=executor)
