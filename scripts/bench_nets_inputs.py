"""Schemes of departments for the bench of nets: one base tiling, drawn again and again."""

from __future__ import annotations

import math

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from scipy.spatial import cKDTree

CRS = "EPSG:32651"
#: Side of a grid in metres, about; corners are this far apart on a border.
SIDE_M = 300.0
STEP_M = 40.0


def make_base(size: int, *, seed: int = 1) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return a seamless tiling of ``size`` grids with wriggling borders, and its communities.

    Each community is about 36 grids around a seat of its own.
    """
    rng = np.random.default_rng(seed)
    side = SIDE_M * math.sqrt(size)
    box = shapely.box(0, 0, side, side)
    seeds = rng.uniform(0, side, (size, 2))
    edges = shapely.voronoi_polygons(shapely.multipoints(seeds), extend_to=box, only_edges=True)
    lines = shapely.get_parts(shapely.node(shapely.union(
        shapely.intersection(edges, box), shapely.boundary(box))))
    dense = shapely.transform(shapely.segmentize(lines, STEP_M), lambda xy: xy + _wave(xy, side))
    cells = shapely.get_parts(shapely.polygonize([shapely.node(shapely.union_all(dense))]))
    cells = cells[shapely.area(cells) > 400]
    middle = shapely.get_coordinates(shapely.centroid(cells))
    cells = cells[np.lexsort((middle[:, 0], middle[:, 1]))]
    middle = shapely.get_coordinates(shapely.centroid(cells))
    seats = rng.uniform(0, side, (max(1, size // 36), 2))
    home = np.unique(cKDTree(seats).query(middle)[1], return_inverse=True)[1]
    communities = [shapely.coverage_union_all(cells[home == h]) for h in range(home.max() + 1)]
    codes = pd.Index([f"{h:05d}" for h in range(len(communities))], dtype="str", name="territory")
    territories = GeoDataFrame({"level": "community", "parent": None}, geometry=communities,
                               index=codes, crs=CRS).astype({"level": "str", "parent": "str"})
    grids = GeoDataFrame(
        {"territory": codes.take(home)}, geometry=cells, crs=CRS,
        index=pd.Index([f"G{i:06d}" for i in range(len(cells))], dtype="str", name="grid"))
    return grids, territories


def _wave(xy: np.ndarray, side: float) -> np.ndarray:
    inside = ((xy > 1e-6) & (xy < side - 1e-6)).all(axis=1)[:, None]
    phase = xy / 97.0
    return np.where(inside, 8 * np.sin(phase[:, ::-1] * 1.7 + np.sin(phase * 0.9) * 2), 0.0)


def make_schemes(base: GeoDataFrame, count: int, *, seed: int = 2) -> GeoDataFrame:
    """Return the base as ``count`` departments drew it.

    Every department shifts all of it by a metre or so, moves each corner by some decimetres,
    leaves out corners, unites a fifth of the grids with a neighbour, divides one in ten by a
    line of its own, and does not draw one in fifty.
    """
    parts = [_draw(base, number, np.random.default_rng((seed, number))) for number in range(count)]
    return pd.concat(parts)


def _draw(base: GeoDataFrame, number: int, rng: np.random.Generator) -> GeoDataFrame:
    shapes = base.geometry.to_numpy()
    group = _unite(shapes, rng)
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    drawn = np.array([s[0] if len(s) == 1 else shapely.coverage_union_all(s)
                      for s in np.split(shapes[order], cuts)], dtype=object)
    drawn = drawn[rng.random(len(drawn)) > 0.02]
    drawn = _divide(drawn, rng)
    shift, phase = rng.normal(0, 0.7, 2), rng.uniform(0, 6, 2)
    moved = shapely.transform(drawn, lambda xy: xy + shift + 0.5 * np.sin(xy * 1.3 + phase))
    drawn = shapely.coverage_simplify(moved, 1.0)
    parts = shapely.get_parts(drawn[~shapely.is_empty(drawn)])
    parts = parts[shapely.area(parts) > 400]
    broken = ~shapely.is_valid(parts)
    parts[broken] = shapely.buffer(parts[broken], 0)
    names = [f"D{number:02d}-{i:05d}" for i in range(len(parts))]
    return GeoDataFrame(
        {"scheme": f"D{number:02d}", "department": f"department {number}"}, geometry=parts,
        index=pd.Index(names, dtype="str", name="work_grid"), crs=CRS,
    ).astype({"scheme": "str", "department": "str"})


def _unite(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Number the groups when a fifth of all grids joins a neighbour."""
    group = np.arange(len(shapes))
    tree = shapely.STRtree(shapes)
    asking = np.flatnonzero(rng.random(len(shapes)) < 0.1)
    one, other = tree.query(shapes[asking], predicate="touches")
    length = shapely.length(shapely.intersection(shapes[asking[one]], shapes[other]))
    one, other = one[length > 50], other[length > 50]
    first = np.flatnonzero(np.diff(one, prepend=-1))
    free = np.ones(len(shapes), dtype=bool)
    for a, b in zip(asking[one[first]], other[first], strict=True):  # each grid once
        if free[a] and free[b]:
            group[a] = b
            free[[a, b]] = False
    return group


def _divide(shapes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    chosen = rng.random(len(shapes)) < 0.1
    pieces = [shapes[~chosen]]
    for shape in shapes[chosen]:
        west, south, east, north = shape.bounds
        x = west + (east - west) * rng.uniform(0.35, 0.65)
        lean = rng.uniform(-80, 80)
        line = shapely.LineString([(x - lean, south - 1), (x + lean, north + 1)])
        noded = shapely.node(shapely.union(line, shapely.boundary(shape)))
        faces = shapely.get_parts(shapely.polygonize([noded]))
        pieces.append(faces[shapely.contains_properly(shape, shapely.point_on_surface(faces))])
    return np.concatenate(pieces)


def make_homes(base: GeoDataFrame, count: int, *, seed: int = 3) -> GeoDataFrame:
    """Return buildings with households, scattered over the base."""
    rng = np.random.default_rng(seed)
    west, south, east, north = base.total_bounds
    xy = rng.uniform((west, south), (east, north), (count, 2))
    names = pd.Index([f"e{i}" for i in range(count)], dtype="str", name="element")
    households = rng.poisson(6, count)
    return GeoDataFrame(
        {"kind": "building", "count": 1, "households": households,
         "people": households * 2 + rng.integers(0, 3, count)},
        geometry=geopandas.GeoSeries(shapely.points(xy), index=names), crs=CRS, index=names,
    ).astype({"kind": "str"})
