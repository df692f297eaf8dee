"""A made-up city of any size for benches of maps: grids with wiggly shared borders, and more."""

from __future__ import annotations

import geopandas
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import Voronoi, cKDTree

LON, LAT, WIDTH = 114.05, 30.55, 0.62  # degrees: about 60 km wide
HEIGHT = WIDTH * np.cos(np.radians(LAT)) * 0.9


def make_grids(count: int, *, seed: int = 7) -> geopandas.GeoDataFrame:
    """Return grids, dense in towns and wide between them, 30 to 150 vertices each."""
    random = np.random.default_rng(seed)
    places = _spread(count, random)
    mirrored = np.vstack([places] + [
        np.where(np.arange(2) == axis, side - places, places)
        for axis in (0, 1) for side in (-1, 1)])
    cells = Voronoi(mirrored)
    edges: dict[tuple[int, int], np.ndarray] = {}
    rings = [_ring(cells, cell, edges, random) for cell in range(count)]
    shapes = np.array([shapely.Polygon(ring * [WIDTH, HEIGHT] + [LON, LAT]) for ring in rings])
    invalid = ~shapely.is_valid(shapes)
    shapes[invalid] = [max(shapely.get_parts(shape), key=lambda part: part.area)
                       for shape in shapely.make_valid(shapes[invalid])]
    towns = cKDTree(places[random.choice(count, max(1, count // 50), replace=False)])
    town = pd.Series(towns.query(places)[1])
    number = town.groupby(town).cumcount() + 1
    codes = [f"3799{t:05d}{n:06d}" for t, n in zip(town, number, strict=True)]
    households = np.maximum(20, random.lognormal(5.7, 0.45, count)).round()
    frame = geopandas.GeoDataFrame({
        "territory": [code[:9] for code in codes], "kind": "existing", "households": households,
        "people": (households * random.normal(2.7, 0.3, count)).round(),
    }, geometry=shapes, crs=4326, index=pd.Index(codes, dtype="str", name="grid"))
    return frame.assign(area_m2=frame.to_crs(32650).area.round()).sort_index()


def _spread(count: int, random: np.random.Generator) -> np.ndarray:
    centres = random.uniform(-0.42, 0.42, (25, 2))
    size = random.uniform(0.02, 0.16, 25)
    town = random.choice(25, count, p=random.dirichlet(np.r_[8, np.ones(24)]))
    places = centres[town] + random.normal(0, 1, (count, 2)) * size[town, None]
    loose = random.random(count) < 0.25
    places[loose] = random.uniform(-0.5, 0.5, (int(loose.sum()), 2))
    places = np.clip(places, -0.495, 0.495)
    for _ in range(2):  # towards the middle of each cell
        tried = np.vstack([random.uniform(-0.5, 0.5, (40 * count, 2)), np.repeat(
            places, 40, axis=0) + random.normal(0, 0.004, (40 * count, 2))])
        owner = cKDTree(places).query(tried)[1]
        found = np.bincount(owner, minlength=count)
        middle = np.column_stack([np.bincount(owner, tried[:, k], count) for k in (0, 1)])
        middle /= np.maximum(found, 1)[:, None]
        places = np.where(found[:, None] > 3, 0.5 * places + 0.5 * middle, places)
    return np.clip(places, -0.495, 0.495)


def _ring(
    cells: Voronoi, cell: int, edges: dict[tuple[int, int], np.ndarray],
    random: np.random.Generator,
) -> np.ndarray:
    region = cells.regions[cells.point_region[cell]]
    sides = []
    for one, other in zip(region, [*region[1:], region[0]], strict=True):
        key = (min(one, other), max(one, other))
        if key not in edges:
            edges[key] = _wiggle(*cells.vertices[list(key)], random)
        sides.append((edges[key] if key[0] == one else edges[key][::-1])[:-1])
    return np.vstack(sides)


def _wiggle(start: np.ndarray, end: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a line of 4 to 32 pieces, by moving midpoints aside; the frame stays straight."""
    side = end - start
    if np.hypot(*side) < 2e-4:
        return np.array([start, end])
    on_frame = ((np.abs(np.abs(start) - 0.5) < 1e-9) & (np.abs(np.abs(end) - 0.5) < 1e-9)).any()
    pieces = int(2 ** random.choice([2, 3, 4, 5], p=[0.2, 0.35, 0.3, 0.15]))
    line = np.empty((pieces + 1, 2))
    line[0], line[-1] = start, end
    aside, step = (0.0 if on_frame else 0.06), pieces
    while step > 1:
        for at in range(0, pieces, step):
            middle = (line[at] + line[at + step]) / 2
            line[at + step // 2] = middle + [-side[1], side[0]] * random.normal(0, aside, 1)
        aside, step = aside / 2, step // 2
    return line


def make_points(
    grids: geopandas.GeoDataFrame, count: int, *, seed: int = 8
) -> geopandas.GeoDataFrame:
    """Return addresses and the like, in forty clusters to a grid, by households."""
    random = np.random.default_rng(seed)
    middle, size, grid = _homes(grids, count, random)
    offset = random.uniform(-0.42, 0.42, (len(grids), 40, 2))
    cluster = random.integers(0, 40, count)
    places = middle[grid] + offset[grid, cluster] * size[grid] + random.normal(
        0, 6e-5, (count, 2))
    kinds = pd.Categorical.from_codes(random.choice(4, count, p=[0.62, 0.25, 0.08, 0.05]),
                                      ["address", "population", "shop", "office"])
    return geopandas.GeoDataFrame(
        {"kind": kinds.astype("str"), "count": 1}, geometry=shapely.points(places), crs=4326,
        index=pd.RangeIndex(count, name="element"))


def make_footprints(
    grids: geopandas.GeoDataFrame, count: int, *, seed: int = 9
) -> geopandas.GeoDataFrame:
    """Return buildings: seven of ten rectangles, the rest in the shape of an L."""
    random = np.random.default_rng(seed)
    middle, size, grid = _homes(grids, count, random)
    places = middle[grid] + random.uniform(-0.45, 0.45, (count, 2)) * size[grid]
    sides = np.column_stack([random.uniform(10, 45, count), random.uniform(8, 16, count)])
    turn = random.normal(0, 0.12, count) + (random.random(count) < 0.3) * np.pi / 2
    corners = np.array([[-.5, -.5], [.5, -.5], [.5, .5], [-.5, .5]])
    bent = np.array([[-.5, -.5], [.5, -.5], [.5, .1], [0, .1], [0, 1.2], [-.5, 1.2]])
    shapes = np.empty(count, dtype=object)
    is_bent = random.random(count) < 0.3
    for form, chosen in ((bent, is_bent), (corners, ~is_bent)):
        drawn = form * sides[chosen][:, None, :]
        cosine, sine = np.cos(turn[chosen])[:, None], np.sin(turn[chosen])[:, None]
        turned = np.stack([drawn[..., 0] * cosine - drawn[..., 1] * sine,
                           drawn[..., 0] * sine + drawn[..., 1] * cosine], axis=-1)
        metres = [111_320 * np.cos(np.radians(LAT)), 110_950]
        shapes[chosen] = shapely.polygons(turned / metres + places[chosen][:, None, :])
    return geopandas.GeoDataFrame({"kind": "building"}, geometry=shapes, crs=4326,
                                  index=pd.RangeIndex(count, name="element"))


def _homes(
    grids: geopandas.GeoDataFrame, count: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    west, south, east, north = grids.bounds.to_numpy().T
    middle = np.column_stack([(west + east) / 2, (south + north) / 2])
    size = np.column_stack([east - west, north - south])
    weight = (grids["households"] / grids["households"].sum()).to_numpy()
    return middle, size, random.choice(len(grids), count, p=weight)
