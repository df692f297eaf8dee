"""The main lines: rivers, railway, motorway and primary roads, led over the terrain."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree
from scipy.spatial import Delaunay
from shapely import LineString

from .land import COLUMNS, ROWS, Land
from .plan import Floats, Plan

#: From the strongest to the weakest; where two run in one line, the first names it.
CLASSES = ("coast", "border", "river", "railway", "motorway", "primary", "secondary", "tertiary",
           "residential", "edge")

Steps = tuple[tuple[int, int], tuple[int, int]]


@dataclass
class _Network:
    """Raster steps already taken, so that later lines join earlier ones."""

    taken: dict[Steps, str] = field(default_factory=dict)
    near: dict[str, Floats] = field(default_factory=dict)


def build_routes(plan: Plan, land: Land) -> list[tuple[str, LineString]]:
    """Return the main lines as smooth curves, each with its class."""
    network = _Network()
    base = _base_cost(land)
    away = np.ones_like(base)
    for x, y, radius, _ in land.centres[: max(3, len(land.centres) // 6)]:
        gap = np.hypot(land.x[None] - x, land.y[:, None] - y) / radius
        away += 9.0 * np.exp(-((gap / 1.15) ** 2))
    for start, goal in _river_ends(plan, land):
        _lead(network, "river", base * away, start, goal)
    dry = _dry(land)
    west = [_end_of_line(dry, row=int(ROWS * at)) for at in (0.22, 0.33, 0.50)]
    south = [_end_of_line(dry, column=int(COLUMNS * at)) for at in (0.52, 0.66, 0.30, 0.78)]
    station = _station(land)
    for goal in (south[0], station):  # the line past the city, and the branch into it
        cost = (0.3 * base + 0.7) * _beside(network, np.ones_like(base), "river", dear=3.0)
        _lead(network, "railway", cost * away**0.4, west[0], goal)
    cost = _beside(network, base, "river", "railway") * away
    _lead(network, "motorway", cost, west[1], south[1])
    _lead_primary(network, land, base, (west[2], south[2], south[3]))
    return _curves(network, land)


def _station(land: Land) -> tuple[int, int]:
    """Return the cell at the southern edge of the city that the railway passes."""
    x, y, radius, _ = land.centres[0]
    return _cell(land, x - 0.1 * radius, y - 1.4 * radius)


def _base_cost(land: Land) -> Floats:
    outline = _dry(land)
    cost = 1.0 + 9.0 * land.height**1.2
    shore = np.clip(1.0 - land.sea / (5.0 * land.cell), 0, 1)
    edge = np.clip(1.0 - land.inland / (14.0 * land.cell), 0, 1)
    return np.where(outline, cost + 6.0 * shore + 5.0 * edge, np.inf)


def _dry(land: Land) -> Floats:
    grid_x, grid_y = np.meshgrid(land.x, land.y)
    shapely.prepare(land.mainland)
    return shapely.contains_xy(land.mainland, grid_x, grid_y)


def _beside(network: _Network, cost: Floats, *kinds: str, dear: float = 10.0) -> Floats:
    """Make it dear to run along another line, without closing the crossing of it."""
    for kind in kinds:
        cost = cost * (1.0 + (dear - 1.0) * network.near.get(kind, 0.0))
    return cost


def _cell(land: Land, x: float, y: float) -> tuple[int, int]:
    return (int(np.clip(round((y - land.y[0]) / land.cell), 0, ROWS - 1)),
            int(np.clip(round((x - land.x[0]) / land.cell), 0, COLUMNS - 1)))


def _river_ends(plan: Plan, land: Land) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Sources in the hills inland, mouths at the coast: the first runs into the bay."""
    rng = plan.random("rivers")
    size = plan.height_m
    spring = _end_of_line(_dry(land), column=int(COLUMNS * 0.43))
    ends = [(spring, _shore(land, 0.645 * size, 0.62 * size))]
    for _ in range(int(np.clip(round(plan.growth / 25), 0, 9))):
        source = rng.uniform([0.3, 0.2], [0.95, 0.55]) * size
        mouth = rng.uniform([0.15, 0.15], [1.15, 0.75]) * size
        ends.append((_cell(land, *source), _shore(land, *mouth)))
    return ends


def _shore(land: Land, x: float, y: float) -> tuple[int, int]:
    """Return the dry cell at the sea that is nearest to a point."""
    wet = _dry(land) & (land.sea < 2.5 * land.cell)
    rows, columns = np.nonzero(wet)
    gap = np.hypot(land.x[columns] - x, land.y[rows] - y)
    first = int(np.argmin(np.round(gap, 3)))
    return int(rows[first]), int(columns[first])


def _end_of_line(dry: Floats, *, row: int | None = None, column: int | None = None
                 ) -> tuple[int, int]:
    if row is not None:
        return row, int(np.argmax(dry[row]))
    return int(np.argmax(dry[:, column])), int(column or 0)


def _lead_primary(network: _Network, land: Land, base: Floats,
                  exits: tuple[tuple[int, int], ...]) -> None:
    """Join the settlements to each other and to the exits; shared stretches merge."""
    places = land.centres[:, :2]
    seats = [_cell(land, x, y) for x, y in places]
    on_land = [i for i, s in enumerate(seats) if np.isfinite(base[s])]
    for first, second in _pairs(places[on_land], land.centres[on_land, 2]):
        one, two = on_land[first], on_land[second]
        cost = _beside(network, base, "river", "railway", "motorway")
        _lead(network, "primary" if max(one, two) < 40 else "secondary", cost, seats[one],
              seats[two])
    for goal in exits:
        cost = _beside(network, base, "river", "railway", "motorway")
        _lead(network, "primary", cost, seats[0], goal)


def _pairs(places: Floats, radius: Floats) -> list[tuple[int, int]]:
    """Return the spanning tree of the settlements and the short links beside it."""
    if len(places) < 4:
        return [(0, i) for i in range(1, len(places))] + (
            [(1, 2)] if len(places) == 3 else [])
    triangles = Delaunay(places).simplices
    links = np.unique(np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]],
                                         triangles[:, [0, 2]]]), axis=1), axis=0)
    length = np.hypot(*(places[links[:, 0]] - places[links[:, 1]]).T)
    matrix = coo_matrix((length, (links[:, 0], links[:, 1])), shape=(len(places),) * 2)
    tree = minimum_spanning_tree(matrix.tocsr()).tocoo()
    chosen = {(min(a, b), max(a, b)) for a, b in zip(tree.row, tree.col, strict=True)}
    for a, b in links[length < np.quantile(length, 0.45)]:
        gaps = np.hypot(*(places - places[[a, b]].mean(axis=0)).T)
        if np.sum(gaps < np.hypot(*(places[a] - places[b])) / 2 + 1e-6) <= 2:
            chosen.add((int(a), int(b)))
    weight = radius[np.array(sorted(chosen))].sum(axis=1)
    return [sorted(chosen)[i] for i in np.lexsort((np.arange(len(weight)), -weight))]


def _lead(network: _Network, kind: str, cost: Floats, start: tuple[int, int],
          goal: tuple[int, int]) -> None:
    """Find the cheapest way between two cells and add its steps to the network."""
    taken = np.ones_like(cost)
    for (a, b), what in network.taken.items():
        if what == kind:
            taken[a] = taken[b] = 0.3
    near = network.near.get(kind)
    priced = cost * (1.0 if near is None else 1.0 + 2.0 * near * (taken == 1.0)) * taken
    path = _cheapest(priced, start, goal)
    for a, b in pairwise(path):
        step = (min(a, b), max(a, b))
        held = network.taken.get(step)
        if held is None or CLASSES.index(kind) < CLASSES.index(held):
            network.taken[step] = kind
    _mark_near(network, kind, path)


def _mark_near(network: _Network, kind: str, path: list[tuple[int, int]]) -> None:
    field_ = network.near.setdefault(kind, np.zeros((ROWS, COLUMNS)))
    for row, column in path:
        field_[max(0, row - 3): row + 4, max(0, column - 3): column + 4] = 1.0


def _cheapest(cost: Floats, start: tuple[int, int], goal: tuple[int, int]
              ) -> list[tuple[int, int]]:
    """Return the cells of the cheapest eight-neighbour way."""
    number = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    flat = np.where(np.isfinite(cost), cost, 0.0).ravel()
    heads, tails, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = number[: ROWS - down, max(0, -right): COLUMNS - max(0, right)].ravel()
        b = number[down:, max(0, right): COLUMNS + min(0, right)].ravel()
        open_ = (flat[a] > 0) & (flat[b] > 0)
        heads.append(a[open_])
        tails.append(b[open_])
        weights.append((flat[a] + flat[b])[open_] / 2 * np.hypot(down, right))
    graph = coo_matrix((np.concatenate(weights), (np.concatenate(heads), np.concatenate(tails))),
                       shape=(ROWS * COLUMNS,) * 2).tocsr()
    first, last = number[start], number[goal]
    _, before = dijkstra(graph, directed=False, indices=first, return_predecessors=True)
    path = [int(last)]
    while path[-1] != first and before[path[-1]] >= 0:  # back along the predecessors
        path.append(int(before[path[-1]]))
    return [divmod(cell, COLUMNS) for cell in reversed(path)]


def _curves(network: _Network, land: Land) -> list[tuple[str, LineString]]:
    """Turn raster steps into smooth curves between junctions."""
    ends: dict[tuple[int, int], list[Steps]] = {}
    for step in sorted(network.taken):
        for cell in step:
            ends.setdefault(cell, []).append(step)

    def is_joint(cell: tuple[int, int]) -> bool:
        kinds = [network.taken[s] for s in ends[cell]]
        return len(kinds) != 2 or kinds[0] != kinds[1]

    curves, used = [], set()
    for cell in sorted(ends):
        for step in ends[cell]:
            if step in used or not is_joint(cell):
                continue
            chain, kind = [cell], network.taken[step]
            while True:  # walk from joint to joint
                used.add(step)
                chain.append(step[1] if step[0] == chain[-1] else step[0])
                if is_joint(chain[-1]):
                    break
                step = next(s for s in ends[chain[-1]] if s not in used)
            curves.append((kind, _lengthen(kind, _smooth(chain, land), chain, ends, land)))
    return curves


def _lengthen(kind: str, line: LineString, chain: list[tuple[int, int]],
              ends: dict[tuple[int, int], list[Steps]], land: Land) -> LineString:
    """Lead a line that ends near the outline on across it: a mouth, or a way out."""
    points = np.asarray(line.coords)
    for first, second, cell in ((0, 1, chain[0]), (-1, -2, chain[-1])):
        x, y = points[first]
        near = min(land.at(land.sea, x, y), land.at(land.inland, x, y)) < 9 * land.cell
        if not near or (len(ends[cell]) > 1 and kind != "river"):  # a road may pass a mouth
            continue
        way = points[first] - points[second]
        outline = land.mainland.exterior
        foot = outline.interpolate(outline.project(shapely.Point(x, y)))
        out = np.array([foot.x - x, foot.y - y])
        way = out / max(1e-9, np.hypot(*out)) + 0.35 * way / max(1e-9, np.hypot(*way))
        reach = np.hypot(*out) * 1.4 + 3 * land.cell
        beyond = points[first] + way * reach / np.hypot(*way)
        points = np.vstack([beyond[None], points] if first == 0 else [points, beyond[None]])
    return LineString(points)


def _smooth(chain: list[tuple[int, int]], land: Land) -> LineString:
    cells = np.array(chain)
    points = np.column_stack([land.x[cells[:, 1]], land.y[cells[:, 0]]])
    line = np.asarray(shapely.simplify(LineString(points), 1.6 * land.cell).coords)
    for _ in range(3):  # Chaikin, the ends held
        if len(line) < 3:
            break
        cut = np.stack([0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]],
                       1).reshape(-1, 2)
        line = np.vstack([line[:1], cut[1:-1], line[-1:]])
    return LineString(line)
