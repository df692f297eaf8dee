#!/usr/bin/env python3
"""Drawings of bench_zoning.py, each in a process of its own: ours, and those of peers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from bench_zoning_inputs import MESHES, REAL, Mesh, find_pieces, load_mesh, score
from numpy.typing import NDArray

Row = dict[str, Any]
HERE = Path(__file__).resolve().parent
#: What a peer may take of memory, in bytes.
MEMORY = 8_000_000_000


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
    peers: tuple[str, ...] = ()
    quick: bool = False


def size_rule(mesh: Mesh, tolerance: float, name: str = "") -> Any:
    from gridmap import SizeRule

    if name in REAL:
        minimum, target, maximum = REAL[name]
        return SizeRule(minimum=minimum, target=target, maximum=maximum)
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
    for barriers in (False, True):  # compiled, or taken from the cache; the tight one is mended
        draw(tiny, size_rule(tiny, 0.01 + 0.09 * barriers), effort="normal", nested=False,
             counted=False, barriers=barriers)
    mesh = load_mesh(folder / f"{asked['mesh']}.npz")
    size = size_rule(mesh, asked["tolerance"], asked["mesh"])
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
    size = size_rule(load_mesh(folder / "200k.npz"), 0.10)
    partition(units.iloc[:300], size, effort="draft")
    start = time.process_time()
    partition(units, size)
    print(json.dumps({"cpu_s": time.process_time() - start}))


def alone(
    command: list[str], limit: float, *, cores: str | None = None, memory_bytes: int | None = None
) -> dict[str, Any]:
    """Run a command on one core for so many CPU seconds; what it printed, or the fault."""
    core = cores or str(max(os.sched_getaffinity(0)))
    quiet = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    cap = ["prlimit", f"--cpu={limit:.0f}"]
    cap += [] if memory_bytes is None else [f"--as={memory_bytes}"]
    told = subprocess.run([*cap, "taskset", "-c", core, *command], capture_output=True,
                          text=True, env={**os.environ, **quiet}, check=False)
    if -told.returncode in (signal.SIGXCPU, signal.SIGKILL):
        return {"fault": f"more than {limit:g} s"}
    if told.returncode < 0 and not told.stderr.strip():
        limits = f", with {memory_bytes / 1e9:g} GB at most" if memory_bytes else ""
        return {"fault": f"ended by signal {-told.returncode}{limits}"}
    if told.returncode:
        return {"fault": (told.stderr.strip().splitlines() or ["no word"])[-1][:90]}
    answer: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return answer


def measure(work: Work, folder: Path, *, workers: int = 1, cores: str | None = None) -> Row:
    """Return the figures of our drawing of a work."""
    labels = folder / "labels.npy"
    asked = {**work._asdict(), "folder": str(folder), "labels": str(labels), "workers": workers}
    asked.pop("targets"), asked.pop("peers")
    command = [sys.executable, str(HERE / "bench_zoning.py"), "--ours", json.dumps(asked)]
    told = alone(command, 1800, cores=cores)
    return told if "fault" in told else {**told, **judge(work, folder, labels)}


def judge(work: Work, folder: Path, labels: Path) -> Row:
    """Score labels, whoever drew them."""
    mesh = load_mesh(folder / f"{work.mesh}.npz")
    size = size_rule(mesh, work.tolerance, work.mesh)
    label = np.load(labels)
    figures = score(mesh, label, low=size.minimum, high=size.maximum)
    if work.nested:
        figures["of_allowed"] = figures["in_range"] / allowed(mesh, size)
        figures["whole"] = whole(mesh, label, size.minimum)
    return figures


def whole(mesh: Mesh, label: NDArray[np.int64], minimum: float) -> float:
    """Return the share of grids in one piece, not counting islands below a minimum.

    A piece of a community that is too small for a grid has to go with another.
    """
    island = find_pieces(mesh, mesh.community)
    small = np.bincount(island, mesh.mass) < minimum
    grids, label = np.unique(label, return_inverse=True)
    piece = find_pieces(mesh, label)
    first = np.unique(piece, return_index=True)[1]
    entire = np.bincount(piece) == np.bincount(island)[island[first]]
    counted = ~(entire & small[island[first]])
    pieces = np.bincount(label[first], counted, minlength=len(grids))
    return float((pieces <= 1).mean())


def allowed(mesh: Mesh, size: Any) -> float:
    """Return the share of grids that can be in range, by the totals of communities."""
    total = np.bincount(mesh.community, mesh.mass)
    count = np.maximum(1, np.round(total / size.target))
    mean = total / count
    inside = (mean >= size.minimum) & (mean <= size.maximum)
    return float(count[inside].sum() / count.sum())


# ------------------------------------------------------------------------------- peers


def measure_peer(name: str, work: Work, folder: Path, python: str, limit: float) -> Row:
    """Return the figures of a peer on the same mesh, or why there are none.

    What was measured before is taken from the folder.
    """
    kept = folder / "peers"
    kept.mkdir(exist_ok=True)
    stem = f"{name}-{work.mesh}-{work.tolerance:g}-{int(work.nested)}-{int(work.barriers)}"
    told, labels = kept / f"{stem}.json", kept / f"{stem}.npy"
    answer = _told(told, limit)
    if not answer:
        answer = _smaller(name, work, kept, limit) or (
            _ask_peer(name, work, folder, labels, python, limit)
        )
        if "No module" in answer.get("fault", ""):
            return {"fault": "not installed"}
        told.write_text(json.dumps({**answer, "limit": limit}), encoding="utf-8")
    return answer if "fault" in answer else {**answer, **judge(work, folder, labels)}


def _told(path: Path, limit: float) -> Row:
    """Return what a peer did before, if it had as much time then."""
    if not path.exists():
        return {}
    answer: Row = json.loads(path.read_text(encoding="utf-8"))
    return answer if "fault" not in answer or answer.get("limit", 600) >= limit else {}


def _smaller(name: str, work: Work, kept: Path, limit: float) -> Row:
    """Return the fault of a peer with fewer units: it is not asked for more of them."""
    ladder = ("2k", "20k", "200k")
    at = ladder.index(work.mesh) if work.mesh in ladder else 1
    for mesh in ladder[:at]:
        fault = _told(kept / f"{name}-{mesh}-0.1-0-0.json", limit).get("fault")
        if fault:
            said = fault if "units:" in fault else f"with {MESHES[mesh]:,} units: {fault}"
            return {"fault": said}
    return {}


def _ask_peer(
    name: str, work: Work, folder: Path, labels: Path, python: str, limit: float
) -> Row:
    mesh = load_mesh(folder / f"{work.mesh}.npz")
    size = size_rule(mesh, work.tolerance, work.mesh)
    counts = [mesh.grids]
    if work.nested:
        total = np.bincount(mesh.community, mesh.mass)
        counts = np.maximum(1, np.round(total / size.target)).astype(int).tolist()
    asked = [str(folder / f"{work.mesh}.npz"), json.dumps(counts), str(labels),
             str(size.minimum), str(size.maximum), str(size.maximum / size.target - 1),
             str(float(work.barriers))]
    command = [python, str(HERE / "bench_zoning_peers.py"), name, *asked]
    return alone(command, limit, memory_bytes=MEMORY)
