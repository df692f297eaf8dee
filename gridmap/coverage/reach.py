"""Who an asset reaches, in a straight line or along roads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy.spatial import KDTree

from . import network, walking
from .network import Network, Spots


class Demand(NamedTuple):
    """Places with households, one for each element that stands for any."""

    xy: NDArray[np.float64]
    households: NDArray[np.float64]
    people: NDArray[np.float64]  # 0 where unknown
    grid: Series


class Reach(NamedTuple):
    """What one kind of asset does for each place of demand."""

    nearest_m: NDArray[np.float64]  # to the nearest asset of the kind
    served: NDArray[np.bool_] | None  # None for a kind without a radius


class Roads(NamedTuple):
    """A network, and where the places of demand lie on it."""

    network: Network
    spots: Spots


def find_demand(elements: GeoDataFrame) -> Demand:
    """Return the places of the elements that stand for households.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        With ``grid``; footprints count at their centre. Rows without households, grid or
        place are no demand.

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
    living = elements[placed & held & (households > 0)].sort_index()
    xy = shapely.get_coordinates(shapely.centroid(living.geometry.to_numpy()))
    people = np.zeros(len(living))
    if "people" in living:
        people = living["people"].fillna(0).to_numpy(dtype="float64")
    return Demand(xy, living["households"].to_numpy(dtype="float64"), people, living["grid"])


def measure_reach(
    demand: Demand, assets: GeoDataFrame, *, along: Network | None = None
) -> dict[str, Reach]:
    """Measure the reach of every kind of asset, in order of kind.

    Parameters
    ----------
    demand : Demand
        Places with households.
    assets : GeoDataFrame, schema ASSETS
        An asset serves what is not farther away than its ``radius_m``; one without a radius
        serves nobody but can be the nearest.
    along : Network, optional
        Measure along its roads; by default in a straight line.

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
    return {
        str(kind): _reach_of(demand, places[places["kind"] == kind], on_roads)
        for kind in sorted(assets["kind"].unique())
    }


def _reach_of(demand: Demand, assets: GeoDataFrame, roads: Roads | None) -> Reach:
    xy = shapely.get_coordinates(assets.geometry.to_numpy())
    radius = assets["radius_m"].to_numpy(dtype="float64")
    nearest = _nearest(xy, demand.xy, roads)
    if np.isnan(radius).all():
        return Reach(nearest, None)
    served = np.zeros(len(demand.xy), dtype=bool)
    # One search for each radius: kinds have one or a few.
    for reach in np.unique(radius[~np.isnan(radius)]):
        same = radius == reach
        served |= (nearest if same.all() else _nearest(xy[same], demand.xy, roads)) <= reach
    return Reach(nearest, served)


def _nearest(
    xy: NDArray[np.float64], places: NDArray[np.float64], roads: Roads | None
) -> NDArray[np.float64]:
    if roads is not None:
        return walking.measure_from_spots(roads.network, roads.spots, xy)
    if not len(xy) or not len(places):
        return np.full(len(places), np.nan)
    distance: NDArray[np.float64] = KDTree(xy).query(places)[0]
    return distance


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
        One row for every grid: ``households_in_reach_share`` of any kind with a radius and
        the same for each kind, and for each kind ``nearest_m_`` and the kind, the mean
        distance of the households from which there is a way. Missing where a grid has no
        households.

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
    columns = _values(reach)
    rows = grids.index.get_indexer(demand.grid)
    means = {name: _mean(demand, values, rows, len(grids)) for name, values in columns.items()}
    return DataFrame(means, index=grids.index)


def _mean(
    demand: Demand, values: NDArray[np.float64], rows: NDArray[np.intp], size: int
) -> NDArray[np.float64]:
    """Return the mean of the households of each grid whose value is known."""
    weights = np.where(np.isnan(values), 0.0, demand.households)
    sums = np.bincount(rows, weights=weights * np.nan_to_num(values), minlength=size)
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(rows, weights=weights, minlength=size)


def _values(reach: dict[str, Reach]) -> dict[str, NDArray[np.float64]]:
    columns = {}
    served = [r.served for r in reach.values() if r.served is not None]
    if served:
        columns["households_in_reach_share"] = np.any(served, axis=0).astype("float64")
    for kind, one in reach.items():
        if one.served is not None:
            columns[f"households_in_reach_share_{kind}"] = one.served.astype("float64")
        columns[f"nearest_m_{kind}"] = one.nearest_m
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
    return {name: float(_mean(demand, values, together, 1)[0])
            for name, values in _values(reach).items()}


def count_providers(demand: Demand, assets: GeoDataFrame, grids: GeoDataFrame) -> DataFrame:
    """Count how many assets of each kind reach a household in a straight line.

    Parameters
    ----------
    demand : Demand
    assets : GeoDataFrame, schema ASSETS
        Those without a radius or a place reach nobody.
    grids : GeoDataFrame
        Indexed by grid.

    Returns
    -------
    DataFrame
        One row for every grid, and for each kind with a radius ``providers_`` and the kind:
        the mean of its households; above 1 reaches overlap. Missing without households.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((1, 0), (2, 0), kind="board").assign(radius_m=3.0)
    >>> count_providers(find_demand(homes), boards, sketch_grids("A"))["providers_board"].tolist()
    [1.5]
    """
    placed = ~assets.geometry.isna() & ~assets.geometry.is_empty
    places = assets[placed & assets["radius_m"].notna()]
    rows = grids.index.get_indexer(demand.grid)
    columns = {}
    for kind in sorted(places["kind"].unique()):
        some = places[places["kind"] == kind]
        xy = shapely.get_coordinates(some.geometry.to_numpy())
        radius = some["radius_m"].to_numpy(dtype="float64")
        counts = np.zeros(len(demand.xy))
        for reach in np.unique(radius) if len(demand.xy) else ():
            tree = KDTree(xy[radius == reach])
            counts += tree.query_ball_point(demand.xy, reach, return_length=True)
        columns[f"providers_{kind}"] = _mean(demand, counts, rows, len(grids))
    return DataFrame(columns, index=grids.index)
