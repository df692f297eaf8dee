#!/usr/bin/env python3
"""Measure the uniting of nets against its targets, with its peers on the same input.

    python scripts/bench_nets.py --quick            3 schemes of 1,500 grids, under 2 minutes
    python scripts/bench_nets.py --json nets.json   the full run: 12 schemes of 7,400 grids

Every work runs in a process of its own; CPU seconds, so that a busy machine does not matter
much. Schemes are drawn from one base tiling by a seed: shifted, corners moved and left out,
grids united, divided and not drawn. Peers: the common atoms by a chain of geopandas overlays
(union), and crosswalks by tobler's area_interpolate; one that is not installed is left out,
and that is said: pip install tobler. The chain is given the first schemes only, and is stopped
when it takes too long: it keeps every sliver, so that its pieces multiply. `twice_share` is the
share of the land that changes hands when the one net is reconciled once more: where two schemes
cross beside a border of communities, their crossing is a corner only then. Exit code 1 when a
target falls short.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from bench_nets_inputs import make_base, make_homes, make_schemes

Figures = dict[str, float]
PATIENCE_S = 600

#: Schemes, grids, elements; then what the peer's chain of overlays is given.
RUNS = {"quick": (3, 1_500, 50_000, 3), "full": (12, 7_400, 500_000, 3)}
TARGETS = {"cpu_s": 120.0, "memory_gb": 3.0, "slivers": 0.0, "tiles": 1.0, "weights_off": 0.0,
           "people_lost": 0.0, "twice_share": 1e-5, "crosswalk_cpu_s": 30.0}
#: Measures that should be high; the others should be low.
HIGH = {"tiles"}
#: Below this width on average a piece is a sliver, in metres.
SLIVER_M = 5.0


def ours(size: str, decide: str) -> Figures:
    """Reconcile all schemes, and prove what came out."""
    from gridmap import NetRule, reconcile

    _, land, schemes, homes = _inputs(size)
    start = time.process_time()
    net = reconcile(schemes, land, elements=homes, rule=NetRule(decide=decide))
    cpu = time.process_time() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    atoms = net.atoms.geometry.to_numpy()
    groups = net.crosswalks.groupby(["source_layer", "target_layer", "basis", "source"])
    again = reconcile(net.grids.rename_axis("work_grid")[["geometry"]].assign(scheme="net"), land)
    same = again.grids.reindex(net.grids.index).geometry
    off = shapely.area(shapely.symmetric_difference(same.to_numpy(),
                                                    net.grids.geometry.to_numpy()))
    off = np.where(np.isnan(off), net.grids.area, off)  # a grid that is not there any more
    return {
        "cpu_s": cpu, "memory_gb": memory, "grids": len(net.grids), "pieces": len(atoms),
        "slivers": count_slivers(atoms),
        "tiles": float(shapely.coverage_is_valid(net.grids.geometry.to_numpy())
                       and abs(net.grids.area.sum() - land.area.sum()) < 1e-3),
        "weights_off": float((groups["weight"].sum() != 1.0).sum()),
        "people_lost": abs(homes["people"].sum() - net.grids["people"].sum()),
        "twice_share": float(off.sum() / land.area.sum()),
        "contested": float((net.atoms["agreement"] < 1).sum()),
    }


def chain(size: str) -> Figures:
    """Lay the first schemes over each other with geopandas, one after the other."""
    _, land, schemes, _ = _inputs(size)
    parts = [part[["geometry"]].reset_index(names=name) for name, part in
             schemes.groupby("scheme")][: RUNS[size][3]]
    start = time.process_time()
    pieces = land[["geometry"]].reset_index(names="land")
    for part in parts:
        pieces = geopandas.overlay(pieces, part, how="union", keep_geom_type=True)
    shapes = pieces.explode().geometry.to_numpy()
    return {"cpu_s": time.process_time() - start, "pieces": len(shapes),
            "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
            "slivers": count_slivers(shapes), "schemes": len(parts)}


def ours_few(size: str) -> Figures:
    """Do what the chain does: as many schemes, without elements."""
    from gridmap import reconcile

    _, land, schemes, _ = _inputs(size)
    names = sorted(schemes["scheme"].unique())[: RUNS[size][3]]
    start = time.process_time()
    net = reconcile(schemes[schemes["scheme"].isin(names)], land)
    return {"cpu_s": time.process_time() - start, "pieces": len(net.atoms),
            "memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
            "slivers": count_slivers(net.atoms.geometry.to_numpy()), "schemes": len(names)}


def crosswalks(size: str) -> Figures:
    """Carry the people of a scheme over to the next one, there and back for all of them."""
    from gridmap import build_crosswalk, convert

    layers, table = _layers(size)
    start = time.process_time()
    lost = 0.0
    for one, two in pairwise(layers):
        carried = convert(table.loc[one.index], build_crosswalk(one, two))
        lost = max(lost, abs(table.loc[one.index, "people"].sum() - carried.table["people"].sum()
                             - carried.left_over["value"].sum()))
    return {"crosswalk_cpu_s": time.process_time() - start, "lost": lost}


def tobler(size: str) -> Figures:
    """Do the same with tobler, which rescales what its targets do not cover."""
    from tobler.area_weighted import area_interpolate

    layers, table = _layers(size)
    start = time.process_time()
    lost = 0.0
    for one, two in pairwise(layers):
        source = one.join(table)
        found = area_interpolate(source, two, extensive_variables=["people"],
                                 allocate_total=False)
        lost = max(lost, abs(source["people"].sum() - found["people"].sum()))
    return {"crosswalk_cpu_s": time.process_time() - start, "lost": lost}


def _layers(size: str) -> tuple[list[geopandas.GeoDataFrame], Any]:
    _, _, schemes, _ = _inputs(size)
    people = np.random.default_rng(5).integers(100, 900, len(schemes)).astype("float64")
    table = schemes[[]].assign(people=people)
    return [part[["geometry"]] for _, part in schemes.groupby("scheme")], table


def _inputs(size: str) -> tuple[Any, Any, Any, Any]:
    count, grids, homes, _ = RUNS[size]
    base, land = make_base(grids)
    return base, land, make_schemes(base, count), make_homes(base, homes)


def count_slivers(shapes: np.ndarray) -> float:
    """Return how many pieces are thinner than what counts as the same border."""
    width = 2 * shapely.area(shapes) / shapely.length(shapes)
    return float((width < SLIVER_M).sum())


WORKS = {"ours": lambda size: ours(size, "seniority"), "cost": lambda size: ours(size, "cost"),
         "few": ours_few, "chain": chain, "crosswalks": crosswalks, "tobler": tobler}


def measure(work: str, size: str) -> Figures | None:
    """Run a work in a process of its own; None where it takes too long."""
    code = (f"import json, bench_nets as b; print(json.dumps(b.WORKS[{work!r}]({size!r})))")
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE_S,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent)}, check=True)
    except subprocess.TimeoutExpired:
        print(f"{work}: stopped after {PATIENCE_S} s", file=sys.stderr)
        return None
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def make_rows(size: str) -> list[dict[str, Any]]:
    """Run everything and put it against targets and peers."""
    count, grids, _, few = RUNS[size]
    rows = []
    for work, decide in (("ours", "seniority"), ("cost", "cost")):
        name = f"{count} schemes of {grids:,} grids, decided by {decide}"
        rows += _rows(name, measure(work, size), TARGETS)
    name = f"{few} schemes of {grids:,} grids, without elements"
    rows += _rows(name, measure("few", size), {}, "geopandas overlay", measure("chain", size))
    peer = measure("tobler", size) if find_spec("tobler") else None
    if peer is None:
        print("tobler is left out", file=sys.stderr)
    name = f"{count - 1} crosswalks by area, {grids:,} grids each"
    return rows + _rows(name, measure("crosswalks", size), TARGETS, "tobler", peer)


def _rows(
    work: str, found: Figures | None, targets: dict[str, float], peer: str = "",
    others: Figures | None = None,
) -> list[dict[str, Any]]:
    rows = []
    for name, value in (found or {}).items():
        target = targets.get(name)
        good = target is None or (value >= target if name in HIGH else value <= target)
        rows.append({"work": work, "measure": name, "value": float(f"{value:.6g}"),
                     "target": target, "ok": bool(good), "peer": peer or None,
                     "peer_value": None if others is None else others.get(name)})
    return rows


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = make_rows("quick" if options.quick else "full")
    for row in rows:
        target = "" if row["target"] is None else f"target {row['target']:g}"
        peer = "" if row["peer_value"] is None else f"{row['peer']}: {row['peer_value']:,.6g}"
        print(f"{'ok ' if row['ok'] else 'NOT'} {row['work']:58} {row['measure']:16} "
              f"{row['value']:>14,.6g} {target:12} {peer}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
