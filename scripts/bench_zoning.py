#!/usr/bin/env python3
"""Measure the drawing of grids against its targets, with its peers in the same run.

    python scripts/bench_zoning.py --quick             under 2 minutes
    python scripts/bench_zoning.py --json zoning.json  the full run, up to a million units

Every drawing runs in a process of its own, pinned to one core and warm; CPU seconds, so that
a busy machine does not matter much. Both sides get the graph of units ready-made, as arrays.
Labels are scored by the same code, which is not the engine's. Peers that are not installed
are left out, and that is said; --peers-python names the interpreter of an environment that
has them: pip install pymetis kahip mtkahypar kaminpar spopt==0.7.0 gerrychain pygeoda.
Real territories are measured where GRIDMAP_REAL_DATA names their folder. Exit code 1 when a
target falls short.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from bench_zoning_inputs import (
    Mesh,
    load_mesh,
    load_real,
    make_units,
    mesh_of,
    save_mesh,
    score,
)
from numpy.typing import NDArray

Row = dict[str, Any]
HERE = Path(__file__).resolve().parent
FAST = ("metis", "metis_contiguous", "kahip", "mtkahypar", "kaminpar")
SLOW = ("spopt_ward", "spopt_azp", "spopt_maxp", "spopt_skater", "gerrychain_tree",
        "gerrychain_bursts", "geoda_maxp", "geoda_skater")


class Work(NamedTuple):
    """A drawing: which mesh, how, what it must reach, and who draws it as well."""

    name: str
    mesh: str
    effort: str = "normal"
    tolerance: float = 0.10
    nested: bool = False
    counted: bool = False  # the exact number of grids is asked for
    barriers: bool = False
    targets: dict[str, float] = {}  # noqa: RUF012 - a named tuple is never changed
    peers: tuple[str, ...] = FAST
    quick: bool = False


WORKS = (
    Work("2,000 units", "2k", quick=True, peers=FAST + SLOW,
         targets={"contiguous": 1, "in_range": 1, "pp": 0.67, "pp_5": 0.56, "cpu_s": 0.5}),
    Work("20,000 units", "20k", quick=True, peers=(*FAST, "spopt_ward", "gerrychain_tree"),
         targets={"contiguous": 1, "in_range": 1, "pp": 0.66, "pp_5": 0.55, "cpu_s": 4}),
    Work("20,000 units, best", "20k", "best", peers=(),
         targets={"contiguous": 1, "in_range": 1, "pp": 0.68, "pp_5": 0.58, "cpu_s": 20}),
    Work("200,000 units, draft", "200k", "draft", peers=(),
         targets={"contiguous": 1, "in_range": 1, "pp": 0.60, "pp_5": 0.46, "cpu_s": 4}),
    Work("200,000 units", "200k", targets={
        "contiguous": 1, "in_range": 1, "worst": 0.10, "pp": 0.65, "pp_5": 0.53, "cpu_s": 15,
        "memory_gb": 1}),
    Work("200,000 units, best", "200k", "best", peers=(),
         targets={"contiguous": 1, "in_range": 1, "pp": 0.67, "pp_5": 0.56, "cpu_s": 60}),
    Work("200,000 units, ±5 %", "200k", tolerance=0.05, peers=("metis_contiguous",),
         targets={"contiguous": 1, "in_range": 0.999, "pp": 0.61, "cpu_s": 20}),
    Work("20,000 units, nested", "20k", nested=True, quick=True, peers=("metis_contiguous",),
         targets={"contiguous": 1, "crossing": 0, "of_allowed": 0.995}),
    Work("200,000 units, nested", "200k", nested=True, peers=("metis_contiguous",),
         targets={"contiguous": 1, "crossing": 0, "of_allowed": 0.995, "pp": 0.58,
                  "pp_5": 0.43, "cpu_s": 12}),
    Work("20,000 units, some huge", "hard", counted=True, quick=True,
         targets={"contiguous": 1, "grids": 667, "in_range": 0.93, "pp": 0.64, "cpu_s": 8}),
    Work("20,000 units, barriers", "20k", barriers=True, quick=True,
         peers=("metis_contiguous",),
         targets={"contiguous": 1, "in_range": 1, "followed": 0.80, "pp": 0.59}),
)
MESHES = {"tiny": 300, "2k": 2_000, "20k": 20_000, "hard": 20_000, "200k": 200_000,
          "1m": 1_000_000}
REAL = ("chiayi", "ayrshire", "taichung")
#: Measures that should be low; the others should be high.
LOW = {"worst", "cpu_s", "memory_gb", "crossing", "growth"}


def make_inputs(folder: Path, meshes: list[str], real: Path | None) -> None:
    """Write what is not there yet: meshes made from a seed, and real territories."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in meshes:
        if not (folder / f"{name}.npz").exists():
            hard = {"spread": 1.4, "empty": 0.6, "cap": 3.0} if name == "hard" else {}
            units, mesh = make_units(MESHES[name], **hard)
            if name == "200k":
                units.to_parquet(folder / "200k.parquet")
            save_mesh(mesh, folder / f"{name}.npz")
    for name in REAL if real else ():
        if not (folder / f"{name}.npz").exists():
            save_mesh(mesh_of(load_real(real, name)), folder / f"{name}.npz")


# ------------------------------------------------------------------------------- ours


def size_rule(mesh: Mesh, tolerance: float, real: bool) -> Any:
    from gridmap import SizeRule

    if real:
        return SizeRule(minimum=300, target=400, maximum=500)
    mean = mesh.mass.sum() / mesh.grids
    return SizeRule(minimum=(1 - tolerance) * mean, target=mean, maximum=(1 + tolerance) * mean)


def draw(mesh: Mesh, size: Any, *, effort: str, nested: bool, counted: bool, barriers: bool,
         workers: int = 1) -> NDArray[np.int64]:
    """Draw grids on the graph, as `partition` does between reading and writing frames."""
    from gridmap.zoning import DrawingWeights, finish, plan, search
    from gridmap.zoning.effort import EFFORTS
    from gridmap.zoning.graph import UnitGraph
    from gridmap.zoning.qualities import Qualities
    from gridmap.zoning.sizes import Sizes, make_range

    count, none = len(mesh.mass), np.zeros(0)
    graph = UnitGraph(
        start=mesh.start, neighbour=mesh.neighbour, length=mesh.length,
        barrier=mesh.barrier if barriers else np.zeros(len(mesh.barrier)), area=mesh.area,
        outline=mesh.outline, place=mesh.place)
    home = mesh.community if nested else np.zeros(count, np.int64)
    given = plan.Given(
        codes=np.char.zfill(np.arange(count).astype(str), 7),
        territory=np.char.zfill(home.astype(str), 7), shapes=shapely.points(mesh.place),
        graph=graph, empty=mesh.mass == 0, own=np.zeros(count, bool),
        sizes=Sizes((make_range(size, ("households",)),), np.zeros(count, np.int64),
                    mesh.mass[:, None]),
        locked=np.full(count, -1), home_place=none.reshape(0, 2),
        home_unit=none.astype(np.int64),
        qualities=Qualities(none.reshape(0, 0).repeat(count, axis=0).reshape(count, 0), none,
                            travel=False))
    drawing = plan.make_plan(given, seed=0,
                             wanted={"0000000": mesh.grids} if counted else None)
    label, _ = search.draw(drawing, EFFORTS[effort], DrawingWeights(), workers=workers)
    return finish.number_alone(drawing, label)


def memory(key: str) -> float:
    """Return a line of the memory account of this process, in GB."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith(key)).split()[1]) * 1024 / 1e9


def run_ours(asked: dict[str, Any]) -> None:
    """Draw one work in this process and print what it took."""
    folder = Path(asked["folder"])
    options = {key: asked[key] for key in ("effort", "nested", "counted", "barriers")}
    tiny = load_mesh(folder / "tiny.npz")
    for barriers in (False, True):  # compiled, or taken from the cache
        draw(tiny, size_rule(tiny, 0.1, False), effort="draft", nested=False, counted=False,
             barriers=barriers)
    mesh = load_mesh(folder / f"{asked['mesh']}.npz")
    size = size_rule(mesh, asked["tolerance"], asked["mesh"] in REAL)
    before, start, wall = memory("VmRSS"), time.process_time(), time.perf_counter()
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    label = draw(mesh, size, workers=asked["workers"], **options)
    spent, wall = time.process_time() - start, time.perf_counter() - wall
    np.save(asked["labels"], label)
    print(json.dumps({"cpu_s": spent, "wall_s": wall, "memory_gb": memory("VmHWM") - before}))


def run_whole(folder: Path) -> None:
    """Time the public call on frames: graph, drawing, polygons, codes."""
    import geopandas

    from gridmap import partition

    units = geopandas.read_parquet(folder / "200k.parquet")
    size = size_rule(load_mesh(folder / "200k.npz"), 0.10, False)
    partition(units.iloc[:300], size, effort="draft")
    start = time.process_time()
    partition(units, size)
    print(json.dumps({"cpu_s": time.process_time() - start}))


# ------------------------------------------------------------------------------- the run


def alone(command: list[str], limit: float, *, cores: str | None = None) -> dict[str, Any]:
    """Run a command on one core; what it printed, or the fault in a word."""
    core = cores or str(max(os.sched_getaffinity(0)))
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    try:
        told = subprocess.run(["taskset", "-c", core, *command], capture_output=True, text=True,
                              env={**os.environ, **quiet}, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"fault": f"more than {limit:g} s"}
    if told.returncode:
        return {"fault": (told.stderr.strip().splitlines() or ["no word"])[-1][:90]}
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


def measure(work: Work, folder: Path, *, workers: int = 1, cores: str | None = None) -> Row:
    """Return the figures of our drawing of a work."""
    labels = folder / f"labels-{work.mesh}.npy"
    asked = {**work._asdict(), "folder": str(folder), "labels": str(labels), "workers": workers}
    asked.pop("targets"), asked.pop("peers")
    told = alone([sys.executable, __file__, "--ours", json.dumps(asked)], 1800, cores=cores)
    if "fault" in told:
        return told
    return {**told, **judge(work, folder, labels)}


def judge(work: Work, folder: Path, labels: Path) -> Row:
    """Score labels, whoever drew them."""
    mesh = load_mesh(folder / f"{work.mesh}.npz")
    size = size_rule(mesh, work.tolerance, work.mesh in REAL)
    label = np.load(labels)
    figures = score(mesh, label, low=size.minimum, high=size.maximum)
    if work.nested:
        figures["of_allowed"] = figures["in_range"] / allowed(mesh, size)
    return figures


def allowed(mesh: Mesh, size: Any) -> float:
    """Return the share of grids that can be in range, by the totals of communities."""
    total = np.bincount(mesh.community, mesh.mass)
    count = np.maximum(1, np.round(total / size.target))
    mean = total / count
    inside = (mean >= size.minimum) & (mean <= size.maximum)
    return float(count[inside].sum() / count.sum())


def measure_peer(name: str, work: Work, folder: Path, python: str, limit: float) -> Row:
    """Return the figures of a peer on the same mesh."""
    mesh = load_mesh(folder / f"{work.mesh}.npz")
    size = size_rule(mesh, work.tolerance, work.mesh in REAL)
    counts = [mesh.grids]
    if work.nested:
        total = np.bincount(mesh.community, mesh.mass)
        counts = np.maximum(1, np.round(total / size.target)).astype(int).tolist()
    labels = folder / "labels-peer.npy"
    told = alone([python, str(HERE / "bench_zoning_peers.py"), name,
                  str(folder / f"{work.mesh}.npz"), json.dumps(counts), str(labels),
                  str(size.minimum), str(size.maximum),
                  str(size.maximum / size.target - 1), str(float(work.barriers))], limit)
    return told if "fault" in told else {**told, **judge(work, folder, labels)}


def row(work: str, measure: str, value: float, target: float | None = None, *,
        peer: str = "", peer_value: float | None = None) -> Row:
    low = measure in LOW
    ok = target is None or (value <= target + 1e-9 if low else value >= target - 1e-9)
    if measure == "grids" and target is not None:
        ok = value == target
    return {"work": work, "measure": measure, "value": value, "target": target, "ok": bool(ok),
            "peer": peer, "peer_value": peer_value}


COLUMNS = ("cpu_s", "grids", "contiguous", "in_range", "pp", "pp_5", "followed")


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
            continue
        rows += [row(work.name, name, ours[name], peer=peer, peer_value=theirs[name])
                 for name in COLUMNS if not math.isnan(theirs.get(name, math.nan))]
        if theirs["contiguous"] == 1:
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
        spent[name] = told["cpu_s"] / MESHES[name]
    return [row(f"growth {one} to {other}", "growth", spent[other] / spent[one], 1.2)
            for one, other in itertools.pairwise(sizes)]


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
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    return int(not all(r["ok"] for r in rows))


def run_all(asked: argparse.Namespace, folder: Path) -> list[Row]:
    real = os.environ.get("GRIDMAP_REAL_DATA")
    works = [w for w in WORKS if (w.quick or not asked.quick) and asked.only in w.name]
    if asked.quick:
        works = [w._replace(peers=tuple(p for p in w.peers if "metis" in p)) for w in works]
    meshes = ["tiny", *dict.fromkeys(w.mesh for w in works)]
    if not asked.quick and not asked.only:
        meshes.append("1m")
    print("inputs", folder, flush=True)
    make_inputs(folder, meshes, Path(real) if real else None)
    if real:
        aims = {"contiguous": 1.0, "of_allowed": 0.95}
        works += [Work(name, name, nested=True, peers=FAST[:2] if asked.quick else FAST,
                       targets=aims) for name in REAL if asked.only in name]
    rows = [r for w in works
            for r in compare(w, folder, asked.peers_python, 30 if asked.quick else 600)]
    if not asked.quick and not asked.only:
        rows += measure_growth(folder, ("20k", "200k", "1m"))
        rows += measure_two_workers(folder)
        told = alone([sys.executable, __file__, "--whole", "--inputs", str(folder)], 1800)
        print(f"  whole call on frames {told}", flush=True)
        if "cpu_s" in told:
            rows.append(row("200,000 units, on frames", "cpu_s", told["cpu_s"]))
    return rows


def measure_two_workers(folder: Path) -> list[Row]:
    """Compare seconds on the clock with one worker and with two, on two cores."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
    work = Work("nested", "200k", nested=True)
    one, two = (measure(work, folder, workers=n, cores=cores) for n in (1, 2))
    print(f"  one worker {one['wall_s']:.1f} s, two {two['wall_s']:.1f} s", flush=True)
    return [row("200,000 units, nested", "wall_share_of_two_workers",
                two["wall_s"] / one["wall_s"])]


if __name__ == "__main__":
    sys.exit(main())
