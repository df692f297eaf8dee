#!/usr/bin/env python3
"""Measure the drawing of grids against its targets, with its peers in the same run.

    python scripts/bench_zoning.py --quick             under 2 minutes
    python scripts/bench_zoning.py --json zoning.json  the full run, up to a million units

Every drawing runs in a process of its own, pinned to one core and warm; CPU seconds, so that
a busy machine does not matter much. Both sides get the graph of units ready-made, as arrays.
Labels are scored by the same code, which is not the engine's. Peers that are not installed
are left out, and that is said; --peers-python names the interpreter of an environment that
has them: pip install pymetis kahip mtkahypar kaminpar spopt==0.7.0 gerrychain pygeoda.
A peer that takes ten minutes (--peer-limit) or 8 GB, or fails, is not asked for more units.
With --inputs, peers that were measured before are taken from that folder: delete its folder
"peers" to measure them anew. Real territories are measured where GRIDMAP_REAL_DATA names
their folder. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import sys
import tempfile
from pathlib import Path

from bench_zoning_inputs import MESHES, REAL, make_inputs
from bench_zoning_runs import Row, Work, alone, measure, measure_peer, run_ours, run_whole

GRAPHS = ("metis", "metis_contiguous", "kahip", "kahip_strong", "mtkahypar", "kaminpar")
REGIONS = ("spopt_ward", "spopt_azp", "spopt_maxp", "spopt_skater", "gerrychain_tree",
           "gerrychain_bursts", "geoda_maxp", "geoda_azp", "geoda_skater")
ALL = GRAPHS + REGIONS
WORKS = (
    Work("2,000 units", "2k", quick=True, peers=ALL,
         targets={"contiguous": 1, "in_range": 1, "pp": 0.67, "pp_5": 0.56, "cpu_s": 0.5}),
    Work("20,000 units", "20k", quick=True, peers=ALL,
         targets={"contiguous": 1, "in_range": 1, "pp": 0.66, "pp_5": 0.55, "cpu_s": 4}),
    Work("20,000 units, best", "20k", "best",
         targets={"contiguous": 1, "in_range": 1, "pp": 0.68, "pp_5": 0.58, "cpu_s": 20}),
    Work("200,000 units, draft", "200k", "draft",
         targets={"contiguous": 1, "in_range": 1, "pp": 0.60, "pp_5": 0.46, "cpu_s": 4}),
    Work("200,000 units", "200k", peers=ALL, targets={
        "contiguous": 1, "in_range": 1, "worst": 0.10, "pp": 0.65, "pp_5": 0.53, "cpu_s": 15,
        "memory_gb": 1}),
    Work("200,000 units, best", "200k", "best",
         targets={"contiguous": 1, "in_range": 1, "pp": 0.67, "pp_5": 0.56, "cpu_s": 60}),
    Work("200,000 units, ±5 %", "200k", tolerance=0.05, peers=("metis_contiguous",),
         targets={"contiguous": 1, "in_range": 0.999, "pp": 0.61, "cpu_s": 20}),
    Work("20,000 units, nested", "20k", nested=True, quick=True, peers=GRAPHS,
         targets={"contiguous": 1, "crossing": 0, "of_allowed": 0.995}),
    Work("200,000 units, nested", "200k", nested=True, peers=GRAPHS,
         targets={"contiguous": 1, "crossing": 0, "of_allowed": 0.995, "pp": 0.58,
                  "pp_5": 0.43, "cpu_s": 12}),
    Work("20,000 units, some huge", "hard", counted=True, quick=True, peers=GRAPHS,
         targets={"contiguous": 1, "grids": 667, "in_range": 0.93, "pp": 0.64, "cpu_s": 8}),
    Work("20,000 units, barriers", "20k", barriers=True, quick=True, peers=GRAPHS,
         targets={"contiguous": 1, "in_range": 1, "followed": 0.80, "pp": 0.59}),
)
#: Measures that should be low; the others should be high.
LOW = {"worst", "cpu_s", "memory_gb", "crossing", "growth", "wall_share"}
COLUMNS = ("cpu_s", "memory_gb", "grids", "contiguous", "whole", "in_range", "of_allowed", "pp",
           "pp_5", "followed")


def row(work: str, measure: str, value: float, target: float | None = None, *,
        peer: str = "", peer_value: float | None = None) -> Row:
    low = measure in LOW
    ok = target is None or (value <= target + 1e-9 if low else value >= target - 1e-9)
    if measure == "grids" and target is not None:
        ok = value == target
    return {"work": work, "measure": measure, "value": value, "target": target, "ok": bool(ok),
            "peer": peer, "peer_value": peer_value}


def tell(who: str, figures: Row) -> None:
    if "fault" in figures:
        print(f"  {who:20} {figures['fault']}", flush=True)
        return
    texts = [f"{name} {figures[name]:.4g}" for name in COLUMNS
             if not math.isnan(figures.get(name, math.nan))]
    print(f"  {who:20} {'  '.join(texts)}", flush=True)


def compare(work: Work, folder: Path, python: str, limit: float) -> list[Row]:
    """Draw a work, let its peers draw it, and return rows for all of them."""
    print(work.name, flush=True)
    ours = measure(work, folder)
    tell("gridmap", ours)
    if "fault" in ours:
        return [row(work.name, "drawn", 0, 1)]
    rows = [row(work.name, name, ours[name], target) for name, target in work.targets.items()]
    best = 0.0
    for peer in work.peers:
        theirs = measure_peer(peer, work, folder, python, limit)
        tell(peer, theirs)
        if "fault" in theirs:
            rows.append(row(work.name, "fault", 0, peer=f"{peer}: {theirs['fault']}"))
            continue
        rows += [row(work.name, name, ours[name], peer=peer, peer_value=theirs[name])
                 for name in COLUMNS if not math.isnan(theirs.get(name, math.nan))]
        # One grid for everything is contiguous, and no drawing.
        in_pieces = theirs["whole" if "whole" in theirs else "contiguous"] < 1
        if not in_pieces and theirs["grids"] > 0.5 * ours["grids"]:
            best = max(best, theirs["pp"])
    if best and not work.barriers:
        rows.append(row(work.name, "pp", ours["pp"], best, peer="best contiguous",
                        peer_value=best))
    return rows


def measure_growth(folder: Path, sizes: tuple[str, ...]) -> list[Row]:
    """Compare CPU seconds a unit: at most a fifth more at ten times the units."""
    spent = {}
    for name in sizes:
        told = measure(Work(f"growth {name}", name), folder)
        tell(f"growth {name}", told)
        if "fault" in told:
            return [row(f"growth to {name}", "drawn", 0, 1)]
        spent[name] = told["cpu_s"] / MESHES[name]
    return [row(f"growth {one} to {other}", "growth", spent[other] / spent[one], 1.2)
            for one, other in itertools.pairwise(sizes)]


def measure_two_workers(folder: Path) -> list[Row]:
    """Compare seconds on the clock with one worker and with two, on two cores."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    work = Work("nested", "200k", nested=True)
    one, two = (measure(work, folder, workers=n, cores=cores) for n in (1, 2))
    print(f"  one worker {one['wall_s']:.1f} s, two {two['wall_s']:.1f} s", flush=True)
    return [row("200,000 units, nested", "wall_share", two["wall_s"] / one["wall_s"])]


def run_all(asked: argparse.Namespace, folder: Path) -> list[Row]:
    real = os.environ.get("GRIDMAP_REAL_DATA")
    works = [w for w in WORKS if (w.quick or not asked.quick) and asked.only in w.name]
    if real:
        aims = {"whole": 1.0, "crossing": 0.0, "of_allowed": 0.95}
        works += [Work(name, name, nested=True, peers=ALL, targets=aims)
                  for name in REAL if asked.only in name]
    if asked.quick:
        works = [w._replace(peers=tuple(p for p in w.peers if "metis" in p)) for w in works]
    whole = not asked.quick and not asked.only
    meshes = ["tiny", *dict.fromkeys(w.mesh for w in works), *(["1m"] if whole else [])]
    print("inputs", folder, flush=True)
    make_inputs(folder, meshes, Path(real) if real else None)
    limit = 30 if asked.quick else asked.peer_limit
    rows: list[Row] = []
    for work in works:
        rows += compare(work, folder, asked.peers_python, limit)
        save(rows, asked.json)  # a long run that is cut short leaves what it has
    if whole:
        rows += measure_growth(folder, ("20k", "200k", "1m"))
        rows += measure_two_workers(folder)
        told = alone([sys.executable, __file__, "--whole", "--inputs", str(folder)], 1800)
        print(f"  whole call on frames {told}", flush=True)
        if "cpu_s" in told:
            rows.append(row("200,000 units, on frames", "cpu_s", told["cpu_s"]))
    return rows


def save(rows: list[Row], path: Path | None) -> None:
    if path is not None:
        path.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def show(rows: list[Row]) -> None:
    """Print the targets."""
    for r in rows:
        if r["target"] is not None:
            print(f"{'ok  ' if r['ok'] else 'FALL'}  {r['work']:28}  {r['measure']:12}  "
                  f"{r['value']:10.4g}   target {r['target']:.4g} {r['peer']}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the small works, few peers")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--inputs", type=Path, help="keep the inputs in this folder")
    parser.add_argument("--only", default="", help="works whose name holds this")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter with peers")
    parser.add_argument("--peer-limit", type=float, default=600, help="CPU seconds of a peer")
    parser.add_argument("--ours", help=argparse.SUPPRESS)
    parser.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    folder = asked.inputs or Path(tempfile.gettempdir()) / "gridmap-bench-zoning"
    if asked.ours:
        run_ours(json.loads(asked.ours))
        return 0
    if asked.whole:
        run_whole(folder)
        return 0
    rows = run_all(asked, folder)
    show(rows)
    save(rows, asked.json)
    return int(not all(r["ok"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
