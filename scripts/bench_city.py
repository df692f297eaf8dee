#!/usr/bin/env python3
"""Measure the whole main job at city scale: time and memory of every stage.

    python scripts/bench_city.py --quick             200,000 elements, under 2 minutes
    python scripts/bench_city.py --json city.json    the full run: 5,000,000 elements
    python scripts/bench_city.py --next              and say where the next second would come from

The city is made by make_sample.py, once, and kept in the folder of ``--city``. The job is the
one of ``gridmap run --workers N`` with a worker for each core, saving included, in a process of
its own; CPU seconds, wall seconds, and the most memory that each stage had. Exit code 1 when a
target falls short.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FULL, QUICK = 5_000_000, 200_000

#: Wall seconds, GB and grids asked of the full city.
TARGETS = {"wall": 60.0, "memory": 6.0, "grids": 7_000.0}


class Sampler(threading.Thread):
    """Looks a hundred times a second which line of gridmap is at work; costs next to nothing."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seconds: Counter[str] = Counter()
        self.watched = threading.get_ident()
        self.done = threading.Event()

    def run(self) -> None:
        last = time.process_time()
        while not self.done.wait(0.01):
            now = time.process_time()
            frame = sys._current_frames().get(self.watched)
            while frame is not None and "/gridmap/" not in frame.f_code.co_filename:
                frame = frame.f_back
            if frame is not None:
                file = Path(frame.f_code.co_filename)
                place = f"{file.parent.name}/{file.name}:{frame.f_lineno}"
                self.seconds[f"{place} {frame.f_code.co_name}"] += now - last
            last = now

    def list_slowest(self, most: int = 30) -> list[dict[str, Any]]:
        """Return the lines with the most CPU seconds."""
        self.done.set()
        return [{"line": line, "seconds": s} for line, s in self.seconds.most_common(most)]


class Stages:
    """Notes time and memory whenever the job tells of a step it did not tell of before."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self._begin("start")

    def _begin(self, name: str) -> None:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")  # the peak anew
        self.rows.append({"stage": name, "cpu": time.process_time(),
                          "wall": time.perf_counter()})

    def end(self) -> None:
        """Turn the start of the last stage into what it took."""
        row = self.rows[-1]
        row["cpu"] = time.process_time() - row["cpu"]
        row["wall"] = time.perf_counter() - row["wall"]
        row["memory_gb"] = read_peak()
        print(show_stage(row), file=sys.stderr, flush=True)

    def tell(self, step: str, done: int, total: int) -> None:
        """Be told of progress."""
        if step != self.rows[-1]["stage"]:
            self.end()
            self._begin(step)


def show_stage(stage: dict[str, Any]) -> str:
    return (f"{stage['stage']:12}{stage['cpu']:8.1f}{stage['wall']:8.1f}"
            f"{stage['memory_gb']:7.2f}")


def read_peak() -> float:
    """Return the most memory this process had since it was last asked to forget, in GB."""
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1]) * 1024 / 1e9


def run_job(folder: Path, *, profiled: bool) -> dict[str, Any]:
    """Do the main job on a city and return its stages, figures and slowest lines."""
    stages = Stages()
    from gridmap import pipeline
    from gridmap.workspace import load_config

    config = load_config(folder / "sample" / "gridmap.toml")
    cores = len(os.sched_getaffinity(0))
    config = replace(config, settings=replace(config.settings, workers=cores))
    sampler = Sampler()
    if profiled:
        sampler.start()
    done = pipeline.run(config, progress=stages.tell)
    stages.tell("save", 0, 1)
    pipeline.save_run(done, config, progress=stages.tell)
    stages.end()
    elements = 0 if done.elements is None else len(done.elements)
    figures = {"elements": elements, "units": 0 if done.units is None else len(done.units),
               "grids": len(done.grids),
               "in_range": float(done.summary["share in size range"]),
               "buildings_cut": count_cut(done.changes)}
    return {"stages": stages.rows, "figures": figures,
            "next": sampler.list_slowest() if profiled else []}


def count_cut(changes: Any) -> float:
    told = changes.loc[changes["what"] == "building cut", "after"]
    return float(told.astype("float64").sum())


def make_city(folder: Path, elements: int) -> None:
    """Make the city, unless it is there already."""
    if (folder / "made").exists():
        return
    print(f"making a city of {elements:,} elements in {folder}", flush=True)
    subprocess.run([sys.executable, str(HERE / "make_sample.py"), "--scale", str(elements),
                    "--out", str(folder)], check=True)
    (folder / "made").touch()


def run_alone(folder: Path, *, profiled: bool) -> dict[str, Any]:
    command = [sys.executable, __file__, "--city", str(folder), "--work"]
    told = subprocess.run([*command, *(["--next"] if profiled else [])], check=True,
                          stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


def judge(told: dict[str, Any], *, full: bool) -> list[dict[str, Any]]:
    """Return the rows of the table; only the full city has targets."""
    rows = [row(stage["stage"], measure, stage[measure]) for stage in told["stages"]
            for measure in ("cpu", "wall", "memory_gb")]
    rows += [row("city", name, value) for name, value in told["figures"].items()]
    total = {m: sum(stage[m] for stage in told["stages"]) for m in ("cpu", "wall")}
    most = max(stage["memory_gb"] for stage in told["stages"])
    rows.append(row("whole job", "CPU seconds", total["cpu"]))
    wall, memory, grids = (TARGETS if full else dict.fromkeys(TARGETS, math.nan)).values()
    rows.append(row("whole job", "wall seconds", total["wall"], wall, below=True))
    rows.append(row("whole job", "memory, GB", most, memory, below=True))
    rows.append(row("whole job", "grids", told["figures"]["grids"], grids))
    return rows


def row(work: str, measure: str, value: float, target: float = math.nan, *,
        below: bool = False) -> dict[str, Any]:
    ok = math.isnan(target) or (value <= target if below else value >= target)
    return {"work": work, "measure": measure, "value": value, "target": target, "ok": bool(ok),
            "peer": "", "peer_value": math.nan}


def show(told: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Print the stages, the figures, and what falls short."""
    print(f"{'stage':12}{'CPU s':>8}{'wall s':>8}{'GB':>7}")
    for stage in told["stages"]:
        print(show_stage(stage))
    for r in rows:
        if r["work"] in ("city", "whole job"):
            target = "" if math.isnan(r["target"]) else f"   target {r['target']:g}"
            print(f"{'ok  ' if r['ok'] else 'FALL'}  {r['measure']:16} {r['value']:14,.4g}"
                  f"{target}")
    for slow in told["next"]:
        print(f"{slow['seconds']:8.2f} s  {slow['line']}")


def main() -> int:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help=f"{QUICK:,} elements")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--city", type=Path, help="make and keep the city in this folder")
    parser.add_argument("--next", action="store_true",
                        help="list the lines with the most CPU seconds")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(run_job(asked.city, profiled=asked.next)))
        return 0
    size = QUICK if asked.quick else FULL
    folder = asked.city or Path(tempfile.gettempdir()) / f"gridmap-bench-city-{size}"
    make_city(folder, size)
    told = run_alone(folder, profiled=asked.next)
    rows = judge(told, full=not asked.quick)
    show(told, rows)
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(not all(r["ok"] for r in rows))


if __name__ == "__main__":
    sys.exit(main())
