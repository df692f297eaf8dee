"""Who an asset reaches, in a straight line or along roads."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import scipy  # its parts are loaded when they are first named
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series

from . import access, network, pairs, walking
from .network import Network
from .pairs import Roads

#: The kind of element that counts as a building.
BUILDING = "building"


class Demand(NamedTuple):
    """Places to serve: one for each element that stands for households or is a building."""

    xy: NDArray[np.float64]
    households: NDArray[np.float64]
    people: NDArray[np.float64]  # 0 where unknown
    buildings: NDArray[np.float64]  # 1 for a building
    grid: Series


class Reach(NamedTuple):
    """What one kind of asset does for each place of demand."""

    nearest: NDArray[np.float64]  # to the nearest asset of the kind, in its unit
    served: NDArray[np.bool_] | None  # None for a kind without a reach
    unit: str = "m"  # or "min"
    providers: NDArray[np.float64] | None = None  # how many reach the place
    supply: NDArray[np.float64] | None = None  # capacity for each household there


def find_demand(elements: GeoDataFrame) -> Demand:
    """Return the places of the elements that stand for households or are buildings.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        With ``grid``; footprints count at their centre. Other rows, and those without a grid
        or a place, are no demand.

    Returns
    -------
    Demand

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (1, 1)).assign(households=[3, 0], grid="A")
    >>> find_demand(homes).households.tolist()
    [3.0]
    """
    households = elements["households"].fillna(0).to_numpy(dtype="float64")
    shapes = elements.geometry.to_numpy()
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    held = elements["grid"].notna().to_numpy()
    # In order of code, so that sums do not depend on the order of the rows.
    built = (elements["kind"] == BUILDING).to_numpy(dtype=bool)
    living = elements[placed & held & ((households > 0) | built)].sort_index()
    xy = find_middles(living.geometry.to_numpy())
    people = np.zeros(len(living))
    if "people" in living:
        people = living["people"].fillna(0).to_numpy(dtype="float64")
    households = living["households"].fillna(0).to_numpy(dtype="float64")
    buildings = (living["kind"] == BUILDING).to_numpy(dtype="float64")
    return Demand(xy, households, people, buildings, living["grid"])


def find_middles(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the place of each point, without asking for its centre, and the centre of areas.

    Examples
    --------
    >>> find_middles(shapely.box([0], [0], [2], [2])).tolist()
    [[1.0, 1.0]]
    """
    points = shapely.get_type_id(shapes) == 0
    xy = np.empty((len(shapes), 2))
    xy[points] = shapely.get_coordinates(shapes[points])
    xy[~points] = shapely.get_coordinates(shapely.centroid(shapes[~points]))
    return xy


class Spots(NamedTuple):
    """Places of demand, each once: the households of one door are at one place."""

    xy: NDArray[np.float64]  # from west to east, then from south to north
    of: NDArray[np.intp]  # which of them each place is


def gather_spots(xy: NDArray[np.float64]) -> Spots:
    """Return each of some places once.

    Examples
    --------
    >>> gather_spots(np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])).of.tolist()
    [1, 0, 1]
    """
    spots, of = np.unique(np.ascontiguousarray(xy).view(np.complex128), return_inverse=True)
    return Spots(spots.view(np.float64).reshape(-1, 2), of.ravel())


def measure_reach(
    demand: Demand,
    assets: GeoDataFrame,
    *,
    along: Network | None = None,
    by_road: Collection[str] | None = None,
) -> dict[str, Reach]:
    """Measure the reach of every kind of asset, in order of kind.

    Parameters
    ----------
    demand : Demand
        Places to serve.
    assets : GeoDataFrame, schema ASSETS
        A point serves what is not farther away than its ``radius_m``, or ``reach_min`` along
        a network with speeds, and an area what lies in it; one without a reach serves nobody
        but can be the nearest.
    along : Network, optional
        Measure along its roads; by default in a straight line.
    by_road : collection of str, optional
        The kinds that are measured along the network; all by default.

    Returns
    -------
    dict
        Kind -> Reach.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 4], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> measure_reach(find_demand(homes), boards)["board"].served.tolist()
    [True, False]
    """
    on_roads = None if along is None else Roads(along, network.find_spots(along, demand.xy))
    spots = gather_spots(demand.xy)
    reached = {}
    for kind, some in split_kinds(assets).items():
        roads = on_roads if by_road is None or kind in by_road else None
        if roads is None and stands_alone(some):
            reached[kind] = spread(reach_spots(spots.xy, some), spots.of)
        else:
            reached[kind] = reach_places(demand, some, roads)
    return reached


def split_kinds(assets: GeoDataFrame) -> dict[str, GeoDataFrame]:
    """Return the assets of each kind that have a place, in order of kind.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> list(split_kinds(sketch_points((0, 0), kind="board")))
    ['board']
    """
    places = assets[~assets.geometry.isna() & ~assets.geometry.is_empty]
    return {str(kind): places[places["kind"] == kind] for kind in sorted(assets["kind"].unique())}


def stands_alone(assets: GeoDataFrame) -> bool:
    """Say whether what assets do for a place depends on no other place: nothing is shared.

    Parameters
    ----------
    assets : GeoDataFrame, schema ASSETS
        Of one kind.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> clinics = sketch_points((0, 0), kind="clinic").assign(radius_m=9.0)
    >>> stands_alone(clinics), stands_alone(clinics.assign(capacity=2.0))
    (True, False)
    """
    area = pairs.find_areas(assets).any()
    if np.isnan(pairs.find_limits(assets, "m")).all() and not area:
        return True
    return not area and not _is_sized(assets)


def _is_sized(assets: GeoDataFrame) -> bool:
    return "capacity" in assets and bool(assets["capacity"].notna().any())


def reach_spots(xy: NDArray[np.float64], assets: GeoDataFrame) -> Reach:
    """Measure what the assets of one kind that stands alone do for each spot.

    Parameters
    ----------
    xy : array of float
        The spots, in any order.
    assets : GeoDataFrame, schema ASSETS
        Points; all have a place.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> reach_spots(np.array([[0.0, 0.0], [9.0, 0.0]]), boards).nearest.tolist()
    [3.0, 6.0]
    """
    stands = pairs.place_assets(assets)
    nearest = _measure_nearest(stands, xy)
    limits = pairs.find_limits(assets, "m")
    if np.isnan(limits).all():
        return Reach(nearest, None)
    providers = np.zeros(len(xy))
    # One search for each radius: kinds have one or a few. Counting takes no memory for pairs.
    for limit in np.unique(limits[~np.isnan(limits)]) if len(xy) else ():
        tree = scipy.spatial.KDTree(stands[limits == limit])
        providers += tree.query_ball_point(xy, limit, return_length=True)
    return Reach(nearest, providers > 0, "m", providers)


def _measure_nearest(stands: NDArray[np.float64], xy: NDArray[np.float64]) -> NDArray[np.float64]:
    if not len(stands) or not len(xy):
        return np.full(len(xy), np.nan)
    distance: NDArray[np.float64] = scipy.spatial.KDTree(stands).query(xy)[0]
    return distance


def spread(reach: Reach, of: NDArray[np.intp]) -> Reach:
    """Return for each place what is known of its spot.

    Examples
    --------
    >>> spread(Reach(np.array([3.0]), None), np.array([0, 0])).nearest.tolist()
    [3.0, 3.0]
    """
    return reach._replace(
        nearest=reach.nearest[of], served=None if reach.served is None else reach.served[of],
        providers=None if reach.providers is None else reach.providers[of])


def reach_places(demand: Demand, assets: GeoDataFrame, roads: Roads | None = None) -> Reach:
    """Measure what the assets of one kind do for each place, where places share them.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0)).assign(households=[4], grid="A")
    >>> clinics = sketch_points((3, 0), kind="clinic").assign(radius_m=3.0, capacity=2.0)
    >>> reach_places(find_demand(homes), clinics).supply.tolist()
    [0.5]
    """
    unit = "m" if roads is None else roads.network.unit
    stands = pairs.place_assets(assets)
    if roads is not None:
        nearest = walking.measure_from_spots(roads.network, roads.spots, stands)
    else:
        spots = gather_spots(demand.xy)
        nearest = _measure_nearest(stands, spots.xy)[spots.of]
    if np.isnan(pairs.find_limits(assets, unit)).all() and not pairs.find_areas(assets).any():
        return Reach(nearest, None, unit)
    found = pairs.find_pairs(demand.xy, assets, roads)
    providers = np.bincount(found.place, minlength=len(demand.xy)).astype("float64")
    supply = access.sum_supply(demand.households, assets, found) if _is_sized(assets) else None
    return Reach(nearest, providers > 0, unit, providers, supply)
