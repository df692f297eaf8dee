"""The figures of every grid and of the whole: what is there, who is reached, what is done."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import schema
from ..errors import SchemaError
from ..rules import SizeRule
from . import activity, isochrones, reach, shape, sums, uncovered
from .network import Network
from .reach import Demand, Reach

#: Figures of the whole, in the order in which they are told.
TOTALS = (
    "grids", "territories", "households", "people", "area_m2", "in_size_range_share",
    "contiguous_share", "compactness_mean", "elements", "elements_collected_share", "assets",
    "assets_per_grid", "households_in_reach_share", "uncovered_places", "events",
    "events_closed_share", "events_closed_in_grid_share", "median_days_to_close", "visits",
    "visits_per_household", "workers", "workers_per_grid",
)

#: Side of the squares that unserved households are gathered in, where nobody asks for another.
PLACE_M = 200.0


class Coverage(NamedTuple):
    """What service there is, grid by grid, and where there is none."""

    by_grid: DataFrame  # schema BY_GRID, and more columns for each kind of asset
    uncovered: GeoDataFrame  # places beyond the reach of a kind, most people first
    totals: Series  # figures of the whole, missing where nothing was given to measure


def measure_coverage(
    grids: GeoDataFrame,
    *,
    elements: GeoDataFrame | None = None,
    assets: GeoDataFrame | None = None,
    events: DataFrame | None = None,
    visits: DataFrame | None = None,
    workers: DataFrame | None = None,
    size: SizeRule | None = None,
    network: Network | None = None,
    by_road: Collection[str] | None = None,
    areas: bool = False,
    place_m: float = PLACE_M,
) -> Coverage:
    """Measure what service there is in every grid, and where there is none.

    Unknown is not zero: a column is there only where the frame that tells it was given, and
    a total is missing otherwise.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
        In a CRS in metres.
    elements : GeoDataFrame, schema ELEMENTS, optional
        Those with households, and buildings, are the demand that assets serve; footprints
        count at their centre. Like the following frames they need ``grid``, or places in the
        same CRS.
    assets : GeoDataFrame, schema ASSETS, optional
        A point reaches what lies within its ``radius_m``, an area what lies in it.
    events, visits, workers : DataFrame, schemas EVENTS, VISITS and WORKERS, optional
        What was reported, counted and staffed. Rows without a grid count in the totals only.
    size : SizeRule, optional
        Tells which grids are in range.
    network : Network, optional
        Roads to measure reach along, as from `build_network`; by default it is measured in a
        straight line. A household that no road leads from is in nobody's reach. Where the
        network has speeds, an asset reaches ``reach_min`` minutes.
    by_road : collection of str, optional
        The kinds of assets that are measured along the network: all by default. A notice
        board is read by those who live near it, a centre is walked to.
    areas : bool, default False
        Measure the share of every grid's area in reach as well, in a straight line; see
        `measure_area_reach`.
    place_m : float, default 200.0
        Side of the squares that unserved households are gathered in.

    Returns
    -------
    Coverage
        ``by_grid``: schema BY_GRID, and for each kind of asset, followed by the kind:
        ``assets_``, ``households_in_reach_share_`` and ``buildings_in_reach_share_``,
        ``nearest_m_`` (mean distance of a household; ``nearest_min_`` in minutes),
        ``providers_`` (how many reach a household; above 1 reaches overlap), and, where
        assets have a capacity, ``capacity_each_`` (how many households it suffices for, for
        each that shares it; see `measure_access`). ``uncovered``: index ``place``, most
        people first, or households where people are unknown: kind of asset, grid, territory,
        households, people, elements, nearest_m, a point.
        ``totals``: the figures of `TOTALS`, and for each kind of asset the same as by grid.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, ``place_m`` is not above 0, or an asset has no
        ``reach_min`` that a network with speeds needs.
    CRSError
        If the CRS differ or are not in metres.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0.5, 0.5), (1.5, 0.5)).assign(households=[30, 10])
    >>> boards = sketch_points((0.2, 0.5), kind="board").assign(radius_m=0.5)
    >>> boards.index.name = "asset"
    >>> covered = measure_coverage(sketch_grids("AB"), elements=homes, assets=boards)
    >>> covered.by_grid["households_in_reach_share"].to_dict()
    {'A': 1.0, 'B': 0.0}
    >>> float(covered.totals["households_in_reach_share"])
    0.75
    """
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    schema.check_metric_crs(grids=grids)
    if not place_m > 0:
        raise SchemaError(f"place_m is {place_m}: a side above 0 in metres is needed")
    told = _measure_service(grids, elements, assets, _Way(network, by_road), place_m)
    if areas and assets is not None:
        told.parts.append(isochrones.measure_area_reach(grids, assets))
    return _join(grids, size, told, _measure_work(grids, events, visits, workers))


class Added(NamedTuple):
    """Whom assets reach, added up; nothing is divided or ranked yet."""

    sums: DataFrame  # by grid, as from `sums.sum_reach`
    squares: DataFrame  # as from `uncovered.gather_uncovered`


class Served(NamedTuple):
    """What is known of elements and of whom assets reach."""

    collected: dict[str, float]  # as from `sum_collected`
    added: Added


def add_reach(
    demand: Demand, reached: dict[str, Reach], grids: GeoDataFrame, *, place_m: float = PLACE_M
) -> Added:
    """Add up whom assets reach, by grid and by square.

    What is added up of a grid depends on the places in it, and of a square on those in it:
    some of the demand tells what all of it would, of the grids and squares that it holds all
    places of.

    Parameters
    ----------
    demand : Demand
        In order of code.
    reached : dict
        Kind -> Reach.
    grids : GeoDataFrame
        Indexed by grid.
    place_m : float, default 200.0
        See `measure_coverage`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0.5, 0.5)).assign(households=[30], grid="A")
    >>> boards = sketch_points((0.2, 0.5), kind="board").assign(radius_m=0.5)
    >>> demand = reach.find_demand(homes)
    >>> added = add_reach(demand, reach.measure_reach(demand, boards), sketch_grids("AB"))
    >>> added.sums["providers_board"].to_dict(), len(added.squares)
    ({'A': 30.0, 'B': 0.0}, 0)
    """
    return Added(sums.sum_reach(demand, reached, grids),
                 uncovered.gather_uncovered(demand, reached, place_m=place_m))


def measure_served(
    grids: GeoDataFrame,
    served: Served,
    *,
    assets: DataFrame,
    events: DataFrame | None = None,
    visits: DataFrame | None = None,
    workers: DataFrame | None = None,
    size: SizeRule | None = None,
) -> Coverage:
    """Measure as `measure_coverage` does, where it is added up already whom assets reach.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
    served : Served
    assets : DataFrame
        Schema ASSETS without geometry, with ``grid``.
    events, visits, workers, size
        See `measure_coverage`.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0.5, 0.5)).assign(households=[30], grid="A")
    >>> boards = sketch_points((0.2, 0.5), kind="board").assign(radius_m=0.5, grid="A")
    >>> boards.index.name = "asset"
    >>> demand, grids = reach.find_demand(homes), sketch_grids("AB")
    >>> served = Served({}, add_reach(demand, reach.measure_reach(demand, boards), grids))
    >>> float(measure_served(grids, served, assets=boards).totals["assets"])
    1.0
    """
    schema.check_frame(grids, schema.GRIDS, argument="grids")
    schema.check_metric_crs(grids=grids)
    told = _Told([], dict(served.collected), uncovered.no_places(grids))
    _add_assets(told, activity.place_rows(assets, grids, schema.ASSETS, argument="assets"), grids)
    told = _tell_reach(told, served.added, grids)
    return _join(grids, size, told, _measure_work(grids, events, visits, workers))


def _join(
    grids: GeoDataFrame, size: SizeRule | None, service: _Told, work: _Told
) -> Coverage:
    known = [c.name for c in schema.GRIDS.columns]
    shapes = shape.measure_shapes(grids)
    parts = [DataFrame(grids[known]), shapes]
    totals = _grid_totals(grids, shapes)
    if size is not None:
        states = shape.measure_sizes(grids, size)
        parts.append(states.to_frame())
        totals["in_size_range_share"] = _ratio(states == "in range", states.isin(shape.SIZED))
    by_grid = parts[0].join([*parts[1:], *service.parts, *work.parts])
    return Coverage(by_grid, service.uncovered, _ordered(totals | service.totals | work.totals))


class _Way(NamedTuple):
    network: Network | None
    by_road: Collection[str] | None


class _Told(NamedTuple):
    parts: list[DataFrame]  # columns by grid
    totals: dict[str, float]
    uncovered: GeoDataFrame


def _measure_service(
    grids: GeoDataFrame,
    elements: GeoDataFrame | None,
    assets: GeoDataFrame | None,
    way: _Way,
    place_m: float,
) -> _Told:
    """Count elements and assets, and measure whom assets reach, as far as they were given."""
    told = _Told([], {}, uncovered.no_places(grids))
    if elements is not None:
        elements = _place(elements, grids, schema.ELEMENTS, "elements")
        told.totals.update(sum_collected(elements["count"], elements["grid"].notna()))
    if assets is None:
        return told
    assets = _place(assets, grids, schema.ASSETS, "assets")
    _add_assets(told, assets, grids)
    if elements is None or "households" not in elements:
        return told
    demand = reach.find_demand(elements)
    reached = reach.measure_reach(demand, assets, along=way.network, by_road=way.by_road)
    return _tell_reach(told, add_reach(demand, reached, grids, place_m=place_m), grids)


def _add_assets(told: _Told, assets: DataFrame, grids: GeoDataFrame) -> None:
    """Count assets, into what is told."""
    told.parts.append(activity.count_assets(assets, grids))
    told.totals.update(_asset_totals(assets, told.parts[-1]))


def _tell_reach(told: _Told, added: Added, grids: GeoDataFrame) -> _Told:
    told.parts.append(sums.divide_sums(added.sums))
    told.totals.update(sums.total_sums(added.sums))
    places = uncovered.rank_squares(added.squares, grids)
    told.totals["uncovered_places"] = len(places)
    return told._replace(uncovered=places)


def _place(
    frame: GeoDataFrame, grids: GeoDataFrame, known: schema.Schema, argument: str
) -> GeoDataFrame:
    schema.check_metric_crs(**{"grids": grids, argument: frame})
    placed = activity.place_rows(frame, grids, known, argument=argument)
    return GeoDataFrame(placed)


def _grid_totals(grids: GeoDataFrame, shapes: DataFrame) -> dict[str, float]:
    return {
        "grids": len(grids),
        "territories": grids["territory"].nunique(),
        "households": grids["households"].sum(min_count=1),
        "people": grids["people"].sum(min_count=1),
        "area_m2": grids["area_m2"].sum(),
        "contiguous_share": (shapes["parts"] == 1).mean(),
        "compactness_mean": shapes["compactness"].mean(),
    }


def _ratio(part: Series, whole: Series) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else np.nan


def sum_collected(count: Series, inside: Series) -> dict[str, float]:
    """Say how many elements there are, and the share of them that lies in a grid.

    Examples
    --------
    >>> float(sum_collected(Series([1, 3]), Series([True, False]))["elements_collected_share"])
    0.25
    """
    whole = count.sum()
    return {"elements": whole,
            "elements_collected_share": count[inside].sum() / whole if whole else np.nan}


def _asset_totals(assets: DataFrame, counts: DataFrame) -> dict[str, float]:
    per_grid = counts.to_numpy().sum() / len(counts) if len(counts) else np.nan
    kinds = assets["kind"].value_counts()
    named = {f"assets_{kind}": kinds[kind] for kind in sorted(kinds.index)}
    return {"assets": len(assets), "assets_per_grid": per_grid, **named}


def _measure_work(
    grids: GeoDataFrame,
    events: DataFrame | None,
    visits: DataFrame | None,
    workers: DataFrame | None,
) -> _Told:
    """Count events, visits and workers, as far as they were given."""
    told = _Told([], {}, uncovered.no_places(grids))
    if events is not None:
        events = activity.place_rows(events, grids, schema.EVENTS, argument="events")
        told.parts.append(activity.count_events(events, grids))
        told.totals.update(activity.measure_events(events))
    if visits is not None:
        visits = activity.place_rows(visits, grids, schema.VISITS, argument="visits")
        told.parts.append(activity.count_rows(visits, grids, weight="count").to_frame("visits"))
        told.totals["visits"] = visits["count"].sum()
        told.totals["visits_per_household"] = _ratio(visits["count"], grids["households"])
    if workers is not None:
        schema.check_frame(workers, schema.WORKERS, argument="workers")
        told.totals["workers"] = len(workers)
        told.totals["workers_per_grid"] = len(workers) / len(grids) if len(grids) else np.nan
        if "grid" in workers:
            told.parts.append(activity.count_rows(workers, grids).to_frame("workers"))
    return told


def _ordered(totals: dict[str, float]) -> Series:
    """Put totals in the order of `TOTALS`, each followed by the same for each kind."""
    names = sorted({*TOTALS, *totals}, key=_rank)
    figures = {name: float(totals.get(name, np.nan)) for name in names}
    return Series(figures, name="totals", dtype="float64")


def _rank(name: str) -> tuple[int, str]:
    """Return the place of a total: that of the longest of `TOTALS` that it begins with."""
    known = [first for first in TOTALS if name == first or name.startswith(f"{first}_")]
    return (TOTALS.index(max(known, key=len)) if known else len(TOTALS), name)
