"""What there is to draw: the graph, its parts, and how many grids each of them gets."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import counts, needs, parts
from .counts import Count
from .graph import UnitGraph
from .parts import Parts
from .qualities import Qualities
from .sizes import Sizes


class Given(NamedTuple):
    """The units as arrays, in the order of their codes.

    ``locked`` numbers the grids that stay as they are, -1 for units to draw; ``own`` are
    units that get a grid of their own by rule, ``empty`` those in which nobody lives.
    ``homes`` are places that a grid each should lie around, and the units that hold them.
    """

    codes: NDArray[np.str_]
    territory: NDArray[np.str_]
    shapes: NDArray[np.object_]
    graph: UnitGraph
    sizes: Sizes
    empty: NDArray[np.bool_]
    own: NDArray[np.bool_]
    locked: NDArray[np.int64]
    qualities: Qualities
    home_place: NDArray[np.float64]
    home_unit: NDArray[np.int64]


class Plan(NamedTuple):
    """Everything that is known before the first grid is drawn."""

    given: Given
    parts: Parts
    members: list[NDArray[np.int64]]  # positions of units, per part
    counts: list[Count]
    weight: NDArray[np.float64]  # of each unit in a part: what a first drawing evens out
    seeds: list[int]


def make_plan(given: Given, *, seed: int, wanted: Mapping[str, int] | None = None) -> Plan:
    """Work out the parts that are drawn one by one, and the number of grids of each.

    Parameters
    ----------
    given : Given
    seed : int
    wanted : mapping of str to int, optional
        Number of grids of some territories; else the number that fits the size.
    """
    sizes = given.sizes
    low = np.stack([one.low for one in sizes.ranges])[sizes.row]
    high = np.stack([one.high for one in sizes.ranges])[sizes.row]
    taken = given.own | (given.locked >= 0)
    found = parts.find_drawing_parts(
        given.graph,
        given.shapes,
        territory=np.unique(given.territory, return_inverse=True)[1],
        mass=sizes.load[:, 0],
        minimum=low[:, 0],
        empty=given.empty,
        large=(sizes.load > high).any(axis=1) & ~taken,
        own=given.own & (given.locked < 0),
        locked=given.locked,
    )
    members = _members(found.part)
    numbers, weight = _weigh(given, found, members, _count(given, found, members, wanted or {}))
    return Plan(
        given=given,
        parts=found,
        members=members,
        counts=numbers,
        weight=weight,
        # Seeded by what the part is called, so that no territory depends on another.
        seeds=[zlib.crc32(f"{seed}|{given.territory[some[0]]}|{given.codes[some[0]]}".encode())
               for some in members],
    )


def _count(
    given: Given,
    found: Parts,
    members: list[NDArray[np.int64]],
    wanted: Mapping[str, int],
) -> list[Count]:
    """Return the number of grids of each part."""
    sizes = given.sizes
    ranges = [sizes.ranges[sizes.row[some[0]]] for some in members]
    totals = [sizes.load[some].sum(axis=0) for some in members]
    numbers = [counts.count_grids(total, len(some), size)
               for total, some, size in zip(totals, members, ranges, strict=True)]
    territory = [given.territory[some[0]] for some in members]
    alone = np.unique(found.host[found.host >= 0])
    for name, number in wanted.items():
        mine = [part for part, where in enumerate(territory) if where == name]
        left = number - int((given.territory[alone] == name).sum())
        mass = np.array([totals[part][0] for part in mine])
        units = np.array([len(members[part]) for part in mine])
        for part, grids in zip(mine, counts.share_grids(left, mass, units), strict=True):
            fault = counts.find_fault(totals[part] / grids, ranges[part])
            numbers[part] = Count(int(grids), fault, fixed=True)
    return numbers


def _weigh(
    given: Given, found: Parts, members: list[NDArray[np.int64]], numbers: list[Count]
) -> tuple[list[Count], NDArray[np.float64]]:
    """Return the numbers of grids that limits ask for, and what each unit takes of them."""
    sizes = given.sizes
    weight = np.zeros(len(given.codes))
    weighed = []
    for some, number in zip(members, numbers, strict=True):
        size = sizes.ranges[sizes.row[some[0]]]
        more, weight[some] = needs.weigh_units(
            found.graph.place[some], sizes.load[some], number, size
        )
        weighed.append(more)
    return weighed, weight


def _members(part: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the units of each part, in order."""
    order = np.argsort(part, kind="stable")
    order = order[part[order] >= 0]
    if not len(order):
        return []
    return np.split(order, np.cumsum(np.bincount(part[order]))[:-1])
