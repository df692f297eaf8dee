"""A made-up city for the bench of coverage: seeded, and of the size of a real one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

CRS = "EPSG:32651"


class City(NamedTuple):
    """Everything that coverage is measured from."""

    grids: GeoDataFrame
    homes: GeoDataFrame
    assets: GeoDataFrame
    events: DataFrame
    visits: DataFrame
    workers: DataFrame
    roads: GeoDataFrame


def make_city(scale: float, *, seed: int = 1) -> City:
    """Make a city: at scale 1 with 7,400 grids, 580,000 households and 200,000 road edges."""
    chance = np.random.default_rng(seed)
    side = 60_000.0 * np.sqrt(scale)
    centres = chance.uniform(0.1 * side, 0.9 * side, (max(int(60 * scale), 4), 2))
    shares = chance.dirichlet(np.ones(len(centres)))

    def scatter(count: int, spread: float = 2_500.0) -> Any:
        near = centres[chance.choice(len(centres), count, p=shares)]
        places = near + chance.normal(0, spread, (count, 2))
        far = chance.random(count) < 0.25
        places[far] = chance.uniform(0, side, (int(far.sum()), 2))
        return np.clip(places, 1.0, side - 1.0)

    grids = _make_grids(scatter(int(7_400 * scale)), side)
    homes = _frame(scatter(int(580_000 * scale)), "element", kind="address", count=1,
                   households=1, people=chance.integers(1, 6, int(580_000 * scale)))
    tree = shapely.STRtree(grids.geometry.to_numpy())
    homes["grid"] = _hold(tree, grids, homes)
    grids["households"] = homes.groupby("grid")["households"].sum().reindex(
        grids.index, fill_value=0)
    grids["people"] = homes.groupby("grid")["people"].sum().reindex(grids.index, fill_value=0)
    assets = _make_assets(scatter, scale, tree, grids)
    return City(grids, homes, assets, *_make_work(chance, grids, scale),
                _make_roads(chance, side, int(100_000 * scale)))


def _frame(xy: Any, name: str, **columns: Any) -> GeoDataFrame:
    index = pd.Index([f"{name[0]}{n:06}" for n in range(len(xy))], dtype="str", name=name)
    texts = {k: pd.Series(v, index=index, dtype="str" if isinstance(v, str) else None)
             for k, v in columns.items()}
    return GeoDataFrame(texts, geometry=shapely.points(xy), index=index, crs=CRS)


def _make_grids(seeds: Any, side: float) -> GeoDataFrame:
    box = shapely.box(0, 0, side, side)
    cells = shapely.get_parts(shapely.voronoi_polygons(
        shapely.multipoints(seeds), extend_to=box, ordered=True))
    cells = shapely.intersection(cells, box)
    codes = pd.Index([f"G{n:05}" for n in range(len(cells))], dtype="str", name="grid")
    town = np.floor(seeds / (side / 10)).astype(int) @ [10, 1]
    frame = {"territory": pd.Series([f"T{t:02}" for t in town], index=codes, dtype="str"),
             "kind": pd.Series("comprehensive", index=codes, dtype="str"),
             "area_m2": shapely.area(cells)}
    return GeoDataFrame(frame, geometry=cells, index=codes, crs=CRS)


def _hold(tree: Any, grids: GeoDataFrame, points: GeoDataFrame) -> pd.Series:
    place, cell = tree.query(points.geometry.to_numpy(), predicate="intersects")
    first = pd.Series(cell).groupby(place).min()
    return pd.Series(grids.index[first], index=points.index[first.index]).reindex(points.index)


def _make_assets(scatter: Any, scale: float, tree: Any, grids: GeoDataFrame) -> GeoDataFrame:
    kinds = [("notice board", 69_800, 200.0), ("camera", 35_000, 80.0),
             ("service centre", 81, 3_000.0)]
    parts = [_frame(scatter(max(int(n * scale), 3)), "asset", kind=kind, radius_m=radius)
             for kind, n, radius in kinds]
    assets = pd.concat(parts, ignore_index=True)
    assets.index = pd.Index([f"a{n:06}" for n in range(len(assets))], dtype="str", name="asset")
    centre = (assets["kind"] == "service centre").to_numpy()
    assets["capacity"] = np.where(centre, 7_000.0, np.nan)
    assets["grid"] = _hold(tree, grids, assets)
    return GeoDataFrame(assets, crs=CRS)


def _make_work(chance: Any, grids: GeoDataFrame, scale: float) -> tuple[Any, Any, Any]:
    count = int(450_000 * scale)
    opened = pd.Timestamp("2026-01-01") + pd.to_timedelta(chance.integers(0, 365, count), unit="D")
    closed = opened + pd.to_timedelta(chance.exponential(3, count), unit="D")
    open_still = chance.random(count) < 0.03
    events = DataFrame({
        "matter": np.char.add("m", chance.integers(0, 133, count).astype("U3")),
        "department": np.char.add("d", chance.integers(0, 20, count).astype("U2")),
        "opened": opened, "closed": pd.Series(closed).where(~open_still).to_numpy(),
        "level": pd.array(np.where(open_still, None, chance.choice(
            ["grid", "community", "town", "department"], count, p=[0.9, 0.05, 0.03, 0.02])),
            dtype="str"),
        "grid": chance.choice(grids.index, count),
    }, index=pd.Index([f"v{n:06}" for n in range(count)], dtype="str", name="event")).astype(
        {"matter": "str", "department": "str", "grid": "str"})
    months = [f"2026-{m:02}" for m in range(1, 13)]
    visits = DataFrame({
        "period": np.tile(months, len(grids)), "count": chance.integers(0, 23, 12 * len(grids)),
        "grid": np.repeat(grids.index, 12),
    }, index=pd.Index([f"i{n:06}" for n in range(12 * len(grids))], dtype="str", name="visit"))
    posts = int(7_000 * scale)
    workers = DataFrame({
        "territory": "T", "role": chance.choice(["lead", "full-time", "part-time"], posts),
        "grid": chance.choice(grids.index, posts),
    }, index=pd.Index([f"w{n:05}" for n in range(posts)], dtype="str", name="worker"))
    workers = workers.astype("str")
    workers["territory"] = grids["territory"].reindex(workers["grid"]).to_numpy()
    return events, visits.astype({"period": "str", "grid": "str"}), workers


def _make_roads(chance: Any, side: float, nodes: int) -> GeoDataFrame:
    """A street net of about two edges for each node, jittered so that no two are alike."""
    size = int(np.sqrt(nodes))
    step = side / (size - 1)
    x, y = np.meshgrid(np.arange(size) * step, np.arange(size) * step)
    xy = np.stack([x, y], axis=2) + chance.uniform(-step / 3, step / 3, (size, size, 2))
    across = np.stack([xy[:, :-1], xy[:, 1:]], axis=2).reshape(-1, 2, 2)
    along = np.stack([xy[:-1], xy[1:]], axis=2).reshape(-1, 2, 2)
    ends = np.concatenate([across, along])
    index = pd.Index([f"r{n:06}" for n in range(len(ends))], dtype="str", name="barrier")
    kind = pd.Series("street", index=index, dtype="str")
    return GeoDataFrame({"kind": kind}, geometry=shapely.linestrings(ends), index=index, crs=CRS)
