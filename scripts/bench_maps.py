#!/usr/bin/env python3
"""Measure pages against their targets, with folium, MapLibre and lonboard beside them.

    python scripts/bench_maps.py --quick            under 2 minutes: 1,500 grids, no peers
    python scripts/bench_maps.py --json maps.json   7,400 grids, 5 M points, 500,000 footprints
    python scripts/bench_maps.py --beside older=a.html,b.html,c.html

Building is CPU seconds of a warm process. A page is opened in Chromium without a GPU, each
time in a fresh one, ours three times, of which the median counts; it is complete when what is
on the screen stays within 2 % of its final picture. Peers draw the grids alone, the same grids
in the same browser; those that are not there (npm, lonboard from PyPI) are left out, and that
is said. ``--beside`` opens other pages (grids, with points, with footprints too) in turn with
ours. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import bench_maps_browser as chromium
import bench_maps_inputs as inputs
import bench_maps_peers as peers
import numpy as np

from gridmap import maps
from gridmap.rules import load_publication

#: work, measure -> target of the full run, and whether more is better.
TARGETS = {
    ("grids", "MB"): (1.4, False), ("grids", "complete s"): (0.8, False),
    ("grids", "build CPU s"): (0.7, False), ("grids", "pan fps"): (58, True),
    ("grids", "worst frame ms"): (80, False),
    ("points", "MB"): (14, False), ("points", "complete s"): (1.3, False),
    ("points", "build CPU s"): (4, False),
    ("footprints", "MB"): (20, False), ("footprints", "complete s"): (1.5, False),
    ("footprints", "build CPU s"): (5.5, False), ("footprints", "memory MB"): (950, False),
}
WORKS = ("grids", "points", "footprints")
INTERNAL = load_publication("internal")
Row = dict[str, Any]
Figures = dict[str, float]


def main() -> int:
    """Measure, print a table, write the rows, and say whether all targets are met."""
    options = read_arguments()
    sizes = (1_500, 200_000, 20_000) if options.quick else (7_400, 5_000_000, 500_000)
    grids = inputs.make_grids(sizes[0])
    points = inputs.make_points(grids, sizes[1])
    footprints = inputs.make_footprints(grids, sizes[2])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = {work: build(grids, [points, footprints][:number], folder / f"{work}.html")
                 for number, work in enumerate(WORKS)}
        del points, footprints
        gc.collect()
        opened = open_in_turn(folder, options.beside, 1 if options.quick else options.times)
        mine = opened.pop("gridmap")
        ours = {work: {**built[work], **mine[work]} for work in WORKS}
        others: dict[str, dict[str, Figures]] = {work: {} for work in WORKS}
        for name, told in opened.items():
            for work, figures in told.items():
                others[work][name] = figures
        keep(list_rows(ours, others), options.json)  # a peer may take the machine down with it
        if not options.quick:
            others["grids"].update(peers.measure(grids, folder))
    rows = list_rows(ours, others)
    show(rows)
    keep(rows, options.json)
    return 0 if all(row["ok"] for row in rows) else 1


def keep(rows: list[Row], path: Path | None) -> None:
    """Write the rows, where they are wanted."""
    if path:
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def read_arguments() -> argparse.Namespace:
    """Read what the command line asks for."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    asked.add_argument("--quick", action="store_true", help="a fifth of the size, no peers")
    asked.add_argument("--json", type=Path, help="write the rows here")
    asked.add_argument("--times", type=int, default=3, help="how often our pages are opened")
    asked.add_argument("--beside", action="append", default=[], metavar="NAME=PAGE,PAGE,PAGE",
                       help="other pages, opened in turn with ours")
    return asked.parse_args()


def build(grids: Any, more: list[Any], path: Path) -> Figures:
    """Build our page twice, the second time measured."""
    def make() -> str:
        page = maps.Map(title="Bench", publication=INTERNAL)
        maps.draw_grids(grids, publication=INTERNAL).add_to(page)
        for frame, draw in zip(more, (maps.draw_points, maps.draw_footprints), strict=False):
            draw(frame, publication=INTERNAL).add_to(page)
        return str(page.get_root().render())

    make()
    start = time.process_time()
    path.write_text(make(), encoding="utf-8")
    return {"MB": path.stat().st_size / 1e6, "build CPU s": time.process_time() - start}


def open_in_turn(folder: Path, beside: list[str], times: int) -> dict[str, dict[str, Figures]]:
    """Open our pages and others in turn, so that what else runs here slows all of them."""
    pages = {"gridmap": [folder / f"{work}.html" for work in WORKS]}
    for option in beside:
        name, _, listed = option.partition("=")
        pages[name] = [Path(file).resolve() for file in listed.split(",")]
    told: dict[tuple[str, str], list[Figures]] = {}
    for _ in range(times):
        for number, work in enumerate(WORKS):
            for name, files in pages.items():
                if number < len(files):
                    ready = chromium.OURS if name == "gridmap" else chromium.LOADED
                    told.setdefault((name, work), []).append(
                        chromium.open_page(files[number], ready))
    opened: dict[str, dict[str, Figures]] = {name: {} for name in pages}
    for (name, work), runs in told.items():
        opened[name][work] = {measure: float(np.median([run[measure] for run in runs]))
                              for measure in runs[0]}
        if name != "gridmap":
            opened[name][work]["MB"] = pages[name][WORKS.index(work)].stat().st_size / 1e6
    return opened


def list_rows(measured: dict[str, Figures], others: dict[str, dict[str, Figures]]) -> list[Row]:
    """Put figures beside targets and peers; the targets are those of the full size."""
    rows = []
    for work, figures in measured.items():
        for measure, value in figures.items():
            target, more = TARGETS.get((work, measure), (None, False))
            ok = target is None or (value >= target if more else value <= target)
            beside = others.get(work, {})
            named: list[str | None] = [name for name, told in beside.items() if measure in told]
            named = named or [None]
            rows += [{"work": work, "measure": measure, "value": round(value, 3),
                      "target": target, "ok": ok, "peer": name,
                      "peer_value": None if name is None else round(beside[name][measure], 3)}
                     for name in named]
    return rows


def show(rows: list[Row]) -> None:
    """Print the rows as a table."""
    print(f"{'work':<12}{'measure':<18}{'value':>10}{'target':>9}  {'':<6}peer")
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:g}"
        peer = "" if row["peer"] is None else f"{row['peer']} {row['peer_value']:,.2f}"
        state = "" if row["target"] is None else "ok" if row["ok"] else "SHORT"
        print(f"{row['work']:<12}{row['measure']:<18}{row['value']:>10,.2f}{target:>9}  "
              f"{state:<6}{peer}")


if __name__ == "__main__":
    sys.exit(main())
