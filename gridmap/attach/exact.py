"""Which polygon covers a point, asked of GEOS: slow, and right by definition."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from .places import NOWHERE


class Held(NamedTuple):
    """The first polygon that covers each point."""

    position: NDArray[np.int32]  # -1 where none does
    border: NDArray[np.bool_]  # the point lies on the border of a polygon that covers it


def find_first(
    polygons: NDArray[np.object_], x: NDArray[np.float64], y: NDArray[np.float64]
) -> Held:
    """Return the first of the polygons that covers each point.

    Parameters
    ----------
    polygons : array of shapely polygons
        In the order in which they come first.
    x, y : array of float
        Coordinates, all finite.

    Returns
    -------
    Held

    Examples
    --------
    >>> squares = shapely.box([0, 1], [0, 0], [1, 2], [1, 1])
    >>> find_first(squares, np.array([1.0, 1.5, 9.0]), np.array([0.5, 0.5, 0.5]))
    Held(position=array([ 0,  1, -1], dtype=int32), border=array([ True, False, False]))
    """
    points = shapely.points(x, y)
    # Part by part: the box of a polygon in two places holds half the city.
    parts, number = shapely.get_parts(polygons, return_index=True)
    point, part = shapely.STRtree(parts).query(points)
    shapely.prepare(parts)
    near, spot = parts[part], points[point]
    covers = shapely.intersects(near, spot)
    first = np.full(len(points), len(polygons), dtype=np.int32)
    np.minimum.at(first, point[covers], number[part[covers]].astype(np.int32))
    border = np.zeros(len(points), dtype=bool)
    inner = shapely.contains_properly(near[covers], spot[covers])
    border[point[covers][~inner]] = True
    return Held(np.where(first == len(polygons), NOWHERE, first).astype(np.int32), border)


def find_nearest(
    polygons: NDArray[np.object_],
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    within_m: float,
) -> NDArray[np.int32]:
    """Return the nearest of the polygons within a distance, -1 where there is none.

    Parameters
    ----------
    polygons : array of shapely polygons
        In the order in which they come first when two are equally near.
    x, y : array of float
        Coordinates, all finite.
    within_m : float
        The largest distance, included.

    Returns
    -------
    array of int

    Examples
    --------
    >>> squares = shapely.box([0, 1], [0, 0], [1, 2], [1, 1])
    >>> xs, ys = np.array([1.0, 2.5, 9.0]), np.array([1.5, 0.5, 0.5])
    >>> find_nearest(squares, xs, ys, within_m=1.0).tolist()
    [0, 1, -1]
    """
    points = shapely.points(x, y)
    tree = shapely.STRtree(polygons)
    point, polygon = tree.query_nearest(points, max_distance=within_m, all_matches=True)
    none = len(polygons)
    first = np.full(len(points), none, dtype=np.int32)
    np.minimum.at(first, point, polygon.astype(np.int32))
    return np.where(first == none, NOWHERE, first).astype(np.int32)
