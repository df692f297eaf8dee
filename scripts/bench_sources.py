#!/usr/bin/env python3
"""Measure reading and shifted coordinates against their targets, with peers in the same run.

    python scripts/bench_sources.py --quick              500,000 rows, under 2 minutes
    python scripts/bench_sources.py --json sources.json  the full run: 5 million rows

Every work runs in a process of its own, pinned to one core; CPU seconds, so that a busy
machine does not matter much, and the least of three rounds. Peers that are not installed are
left out, and that is said: pip install polars. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Figures = dict[str, float]
WORKS: dict[str, Callable[[Path], Figures]] = {}
ROUNDS = 3
COLUMNS = ["number", "text", "lon", "lat", "people", "kind"]


def work(function: Callable[[Path], Figures]) -> Callable[[Path], Figures]:
    """Make a function a work that a process of its own can run by name."""
    WORKS[function.__name__] = function
    return function


def seconds(function: Callable[[], Any], *, rounds: int = ROUNDS) -> tuple[float, Any]:
    """Return the least CPU seconds of some rounds, and the last answer."""
    least, answer = math.inf, None
    for _ in range(rounds):
        answer = None  # so that its memory is free again
        start = time.process_time()
        answer = function()
        least = min(least, time.process_time() - start)
    return least, answer


# ------------------------------------------------------------------------------ inputs


def make_inputs(folder: Path, *, rows: int, seed: int = 5) -> None:
    """Write an address book in GBK: number, address, place, people, kind."""
    path = folder / "homes.csv"
    if path.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    roads = [f"{a}{b}路" for a in "望湾金林新港人民文化海滨" for b in "山海东西南北中一二三"]
    kinds = ["住宅", "商铺", "学校", "仓库"]
    with path.open("w", encoding="gbk", newline="") as sink:
        sink.write("编码,地址,经度,纬度,人口,类别\n")
        for start in range(0, rows, 100_000):
            count = min(100_000, rows - start)
            lon, lat = rng.uniform(121.2, 122.7, count), rng.uniform(36.7, 37.6, count)
            parts = (rng.integers(0, len(roads), count), rng.integers(1, 400, count),
                     rng.integers(0, 9, count), rng.integers(0, 4, count))
            sink.writelines(
                f"{371002_000_000 + start + i},{roads[r]}{n}号{n % 30 + 1}号楼,{x:.7f},{y:.7f},"
                f"{p},{kinds[k]}\n"
                for i, (r, n, p, k, x, y) in enumerate(zip(*parts, lon, lat, strict=True)))


# ------------------------------------------------------------------- a table to points


@work
def ours_points(folder: Path) -> Figures:
    """Codes, kinds and points, every row accounted for; the encoding proven."""
    from gridmap import load_elements

    def load() -> Any:
        return load_elements(folder / "homes.csv", crs="EPSG:4326", columns={
            "element": "编码", "x": "经度", "y": "纬度", "people": "人口", "kind": "类别"})

    spent, loaded = seconds(load)
    return {"seconds": spent, "rows": float(len(loaded.frame) + len(loaded.rejects))}


def _read(folder: Path, columns: list[str] | None = None) -> Any:
    import pyarrow as pa
    import pyarrow.csv as pv

    kinds = {"number": pa.int64(), "text": pa.binary(), "lon": pa.float64(), "lat": pa.float64(),
             "people": pa.float64(), "kind": pa.binary()}
    return pv.read_csv(
        folder / "homes.csv",
        read_options=pv.ReadOptions(column_names=COLUMNS, skip_rows=1, use_threads=False),
        convert_options=pv.ConvertOptions(column_types=kinds, check_utf8=False,
                                          include_columns=columns))


@work
def pyarrow_numbers(folder: Path) -> Figures:
    """Only the four columns of numbers, as numbers: no text, no points, no questions asked."""
    spent, table = seconds(lambda: _read(folder, ["number", "lon", "lat", "people"]))
    return {"seconds": spent, "rows": float(len(table))}


@work
def pyarrow_bytes(folder: Path) -> Figures:
    """All columns, text as bytes that nobody decodes."""
    spent, table = seconds(lambda: _read(folder))
    return {"seconds": spent, "rows": float(len(table))}


@work
def pyarrow_decoded(folder: Path) -> Figures:
    """All columns, text decoded from GBK in bulk, no points."""
    def load() -> Any:
        table = _read(folder)
        return table["number"], decode(table["text"]), decode_kinds(table["kind"])

    spent, told = seconds(load)
    return {"seconds": spent, "rows": float(len(told[0]))}


@work
def pyarrow_points(folder: Path) -> Figures:
    """The same as ours by hand, and nothing proven: codes as text, kinds decoded, points."""
    import gc

    import pyarrow as pa
    import shapely

    def load() -> Any:
        table = _read(folder, ["number", "lon", "lat", "people", "kind"])
        gc.disable()  # or it counts millions of points again and again
        points = shapely.points(table["lon"].to_numpy(), table["lat"].to_numpy())
        gc.enable()
        return table["number"].cast(pa.large_string()), decode_kinds(table["kind"]), points

    spent, told = seconds(load)
    return {"seconds": spent, "rows": float(len(told[2]))}


def decode(column: Any) -> Any:
    """Decode each chunk of a column from GBK in one go, as the fastest readers do."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = []
    for chunk in column.chunks:
        whole = pa.ListArray.from_arrays(pa.array([0, len(chunk)], pa.int32()), chunk)
        text = pc.binary_join(whole, b"\n")[0].as_py().decode("gbk").encode()
        letters = np.frombuffer(text, np.uint8)
        ends = np.flatnonzero(letters == 10)
        offsets = np.r_[0, ends - np.arange(len(ends)), len(letters) - len(ends)]
        chunks.append(pa.StringArray.from_buffers(
            len(chunk), pa.py_buffer(offsets.astype(np.int32)),
            pa.py_buffer(letters[letters != 10])))
    return pa.chunked_array(chunks)


def decode_kinds(column: Any) -> Any:
    import pyarrow as pa

    coded = column.combine_chunks().dictionary_encode()
    words = pa.array([word.as_py().decode("gbk") for word in coded.dictionary])
    return pa.DictionaryArray.from_arrays(coded.indices, words)


@work
def pandas_gbk(folder: Path) -> Figures:
    import pandas as pd

    spent, table = seconds(
        lambda: pd.read_csv(folder / "homes.csv", encoding="gbk", usecols=[0, 2, 3, 4, 5]),
        rounds=1)
    return {"seconds": spent, "rows": float(len(table))}


@work
def polars_numbers(folder: Path) -> Figures:
    """Only the columns of numbers: its reader does not know GBK."""
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl

    spent, table = seconds(lambda: pl.read_csv(
        folder / "homes.csv", encoding="utf8-lossy", columns=[0, 2, 3, 4]))
    return {"seconds": spent, "rows": float(len(table))}


# ------------------------------------------------------------------ shifted coordinates


@work
def ours_shifts(folder: Path) -> Figures:
    """There and back for as many places as the table has rows, with the error of a round trip."""
    from gridmap import from_bd09, from_gcj02, to_bd09, to_gcj02

    rng = np.random.default_rng(6)
    size = sum(1 for _ in (folder / "homes.csv").open("rb")) - 1
    lon, lat = rng.uniform(73.5, 134.8, size), rng.uniform(18.2, 53.5, size)
    told: Figures = {"places": float(size)}
    for name, there, back in (("GCJ-02", to_gcj02, from_gcj02), ("BD-09", to_bd09, from_bd09)):
        there(lon, lat)  # compilation is not what is measured
        told[f"to {name}"], moved = seconds(lambda there=there: there(lon, lat))
        told[f"from {name}"], again = seconds(lambda back=back, at=moved: back(*at))
        away = np.hypot((again[0] - lon) * np.cos(np.radians(lat)), again[1] - lat) * 111_320
        told[f"error {name}"] = float(away.max())
    return told


@work
def iterated_shifts(folder: Path) -> Figures:
    """GCJ-02 undone as tools do: three rounds of the plain formula in numpy."""
    rng = np.random.default_rng(6)
    size = sum(1 for _ in (folder / "homes.csv").open("rb")) - 1
    lon, lat = rng.uniform(73.5, 134.8, size), rng.uniform(18.2, 53.5, size)
    there = _plain_gcj02(lon, lat)

    def back() -> Any:
        x, y = there
        for _ in range(3):
            moved = _plain_gcj02(x, y)
            x, y = x + there[0] - moved[0], y + there[1] - moved[1]
        return x, y

    spent, again = seconds(back, rounds=1)
    away = np.hypot((again[0] - lon) * np.cos(np.radians(lat)), again[1] - lat) * 111_320
    return {"from GCJ-02": spent, "error GCJ-02": float(away.max())}


def _plain_gcj02(lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y, turn = lon - 105.0, lat - 35.0, np.pi
    both = (20 * np.sin(6 * x * turn) + 20 * np.sin(2 * x * turn)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + both
    north += (20 * np.sin(y * turn) + 40 * np.sin(y / 3 * turn) + 160 * np.sin(y / 12 * turn)
              + 320 * np.sin(y * turn / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + both
    east += (20 * np.sin(x * turn) + 40 * np.sin(x / 3 * turn) + 150 * np.sin(x / 12 * turn)
             + 300 * np.sin(x / 30 * turn)) * 2 / 3
    bent = 1 - 0.00669342162296594323 * np.sin(np.radians(lat)) ** 2
    degree = np.radians(6378245.0)
    return (lon + east * np.sqrt(bent) / (degree * np.cos(np.radians(lat))),
            lat + north * bent**1.5 / (degree * (1 - 0.00669342162296594323)))


# ----------------------------------------------------------------------------- judging


def run_alone(name: str, folder: Path) -> Figures:
    """Run a work in a process of its own, on one core; empty where it cannot run."""
    command = [sys.executable, __file__, "--inputs", str(folder), "--work", name]
    pinned = shutil.which("taskset")
    told = subprocess.run(["taskset", "-c", "0", *command] if pinned else command,
                          capture_output=True, text=True)
    if told.returncode:
        print(f"  {name} is left out: {(told.stderr.strip().splitlines() or ['?'])[-1]}")
        return {}
    figures: Figures = json.loads(told.stdout.splitlines()[-1])
    return figures


def row(work: str, measure: str, value: float, target: float, *, peer: str = "",
        peer_value: float = math.nan) -> dict[str, Any]:
    return {"work": work, "measure": measure, "value": value, "target": target,
            "ok": math.isnan(target) or value <= target, "peer": peer, "peer_value": peer_value}


def judge(told: dict[str, Figures], rows: int) -> list[dict[str, Any]]:
    """Compare figures to the targets and to the peers."""
    ours = told["ours_points"]
    peers = {name: figures["seconds"] for name, figures in told.items()
             if "seconds" in figures and name != "ours_points"}
    table = f"{rows / 1e6:g} M rows of GBK to points"
    judged = []
    for measure, names in (
        ("times the same columns and points by hand", ["pyarrow_points"]),
        ("times the fastest reader of the whole text", ["pyarrow_decoded", "pandas_gbk"]),
        ("times the fastest reader, numbers only, no points", list(peers)),
    ):
        best = min([name for name in names if name in peers], key=peers.__getitem__)
        judged.append(row(table, measure, ours["seconds"] / peers[best], 2.0, peer=best,
                          peer_value=peers[best]))
    judged += [row(table, "CPU seconds", ours["seconds"], math.nan, peer=name, peer_value=spent)
               for name, spent in sorted(peers.items(), key=lambda pair: pair[1])]
    judged.append(row(table, "rows without account", abs(ours["rows"] - rows), 0))
    shifts, plain = told["ours_shifts"], told["iterated_shifts"]
    scale = shifts["places"] / 5e6
    work = f"{shifts['places'] / 1e6:g} M places"
    for name in ("GCJ-02", "BD-09"):
        for way in ("to", "from"):
            beside = {"peer": "three rounds in numpy", "peer_value": plain[f"{way} {name}"]} if (
                f"{way} {name}" in plain) else {}
            judged.append(row(work, f"{way} {name}, CPU seconds", shifts[f"{way} {name}"],
                              1.5 * scale, **beside))
        beside = {"peer": "three rounds in numpy", "peer_value": plain[f"error {name}"]} if (
            f"error {name}" in plain) else {}
        judged.append(row(work, f"round trip of {name}, m", shifts[f"error {name}"], 1e-7,
                          **beside))
    return judged


def show(rows: list[dict[str, Any]]) -> None:
    for r in rows:
        peer = f"   {r['peer']} {r['peer_value']:.3g}" if r["peer"] else ""
        target = "" if math.isnan(r["target"]) else f"   target {r['target']:g}"
        print(f"{'ok  ' if r['ok'] else 'FALL'}  {r['work']:30}  {r['measure']:50}  "
              f"{r['value']:10.4g}{target}{peer}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--inputs", type=Path, help="keep the inputs in this folder")
    parser.add_argument("--work", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.work:
        print(json.dumps(WORKS[asked.work](asked.inputs)))
        return 0
    size = 500_000 if asked.quick else 5_000_000
    folder = asked.inputs or Path(tempfile.gettempdir()) / f"gridmap-bench-sources-{size}"
    make_inputs(folder, rows=size)
    told = {name: run_alone(name, folder) for name in WORKS}
    judged = judge({name: figures for name, figures in told.items() if figures}, size)
    show(judged)
    if asked.json:
        asked.json.write_text(json.dumps(judged, indent=1), encoding="utf-8")
    return int(not all(r["ok"] for r in judged))


if __name__ == "__main__":
    sys.exit(main())
