"""One step of bench_batch.py in one way, with what it took."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa

Row = dict[str, Any]

#: Ways to do a step. "together" mends all parents in one go; "counted" does all here and counts
#: what workers would have done.
WAYS = ("together", "alone", "one", "two", "killed", "dask", "dask-killed", "counted")

BATCH = 1_000_000


def run_step(step: str, way: str, folder: Path) -> Row:
    """Do a step; return seconds on the clock, and a hash of all that it made."""
    if step == "many":
        return attach_many(way, folder)
    work = WORKS[step](folder) if way != "together" else repair(folder, apart=False)
    kind = "dask" if way.startswith("dask") else way
    with open_way(kind) as executor:
        work(executor, warm=True)
        if isinstance(executor, Counted):
            executor.forget()
        killer = kill_one(executor) if way.endswith("killed") else contextlib.nullcontext()
        with killer:
            started, own, theirs = time.perf_counter(), time.process_time(), cpu_of(executor)
            made = work(executor)
            clock, own = time.perf_counter() - started, time.process_time() - own
            theirs = cpu_of(executor) - theirs
    counted = executor.tell(own) if isinstance(executor, Counted) else {}
    return {"clock": clock, "own": own, "workers": theirs, "hash": hash_all(made), **counted}


def cpu_of(executor: Any) -> float:
    """Return the CPU seconds of all workers so far."""
    from gridmap import Dask, Processes

    if isinstance(executor, Dask):
        return float(sum(executor._client.run(time.process_time).values()))
    if not isinstance(executor, Processes):
        return 0.0
    told = [Path(f"/proc/{worker.process.pid}/stat").read_text().rpartition(")")[2].split()
            for worker in executor._all]
    return sum(int(one[11]) + int(one[12]) for one in told) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def open_way(kind: str) -> Iterator[Any]:
    from gridmap import Dask, Processes

    ways: dict[str, Callable[[], Any]] = {
        "alone": contextlib.nullcontext, "together": contextlib.nullcontext,
        "one": lambda: Processes(1), "two": lambda: Processes(2),
        "killed": lambda: Processes(2), "dask": lambda: Dask(workers=2), "counted": Counted}
    with ways[kind]() as executor:
        yield executor


class Counted:
    """An executor that does all here, and counts what workers would have done and been sent."""

    workers = 1

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Count from nothing."""
        self.inside, self.longest, self.sent, self.counting = 0.0, 0.0, 0, 0.0

    def broadcast(self, value: Any) -> Any:
        return (value,)

    def map(self, function: Any, parts: Iterable[Any], *, shared: Any = None) -> Iterator[Any]:
        for part in parts:
            started = time.process_time()
            answer = function(part) if shared is None else function(part, shared[0])
            took = time.process_time() - started
            self.inside += took
            self.longest = max(self.longest, took)
            self.sent += len(pickle.dumps(part)) + len(pickle.dumps(answer))
            self.counting += time.process_time() - started - took
            yield answer

    def close(self) -> None:
        """Nothing to end."""

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def tell(self, whole: float) -> Row:
        """Return CPU seconds inside and outside of parts, and the bytes of all parts."""
        return {"inside": self.inside, "longest": self.longest, "bytes": self.sent,
                "serial": whole - self.inside - self.counting}


@contextlib.contextmanager
def kill_one(executor: Any, *, after_s: float = 0.6) -> Iterator[None]:
    """Kill a worker a little later, as the system does where memory runs out."""
    from gridmap import Processes

    if isinstance(executor, Processes):
        pids = [worker.process.pid for worker in executor._all]
    else:
        pids = list(executor._client.run(os.getpid).values())
    timer = threading.Timer(after_s, os.kill, (pids[0], signal.SIGKILL))
    timer.start()
    yield
    timer.join()


def hash_all(made: Iterable[Any]) -> str:
    """Return a hash of frames and batches: every bit, every type, every order."""
    whole = hashlib.sha256()
    for frame in made:
        written = io.BytesIO()
        if isinstance(frame, pa.RecordBatch):
            with pa.ipc.new_stream(written, frame.schema) as writer:
                writer.write_batch(frame)
        else:
            (frame.to_frame() if frame.ndim == 1 else frame).to_parquet(written)
        whole.update(written.getbuffer())
    return whole.hexdigest()


# ------------------------------------------------------------------------------ steps


def repair(folder: Path, *, apart: bool = True) -> Callable[..., Any]:
    """Mend the units of every community by themselves."""
    from gridmap import repair_tiling

    spoilt = geopandas.read_parquet(folder / "spoilt.parquet")
    towns = geopandas.read_parquet(folder / "towns.parquet").rename_axis("territory")

    def work(executor: Any, *, warm: bool = False) -> Any:
        codes = sorted(towns.index)[:4] if warm else towns.index
        return repair_tiling(spoilt[spoilt["territory"].isin(codes)], towns.loc[list(codes)],
                             apart=apart, executor=executor)

    return work


def partition(folder: Path) -> Callable[..., Any]:
    """Draw the grids of every community."""
    from gridmap import SizeRule
    from gridmap import partition as draw

    units = geopandas.read_parquet(folder / "units.parquet")
    size = SizeRule(minimum=320, target=400, maximum=480)
    some = units[units["community"].isin(sorted(set(units["community"]))[:40])]

    def work(executor: Any, *, warm: bool = False) -> Any:
        return draw(some if warm else units, size, within="community", executor=executor)

    return work


def attach(folder: Path) -> Callable[..., Any]:
    """Attach points, a batch after the other, and count them by grid."""
    from gridmap import attach_batches, build_locator, count_batch

    grids = geopandas.read_parquet(folder / "grids.parquet")
    ready = build_locator(grids)
    many = int((folder / "points.txt").read_text(encoding="utf-8"))

    def work(executor: Any, *, warm: bool = False) -> Any:
        batches = points(grids, 200_000 if warm else many, 50_000 if warm else BATCH)
        total, last = None, None
        for batch in attach_batches(batches, ready, executor=executor):
            counts = count_batch(batch, ready)
            total = counts if total is None else total + counts
            last = batch
        return [total, last]

    return work


WORKS = {"repair": repair, "partition": partition, "attach": attach}


def points(grids: geopandas.GeoDataFrame, many: int, size: int) -> Iterator[pa.RecordBatch]:
    """Yield points all over, some of them outside, a batch after the other."""
    rng = np.random.default_rng(11)
    low_x, low_y, high_x, high_y = grids.total_bounds
    for at in range(0, many, size):
        count = min(size, many - at)
        yield pa.record_batch({"x": rng.uniform(low_x - 50, high_x + 50, count),
                               "y": rng.uniform(low_y - 50, high_y + 50, count)})


def attach_many(way: str, folder: Path) -> Row:
    """Attach very many points; return how much memory all processes had at the peak."""
    kind, _, count = way.partition(":")
    (folder / "points.txt").write_text(count, encoding="utf-8")
    work = attach(folder)
    with open_way(kind.removeprefix("many-")) as executor, Peak() as peak:
        work(executor, warm=True)
        started = time.perf_counter()
        counts, _ = work(executor)
        clock = time.perf_counter() - started
    found = {"clock": clock, "hash": hash_all([counts]), "peak": peak.most,
             "share": float(counts["rows"].sum()) / int(count)}
    (folder / f"{kind}.json").write_text(json.dumps(found), encoding="utf-8")
    return found


class Peak:
    """Watches the memory of this process and its workers; what they share counts once."""

    def __init__(self) -> None:
        self.most, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.25):
            self.most = max(self.most, sum(map(_share, [os.getpid(), *_children()])))


def _children() -> list[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def _share(pid: int) -> int:
    """Return the bytes of a process, shared ones by the share that falls on it."""
    with contextlib.suppress(OSError, StopIteration):
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024
    return 0
