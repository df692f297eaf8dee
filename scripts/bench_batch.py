#!/usr/bin/env python3
"""Measure executors: worker scaling, a killed worker, and 100 M elements in bounded memory.

    python scripts/bench_batch.py --quick             a quarter of it or less
    python scripts/bench_batch.py --json batch.json   the full run, under 9 minutes

Repair, partition and attaching are done without an executor, by one and two processes and by
a Dask cluster of two workers (pip install "gridmap[dask]"), each in a process of its own. All
must give the same bytes. Times are on the clock, with workers that have started and loaded
what they need, so run it on a quiet machine. What a province would take on more machines is
reckoned from the share of each step that stays with the caller. Exit code 1 when a target
falls short.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_batch_inputs import make_inputs
from bench_batch_runs import WAYS, run_step

Row = dict[str, Any]

#: The least that two workers must gain over one, on two cores that the caller uses as well.
#: Attaching a point takes as long as sending it: there one worker keeps up with the caller.
GAIN = {"repair": 1.6, "partition": 1.3, "attach": None}
#: Ways that say nothing about a step, or the same as elsewhere.
LEFT_OUT = {"partition": ("together", "killed", "dask-killed"),
            "attach": ("together", "dask-killed")}

SAME = "same bytes as without an executor"

#: A province in units of what is measured: elements, grids, and units of grids.
PROVINCE = {"elements": 150_000_000, "grids": 200_000, "units": 6_000_000}
MACHINES, CORES = 20, 8

#: What a network brings from and to the caller, in bytes a second: 10 Gbit/s, half used.
NETWORK = 0.6e9


def main() -> int:
    """Measure, print a table, write it, and say whether all targets were met."""
    options = read_options()
    if options.step:
        print(json.dumps(run_step(options.step, options.way, options.folder)))
        return 0
    with tempfile.TemporaryDirectory(prefix="gridmap-bench-") as made:
        folder = Path(made)
        sizes = make_inputs(folder, quick=options.quick)
        rows = measure_steps(folder, sizes) + measure_many(folder, options.quick)
    for row in rows:
        print_row(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["ok"] is not False for row in rows) else 1


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a quarter of the work or less")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here as well")
    parser.add_argument("--step", help=argparse.SUPPRESS)
    parser.add_argument("--way", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


# --------------------------------------------------------------------------- scaling


def measure_steps(folder: Path, sizes: dict[str, int]) -> list[Row]:
    """Every step in every way."""
    rows = []
    for step in ("repair", "partition", "attach"):
        found = {way: figures for way in WAYS if way not in LEFT_OUT.get(step, ())
                 and (figures := apart(step, way, folder))}
        rows += tell_step(step, found) + tell_province(step, found["counted"], sizes)
    return rows


def apart(step: str, way: str, folder: Path) -> Row | None:
    """Run a step in a process of its own; None where what it needs is not installed."""
    started = time.monotonic()
    ended = subprocess.run(
        [sys.executable, __file__, "--step", step, "--way", way, "--folder", str(folder)],
        capture_output=True, text=True, check=False)
    if ended.returncode:
        if 'pip install "gridmap[dask]"' in ended.stderr:
            print(f"{step}, {way}: left out, dask.distributed is not installed")
            return None
        raise SystemExit(f"{step}, {way} failed:\n{ended.stderr}")
    figures: Row = json.loads(ended.stdout.splitlines()[-1])
    print(f"{step}, {way}: {figures['clock']:.2f} s of {time.monotonic() - started:.0f} s",
          file=sys.stderr)
    return figures


def tell_step(step: str, found: dict[str, Row]) -> list[Row]:
    """Rows of one step: seconds in each way, the gain of two workers, and the bytes."""
    alone = found["alone"]
    rows = [row(step, "s without an executor", alone["clock"])]
    if "together" in found:
        rows.append(row(step, "s without an executor, all parents together",
                        found["together"]["clock"]))
    names = {"one": "1 process", "two": "2 processes", "dask": "2 workers of Dask",
             "killed": "2 processes, one killed in the middle",
             "dask-killed": "2 workers of Dask, one killed in the middle"}
    for way, name in names.items():
        if way in found:
            rows.append(row(step, f"s, {name}", found[way]["clock"]))
            if not way.endswith("killed"):
                rows.append(row(step, f"CPU s of the caller, {name}", found[way]["own"]))
                rows.append(row(step, f"CPU s of the workers, {name}", found[way]["workers"]))
            rows.append(row(step, f"{SAME}, {name}", int(found[way]["hash"] == alone["hash"]),
                            target=1))
    gain = found["one"]["clock"] / found["two"]["clock"]
    rows.append(row(step, "times as fast, 2 processes to 1", gain, target=GAIN[step]))
    if "dask" in found:
        rows.append(row(step, "times as fast, 2 workers of Dask to none",
                        alone["clock"] / found["dask"]["clock"]))
    return rows


def tell_province(step: str, counted: Row, sizes: dict[str, int]) -> list[Row]:
    """Rows of what a province would take, from what stays with the caller (Amdahl)."""
    measure = {"repair": "units", "partition": "units", "attach": "elements"}[step]
    scale = PROVINCE[measure] / sizes[step]
    serial, spread = counted["serial"] * scale, counted["inside"] * scale
    sent = counted["bytes"] * scale / NETWORK
    told = [row(step, "share that stays with the caller",
                counted["serial"] / (counted["serial"] + counted["inside"])),
            row(step, "MB sent and brought back", counted["bytes"] / 1e6)]
    for machines in (1, MACHINES):
        cores = machines * CORES
        longest = max(spread / cores, counted["longest"])
        took = serial + longest + (sent if machines > 1 else 0.0)
        told.append(row(step, f"province ({PROVINCE[measure]:,} {measure}) in one run, reckoned "
                        f"min on {machines} × {CORES} cores", took / 60))
    return told


# ------------------------------------------------------------------------ 100 million


def measure_many(folder: Path, quick: bool) -> list[Row]:
    """Attach 100 M points that no machine need hold at once."""
    count = 10_000_000 if quick else 100_000_000
    works = f"attach, {count // 1_000_000} M points through"
    rows = []
    for way, name in (("many-alone", "without an executor"), ("many-two", "2 processes")):
        figures = apart("many", f"{way}:{count}", folder)
        if figures is None:
            continue
        rows += [row(works, f"ns a point on the clock, {name}", figures["clock"] / count * 1e9,
                     target=400, less=True),
                 row(works, f"GB at the peak, all processes, {name}", figures["peak"] / 1e9,
                     target=1.5, less=True),
                 row(works, f"share attached, {name}", figures["share"])]
    hashes = {figures["hash"] for figures in
              (json.loads(file.read_text()) for file in folder.glob("many-*.json"))}
    rows.append(row(works, "same counts in all ways", int(len(hashes) == 1), target=1))
    return rows


def row(
    work: str, measure: str, value: float, *, target: float | None = None, less: bool = False
) -> Row:
    """Return a row as all benches write it."""
    fine = None if target is None else (value <= target if less else value >= target)
    return {"work": work, "measure": measure, "value": round(float(value), 4), "target": target,
            "ok": fine, "peer": None, "peer_value": None}


def print_row(one: Row) -> None:
    verdict = {True: "met", False: "MISSED", None: ""}[one["ok"]]
    target = "" if one["target"] is None else f"target {one['target']}"
    print(f"{one['work']:<32} {one['measure']:<75} {one['value']:>10.4g}  {target:<12} {verdict}")


if __name__ == "__main__":
    sys.exit(main())
