"""Putting the polygons of units together to the polygons of grids."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray


def dissolve(
    shapes: NDArray[np.object_], label: NDArray[np.int64], count: int
) -> NDArray[np.object_]:
    """Return one polygon for each label from 0 to ``count - 1``.

    Polygons whose borders match are put together by their edges, which is fast and moves
    nothing; where that leaves a fault, by a full union.

    Parameters
    ----------
    shapes : array of polygons
    label : array of int
        The grid of each; every number below ``count`` is used.
    count : int

    Examples
    --------
    >>> squares = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> dissolve(squares, np.array([0, 0]), 1)[0].bounds
    (0.0, 0.0, 2.0, 1.0)
    """
    order = np.argsort(label, kind="stable")
    groups = shapely.geometrycollections(shapes[order], indices=label[order])
    merged = _unwrapped(_merge(groups))
    area = np.bincount(label, shapely.area(shapes), minlength=count)
    sound = shapely.is_valid(merged) & (np.abs(shapely.area(merged) - area) <= 1e-6 + 1e-9 * area)
    for which in np.flatnonzero(~sound):  # few: only where borders do not match
        merged[which] = shapely.union_all(shapes[label == which])
    polygons: NDArray[np.object_] = shapely.normalize(_unwrapped(merged))
    return polygons


def _merge(groups: NDArray[np.object_]) -> NDArray[np.object_]:
    """Put each collection together by its edges, or fully where its edges do not match."""
    try:
        return np.asarray(shapely.coverage_union_all(groups[:, None], axis=1))
    except shapely.errors.GEOSException:
        if len(groups) == 1:
            return np.asarray(shapely.union_all(groups[:, None], axis=1))
    # One faulty collection stops the whole batch: halve until it is alone.
    half = len(groups) // 2
    return np.concatenate([_merge(groups[:half]), _merge(groups[half:])])


def _unwrapped(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Return polygons where a collection holds a single one."""
    single = shapely.get_num_geometries(shapes) == 1
    shapes = shapes.copy()
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    return shapes
