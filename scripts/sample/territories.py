"""County, towns and communities: quarters put together until they are large enough."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from shapely import STRtree

from . import names
from .land import Land
from .plan import Floats, Plan
from .streets import Network, Shapes

#: How gladly a community reaches across a line.
WELCOME = {"river": 0.12, "railway": 0.15, "motorway": 0.12, "primary": 0.4, "secondary": 0.8}


@dataclass(frozen=True)
class Territories:
    """The three levels; frames with code, name, parent and geometry, sorted by code."""

    of_block: NDArray[np.int64]  # row in communities of each block
    communities: DataFrame
    towns: DataFrame
    counties: DataFrame


def build_territories(plan: Plan, land: Land, network: Network, homes: Floats) -> Territories:
    """Put quarters together to communities, these to towns, and these to counties."""
    pairs, weights = _neighbours(network)
    moorings = _moorings(network)
    quarter = _merge(plan, network, pairs, weights, moorings, homes)
    community, inverse = np.unique(quarter, return_inverse=True)
    count = len(community)
    lived = np.bincount(inverse, homes)
    area = shapely.area(network.blocks)
    middle = shapely.get_coordinates(shapely.centroid(network.blocks)) * area[:, None]
    middle = np.column_stack([np.bincount(inverse, middle[:, i]) for i in (0, 1)]) / np.bincount(
        inverse, area)[:, None]
    links = _links(inverse, np.vstack([pairs, moorings]))
    seats = _town_seats(plan, land, middle, lived)
    town = _grow(links, middle, seats, count)
    county = _county_of_towns(plan, town, links, middle, len(seats))
    dense = np.bincount(inverse, network.density * area) / np.bincount(inverse, area)
    return _write(plan, network, inverse, town, county, middle, dense)


def _neighbours(network: Network) -> tuple[NDArray[np.int64], Floats]:
    """Return the pairs of blocks on the two sides of a line, and its weight."""
    tree = STRtree(network.blocks)
    middle = shapely.line_interpolate_point(network.lines, 0.5, normalized=True)
    line, block = tree.query(middle, predicate="dwithin", distance=0.02)
    order = np.lexsort((block, line))
    line, block = line[order], block[order]
    twice = np.flatnonzero(line[1:] == line[:-1])
    pairs = np.column_stack([block[twice], block[twice + 1]])
    welcome = np.array([WELCOME.get(k, 1.0) for k in network.classes])
    return pairs, (shapely.length(network.lines) * welcome)[line[twice]]


def _merge(plan: Plan, network: Network, pairs: NDArray[np.int64], weights: Floats,
           moorings: NDArray[np.int64], homes: Floats) -> NDArray[np.int64]:
    """Join the smallest quarter to the neighbour it shares most border with, over and over."""
    grow = max(1.0, plan.growth) ** 0.16
    quarter = network.quarter.astype(np.int64)
    lived = dict(enumerate(np.bincount(quarter, homes).tolist()))
    hectares = dict(enumerate((np.bincount(quarter, shapely.area(network.blocks)) / 1e4).tolist()))
    wet = set(np.unique(quarter[network.wet]).tolist())
    links: dict[int, dict[int, float]] = {q: {} for q in np.unique(quarter).tolist()}
    for (a, b), weight in zip(quarter[pairs].tolist(), weights.tolist(), strict=True):
        if a != b:
            links[a][b] = links[a].get(b, 0.0) + weight
            links[b][a] = links[b].get(a, 0.0) + weight
    for a, b in quarter[moorings].tolist():
        if lived[a] <= 25:
            links[a][b] = links[b][a] = links[a].get(b, 0.0) + 1.0
    into = {q: q for q in links}
    heap = [(lived[q], q) for q in links]
    heapq.heapify(heap)
    while heap:
        size, q = heapq.heappop(heap)
        if into[q] != q or size != lived[q] or _is_enough(size / grow):
            continue
        if q in wet and size > 25:  # an inhabited island is a community of its own
            continue
        options = [(_liking((lived[n] + size) / grow) + (hectares[n] < 650), w, -n)
                   for n, w in links[q].items()]
        if not options:
            continue
        best = -max(options)[-1]
        if size > 40 and lived[best] + size > 900 * grow:  # rather small than far too large
            continue
        into[q] = best
        lived[best] += size
        hectares[best] += hectares[q]
        for n, w in links.pop(q).items():
            links[n].pop(q, None)
            if n != best:
                links[best][n] = links[best].get(n, 0.0) + w
                links[n][best] = links[best][n]
        heapq.heappush(heap, (lived[best], best))
    return np.array([_root(into, q) for q in quarter.tolist()])


def _is_enough(size: float) -> bool:
    """Say whether a community of so many households splits into grids of 300 to 500."""
    return 300 <= size <= 495 or size >= 610


def _liking(size: float) -> int:
    """Say how welcome a community of so many households is."""
    if size <= 495:
        return 3 if size >= 300 else 2
    if size > 900:
        return -2
    return 1 if 610 <= size <= 880 else 0


def _moorings(network: Network) -> NDArray[np.int64]:
    """Return each island block with the nearest mainland block."""
    wet, dry = np.flatnonzero(network.wet), np.flatnonzero(~network.wet)
    tree = STRtree(network.blocks[dry])
    island, near = tree.query_nearest(network.blocks[wet], all_matches=False)
    return np.column_stack([wet[island], dry[near]])


def _root(into: dict[int, int], q: int) -> int:
    while into[q] != q:
        q = into[q]
    return q


def _links(inverse: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    both = np.sort(inverse[pairs], axis=1)
    return np.unique(both[both[:, 0] != both[:, 1]], axis=0)


def _town_seats(plan: Plan, land: Land, middle: Floats, lived: Floats) -> list[int]:
    """Choose the community each town grows from: larger places have several."""
    target = 12.0 if plan.growth > 3 else 8.0
    size = land.centres[:, 2] ** 2 * land.centres[:, 3]
    towns = np.maximum(1, np.round(size / size.sum() * len(middle) * 0.74 / target)).astype(int)
    if plan.growth <= 1.5:
        towns = np.array([2] + [1] * (len(size) - 1))
    seats: list[int] = []
    for (x, y, radius, _), count in zip(land.centres, towns, strict=True):
        if count == 2:
            around = [(x - 0.55 * radius, y), (x + 0.55 * radius, y)]
        else:
            turn = np.arange(count) * 2.399963
            out = radius * np.sqrt((np.arange(count) + 0.35) / count) * (count > 1)
            around = list(zip(x + out * np.cos(turn), y + out * np.sin(turn), strict=True))
        for ax, ay in around:
            gap = np.round(np.hypot(middle[:, 0] - ax, middle[:, 1] - ay), 3)
            gap[seats] = np.inf
            seats.append(int(np.argmin(gap)))
    return seats


def _grow(links: NDArray[np.int64], middle: Floats, seats: list[int], count: int
          ) -> NDArray[np.int64]:
    """Give every community to the seat it reaches on the shortest way through others."""
    length = np.hypot(*(middle[links[:, 0]] - middle[links[:, 1]]).T)
    graph = coo_matrix((length, (links[:, 0], links[:, 1])), shape=(count, count)).tocsr()
    _, _, source = dijkstra(graph, directed=False, indices=seats, return_predecessors=True,
                            min_only=True)
    place = {seat: i for i, seat in enumerate(seats)}
    return np.array([place[int(s)] for s in source])


def _county_of_towns(plan: Plan, town: NDArray[np.int64], links: NDArray[np.int64],
                     middle: Floats, towns: int) -> NDArray[np.int64]:
    wanted = int(np.clip(round(plan.growth / 40), 1, 8))
    spots = np.array([middle[town == t].mean(axis=0) if np.any(town == t) else [0.0, 0.0]
                      for t in range(towns)])
    seats = [0]
    while len(seats) < wanted:
        gaps = np.min([np.hypot(*(spots - spots[s]).T) for s in seats], axis=0)
        seats.append(int(np.argmax(np.round(gaps, 3))))
    both = np.unique(np.sort(town[links], axis=1), axis=0)
    return _grow(both[both[:, 0] != both[:, 1]], spots, seats, towns)


def _write(plan: Plan, network: Network, inverse: NDArray[np.int64], town: NDArray[np.int64],
           county: NDArray[np.int64], middle: Floats, dense: Floats) -> Territories:
    """Issue names and codes, and dissolve the blocks."""
    count, towns = len(town), len(county)
    urban = np.array([dense[town == t].max(initial=0.0) > 30 for t in range(towns)])
    town_code = _town_codes(county, urban)
    code = _community_codes(town, town_code, middle)
    place = names.places(plan.random("names"), count + towns)
    label = [p + ("社区" if d > 8.0 else "村") for p, d in zip(place, dense, strict=False)]
    by_code = np.argsort(code)
    of_block = np.argsort(by_code)[inverse]
    communities = DataFrame({
        "code": code[by_code], "name": np.array(label)[by_code],
        "parent": town_code[town][by_code],
        "geometry": dissolve(network.blocks, of_block, count)})
    town_names = {c: p + ("街道" if u else "镇")
                  for c, p, u in zip(town_code, place[count:], urban, strict=True)}
    county_names = {f"{379901 + i}": name for i, name in enumerate(names.COUNTIES)}
    towns_ = _parents(communities, town_names, digits=6)
    return Territories(of_block=of_block, communities=communities, towns=towns_,
                       counties=_parents(towns_, county_names, digits=0))


def _town_codes(county: NDArray[np.int64], urban: NDArray[np.bool_]) -> NDArray[np.str_]:
    """Number street offices from 001 and towns from 101 inside their county."""
    order = np.lexsort((np.arange(len(county)), ~urban, county))
    place = DataFrame({"county": county, "urban": urban}).iloc[order].groupby(
        ["county", "urban"]).cumcount().to_numpy()
    number = np.empty(len(county), dtype=np.int64)
    number[order] = place + 1
    return np.array([f"{379901 + c}{n if u else 100 + n:03d}"
                     for c, n, u in zip(county, number, urban, strict=True)])


def _community_codes(town: NDArray[np.int64], town_code: NDArray[np.str_], middle: Floats
                     ) -> NDArray[np.str_]:
    """Number communities from west to east inside their town."""
    order = np.lexsort((middle[:, 1], middle[:, 0]))
    number = np.empty(len(town), dtype=np.int64)
    number[order] = DataFrame({"town": town[order]}).groupby("town").cumcount() + 1
    return np.array([f"{town_code[t]}{n:03d}" for t, n in zip(town, number, strict=True)])


def _parents(children: DataFrame, labels: dict[str, str], *, digits: int) -> DataFrame:
    """Return the territories one level up; ``digits`` of their own parent's code."""
    codes, held = np.unique(children["parent"].to_numpy().astype(str), return_inverse=True)
    return DataFrame({
        "code": codes, "name": [labels[c] for c in codes], "parent": [c[:digits] for c in codes],
        "geometry": dissolve(children["geometry"].to_numpy(), held, len(codes))})


def dissolve(shapes: Shapes, group: NDArray[np.int64], count: int) -> Shapes:
    """Return one normalised polygon for each group of a seamless set."""
    order = np.argsort(group, kind="stable")
    ends = np.searchsorted(group[order], np.arange(count + 1))
    return shapely.normalize(np.array([
        shapely.coverage_union_all(shapes[order[a:b]])
        for a, b in pairwise(ends)]))
