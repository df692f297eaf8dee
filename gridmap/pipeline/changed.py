"""What differs between a frame and the one before: rows, and the boxes they lie in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_NO_BOXES: Floats = np.empty((0, 4))


def find_changed(
    old: GeoDataFrame | None, new: GeoDataFrame | None, columns: Sequence[str] = ()
) -> tuple[Flags, Flags]:
    """Say which rows of two frames are not, to the last bit, in the other.

    Parameters
    ----------
    old, new : GeoDataFrame or None
        With unique indexes.
    columns : sequence of str
        What counts beside the code and the geometry; absent columns count as missing.

    Returns
    -------
    old, new : arrays of bool
        True for rows that are gone, new, or have other values.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> [flags.tolist() for flags in find_changed(sketch_grids("AAB"), sketch_grids("ACB"))]
    [[True, False], [True, False, True]]
    """
    if old is None or new is None:
        return np.ones(0 if old is None else len(old), bool), np.ones(
            0 if new is None else len(new), bool)
    at = old.index.get_indexer(new.index)
    there = np.flatnonzero(at >= 0)
    same = _same_shapes(old.geometry.to_numpy()[at[there]], new.geometry.to_numpy()[there])
    for name in columns:
        same &= _same_values(old, new, name, at[there], there)
    if old.crs != new.crs:
        same &= False
    now, before = np.ones(len(new), bool), np.ones(len(old), bool)
    now[there[same]] = False
    before[at[there[same]]] = False
    return before, now


def _same_shapes(one: NDArray[np.object_], two: NDArray[np.object_]) -> Flags:
    return np.asarray(shapely.to_wkb(one) == shapely.to_wkb(two), dtype=bool)


def _same_values(
    old: GeoDataFrame, new: GeoDataFrame, name: str, at: NDArray[np.intp],
    there: NDArray[np.intp],
) -> Flags:
    if name not in old and name not in new:
        return np.ones(len(there), bool)
    if name not in old or name not in new:
        return np.zeros(len(there), bool)
    one, two = old[name].iloc[at].array, new[name].iloc[there].array
    absent = np.asarray(pd.isna(one)), np.asarray(pd.isna(two))
    equal = np.asarray(pd.Series(one).eq(pd.Series(two)).fillna(False), dtype=bool)
    return (equal & ~absent[0] & ~absent[1]) | (absent[0] & absent[1])


def find_boxes(
    old: GeoDataFrame | None, new: GeoDataFrame | None, columns: Sequence[str] = ()
) -> Floats:
    """Return the boxes of all rows that changed, where they were and where they are.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> find_boxes(sketch_grids("AB"), sketch_grids("AB")).tolist()
    []
    """
    before, now = find_changed(old, new, columns)
    parts = [shapely.bounds(frame.geometry.to_numpy()[flags])
             for frame, flags in ((old, before), (new, now)) if frame is not None]
    boxes = np.concatenate([_NO_BOXES, *parts])
    return boxes[np.isfinite(boxes).all(axis=1)]


def find_near(shapes: NDArray[np.object_], boxes: Floats, *, reach_m: float) -> Flags:
    """Say which shapes are within reach of any box.

    Examples
    --------
    >>> one = np.array([shapely.box(0, 0, 1, 1), shapely.box(5, 0, 6, 1)])
    >>> find_near(one, np.array([[1.5, 0, 2, 1]]), reach_m=1.0).tolist()
    [True, False]
    """
    near = np.zeros(len(shapes), bool)
    if len(boxes):
        hit = shapely.STRtree(shapes).query(
            shapely.box(*boxes.T), predicate="dwithin", distance=reach_m)[1]
        near[hit] = True
    return near


def find_touching(shapes: NDArray[np.object_], chosen: Flags, *, reach_m: float = 0.1) -> Flags:
    """Say which shapes are chosen, or touch one that is.

    Examples
    --------
    >>> one = np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 0, 6, 1)])
    >>> find_touching(one, np.array([True, False, False])).tolist()
    [True, True, False]
    """
    more = chosen.copy()
    if chosen.any():
        more[shapely.STRtree(shapes).query(
            shapes[chosen], predicate="dwithin", distance=reach_m)[1]] = True
    return more
