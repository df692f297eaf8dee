"""Seeded inputs of bench_batch.py: units in communities, the same spoilt, and points."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import shapely
from bench_attach_inputs import make_grids
from bench_zoning_inputs import make_units
from geopandas import GeoDataFrame

#: How far borders wind, in metres.
WINDING_M = 6.0


def make_inputs(folder: Path, *, quick: bool) -> dict[str, int]:
    """Write what the steps read; return how much each of them has to do."""
    units = wind(make_units(6_000 if quick else 24_000)[0])
    towns, spoilt = make_towns(units)
    units.to_parquet(folder / "units.parquet")
    towns.to_parquet(folder / "towns.parquet")
    spoilt.to_parquet(folder / "spoilt.parquet")
    grids = make_grids(1_500 if quick else 7_400)
    grids.to_parquet(folder / "grids.parquet")
    points = 2_000_000 if quick else 10_000_000
    (folder / "points.txt").write_text(str(points), encoding="utf-8")
    return {"repair": len(spoilt), "partition": len(units), "attach": points}


def wind(units: GeoDataFrame) -> GeoDataFrame:
    """Let borders wind, the same border alike from both of its sides."""
    dense = shapely.segmentize(units.geometry.array, 40.0)
    dense = shapely.transform(dense, lambda xy: np.round(xy, 2))
    shapes = shapely.transform(dense, lambda xy: np.round(
        xy + WINDING_M * np.sin(xy[:, ::-1] / 23.0 + np.sin(xy / 61.0)), 3))
    return mend(units.set_geometry(geopandas.GeoSeries(shapes, index=units.index, crs=units.crs)))


def mend(layer: GeoDataFrame) -> GeoDataFrame:
    from gridmap import repair_tiling

    return repair_tiling(layer)[0]


def make_towns(units: GeoDataFrame) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Return communities, and units of which every twentieth is grown, shrunk or moved."""
    from gridmap.tiling import build_territories

    named = units.assign(territory=units["community"])
    towns = build_territories(named)
    rng = np.random.default_rng(5)
    shapes = np.array(units.geometry.array)
    some = rng.choice(len(shapes), len(shapes) // 20, replace=False)
    grow = np.where(rng.random(len(some)) < 0.5, 2.0, -2.0)
    shapes[some] = shapely.buffer(shapes[some], grow, join_style="mitre")
    spoilt = units[["geometry"]].assign(territory=named["territory"])
    spoilt = spoilt.set_geometry(geopandas.GeoSeries(shapes, index=units.index, crs=units.crs))
    return towns[["geometry"]], spoilt
