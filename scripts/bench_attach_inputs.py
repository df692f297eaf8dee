"""Seeded inputs of bench_attach.py: a city of grids, points, footprints and an address book."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyproj
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy.spatial import Voronoi

CRS = 32651
CORNER = np.array([360_000.0, 4_060_000.0])
RADIUS_M = 43_000.0


def make_grids(size: int, *, seed: int = 7) -> GeoDataFrame:
    """Make grids with winding borders, a coast, some enclaves and some in two parts."""
    rng = np.random.default_rng(seed)
    faces = _draw_faces(int(size * 1.7), rng)
    middle = shapely.get_coordinates(shapely.centroid(faces))
    angle = np.arctan2(middle[:, 1], middle[:, 0])
    coast = 1 + 0.12 * np.sin(3 * angle + 1) + 0.08 * np.sin(7 * angle) + 0.05 * np.sin(19 * angle)
    inland = np.argsort(np.hypot(*middle.T) / coast, kind="stable")
    few = max(2, size // 120)
    faces = faces[inland[:size]]
    faces = _cut_enclaves(_join_parts(faces, few, rng), few, rng)[:size]
    faces = shapely.transform(faces, lambda xy: np.round(xy + CORNER, 3))
    faces = faces[shapely.is_valid(faces)]
    faces = faces[rng.permutation(len(faces))]
    codes = pd.Index([f"G{n:05}" for n in range(len(faces))], name="grid", dtype="str")
    return GeoDataFrame(geometry=list(faces), index=codes, crs=CRS)


def _draw_faces(size: int, rng: np.random.Generator) -> NDArray[np.object_]:
    centres = rng.normal(0, RADIUS_M * 0.4, (14, 2))
    spread = rng.uniform(1_500, 8_000, 14)
    town = rng.integers(0, 14, size // 2)
    crowded = centres[town] + rng.normal(0, 1, (len(town), 2)) * spread[town][:, None]
    open_land = rng.uniform(-1.6 * RADIUS_M, 1.6 * RADIUS_M, (size - len(town), 2))
    seeds = np.concatenate([crowded, open_land])
    cells = Voronoi(seeds)
    lines = [
        _wind(cells.vertices[a], cells.vertices[b], rng)
        for a, b in cells.ridge_vertices
        if a >= 0 and np.abs(cells.vertices[[a, b]]).max() < 3 * RADIUS_M
    ]
    noded = shapely.get_parts(shapely.union_all(np.array(lines)))
    faces = shapely.get_parts(shapely.polygonize(noded))
    return faces[shapely.area(faces) > 400]


def _wind(a: NDArray[np.float64], b: NDArray[np.float64], rng: np.random.Generator
          ) -> shapely.LineString:
    """Let a border wind: displace the middles of its halves, quarters and so on."""
    xy = np.array([a, b])
    aside = np.array([a[1] - b[1], b[0] - a[0]]) * 0.1
    for _ in range(int(np.clip(np.log2(np.hypot(*(b - a)) / 25 + 1), 0, 5))):
        middle = (xy[:-1] + xy[1:]) / 2 + rng.uniform(-1, 1, (len(xy) - 1, 1)) * aside
        xy = np.insert(xy, np.arange(1, len(xy)), middle, axis=0)
        aside = aside / 2
    return shapely.LineString(xy)


def _join_parts(faces: NDArray[np.object_], size: int, rng: np.random.Generator
                ) -> NDArray[np.object_]:
    pick = rng.choice(len(faces), 2 * size, replace=False)
    joined = [shapely.union(faces[a], faces[b]) for a, b in pick.reshape(-1, 2)]
    return np.concatenate([np.array(joined, dtype=object), np.delete(faces, pick)])


def _cut_enclaves(faces: NDArray[np.object_], size: int, rng: np.random.Generator
                  ) -> NDArray[np.object_]:
    large = np.argsort(-shapely.area(faces), kind="stable")
    large = large[shapely.get_type_id(faces[large]) == 3][:size]
    centre = shapely.point_on_surface(faces[large])
    room = shapely.distance(centre, shapely.boundary(faces[large]))
    holes = shapely.transform(shapely.buffer(centre, room * rng.uniform(0.2, 0.6, size),
                                             quad_segs=6), lambda xy: np.round(xy, 3))
    faces = faces.copy()
    faces[large] = shapely.difference(faces[large], holes)
    return np.concatenate([holes, faces])


def make_points(grids: GeoDataFrame, size: int, *, seed: int = 11) -> NDArray[np.float64]:
    """Make points: 60 % in clusters, 15 % near borders, 20 % in boxes of grids, 5 % anywhere."""
    rng = np.random.default_rng(seed)
    bounds = grids.bounds.to_numpy()
    weight = grids.area.to_numpy() ** 0.35
    near, loose, anywhere = int(size * 0.15), int(size * 0.20), int(size * 0.05)

    box = bounds[rng.choice(len(bounds), 40_000, p=weight / weight.sum())]
    centre = box[:, :2] + rng.random((len(box), 2)) * (box[:, 2:] - box[:, :2])
    cluster = rng.integers(0, len(box), size - near - loose - anywhere)
    spread = rng.gamma(2.0, 35.0, len(box))
    clustered = centre[cluster] + rng.normal(size=(len(cluster), 2)) * spread[cluster][:, None]

    a, b = find_segments(grids)
    edge = rng.integers(0, len(a), near)
    bordering = a[edge] + rng.random((near, 1)) * (b[edge] - a[edge]) + rng.normal(0, 8, (near, 2))
    box = bounds[rng.choice(len(bounds), loose, p=weight / weight.sum())]
    boxed = box[:, :2] + rng.random((loose, 2)) * (box[:, 2:] - box[:, :2])
    whole = grids.total_bounds
    scattered = whole[:2] + rng.random((anywhere, 2)) * (whole[2:] - whole[:2])
    xy = np.concatenate([clustered, bordering, boxed, scattered])[rng.permutation(size)]
    # As real address books come: roughly by district, in any order inside.
    district = (xy // 12_000).astype(np.int64)
    return xy[np.argsort(district[:, 0] * 1000 + district[:, 1], kind="stable")]


def find_segments(grids: GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of every segment of every border."""
    rings = shapely.get_rings(shapely.get_parts(grids.geometry.to_numpy()))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return xy[:-1][same], xy[1:][same]


def make_adversaries(grids: GeoDataFrame, size: int, *, seed: int = 13) -> NDArray[np.float64]:
    """Make points on vertices, in the middle of edges, on edges, and one step beside vertices."""
    rng = np.random.default_rng(seed)
    a, b = find_segments(grids)
    pick = rng.integers(0, len(a), (4, size // 4))
    on = a[pick[2]] + rng.random((size // 4, 1)) * (b[pick[2]] - a[pick[2]])
    beside = a[pick[3]].copy()
    way = np.where(rng.random(size // 4) < 0.5, -np.inf, np.inf)
    beside[:, 0] = np.nextafter(beside[:, 0], way)
    return np.concatenate([a[pick[0]], (a[pick[1]] + b[pick[1]]) / 2, on, beside])


def make_footprints(grids: GeoDataFrame, size: int, *, seed: int = 17) -> GeoDataFrame:
    """Make turned rectangles of 8 to 40 by 8 to 25 metres."""
    rng = np.random.default_rng(seed)
    xy = make_points(grids, size, seed=seed)
    half = np.column_stack([rng.uniform(4, 20, size), rng.uniform(4, 12.5, size)])
    angle = rng.uniform(0, np.pi, size)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1)
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])[None] * half[:, None]
    corners = np.einsum("nij,nkj->nki", turn.reshape(-1, 2, 2), corners) + xy[:, None]
    codes = pd.Index([f"b{n:06}" for n in range(size)], name="element", dtype="str")
    columns = {"kind": pd.Series("building", codes, dtype="str"), "count": pd.Series(1, codes)}
    return GeoDataFrame(columns, geometry=shapely.polygons(corners), index=codes, crs=CRS)


def write_address_book(path: Path, xy: NDArray[np.float64], *, seed: int = 19) -> None:
    """Write a GBK table of addresses with coordinates in degrees, people and kind."""
    rng = np.random.default_rng(seed)
    to_degrees = pyproj.Transformer.from_crs(CRS, 4326, always_xy=True).transform
    towns = np.array([f"{a}{b}街道" for a in "鲸竹皇孙张温羊草" for b in "园岛冠家村泉亭庙"])
    roads = np.array([f"{a}{b}路" for a in "文新世昌青山海滨和平" for b in "化威纪东西南北中"])
    sites = np.array([f"{a}{b}" for a in ("海韵", "阳光", "锦绣", "金桥", "和平", "大华")
                      for b in ("花园", "小区", "公寓", "苑")])
    kinds = np.array(["住宅", "商铺", "学校", "医院", "机关", "工厂", "酒店", "其他"])
    with path.open("wb") as file:
        file.write("编号,地址,经度,纬度,人口,类型\n".encode("gbk"))
        for start in range(0, len(xy), 500_000):
            part = xy[start : start + 500_000]
            size = len(part)
            text = pd.Series(rng.choice(towns, size)) + rng.choice(roads, size)
            text += rng.integers(1, 300, size).astype("U") + pd.Series("号", range(size))
            text += rng.choice(sites, size)
            text += rng.integers(1, 60, size).astype("U") + pd.Series("栋", range(size))
            lon, lat = to_degrees(*part.T)
            table = pd.DataFrame({"id": np.arange(start, start + size), "text": text, "lon": lon,
                                  "lat": lat, "people": rng.integers(1, 6, size),
                                  "kind": rng.choice(kinds, size)})
            file.write(table.to_csv(header=False, index=False, float_format="%.8f",
                                    lineterminator="\n").encode("gbk"))


def make_inputs(folder: Path, *, points: int, grids: int, footprints: int, adversaries: int
                ) -> None:
    """Write all inputs into a folder, unless they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "done").exists():
        return
    cells = make_grids(grids)
    cells.to_parquet(folder / "grids.parquet")
    cells.reset_index().to_file(folder / "grids.gpkg", engine="pyogrio")
    xy = make_points(cells, points)
    people = np.random.default_rng(23).integers(1, 6, len(xy)).astype("float64")
    np.save(folder / "points.npy", np.column_stack([xy, people]))
    frame = GeoDataFrame({"number": np.arange(len(xy)), "people": people},
                         geometry=geopandas.points_from_xy(*xy.T), crs=CRS)
    frame.to_parquet(folder / "points.parquet", row_group_size=500_000)
    np.save(folder / "adversaries.npy", make_adversaries(cells, adversaries))
    make_footprints(cells, footprints).to_parquet(folder / "footprints.parquet")
    write_address_book(folder / "addresses.csv", xy)
    (folder / "done").touch()
