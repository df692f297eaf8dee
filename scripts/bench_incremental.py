#!/usr/bin/env python3
"""Measure what a run costs after one community was edited, against a whole run.

    python scripts/bench_incremental.py --quick --json rows.json     200,000 elements
    python scripts/bench_incremental.py --json rows.json             5,000,000 elements

Every run is ``gridmap run`` in a process of its own; processor seconds, its start included.
The edits: nothing, a corner of one community moved, a border of two, a street through one, ten
residents of one counted anew. After the last edit the outcome is held against a run
without the store, file by file. The city is made once, by make_sample.py, and copied.
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
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from bench_city import FULL, QUICK, make_city

#: Share of a whole run that an edit of one community may cost.
TARGET = 0.03


def run(folder: Path, *options: str) -> tuple[float, dict[str, Any]]:
    """Run the main job and return its processor seconds and what it told."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    # As it is installed: compiled once, and not by every run.
    settings = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    told = subprocess.run(
        [sys.executable, "-m", "gridmap", "run", str(folder), "--json", *options], check=True,
        stdout=subprocess.PIPE, text=True, env=settings)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, json.loads(told.stdout)


def nothing(folder: Path) -> None:
    """Change nothing."""


def move_corner(folder: Path) -> None:
    """Move the second corner of the community in the middle of the list by 12 m."""
    file = folder / "boundaries" / "communities.shp"
    layer = geopandas.read_file(file, encoding="GBK")
    row = len(layer) // 2
    corners = [xy[:2] for xy in layer.geometry[row].exterior.coords]
    corners[1] = (corners[1][0] + 12.0, corners[1][1] + 5.0)
    layer.loc[row, "geometry"] = shapely.Polygon(corners)
    layer.to_file(file, encoding="GBK")


def move_border(folder: Path) -> None:
    """Move a corner that two communities share, of the one in the middle of the list, by 12 m."""
    file = folder / "boundaries" / "communities.shp"
    layer = geopandas.read_file(file, encoding="GBK")
    row = len(layer) // 2
    for corner in shapely.get_coordinates(layer.geometry[row].exterior)[1:-1]:
        there = layer.index[layer.touches(shapely.Point(corner))]
        moved = layer.geometry.loc[there].map(partial(_move, corner=corner, by=(12.0, 5.0)))
        if len(there) == 2 and moved.is_valid.all() and not moved.geom_equals(
                layer.geometry.loc[there]).any():
            layer.loc[there, "geometry"] = moved
            layer.to_file(file, encoding="GBK")
            return
    raise RuntimeError("no corner of the community is shared by two")


def _move(shape: Any, corner: Any, by: tuple[float, float]) -> Any:
    """Return a shape with one of its corners moved."""
    return shapely.transform(
        shape, lambda xy: xy + np.outer((xy == corner).all(axis=1), by))


def add_street(folder: Path) -> None:
    """Lay a street across the community in the middle of the list."""
    file = folder / "lines" / "barriers.shp"
    lines = geopandas.read_file(file)
    layer = geopandas.read_file(folder / "boundaries" / "communities.shp", encoding="GBK")
    west, south, east, north = layer.to_crs(lines.crs).geometry[len(layer) // 2].bounds
    street = lines.iloc[[0]].copy()
    street["LINE_ID"] = "NEW"
    street["geometry"] = [shapely.LineString([(west, south + 50.0), (east, north - 60.0)])]
    pd.concat([lines, street]).to_file(file)


def count_anew(folder: Path) -> None:
    """Count ten residents in a row anew."""
    file = folder / "elements" / "population.csv"
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    middle = len(rows) // 2
    rows.loc[middle : middle + 9, "people"] = "4"
    rows.to_csv(file, index=False)


EDITS: dict[str, Callable[[Path], None]] = {
    "nothing": nothing, "a corner of one community": move_corner,
    "a border of two communities": move_border,
    "a street through one community": add_street, "ten residents": count_anew,
}


def measure(city: Path, work: Path) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    folder = work / "sample"
    shutil.copytree(city / "sample", folder, ignore=shutil.ignore_patterns("out*"))
    whole, _ = run(folder)
    rows = [row("whole run", "CPU seconds", whole)]
    for name, edit in EDITS.items():
        edit(folder)
        seconds, told = run(folder)
        rows += [row(name, "CPU seconds", seconds),
                 row(name, "share of a whole run", seconds / whole, TARGET)]
        for step in told["steps"]:
            if step["seconds"] > 0.05:
                print(f"    {step['step']:24}{step['did']:14}{step['seconds']:8.2f}  "
                      f"{step['why']}", file=sys.stderr)
    run(folder, "--fresh", "--workspace", str(work / "fresh"))
    made, fresh = (json.loads((place / "manifest.json").read_text(encoding="utf-8"))["outputs"]
                   for place in (folder / "out", work / "fresh"))
    differ = sum(made.get(name) != fresh.get(name) for name in {*made, *fresh})
    return [*rows, row("all edits", "files that differ from a whole run", differ, 0.0)]


def row(work: str, what: str, value: float, target: float = math.nan) -> dict[str, Any]:
    """Return one row, told at once."""
    ok = math.isnan(target) or value <= target
    print(f"{'ok  ' if ok else 'FALL'}  {work:32} {what:36} {value:10.3f}", flush=True)
    return {"work": work, "measure": what, "value": value, "target": target, "ok": bool(ok),
            "peer": "", "peer_value": math.nan}


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} elements")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--city", type=Path, help="make and keep the city in this folder")
    asked = parser.parse_args()
    size = QUICK if asked.quick else FULL
    city = asked.city or Path(tempfile.gettempdir()) / f"gridmap-bench-city-{size}"
    make_city(city, size)
    with tempfile.TemporaryDirectory(dir=city) as work:
        rows = measure(city, Path(work))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(not all(r["ok"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
