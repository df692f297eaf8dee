"""Who an asset reaches, in a straight line or along roads."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy.spatial import KDTree

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
    xy = _middles(living.geometry.to_numpy())
    people = np.zeros(len(living))
    if "people" in living:
        people = living["people"].fillna(0).to_numpy(dtype="float64")
    households = living["households"].fillna(0).to_numpy(dtype="float64")
    buildings = (living["kind"] == BUILDING).to_numpy(dtype="float64")
    return Demand(xy, households, people, buildings, living["grid"])


def _middles(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Return the place of each point, without asking for its centre, and the centre of areas."""
    points = shapely.get_type_id(shapes) == 0
    xy = np.empty((len(shapes), 2))
    xy[points] = shapely.get_coordinates(shapes[points])
    xy[~points] = shapely.get_coordinates(shapely.centroid(shapes[~points]))
    return xy


class _Spots(NamedTuple):
    """Places of demand, each once: the households of one door are at one place."""

    xy: NDArray[np.float64]
    of: NDArray[np.intp]  # which of them each place is


def _gather(xy: NDArray[np.float64]) -> _Spots:
    spots, of = np.unique(np.ascontiguousarray(xy).view(np.complex128), return_inverse=True)
    return _Spots(spots.view(np.float64).reshape(-1, 2), of.ravel())


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
    places = assets[~assets.geometry.isna() & ~assets.geometry.is_empty]
    spots = _gather(demand.xy)
    reached = {}
    for kind in sorted(assets["kind"].unique()):
        roads = on_roads if by_road is None or kind in by_road else None
        reached[str(kind)] = _reach_of(demand, spots, places[places["kind"] == kind], roads)
    return reached


def _reach_of(
    demand: Demand, spots: _Spots, assets: GeoDataFrame, roads: Roads | None
) -> Reach:
    unit = "m" if roads is None else roads.network.unit
    nearest = _nearest(pairs.place_assets(assets), spots, roads)
    limits = pairs.find_limits(assets, unit)
    area = pairs.find_areas(assets)
    if np.isnan(limits).all() and not area.any():
        return Reach(nearest, None, unit)
    sized = "capacity" in assets and assets["capacity"].notna().any()
    if sized or area.any() or roads is not None:
        found = pairs.find_pairs(demand.xy, assets, roads)
        providers = np.bincount(found.place, minlength=len(demand.xy)).astype("float64")
        supply = access.sum_supply(demand.households, assets, found) if sized else None
        return Reach(nearest, providers > 0, unit, providers, supply)
    providers = np.zeros(len(spots.xy))
    # One search for each radius: kinds have one or a few. Counting takes no memory for pairs.
    xy = pairs.place_assets(assets)
    for limit in np.unique(limits[~np.isnan(limits)]) if len(spots.xy) else ():
        tree = KDTree(xy[limits == limit])
        providers += tree.query_ball_point(spots.xy, limit, return_length=True)
    providers = providers[spots.of]
    return Reach(nearest, providers > 0, unit, providers)


def _nearest(
    xy: NDArray[np.float64], spots: _Spots, roads: Roads | None
) -> NDArray[np.float64]:
    if roads is not None:
        return walking.measure_from_spots(roads.network, roads.spots, xy)
    if not len(xy) or not len(spots.xy):
        return np.full(len(spots.of), np.nan)
    distance: NDArray[np.float64] = KDTree(xy).query(spots.xy)[0]
    return distance[spots.of]


def sum_reach(demand: Demand, reach: dict[str, Reach], grids: GeoDataFrame) -> DataFrame:
    """Sum the reach up to grids.

    Parameters
    ----------
    demand : Demand
    reach : dict
        Kind -> Reach, as from `measure_reach`.
    grids : GeoDataFrame
        Indexed by grid.

    Returns
    -------
    DataFrame
        One row for every grid: ``households_in_reach_share`` of any kind with a reach and the
        same for each kind; ``buildings_in_reach_share_`` where there are buildings; for each
        kind ``nearest_m_`` (or ``nearest_min_``), the mean distance of the households from
        which there is a way; ``providers_``, how many reach a household: above 1 reaches
        overlap; and ``capacity_each_`` for kinds with a capacity. Missing where a grid has no
        households, or no buildings.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> demand = find_demand(homes)
    >>> sums = sum_reach(demand, measure_reach(demand, boards), sketch_grids("AB"))
    >>> sums["households_in_reach_share_board"].tolist()
    [0.75, nan]
    """
    rows = grids.index.get_indexer(demand.grid)
    means = {name: _mean(weights, values, rows, len(grids))
             for name, (values, weights) in _values(demand, reach).items()}
    return DataFrame(means, index=grids.index)


def _mean(
    weights: NDArray[np.float64], values: NDArray[np.float64], rows: NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    """Return the weighted mean of each grid, of the places whose value is known."""
    weights = np.where(np.isnan(values), 0.0, weights)
    sums = np.bincount(rows, weights=weights * np.nan_to_num(values), minlength=size)
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(rows, weights=weights, minlength=size)


def _values(
    demand: Demand, reach: dict[str, Reach]
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the name of each figure, its value at each place, and what it is weighted by."""
    columns = {}
    served = [one.served for one in reach.values() if one.served is not None]
    if served:
        anybody = np.any(served, axis=0).astype("float64")
        columns["households_in_reach_share"] = anybody, demand.households
        if demand.buildings.any():
            columns["buildings_in_reach_share"] = anybody, demand.buildings
    for kind, one in reach.items():
        if one.served is not None:
            reached = one.served.astype("float64")
            columns[f"households_in_reach_share_{kind}"] = reached, demand.households
            if demand.buildings.any():
                columns[f"buildings_in_reach_share_{kind}"] = reached, demand.buildings
        columns[f"nearest_{one.unit}_{kind}"] = one.nearest, demand.households
        if one.providers is not None:
            columns[f"providers_{kind}"] = one.providers, demand.households
        if one.supply is not None:
            columns[f"capacity_each_{kind}"] = one.supply, demand.households
    return columns


def total_reach(demand: Demand, reach: dict[str, Reach]) -> dict[str, float]:
    """Return the reach of the whole: the columns of `sum_reach` for all households.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> demand = find_demand(homes)
    >>> total_reach(demand, measure_reach(demand, boards))["nearest_m_board"]
    3.75
    """
    together = np.zeros(len(demand.households), dtype=np.intp)
    return {name: float(_mean(weights, values, together, 1)[0])
            for name, (values, weights) in _values(demand, reach).items()}
