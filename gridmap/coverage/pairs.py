"""Which assets reach which places, pair by pair."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are first named
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from ..errors import SchemaError
from . import walking
from .network import Network, Spots
from .walking import Pairs

Floats = NDArray[np.float64]


class Roads(NamedTuple):
    """A network, and where the places of demand lie on it."""

    network: Network
    spots: Spots


def find_areas(assets: GeoDataFrame) -> NDArray[np.bool_]:
    """Say which assets are drawn as the area that they serve.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_areas(sketch_points((0, 0))).tolist()
    [False]
    """
    areas: NDArray[np.bool_] = shapely.get_dimensions(assets.geometry.to_numpy()) == 2
    return areas


def place_assets(assets: GeoDataFrame) -> Floats:
    """Return x and y of each asset; of an area those of a point in it.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> place_assets(sketch_grids("A")).tolist()
    [[0.5, 0.5]]
    """
    shapes = assets.geometry.to_numpy()
    xy: Floats = shapely.get_coordinates(
        np.where(find_areas(assets), shapely.point_on_surface(shapes), shapes))
    return xy


def find_limits(assets: GeoDataFrame, unit: str) -> Floats:
    """Return how far each asset reaches, in metres or minutes; missing where not at all.

    Parameters
    ----------
    assets : GeoDataFrame, schema ASSETS
    unit : {"m", "min"}
        What the network counts in.

    Raises
    ------
    SchemaError
        If minutes are asked for, and no asset says how many it reaches.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_limits(sketch_points((0, 0), kind="board").assign(radius_m=9.0), "m").tolist()
    [9.0]
    """
    name = "radius_m" if unit == "m" else "reach_min"
    if name not in assets:
        raise SchemaError(
            f"assets: column {name} is absent. Along a network with speeds an asset reaches as "
            "many minutes as it says there."
        )
    limits: Floats = assets[name].to_numpy(dtype="float64", na_value=np.nan)
    return limits


def find_pairs(xy: Floats, assets: GeoDataFrame, roads: Roads | None) -> Pairs:
    """Return which assets reach which places: an area what lies in it, a point as far as it says.

    Parameters
    ----------
    xy : array of float
        The places.
    assets : GeoDataFrame, schema ASSETS
        All with a place.
    roads : Roads, optional
        To measure along; by default in a straight line.

    Returns
    -------
    Pairs
        ``source`` is the row of the asset. The distance to an area is 0.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> boards = sketch_points((1, 0), (9, 0), kind="board").assign(radius_m=3.0)
    >>> find_pairs(np.array([[0.0, 0.0]]), boards, None).source.tolist()
    [0]
    """
    area = find_areas(assets)
    rows = np.flatnonzero(~area)
    limits = find_limits(assets, "m" if roads is None else roads.network.unit)[rows]
    rows, limits = rows[~np.isnan(limits)], limits[~np.isnan(limits)]
    sources = place_assets(assets.iloc[rows])
    found = [_in_areas(xy, assets, np.flatnonzero(area))]
    if roads is not None and len(rows):
        pairs = walking.measure_pairs(roads.network, xy, sources, within=float(limits.max()))
        near = pairs.distance <= limits[pairs.source] * (1 + 1e-12)
        found.append(Pairs(pairs.place[near], rows[pairs.source[near]], pairs.distance[near]))
    elif len(rows):
        found.append(straight_pairs(xy, sources, rows, limits))
    return Pairs(*(np.concatenate(part) for part in zip(*found, strict=True)))


def _in_areas(xy: Floats, assets: GeoDataFrame, rows: NDArray[np.intp]) -> Pairs:
    shapes = assets.geometry.to_numpy()[rows]
    tree = shapely.STRtree(shapely.points(xy))
    area, place = tree.query(shapes, predicate="intersects")
    return Pairs(place, rows[area], np.zeros(len(place)))


def straight_pairs(
    xy: Floats, sources: Floats, rows: NDArray[np.intp], limits: Floats
) -> Pairs:
    """Return which points reach which places in a straight line.

    Parameters
    ----------
    xy, sources : array of float
        Places, and the points that reach them.
    rows : array of int
        What each point is called in the answer.
    limits : array of float
        How far each reaches, the end included.

    Returns
    -------
    Pairs

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [3.0, 4.0]])
    >>> straight_pairs(xy, xy[:1], np.array([7]), np.array([5.0])).distance.tolist()
    [0.0, 5.0]
    """
    if not len(xy) or not len(sources):
        nobody = np.empty(0, dtype=np.intp)
        return Pairs(nobody, nobody, np.empty(0))
    near = scipy.spatial.KDTree(xy).query_ball_point(sources, limits, return_sorted=True)
    counts = np.fromiter((len(places) for places in near), dtype=np.intp, count=len(near))
    place = np.concatenate([np.asarray(places, dtype=np.intp) for places in near])
    source = np.repeat(np.arange(len(rows)), counts)
    distance = np.hypot(*(xy[place] - sources[source]).T)
    return Pairs(place, rows[source], distance)
