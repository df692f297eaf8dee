"""Figures of a partition, for any assignment of units to grids."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from ..errors import PartitionError, listed
from ..rules import BarrierRule, SizeRule
from ..tiling import areas
from . import graph as graphs
from . import intake, sizes
from . import links as declared
from .graph import UnitGraph
from .sizes import Sizes


class Measures(NamedTuple):
    """The figures of a partition."""

    by_grid: DataFrame  # schema BY_GRID
    totals: Series


def measure_partition(
    units: GeoDataFrame,
    assignment: Series,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str = "territory",
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
    barriers: GeoDataFrame | None = None,
    barrier_rule: BarrierRule | None = None,
    dedicated: Collection[str] = (),
    links: DataFrame | None = None,
    likeness: Collection[str] = (),
    snap_m: float = 0.05,
) -> Measures:
    """Measure how good grids are, whoever drew them.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
        In a CRS in metres.
    assignment : Series
        The grid of each unit, every unit once, in any order.
    size : SizeRule or mapping of str to SizeRule
        The range that grids should keep.
    within : str, default "territory"
        Column of units with the territory that a grid should stay inside.
    size_by, workload : optional
        As in `partition`.
    barriers : GeoDataFrame, schema BARRIERS, optional
        Lines that grids should follow.
    barrier_rule : BarrierRule, optional
        Which kinds count; all of them fully by default.
    dedicated : collection of str, default ()
        Kinds of units that have a grid of their own: no range applies to those.
    links : DataFrame, optional
        Pairs of units that count as neighbours, as in `partition`.
    likeness : collection of str, default ()
        Columns of numbers that units of a grid should be alike in.
    snap_m : float, default 0.05
        How far apart two outlines may run and still be one border, in metres.

    Returns
    -------
    Measures
        ``by_grid``: schema BY_GRID, one row for each grid, sorted, with ``size_state``,
        ``compactness`` (Polsby-Popper) and ``parts`` (1 is contiguous: units that share a
        border). A limit that is not kept makes a grid small or large as well.
        ``totals``: units, grids, in_range_share, near_target_share (within 10 % of the
        target), off_target_max (as a share of the target), contiguous_share,
        compactness_mean, compactness_p5, size_mean, size_min, size_max, crossings (grids in
        more than one territory), travel_m (mean distance of a household from the middle of
        the households of its grid), with barriers barrier_followed_share (of their length,
        by weight), and ``unlike_`` before each column of ``likeness`` (0 where units of a
        grid are all the same, 1 where grids are as mixed as the whole). Dedicated grids do
        not count in figures of size.

    Raises
    ------
    SchemaError, CRSError, TilingError
        If units do not follow their schema, or are not valid.
    PartitionError
        If the assignment leaves units out, repeats them or names unknown ones.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("AB", "CD")
    >>> grid_of = Series({"A": "G1", "B": "G1", "C": "G2", "D": "G2"})
    >>> size = SizeRule(minimum=2, target=2, maximum=3)
    >>> measured = measure_partition(units, grid_of, size)
    >>> measured.by_grid["size_state"].tolist(), float(measured.totals["contiguous_share"])
    (['in range', 'in range'], 1.0)
    """
    intake.check_units(units, within)
    check_assignment(units, assignment)
    units = units.sort_index()
    graph = graphs.build_graph(
        units, barriers=barriers, barrier_rule=barrier_rule, snap_m=snap_m
    )
    if links is not None:
        graph = declared.add_links(graph, units.index, links)
    gathered = sizes.gather_sizes(
        units, size, within=within, size_by=size_by, workload=workload
    )
    measured = measure_drawn(units, graph, assignment, gathered, within, dedicated)
    unlike = _unlike(units, assignment.reindex(units.index), likeness)
    return measured._replace(totals=pd.concat([measured.totals, unlike]).rename("totals"))


def _unlike(units: GeoDataFrame, grid: Series, columns: Collection[str]) -> Series:
    """Return which share of the variance of each column lies inside grids."""
    absent = [name for name in columns if name not in units]
    if absent:
        raise PartitionError(f"units have no column {listed(absent)}, named by likeness")
    told = {}
    for name in columns:
        value = units[name].astype("float64")
        spread = value.var(ddof=0)
        inside = ((value - value.groupby(grid).transform("mean")) ** 2).mean()
        told[f"unlike_{name}"] = float(inside / spread) if spread > 0 else 0.0
    return Series(told, dtype="float64")


def measure_sizes(
    units: GeoDataFrame,
    assignment: Series,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str = "territory",
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
) -> Series:
    """Say of every grid whether its size is in range.

    Parameters
    ----------
    units, assignment, size, within, size_by, workload
        As in `measure_partition`.

    Returns
    -------
    Series
        ``size_state`` of each grid, sorted: "in range", "small" or "large".

    Raises
    ------
    PartitionError
        If the assignment is not total, or a column is absent.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> grid_of = Series({"A": "G1", "B": "G1", "C": "G2"})
    >>> size = SizeRule(minimum=2, target=2, maximum=3)
    >>> measure_sizes(sketch_units("ABC"), grid_of, size).to_dict()
    {'G1': 'in range', 'G2': 'small'}
    """
    check_assignment(units, assignment)
    gathered = sizes.gather_sizes(
        units, size, within=within, size_by=size_by, workload=workload
    )
    grids, label = np.unique(assignment.reindex(units.index).to_numpy(str), return_inverse=True)
    sums = sizes.sum_loads(gathered.load, label, len(grids))
    row = gathered.row[np.unique(label, return_index=True)[1]]
    return Series(sizes.size_states(sums, gathered.ranges, row), name="size_state", dtype="str",
                  index=pd.Index(grids, dtype="str", name="grid"))


def check_assignment(units: GeoDataFrame, assignment: Series) -> None:
    """Raise unless an assignment names every unit exactly once.

    Raises
    ------
    PartitionError

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> check_assignment(sketch_units("AB"), Series({"A": "G"}))
    Traceback (most recent call last):
    gridmap.errors.PartitionError: assignment leaves out B. It must name every unit once.
    """
    faults = {
        "repeats": assignment.index[assignment.index.duplicated()].unique(),
        "leaves out": units.index.difference(assignment.dropna().index),
        "names unknown units": assignment.index.difference(units.index),
    }
    told = [f"{fault} {listed(rows)}" for fault, rows in faults.items() if len(rows)]
    if told:
        raise PartitionError(
            f"assignment {' and '.join(told)}. It must name every unit once.",
            rows=[str(row) for rows in faults.values() for row in rows],
        )


def measure_drawn(
    units: GeoDataFrame,
    graph: UnitGraph,
    assignment: Series,
    gathered: Sizes,
    within: str,
    dedicated: Collection[str],
) -> Measures:
    """Measure a partition whose graph is known; units are sorted."""
    grids, label = np.unique(assignment.reindex(units.index).to_numpy(str), return_inverse=True)
    index = pd.Index(grids, dtype="str", name="grid")
    by = units.groupby(label)
    kinds = units["kind"] if "kind" in units else Series("", index=units.index)
    is_dedicated = kinds.isin(list(dedicated)).groupby(label).any().to_numpy()
    outline = grid_outlines(graph, label, len(grids))
    area = np.bincount(label, graph.area, minlength=len(grids))
    ground = np.bincount(label, areas.measure_area(units).to_numpy(), minlength=len(grids))
    by_grid = DataFrame(
        {
            "territory": by[within].first().to_numpy(),
            "kind": np.where(is_dedicated, "dedicated", "comprehensive"),
            "households": by["households"].sum().to_numpy(),
            "people": by["people"].sum().to_numpy(),
            "area_m2": ground,
            "size_state": "in range",
            "compactness": 4 * np.pi * area / outline**2,
            "parts": count_pieces(graph, label, len(grids)),
        },
        index=index,
    )
    sums = sizes.sum_loads(gathered.load, label, len(grids))
    row = gathered.row[np.unique(label, return_index=True)[1]]
    state = sizes.size_states(sums, gathered.ranges, row)
    by_grid["size_state"] = np.where(is_dedicated, "dedicated", state)
    by_grid = by_grid.astype(dict.fromkeys(("territory", "kind", "size_state"), "str"))
    crossing = by[within].nunique().to_numpy() > 1
    target = np.array([one.target for one in gathered.ranges])[row]
    totals = _totals(by_grid, sums[:, 0], target, graph, label, crossing)
    totals["travel_m"] = _travel(graph, units["households"].to_numpy(np.float64), label)
    return Measures(by_grid, totals)


def _travel(
    graph: UnitGraph, households: NDArray[np.float64], label: NDArray[np.int64]
) -> float:
    """Return the mean distance of a household from the middle of those of its grid."""
    if not households.any():
        return float("nan")
    sums = np.bincount(label, households)
    middle = np.stack([np.bincount(label, households * graph.place[:, axis])
                       for axis in (0, 1)], axis=1) / np.maximum(sums, 1e-12)[:, None]
    far = np.hypot(*(graph.place - middle[label]).T)
    return float(np.average(far, weights=households))


def grid_outlines(
    graph: UnitGraph, label: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Return the outline of each grid in metres: of its units, less what they share."""
    source = label[graph.source]
    shared = source == label[graph.neighbour]
    outline = np.bincount(label, graph.outline, minlength=count)
    inner = np.bincount(source[shared], graph.length[shared], minlength=count)
    return np.asarray(outline - inner, np.float64)


def count_pieces(graph: UnitGraph, label: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return in how many pieces each grid lies; 1 is contiguous."""
    joined = label[graph.source] == label[graph.neighbour]
    pieces, piece = graphs.find_parts(graphs.keep_arcs(graph, joined))
    first = np.unique(piece, return_index=True)[1] if pieces else np.empty(0, np.int64)
    return np.bincount(label[first], minlength=count)


def _totals(
    by_grid: DataFrame,
    size: NDArray[np.float64],
    target: NDArray[np.float64],
    graph: UnitGraph,
    label: NDArray[np.int64],
    crossing: NDArray[np.bool_],
) -> Series:
    ruled = (by_grid["size_state"] != "dedicated").to_numpy()
    off = np.abs(size / target - 1.0)[ruled]
    figures: dict[str, float] = {
        "units": graph.size,
        "grids": len(by_grid),
        "in_range_share": float((by_grid["size_state"] == "in range")[ruled].mean()),
        "near_target_share": float((off <= 0.1 + 1e-9).mean()) if ruled.any() else np.nan,
        "off_target_max": float(off.max()) if ruled.any() else np.nan,
        "contiguous_share": float((by_grid["parts"] == 1).mean()),
        "compactness_mean": float(by_grid["compactness"].mean()),
        "compactness_p5": float(by_grid["compactness"].quantile(0.05)),
        "size_mean": float(size[ruled].mean()) if ruled.any() else np.nan,
        "size_min": float(size[ruled].min()) if ruled.any() else np.nan,
        "size_max": float(size[ruled].max()) if ruled.any() else np.nan,
        "crossings": int(crossing.sum()),
    }
    wanted = graph.length * graph.barrier
    if wanted.any():
        cut = label[graph.source] != label[graph.neighbour]
        figures["barrier_followed_share"] = float(wanted[cut].sum() / wanted.sum())
    return Series(figures, name="totals", dtype="float64")
