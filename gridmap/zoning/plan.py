"""What there is to draw: the graph, its parts, and how many grids each of them gets."""

from __future__ import annotations

import zlib
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray

from ..rules import BarrierRule, SizeRule
from . import counts, measure, parts
from . import graph as graphs
from .counts import Count
from .graph import UnitGraph
from .parts import Parts
from .search import Task


class Plan(NamedTuple):
    """Everything that is known before the first grid is drawn; units in sorted order."""

    units: GeoDataFrame
    graph: UnitGraph  # all borders, those across territories too
    load: NDArray[np.float64]
    own: NDArray[np.bool_]  # units with a grid of their own by their kind
    parts: Parts
    members: list[NDArray[np.int64]]  # positions of units, per part
    counts: list[Count]
    tasks: list[Task]


def make_plan(
    units: GeoDataFrame,
    size: SizeRule,
    *,
    within: str,
    barriers: GeoDataFrame | None,
    barrier_rule: BarrierRule | None,
    dedicated: Collection[str],
    seed: int,
    snap_m: float,
) -> Plan:
    """Work out parts and numbers of grids; ``units`` are sorted by code."""
    graph = graphs.build_graph(
        units, barriers=barriers, barrier_rule=barrier_rule, snap_m=snap_m
    )
    load = measure.loads_of(units, size)
    high = counts.bounds_of(size)[1]
    own = (
        units["kind"].isin(list(dedicated)).to_numpy()
        if "kind" in units
        else np.zeros(len(units), bool)
    )
    people = units[["households", "people"]].sum(axis=1).to_numpy()
    found = parts.find_drawing_parts(
        graph,
        units.geometry.to_numpy(),
        territory=np.unique(units[within].to_numpy(str), return_inverse=True)[1],
        mass=load[:, 0],
        empty=(people + load[:, 0]) == 0,
        large=(load > high).any(axis=1) & ~own,
        own=own,
        minimum=size.minimum,
    )
    members = _members(found.part)
    numbers = [counts.count_grids(load[some].sum(axis=0), len(some), size) for some in members]
    names = units[within].to_numpy(str)
    codes = units.index.to_numpy(str)
    tasks = [
        Task(
            graph=graphs.take_units(found.graph, some),
            load=load[some],
            bounds=counts.bounds_of(size),
            grids=number.grids,
            # Seeded by what the part is called, so that no territory depends on another.
            seed=zlib.crc32(f"{seed}|{names[some[0]]}|{codes[some[0]]}".encode()),
        )
        for some, number in zip(members, numbers, strict=True)
    ]
    return Plan(units, graph, load, own, found, members, numbers, tasks)


def _members(part: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the units of each part, in order."""
    order = np.argsort(part, kind="stable")
    order = order[part[order] >= 0]
    if not len(order):
        return []
    return np.split(order, np.cumsum(np.bincount(part[order]))[:-1])
