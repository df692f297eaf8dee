#!/usr/bin/env python3
"""Measure the repair of tilings against its targets, with its peers on the same layers.

    python scripts/bench_tiling.py --quick             1,500 polygons, under 2 minutes
    python scripts/bench_tiling.py --json tiling.json  the full run: 7,400 polygons

Every repair runs in a process of its own, pinned to one core; CPU seconds, so that a busy
machine does not matter much. Peers that are not installed are left out, and that is said:
pip install geoplanar, and npm install mapshaper (its command on the PATH, or named in
MAPSHAPER). Its time includes reading and writing GeoJSON. Real layers are taken from the
folder in GRIDMAP_REAL_DATA where it is. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
import shapely.affinity
from geopandas import GeoDataFrame

Figures = dict[str, float]

#: Peers are told to close gaps up to this width; ours closes all.
GAP_M = 20.0
PATIENCE_S = 300
SIDE_M = 10_000.0


# ------------------------------------------------------------------------------ layers


def make_layer(size: int, *, seed: int = 1) -> tuple[GeoDataFrame, GeoDataFrame]:
    """Voronoi cells with wriggling borders, seamless inside a square, and the square."""
    from gridmap import repair_tiling

    rng = np.random.default_rng(seed)
    side = SIDE_M * math.sqrt(size / 130)
    box = shapely.box(0, 0, side, side)
    seeds = shapely.multipoints(rng.uniform(0, side, (size, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=box, ordered=True))
    cells = shapely.intersection(cells, box)
    dense = shapely.segmentize(cells, 120.0)
    wave = shapely.transform(dense, lambda xy: xy + _wriggle(xy, side))
    codes = pd.Index([f"G{i:05d}" for i in range(size)], dtype="str", name="grid")
    grids = GeoDataFrame(geometry=wave, index=codes, crs="EPSG:32651")
    parent = GeoDataFrame(geometry=[box], index=pd.Index(["P"], name="parent"), crs="EPSG:32651")
    return repair_tiling(grids, parent)[0], parent


def _wriggle(xy: np.ndarray, side: float) -> np.ndarray:
    """Move places by some metres, the same place alike, and none on the edge of the square."""
    inside = ((xy > 1e-6) & (xy < side - 1e-6)).all(axis=1)[:, None]
    phase = xy / 97.0
    return np.where(inside, 8 * np.sin(phase[:, ::-1] * 1.7 + np.sin(phase * 0.9) * 2), 0.0)


def spoil(grids: GeoDataFrame, *, faults: int, seed: int = 2) -> GeoDataFrame:
    """Grow, shrink or move some polygons."""
    rng = np.random.default_rng(seed)
    shapes = np.array(grids.geometry.array)
    for number, at in enumerate(rng.choice(len(shapes), faults, replace=False)):
        if number % 3 < 2:
            shapes[at] = shapes[at].buffer(6 if number % 3 else -6, join_style="mitre")
        else:
            shapes[at] = shapely.affinity.translate(shapes[at], 7.0, 2.0)
    return grids.set_geometry(geopandas.GeoSeries(shapes, index=grids.index, crs=grids.crs))


def shift(grids: GeoDataFrame, *, seed: int = 3) -> GeoDataFrame:
    """Move every polygon by up to 2 m."""
    rng = np.random.default_rng(seed)
    moves = rng.uniform(-1, 1, (len(grids), 2)) * math.sqrt(2)
    return _move(grids, lambda owner: moves[owner])


def jitter(grids: GeoDataFrame, *, seed: int = 4) -> GeoDataFrame:
    """Move every vertex of every polygon by up to 2 m, each for itself."""
    rng = np.random.default_rng(seed)
    return _move(grids, lambda owner: rng.uniform(-1, 1, (len(owner), 2)) * math.sqrt(2))


def _move(grids: GeoDataFrame, move: Callable[[np.ndarray], np.ndarray]) -> GeoDataFrame:
    rings = shapely.get_exterior_ring(grids.geometry.array)
    xy, owner = shapely.get_coordinates(rings, return_index=True)
    last = np.r_[owner[1:] != owner[:-1], True]
    moved = (xy + move(owner))[~last]
    shapes = shapely.polygons(shapely.linearrings(moved, indices=owner[~last]))
    return grids.set_geometry(geopandas.GeoSeries(shapes, index=grids.index, crs=grids.crs))


def load_real() -> dict[str, GeoDataFrame]:
    """Real layers without a parent: towns whose units do not fit each other."""
    folder = Path(os.environ.get(
        "GRIDMAP_REAL_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    units = folder / "tw_base_units"
    if not units.is_dir():
        print("no real layers: GRIDMAP_REAL_DATA is not set")
        return {}
    found = {}
    for name, file in (("chiayi", "chiayi_city_1505"), ("taichung", "taichung_city_17218_s5m")):
        layer = geopandas.read_parquet(units / f"{file}.parquet").to_crs(3826)
        found[name] = layer.set_index("CODEBASE").rename_axis("unit")[["geometry"]]
    return found


def make_inputs(folder: Path, *, size: int) -> list[str]:
    """Write every layer for all competitors; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    grids, parent = make_layer(size)
    layers = {"twenty": spoil(grids, faults=20), "shifted": shift(grids),
              "jittered": jitter(grids)}
    for name in layers:
        parent.to_parquet(folder / f"{name}_parent.parquet")
    layers.update(load_real())
    for name, layer in layers.items():
        layer.to_parquet(folder / f"{name}.parquet")
        (folder / f"{name}.json").write_text(
            layer.set_crs(None, allow_override=True).reset_index().to_json(), encoding="utf-8")
    return list(layers)


# -------------------------------------------------------------------------- competitors


def ours(layer: GeoDataFrame, parent: GeoDataFrame | None, _: Path) -> GeoDataFrame:
    from gridmap import repair_tiling

    return repair_tiling(layer, parent)[0]


def coverage_clean(layer: GeoDataFrame, _: GeoDataFrame | None, __: Path) -> GeoDataFrame:
    shapes = np.array(layer.geometry.array)
    odd = ~shapely.is_valid(shapes)
    shapes[odd] = shapely.make_valid(shapes[odd], method="structure", keep_collapsed=False)
    cleaned = shapely.coverage_clean(shapes, gap_width=GAP_M)
    return layer.set_geometry(geopandas.GeoSeries(cleaned, index=layer.index, crs=layer.crs))


def mapshaper(layer: GeoDataFrame, _: GeoDataFrame | None, source: Path) -> GeoDataFrame:
    program = os.environ.get("MAPSHAPER") or shutil.which("mapshaper")
    if program is None:
        raise ImportError("mapshaper")
    out = source.with_name(f"{source.stem}_mapshaper.json")
    subprocess.run([program, str(source), "-clean", f"gap-width={GAP_M:g}", "-o", str(out)],
                   check=True, capture_output=True, timeout=PATIENCE_S)
    cleaned = geopandas.read_file(out).set_index(layer.index.name)
    return cleaned.set_crs(layer.crs, allow_override=True).reindex(layer.index)


def geoplanar(layer: GeoDataFrame, _: GeoDataFrame | None, __: Path) -> GeoDataFrame:
    import geoplanar as peer

    rows = layer.reset_index()
    rows["geometry"] = rows.make_valid()
    return peer.fill_gaps(peer.trim_overlaps(rows)).set_index(layer.index.name)


COMPETITORS = {f.__name__: f for f in (ours, coverage_clean, mapshaper, geoplanar)}


def run(name: str, competitor: str, folder: Path) -> Figures:
    """Repair one layer and look at the outcome."""
    from gridmap import find_gaps, find_overlaps

    layer = geopandas.read_parquet(folder / f"{name}.parquet")
    beside = folder / f"{name}_parent.parquet"
    parent = geopandas.read_parquet(beside) if beside.exists() else None
    repair = COMPETITORS[competitor]
    if competitor in ("ours", "geoplanar"):
        repair(layer.iloc[:40], None, folder)  # imports are not what is measured
    start = _cpu()
    after = repair(layer, parent, folder / f"{name}.json")
    seconds = _cpu() - start
    after = after.reindex(layer.index)
    after["geometry"] = [_polygons(shape) for shape in after.geometry]
    lost = after.geometry.isna() | after.geometry.is_empty
    before, now = (np.array(frame.geometry.array) for frame in (layer, after))
    same = shapely.equals_exact(shapely.normalize(before), shapely.normalize(now), tolerance=0)
    valid = shapely.make_valid(before, method="structure", keep_collapsed=False)
    gained = shapely.area(shapely.difference(now[~same], valid[~same]))
    kept = after[~lost]
    parts = shapely.get_num_geometries(now) > shapely.get_num_geometries(before)
    return {"seconds": seconds, "touched": float((~same).sum()), "lost": float(lost.sum()),
            "moved_m2": float(np.nansum(gained)), "gaps": float(len(find_gaps(kept, parent))),
            "overlaps": float(len(find_overlaps(kept))), "torn": float(parts.sum())}


def _polygons(shape: Any) -> Any:
    """Keep the polygons of a collection: some peers leave lines in it."""
    if shape is None or shape.geom_type in ("Polygon", "MultiPolygon"):
        return shape
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.multipolygons(parts) if parts else None


def _cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + spent.ru_utime + spent.ru_stime


def run_alone(name: str, competitor: str, folder: Path) -> Figures:
    """Run in a process of its own, on one core; empty where the competitor cannot."""
    command = [sys.executable, __file__, "--inputs", str(folder), "--work", f"{name}:{competitor}"]
    pinned = shutil.which("taskset")
    command = ["taskset", "-c", "0", *command] if pinned else command
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        print(f"  {competitor} on {name}: not done after {PATIENCE_S} s")
        return {}
    if told.returncode:
        print(f"  {competitor} on {name}: {(told.stderr.strip().splitlines() or ['?'])[-1]}")
        return {}
    figures: Figures = json.loads(told.stdout.splitlines()[-1])
    return figures


# ----------------------------------------------------------------------------- judging

TARGET_S = {"twenty": 5.0, "shifted": 20.0, "jittered": 20.0, "chiayi": 2.0, "taichung": 10.0}


def judge(name: str, told: dict[str, Figures]) -> list[dict[str, Any]]:
    """Rows of the common form: our figures against targets, and each peer's beside them."""
    mine = told["ours"]
    targets = {"seconds": TARGET_S[name], "gaps": 0, "overlaps": 0, "torn": 0, "lost": 0}
    if name == "twenty":
        targets["touched"] = 160
    rows = []
    for peer in [who for who in told if who != "ours" and told[who]] or [""]:
        for measure, value in mine.items():
            target = targets.get(measure, math.nan)
            rows.append({
                "work": name, "measure": measure, "value": value, "target": target,
                "ok": math.isnan(target) or value <= target, "peer": peer,
                "peer_value": told[peer][measure] if peer else math.nan})
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print one table per layer: measures down, competitors across."""
    table = pd.DataFrame(rows)
    for name, some in table.groupby("work", sort=False):
        wide = some.pivot_table(index="measure", columns="peer", values="peer_value", sort=False)
        first = some.drop_duplicates("measure").set_index("measure")
        wide.insert(0, "ours", first["value"])
        wide.insert(1, "target", first["target"])
        print(f"\n{name}")
        print(wide.drop(columns="", errors="ignore").round(1).to_string(na_rep="-"))
    for row in table[~table["ok"]].drop_duplicates(["work", "measure"]).itertuples():
        print(f"FALLS SHORT  {row.work} {row.measure}: {row.value:.4g}, target {row.target:g}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a fifth of the polygons")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--inputs", type=Path, help="keep the inputs in this folder")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(run(*asked.work.split(":"), asked.inputs)))
        return 0
    size = 1_500 if asked.quick else 7_400
    folder = asked.inputs or Path(tempfile.gettempdir()) / f"gridmap-bench-tiling-{size}"
    names = make_inputs(folder, size=size)
    rows: list[dict[str, Any]] = []
    for name in names:
        if asked.quick and name == "taichung":
            continue
        told = {who: run_alone(name, who, folder) for who in COMPETITORS}
        if not told["ours"]:
            return 1
        rows += judge(name, told)
    show(rows)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(not all(row["ok"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
