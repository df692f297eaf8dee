"""Taking what the search needs out of frames, checked once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import schema
from ..errors import PartitionError, SchemaError, TilingError, listed
from ..rules import BarrierRule, SizeRule
from . import graph as graphs
from . import links as declared
from . import sizes
from .graph import UnitGraph
from .plan import Given
from .qualities import Qualities
from .weights import DrawingWeights


class Asked(NamedTuple):
    """What a caller of `partition` asked for, beside units and size."""

    within: str
    size_by: str | None
    workload: Mapping[str, float] | None
    barriers: GeoDataFrame | None
    barrier_rule: BarrierRule | None
    dedicated: Collection[str]
    links: DataFrame | None
    locked: Series | None
    homes: GeoDataFrame | None
    weights: DrawingWeights
    snap_m: float


def check_units(units: GeoDataFrame, within: str) -> None:
    """Raise unless units follow their schema and have a territory each.

    Raises
    ------
    SchemaError, CRSError, TilingError

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> check_units(sketch_units("AB"), "territory")
    """
    schema.check_frame(units, schema.UNITS, argument="units")
    schema.check_metric_crs(units=units)
    if within not in units or units[within].isna().any():
        raise SchemaError(
            f"units: column {within}, which grids must stay within, is absent or has missing "
            "values. Attach the territory of every unit first."
        )
    check_valid(units)


def check_valid(units: GeoDataFrame) -> None:
    """Raise unless the polygons of units are valid.

    Raises
    ------
    TilingError

    Examples
    --------
    >>> import shapely
    >>> from gridmap.sketch import sketch_units
    >>> bow = sketch_units("A")
    >>> bow.loc["A", "geometry"] = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> check_valid(bow)
    Traceback (most recent call last):
    gridmap.errors.TilingError: units: the polygon of A is not valid. Mend it with \
repair_tiling(units).
    """
    invalid = units.index[~units.geometry.is_valid]
    if len(invalid):
        are = "polygon of {} is" if len(invalid) == 1 else "polygons of {} are"
        raise TilingError(
            f"units: the {are.format(listed(invalid))} not valid. Mend "
            f"{'it' if len(invalid) == 1 else 'them'} with repair_tiling(units).",
            rows=[str(code) for code in invalid],
        )


def take_units(
    units: GeoDataFrame, size: SizeRule | Mapping[str, SizeRule], asked: Asked
) -> Given:
    """Take sorted units, and all that was asked for, as arrays."""
    gathered = sizes.gather_sizes(
        units, size, within=asked.within, size_by=asked.size_by, workload=asked.workload
    )
    graph = graphs.build_graph(
        units, barriers=asked.barriers, barrier_rule=asked.barrier_rule, snap_m=asked.snap_m
    )
    if asked.links is not None:
        graph = declared.add_links(graph, units.index, asked.links)
    everybody = units[["households", "people"]].sum(axis=1).to_numpy()
    own = np.zeros(len(units), bool)
    if "kind" in units:
        own = units["kind"].isin(list(asked.dedicated)).to_numpy()
    place, home_unit = _homes(units, asked.homes)
    return Given(
        codes=units.index.to_numpy(str),
        territory=units[asked.within].to_numpy(str),
        shapes=units.geometry.to_numpy(),
        graph=graph,
        sizes=gathered,
        empty=everybody + gathered.load[:, 0] == 0,
        own=own,
        locked=_locked(units, asked.locked, asked.within),
        qualities=_qualities(units, graph, asked.weights, homes=len(place) > 0),
        home_place=place,
        home_unit=home_unit,
    )


def _locked(units: GeoDataFrame, locked: Series | None, within: str) -> NDArray[np.int64]:
    """Return the number of the locked grid of each unit, in the order of their codes."""
    if locked is None or locked.empty:
        return np.full(len(units), -1, np.int64)
    unknown = locked.index.difference(units.index)
    if len(unknown) or locked.index.has_duplicates or locked.isna().any():
        raise PartitionError(
            f"locked names unknown units {listed(unknown)}, or names units twice or without a "
            "grid. It must be a Series from unit to grid.",
            rows=[str(code) for code in unknown],
        )
    spread = units.loc[locked.index, within].groupby(locked.to_numpy(str)).nunique()
    crossing = spread.index[spread > 1]
    if len(crossing):
        raise PartitionError(
            f"locked grids {listed(crossing)} lie in more than one {within}: no grid may",
            rows=[str(code) for code in crossing],
        )
    number = pd.Series(np.unique(locked.to_numpy(str), return_inverse=True)[1], locked.index)
    return number.reindex(units.index, fill_value=-1).to_numpy(np.int64)


def _homes(
    units: GeoDataFrame, homes: GeoDataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the places of homes in order, and the unit that holds each (-1 for none)."""
    if homes is None or homes.empty:
        return np.zeros((0, 2)), np.zeros(0, np.int64)
    schema.check_metric_crs(units=units, homes=homes)
    points = homes.sort_index().geometry.to_numpy()
    home_at, unit_at = units.sindex.query(points, predicate="intersects")
    holder = np.full(len(points), len(units))
    np.minimum.at(holder, home_at, unit_at)  # on a border: the unit whose code sorts first
    holder[holder == len(units)] = -1
    return shapely.get_coordinates(points), holder


def _qualities(
    units: GeoDataFrame, graph: UnitGraph, weights: DrawingWeights, *, homes: bool
) -> Qualities:
    """Return what should be alike in a grid: the place of units, and chosen columns."""
    values: list[NDArray[np.float64]] = []
    pull: list[float] = []
    travel = weights.travel or (1.0 if homes else 0.0)
    if travel:
        values += [graph.place[:, 0], graph.place[:, 1]]
        pull += [travel, travel]
    for column, weight in weights.likeness.items():
        if column not in units or not units[column].notna().all():
            raise PartitionError(
                f"units: column {column}, which grids should be alike in, is absent or has "
                "missing values. Fill it, or leave it out of likeness."
            )
        values.append(units[column].to_numpy(np.float64))
        pull.append(weight)
    table = np.stack(values, axis=1) if values else np.zeros((len(units), 0))
    return Qualities(table, np.array(pull), travel > 0)
