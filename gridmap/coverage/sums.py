"""Whom assets reach, added up by grid before anything is divided."""

from __future__ import annotations

import math

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .reach import Demand, Reach

#: What the weights of a figure are called, before its name.
_OF = "of "

#: How figures begin that are not told where there is no building.
_BUILT = "buildings_"

Floats = NDArray[np.float64]


def sum_reach(demand: Demand, reach: dict[str, Reach], grids: GeoDataFrame) -> DataFrame:
    """Sum the reach up to grids, each grid by itself, in the order of its places.

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
        One row for every grid: for each figure of `divide_sums` the sum over places of value
        times weight, and ``of`` that figure the sum of the weights of the places whose value
        is known.

    Examples
    --------
    >>> from gridmap.coverage.reach import find_demand, measure_reach
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0, 0), (9, 0)).assign(households=[3, 1], grid="A")
    >>> boards = sketch_points((3, 0), kind="board").assign(radius_m=3.0)
    >>> demand = find_demand(homes)
    >>> sums = sum_reach(demand, measure_reach(demand, boards), sketch_grids("AB"))
    >>> sums[["nearest_m_board", "of nearest_m_board"]].values.tolist()
    [[15.0, 4.0], [0.0, 0.0]]
    """
    rows = grids.index.get_indexer(demand.grid)
    whole: dict[int, Floats] = {}  # by what is weighed: where nothing is unknown
    sums: dict[str, Floats] = {}
    for name, (values, weights) in _values(demand, reach).items():
        known = np.isfinite(values).all()
        if known and id(weights) not in whole:
            whole[id(weights)] = _sum(rows, weights, len(grids))
        known_weights = weights if known else np.where(np.isnan(values), 0.0, weights)
        known_values = values if known else np.nan_to_num(values)
        sums[name] = _sum(rows, known_weights * known_values, len(grids))
        sums[_OF + name] = (whole[id(weights)] if known
                            else _sum(rows, known_weights, len(grids)))
    return DataFrame(sums, index=grids.index)


def _sum(rows: NDArray[np.intp], values: Floats, size: int) -> Floats:
    return np.bincount(rows, weights=values, minlength=size).astype("float64")


def _values(demand: Demand, reach: dict[str, Reach]) -> dict[str, tuple[Floats, Floats]]:
    """Return the name of each figure, its value at each place, and what it is weighted by."""
    columns = {}
    served = [one.served for one in reach.values() if one.served is not None]
    if served:
        anybody = np.any(served, axis=0).astype("float64")
        columns["households_in_reach_share"] = anybody, demand.households
        columns["buildings_in_reach_share"] = anybody, demand.buildings
    for kind, one in reach.items():
        if one.served is not None:
            reached = one.served.astype("float64")
            columns[f"households_in_reach_share_{kind}"] = reached, demand.households
            columns[f"buildings_in_reach_share_{kind}"] = reached, demand.buildings
        columns[f"nearest_{one.unit}_{kind}"] = one.nearest, demand.households
        if one.providers is not None:
            columns[f"providers_{kind}"] = one.providers, demand.households
        if one.supply is not None:
            columns[f"capacity_each_{kind}"] = one.supply, demand.households
    return columns


def divide_sums(sums: DataFrame) -> DataFrame:
    """Return the means of sums by grid.

    Parameters
    ----------
    sums : DataFrame
        As from `sum_reach`.

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
    >>> sums = DataFrame({"providers_board": [6.0, 0.0], "of providers_board": [4.0, 0.0]})
    >>> divide_sums(sums)["providers_board"].tolist()
    [1.5, nan]
    """
    means = {}
    with np.errstate(invalid="ignore"):
        for name in _list_figures(sums):
            means[name] = sums[name].to_numpy() / sums[_OF + name].to_numpy()
    return DataFrame(means, index=sums.index)


def _list_figures(sums: DataFrame) -> list[str]:
    """Return the figures that are told."""
    names = [str(name) for name in sums if not str(name).startswith(_OF)]
    return [n for n in names if not n.startswith(_BUILT) or sums[_OF + n].to_numpy().any()]


def total_sums(sums: DataFrame) -> dict[str, float]:
    """Return the means of the whole: the figures of `divide_sums` for all households.

    What grids add is added exactly, so that it makes no difference in which order.

    Examples
    --------
    >>> sums = DataFrame({"providers_board": [6.0, 0.0], "of providers_board": [4.0, 0.0]})
    >>> total_sums(sums)
    {'providers_board': 1.5}
    """
    totals = {}
    for name in _list_figures(sums):
        above, below = (math.fsum(sums[one].tolist()) for one in (name, _OF + name))
        totals[name] = above / below if below else math.nan
    return totals
