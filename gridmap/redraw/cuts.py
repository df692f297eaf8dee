"""Dividing units into parts: evenly, or by a line; and which part keeps which code."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from .draft import Draft

#: Sweeps that round off the parts of a split grid.
SWEEPS = 60


def number_parts(
    drawn: Draft, units: NDArray[np.int64], part: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Give codes to parts so that as many households as possible keep theirs."""
    homes = drawn.land.units["households"].to_numpy()[units] + 1e-6
    before = drawn.label[units]
    codes, row = np.unique([drawn.name(int(n)) for n in before], return_inverse=True)
    held = np.zeros((len(codes), int(part.max()) + 1))
    np.add.at(held, (row, part), homes)
    number: dict[int, int] = {}
    for code, one in zip(*linear_sum_assignment(-held), strict=True):
        if held[code, one] > 0:
            number[int(one)] = drawn.number(str(codes[code]))
    for one in np.unique(part).tolist():
        if one not in number:
            number[one] = drawn.begin()
    return np.array([number[one] for one in part.tolist()], np.int64)


def sides(
    drawn: Draft, units: NDArray[np.int64], line: shapely.LineString
) -> NDArray[np.int64]:
    """Return the side of a line that each unit lies on: the pieces of land, by size."""
    shapes = drawn.land.units.geometry.to_numpy()[units]
    whole = shapely.union_all(shapes) if len(units) > 1 else shapes[0]
    lines = shapely.union_all([shapely.boundary(whole), line])
    pieces = shapely.get_parts(shapely.polygonize([lines]))
    inside = shapely.contains(shapely.buffer(whole, 1e-6), shapely.point_on_surface(pieces))
    pieces = pieces[inside]
    if len(pieces) < 2:
        return np.zeros(len(units), np.int64)
    pieces = pieces[np.argsort(-shapely.area(pieces), kind="stable")]
    points = shapely.point_on_surface(shapes)
    far = shapely.distance(points[:, None], pieces[None, :])
    side = np.argmin(far, axis=1)
    return np.asarray(np.unique(side, return_inverse=True)[1], np.int64)


def halve(drawn: Draft, units: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """Divide the units of a grid evenly, each part in one piece and as round as can be."""
    from ..zoning import graph as graphs
    from ..zoning.kernels import repair, split
    from .kernels import settle, state
    from .kernels.state import Land

    land = drawn.land
    graph = graphs.take_units(land.graph, units)
    load = np.ascontiguousarray(land.sizes.load[units], np.float64)
    weight = load[:, 0] + 1e-3 * load[:, 0].mean() + 1e-9
    label = split.halve(graph.place, weight, parts)
    repair.join_pieces(graph.start, graph.neighbour, graph.length, weight, label, parts)
    label = label.astype(np.int64)
    mean = max(float(load[:, 0].sum()) / parts, 1e-9)
    some = Land(graph.start, graph.neighbour, graph.length, load[:, :1].copy(),
                np.zeros(len(units)), graph.area, graph.outline, graph.place)
    held = state.tally(some, label, parts)
    for heat in (np.array([0.1, 0.002]), np.zeros(2)):
        settle.settle(
            some, label, held, np.full((parts, 1), 0.9 * mean), np.full((parts, 1), 1.1 * mean),
            np.array([mean]), np.full(len(units), -1), np.ones(parts, np.bool_), heat, 20.0,
            0.5, SWEEPS, np.uint64(88172645463325252))
    return np.unique(label, return_inverse=True)[1].astype(np.int64)
