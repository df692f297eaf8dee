#!/usr/bin/env python3
"""Measure print against its targets, with its peers on the same grids in the same run.

    python scripts/bench_atlas.py --quick              500 grids, a minute or two
    python scripts/bench_atlas.py --json atlas.json    the full run: 7,400 grids

A made-up city: grids with wiggly borders in 148 communities, streets, 500,000 footprints and
60,000 assets. One A4 page for each grid, with its neighbours, streets, footprints, assets, code,
community, figures, contact line and QR code. CPU seconds from frames in memory to the closed
PDF, fonts, indices, overview and index of pages included; every work in a process of its own.

Peers draw the same map of the same grids, with fewer of them, as they are slower: reportlab
(text on its canvas, the map by raw operators), typst (maps as SVG, the rest as its own text)
and matplotlib. One that is not installed is left out, and that is said: pip install reportlab
typst. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from bench_atlas_inputs import load_city, save_city

Figures = dict[str, float]

#: Grids, footprints, assets; then the pages that each peer draws.
RUNS = {"quick": (500, 34_000, 4_000, 60), "full": (7_400, 500_000, 60_000, 300)}
TARGETS = {"pages_per_cpu_s": 90.0, "memory_gb": 2.0, "same_bytes": 1.0}
#: Measures that should be high; the others should be low.
HIGH = {"pages_per_cpu_s", "same_bytes"}
PEERS = ("reportlab", "typst", "matplotlib")


def ours(folder: Path, count: int) -> Figures:
    """Print the city; then some of it twice, the second time by two processes."""
    from gridmap.pipeline import printing

    prints, contacts = load_city(folder)
    start = time.process_time()
    made = printing.make_plan(prints, posts=contacts, language="zh")
    printed = printing.save_atlas(made, folder / "atlas.pdf", grids=prints.grids,
                                  territories=prints.territories)
    cpu = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    size = printed.file.stat().st_size
    some = list(prints.grids.index[::max(1, len(prints.grids) // 250)])
    made = printing.make_plan(prints, posts=contacts, language="zh", chosen=some)
    digests = {hashlib.sha256(printing.save_atlas(
        made, folder / f"{workers}.pdf", grids=prints.grids, territories=prints.territories,
        workers=workers).file.read_bytes()).hexdigest() for workers in (1, 2)}
    return {"pages_per_cpu_s": printed.grids / cpu, "cpu_s": cpu, "memory_gb": memory,
            "kb_per_page": size / printed.pages / 1e3, "same_bytes": float(len(digests) == 1)}


def kinds(folder: Path, count: int) -> Figures:
    """Print boards and cards of the first grids."""
    from gridmap.maps.paper.template import load_template
    from gridmap.pipeline import printing

    prints, contacts = load_city(folder)
    chosen = list(prints.grids.index[:min(1_000, len(prints.grids))])
    told = {}
    for name in ("board", "card"):
        start = time.process_time()
        made = printing.make_plan(prints, posts=contacts, chosen=chosen,
                                  template=load_template(name))
        printing.save_atlas(made, folder / f"{name}.pdf", grids=prints.grids,
                            territories=prints.territories)
        told[f"{name}s_per_cpu_s"] = len(chosen) / (time.process_time() - start)
    return told


def peer(name: str) -> Callable[[Path, int], Figures]:
    """Return what lets a peer draw ``count`` pages, evenly out of the city."""
    def draw(folder: Path, count: int) -> Figures:
        import bench_atlas_peers as peers

        import_module(name)
        prints, contacts = load_city(folder)
        start = time.process_time()
        city = peers.ready(prints, contacts)
        ready = time.process_time() - start
        file = folder / f"{name}.pdf"
        chosen = np.linspace(0, len(prints.grids) - 1, count).astype(int)
        start = time.process_time()
        getattr(peers, f"draw_{name}")(city, chosen, file)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = time.process_time() - start + children.ru_utime + children.ru_stime
        # Their share of font and indices, which serve all pages of the city.
        cpu += ready * count / len(prints.grids)
        return {"pages_per_cpu_s": count / cpu, "kb_per_page": file.stat().st_size / count / 1e3}
    return draw


def alone(work: str, folder: Path, count: int) -> Figures:
    """Do one work in a process of its own."""
    command = [sys.executable, __file__, "--work", work, "--folder", str(folder),
               "--count", str(count)]
    done = subprocess.run(command, check=True, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    told: Figures = json.loads(done.stdout.splitlines()[-1])
    return told


def make_rows(grids: int, figures: Figures, peers: dict[str, Figures]) -> list[dict[str, Any]]:
    """Return rows of one form: our figures beside their targets, then each peer's."""
    work, rows = f"{grids:,} grids", []
    for measure, value in figures.items():
        target = TARGETS.get(measure)
        ok = target is None or (value >= target if measure in HIGH else value <= target)
        beside = {name: told[measure] for name, told in peers.items() if measure in told}
        for name, told in (beside or {"": None}).items():
            rows.append({"work": work, "measure": measure, "value": round(value, 4),
                         "target": target, "ok": bool(ok), "peer": name,
                         "peer_value": None if told is None else round(told, 4)})
    return rows


def save_rows(rows: list[dict[str, Any]], file: str | None) -> None:
    """Write rows where a file is named: after every peer, so that few are lost."""
    if file:
        Path(file).write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Print, compare, and tell."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a small city")
    parser.add_argument("--json", metavar="FILE", help="write the rows here")
    parser.add_argument("--keep", metavar="DIR", help="keep the city and the PDFs there")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    works = {"ours": ours, "kinds": kinds, **{name: peer(name) for name in PEERS}}
    if options.work:
        print(json.dumps(works[options.work](Path(options.folder), options.count)))
        return 0
    grids, footprints, assets, pages = RUNS["quick" if options.quick else "full"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.keep or temporary)
        save_city(folder, grids, footprints, assets)
        figures = alone("ours", folder, 0)
        print(json.dumps(figures), flush=True)
        figures |= alone("kinds", folder, 0)
        peers = {}
        for name in PEERS:
            if find_spec(name) is None:
                print(f"{name} is not installed and left out")
                continue
            peers[name] = alone(name, folder, pages)
            print(name, json.dumps(peers[name]), flush=True)
            save_rows(make_rows(grids, figures, peers), options.json)
    rows = make_rows(grids, figures, peers)
    for row in rows:
        print({key: value for key, value in row.items() if value not in (None, "")})
    save_rows(rows, options.json)
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
