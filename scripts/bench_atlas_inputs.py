"""A made-up city to be printed: grids, communities, streets, footprints, assets, posts."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import shapely
from bench_maps_inputs import make_footprints, make_grids
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from gridmap.pipeline import printing

CRS = 32650
KINDS = ("camera", "hydrant", "lamp", "notice board", "service centre")
_FIRST, _SECOND = "海龙石新望金沙长竹松鹤安青兰凤", "湾山矶汀祥浦塘园华屿溪林澜屏坡"


def save_city(folder: Path, grids: int, footprints: int, assets: int) -> None:
    """Write the city as a workspace has it; streets and posts beside it."""
    frames = folder / "frames"
    if (frames / "by_grid.parquet").is_file():
        return
    frames.mkdir(parents=True, exist_ok=True)
    land = make_grids(grids)
    houses = make_footprints(land, footprints).to_crs(CRS)
    houses.index = houses.index.astype("str").rename("element")
    land = land.to_crs(CRS)
    towns = make_territories(land)
    points = make_assets(land, assets)
    streets = make_streets(land)
    land.to_parquet(frames / "grids.parquet")
    towns.to_parquet(frames / "territories.parquet")
    houses.to_parquet(frames / "elements.parquet")
    points.to_parquet(frames / "assets.parquet")
    streets.to_parquet(folder / "streets.parquet")
    posts = towns.loc[towns["level"] == "community", ["name"]]
    contact = [f"{name}网格服务站 0631-52{number:05d}" for number, name in
               enumerate(posts["name"])]
    DataFrame({"contact": contact}, index=posts.index).to_parquet(folder / "posts.parquet")
    facts = {"name": "样例城市", "publication": "shared", "outputs": {}}
    (folder / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    DataFrame(land.drop(columns="geometry")).to_parquet(frames / "by_grid.parquet")


def load_city(folder: Path) -> tuple[printing.Prints, DataFrame]:
    """Read the city, and its contact lines by community."""
    prints = printing.load_prints(folder)
    streets = geopandas.read_parquet(folder / "streets.parquet")
    return prints._replace(barriers=streets), pd.read_parquet(folder / "posts.parquet")


def make_territories(grids: GeoDataFrame) -> GeoDataFrame:
    """Return communities out of their grids, a town for every twelve, and the county."""
    land = grids.geometry.groupby(grids["territory"]).agg(
        lambda some: shapely.union_all(some.to_numpy()))
    names = [_FIRST[n % 15] + _SECOND[n // 15 % 15] + "社区" for n in range(len(land))]
    homes = [f"3799{n // 12:02d}T" for n in range(len(land))]
    communities = GeoDataFrame({"name": names, "level": "community", "parent": homes},
                               geometry=land.to_numpy(), crs=CRS, index=land.index)
    towns = communities.dissolve("parent")[["geometry"]].assign(level="town", parent="3799")
    towns["name"] = [_SECOND[n % 15] + "街道" for n in range(len(towns))]
    county = GeoDataFrame({"name": ["望澜区"], "level": ["county"], "parent": [None]},
                          geometry=[towns.union_all()], crs=CRS, index=["3799"])
    return pd.concat([county, towns, communities]).rename_axis("territory")


def make_streets(grids: GeoDataFrame, *, seed: int = 11) -> GeoDataFrame:
    """Return four streets through every grid, and main roads around every tenth."""
    random = np.random.default_rng(seed)
    west, south, east, north = grids.bounds.to_numpy().T
    at = random.uniform(0.2, 0.8, (4, len(grids)))
    parts = []
    for number, share in enumerate(at):
        if number % 2:
            x = west + share * (east - west)
            ends = [np.column_stack([x, south]), np.column_stack([x, north])]
        else:
            y = south + share * (north - south)
            ends = [np.column_stack([west, y]), np.column_stack([east, y])]
        lines = shapely.linestrings(np.stack(ends, axis=1))
        parts.append(shapely.intersection(lines, grids.geometry.to_numpy()))
    streets = np.concatenate(parts)
    streets = streets[~shapely.is_empty(streets)]
    roads = shapely.boundary(grids.geometry.to_numpy()[::10])
    kinds = np.where(np.arange(len(streets)) % 3 == 0, "street", "residential")
    return GeoDataFrame({"kind": np.concatenate([kinds, np.full(len(roads), "main road")])},
                        geometry=np.concatenate([streets, roads]), crs=CRS)


def make_assets(grids: GeoDataFrame, count: int, *, seed: int = 12) -> GeoDataFrame:
    """Return assets of five kinds, each in the box of a grid."""
    random = np.random.default_rng(seed)
    boxes = grids.bounds.to_numpy()[random.integers(0, len(grids), count)]
    share = random.uniform(0.1, 0.9, (count, 2))
    places = boxes[:, :2] + share * (boxes[:, 2:] - boxes[:, :2])
    kind = Series(KINDS)[random.choice(5, count, p=[0.3, 0.2, 0.28, 0.2, 0.02])].to_numpy()
    index = pd.Index([f"A{n:06d}" for n in range(count)], name="asset", dtype="str")
    return GeoDataFrame({"kind": kind}, geometry=shapely.points(places), crs=CRS, index=index)
