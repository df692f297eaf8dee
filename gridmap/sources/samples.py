"""A few places out of many, the same ones in whatever order rows come."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

Places = NDArray[np.float64]


def sample_places(shapes: Any, count: int, *, seed: int = 0) -> Places:
    """Return coordinates of some shapes: a point, or a place inside each.

    Parameters
    ----------
    shapes : array of geometry
    count : int
        At most as many.
    seed : int, default 0

    Returns
    -------
    array of shape (n, 2)

    Examples
    --------
    >>> sample_places(shapely.points([[3, 4], [1, 2]]), 9).tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    shapes = np.asarray(shapes, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    points = shapely.get_type_id(shapes) == 0
    inside = np.where(points, shapes, shapely.point_on_surface(shapes))
    return _choose(shapely.get_coordinates(inside), count, seed)


def sample_vertices(shapes: Any, count: int, *, seed: int = 0) -> Places:
    """Return some of the vertices of shapes.

    Examples
    --------
    >>> len(sample_vertices([shapely.box(0, 0, 1, 1)], 3))
    3
    """
    return _choose(shapely.get_coordinates(np.asarray(shapes, dtype=object)), count, seed)


def _choose(places: Places, count: int, seed: int) -> Places:
    places = np.unique(places[np.isfinite(places).all(axis=1)], axis=0)
    if len(places) <= count:
        return places
    chosen = np.random.default_rng(seed).choice(len(places), count, replace=False)
    return places[np.sort(chosen)]


def move(places: Places, source: CRS, target: Any) -> Places:
    """Move places from one CRS to another; those that cannot be moved are not finite."""
    try:
        way = _find_way(source, target)
        x, y = way.transform(places[:, 0], places[:, 1])
    except ProjError:
        return np.full_like(places, np.inf)
    return np.column_stack([x, y])


@lru_cache(maxsize=256)  # a way takes longer to find than to go with a thousand places
def _find_way(source: CRS, target: Any) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def extent_of(frame: GeoDataFrame) -> Any:
    """Return the convex hull of a frame in degrees, wider by a twentieth on each side."""
    corners = shapely.get_coordinates(shapely.box(*frame.geometry.bounds.to_numpy().T))
    degrees = move(_choose(corners, 20_000, 0), CRS(frame.crs), 4326)
    hull = shapely.MultiPoint(degrees[np.isfinite(degrees).all(axis=1)]).convex_hull
    west, south, east, north = hull.bounds
    return hull.buffer(max(0.05 * max(east - west, north - south), 0.01))
