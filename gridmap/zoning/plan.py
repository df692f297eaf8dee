"""What there is to draw: the graph, its parts, and how many grids each of them gets."""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..rules import SizeRule
from . import counts, parts
from .counts import Count
from .graph import UnitGraph
from .parts import Parts
from .qualities import Qualities


class Given(NamedTuple):
    """The units as arrays, in the order of their codes."""

    codes: NDArray[np.str_]
    territory: NDArray[np.str_]
    shapes: NDArray[np.object_]
    graph: UnitGraph
    load: NDArray[np.float64]  # a column for each measure of the size rule
    empty: NDArray[np.bool_]  # units in which nobody lives
    own: NDArray[np.bool_]  # units that get a grid of their own by rule
    qualities: Qualities


class Plan(NamedTuple):
    """Everything that is known before the first grid is drawn."""

    load: NDArray[np.float64]
    bounds: NDArray[np.float64]  # lowest and highest of each measure
    qualities: Qualities
    parts: Parts
    members: list[NDArray[np.int64]]  # positions of units, per part
    counts: list[Count]
    seeds: list[int]


def make_plan(given: Given, size: SizeRule, *, seed: int) -> Plan:
    """Work out the parts that are drawn one by one, and the number of grids of each."""
    bounds = counts.bounds_of(size)
    found = parts.find_drawing_parts(
        given.graph,
        given.shapes,
        territory=np.unique(given.territory, return_inverse=True)[1],
        mass=given.load[:, 0],
        empty=given.empty,
        large=(given.load > bounds[1]).any(axis=1) & ~given.own,
        own=given.own,
        minimum=size.minimum,
    )
    members = _members(found.part)
    return Plan(
        load=given.load,
        bounds=bounds,
        qualities=given.qualities,
        parts=found,
        members=members,
        counts=[counts.count_grids(given.load[some].sum(axis=0), len(some), size)
                for some in members],
        # Seeded by what the part is called, so that no territory depends on another.
        seeds=[zlib.crc32(f"{seed}|{given.territory[some[0]]}|{given.codes[some[0]]}".encode())
               for some in members],
    )


def _members(part: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the units of each part, in order."""
    order = np.argsort(part, kind="stable")
    order = order[part[order] >= 0]
    if not len(order):
        return []
    return np.split(order, np.cumsum(np.bincount(part[order]))[:-1])
