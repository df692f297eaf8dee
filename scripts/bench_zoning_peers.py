#!/usr/bin/env python3
"""Peers of bench_zoning.py, one call each, in a process of its own.

    python scripts/bench_zoning_peers.py NAME mesh.npz COUNTS labels.npy LOW HIGH TOLERANCE FOLLOW

COUNTS is a JSON list: grids of each community, or of the whole in a list of one. Writes the
labels and prints the CPU seconds. Needs numpy and the peer alone, so that peers may live in
an environment of their own (--peers-python).
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

warnings.filterwarnings("ignore")

Parts = dict[str, Any]
PEERS: dict[str, Callable[[Parts, int], Any]] = {}


def peer(function: Callable[[Parts, int], Any]) -> Callable[[Parts, int], Any]:
    PEERS[function.__name__] = function
    return function


def source(mesh: Parts) -> Any:
    return np.repeat(np.arange(len(mesh["mass"])), np.diff(mesh["start"]))


def arc_weights(mesh: Parts) -> Any:
    """Shared length by the size of the smaller unit: town and country count alike."""
    size = np.sqrt(np.minimum(mesh["area"][source(mesh)], mesh["area"][mesh["neighbour"]]))
    weight = np.round(100 * mesh["length"] / size * (1 - 0.75 * mesh["follow"] * mesh["barrier"]))
    return np.clip(weight, 1, 100_000).astype(np.int64)


def take(mesh: Parts, which: Any) -> Parts:
    """Return the mesh of some units and the arcs among them."""
    new = np.full(len(mesh["mass"]), -1)
    new[which] = np.arange(len(which))
    first, count = mesh["start"][which], mesh["start"][which + 1] - mesh["start"][which]
    arc = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
    one, other = np.repeat(np.arange(len(which)), count), new[mesh["neighbour"][arc]]
    arc, one, other = arc[other >= 0], one[other >= 0], other[other >= 0]
    order = np.lexsort((other, one))
    part = {name: mesh[name][which] for name in ("mass", "area", "outline", "place")}
    part |= {name: mesh[name][arc][order] for name in ("length", "barrier")}
    count = np.bincount(one, minlength=len(which))
    return {**mesh, **part, "neighbour": other[order],
            "start": np.concatenate([[0], np.cumsum(count)])}


# ------------------------------------------------------------------------------- graphs


def _metis(mesh: Parts, grids: int, **options: Any) -> Any:
    import pymetis

    arcs = pymetis.CSRAdjacency(mesh["start"].astype(np.int32), mesh["neighbour"].astype(np.int32))
    told = pymetis.part_graph(
        grids, adjacency=arcs, vweights=mesh["mass"].astype(np.int32),
        eweights=arc_weights(mesh).astype(np.int32), recursive=False,
        options=pymetis.Options(seed=0, **options))
    return np.asarray(told.vertex_part)


@peer
def metis(mesh: Parts, grids: int) -> Any:
    return _metis(mesh, grids)


@peer
def metis_contiguous(mesh: Parts, grids: int) -> Any:
    """METIS at its best for this: contiguous, and with room for unequal grids."""
    return _metis(mesh, grids, contig=1, ufactor=round(1000 * mesh["tolerance"]))


def _kahip(mesh: Parts, grids: int, mode: str) -> Any:
    import kahip

    told = kahip.kaffpa(
        mesh["mass"].astype(int).tolist(), mesh["start"].tolist(), arc_weights(mesh).tolist(),
        mesh["neighbour"].tolist(), grids, mesh["tolerance"], True, 0, getattr(kahip, mode))
    return np.asarray(told[1])


@peer
def kahip(mesh: Parts, grids: int) -> Any:
    return _kahip(mesh, grids, "ECO")


@peer
def kahip_strong(mesh: Parts, grids: int) -> Any:
    return _kahip(mesh, grids, "STRONG")


@peer
def mtkahypar(mesh: Parts, grids: int) -> Any:
    import mtkahypar

    core = mtkahypar.initialize(1)
    mtkahypar.set_seed(0)
    context = core.context_from_preset(mtkahypar.PresetType.QUALITY)
    context.set_partitioning_parameters(grids, mesh["tolerance"], mtkahypar.Objective.CUT)
    context.logging = False
    one, other = source(mesh), mesh["neighbour"]
    once = one < other
    graph = core.create_graph(
        context, len(mesh["mass"]), int(once.sum()),
        list(zip(one[once].tolist(), other[once].tolist(), strict=True)),
        mesh["mass"].astype(int).tolist(), arc_weights(mesh)[once].tolist())
    return np.asarray(graph.partition(context).get_partition())


@peer
def kaminpar(mesh: Parts, grids: int) -> Any:
    import tempfile

    import kaminpar

    weight, start = arc_weights(mesh), mesh["start"]
    with tempfile.NamedTemporaryFile("w", suffix=".metis") as file:
        file.write(f"{len(mesh['mass'])} {len(weight) // 2} 11\n")
        for unit, mass in enumerate(mesh["mass"]):
            pairs = range(start[unit], start[unit + 1])
            told = " ".join(f"{mesh['neighbour'][a] + 1} {weight[a]}" for a in pairs)
            file.write(f"{max(1, int(mass))} {told}\n")
        file.flush()
        graph = kaminpar.load_graph(file.name, kaminpar.GraphFileFormat.METIS)
    kaminpar.reseed(0)
    preset = "strong" if grids <= 1000 else "largek"  # strong takes over ten minutes for 6,667
    solver = kaminpar.KaMinPar(1, kaminpar.context_by_name(preset))
    return np.asarray(solver.compute_partition(graph, grids, mesh["tolerance"]))


# ------------------------------------------------------------------------------- regions


def _frame(mesh: Parts) -> tuple[Any, Any]:
    import geopandas
    from libpysal.weights import W

    start = mesh["start"]
    near = {u: mesh["neighbour"][start[u]:start[u + 1]].tolist() for u in range(len(start) - 1)}
    x, y = mesh["place"].T
    frame = geopandas.GeoDataFrame(
        {"mass": mesh["mass"], "x": x, "y": y}, geometry=geopandas.points_from_xy(x, y))
    return frame, W(near, silence_warnings=True)


@peer
def spopt_ward(mesh: Parts, grids: int) -> Any:
    from spopt.region import WardSpatial

    model = WardSpatial(*_frame(mesh), ["x", "y"], n_clusters=grids)
    model.solve()
    return np.asarray(model.labels_)


@peer
def spopt_azp(mesh: Parts, grids: int) -> Any:
    from spopt.region import AZP

    model = AZP(*_frame(mesh), ["x", "y"], n_clusters=grids, random_state=0)
    model.solve()
    return np.asarray(model.labels_)


@peer
def spopt_maxp(mesh: Parts, grids: int) -> Any:
    from spopt.region import MaxPHeuristic

    np.random.seed(0)  # noqa: NPY002 - the peer draws from the process-wide state
    model = MaxPHeuristic(*_frame(mesh), ["x", "y"], "mass", mesh["low"], top_n=2,
                          max_iterations_sa=10)
    model.solve()
    return np.asarray(model.labels_)


@peer
def spopt_skater(mesh: Parts, grids: int) -> Any:
    from spopt.region import Skater

    model = Skater(*_frame(mesh), ["x", "y"], n_clusters=grids, floor=5)
    model.solve()
    return np.asarray(model.labels_)


def _chain(mesh: Parts) -> Any:
    import gerrychain
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from((u, {"mass": int(m)}) for u, m in enumerate(mesh["mass"]))
    graph.add_edges_from(zip(source(mesh).tolist(), mesh["neighbour"].tolist(), strict=True))
    return gerrychain.Graph.from_networkx(graph)


def _tree(mesh: Parts, grids: int, graph: Any) -> Any:
    from gerrychain.tree import recursive_tree_part

    mean = float(mesh["mass"].sum() / grids)
    return recursive_tree_part(graph, range(grids), mean, "mass", mesh["tolerance"], rng=0)


def _labels(assignment: Any, size: int) -> Any:
    label = np.empty(size, int)
    for unit, grid in dict(assignment).items():
        label[unit] = grid
    return label


@peer
def gerrychain_tree(mesh: Parts, grids: int) -> Any:
    return _labels(_tree(mesh, grids, _chain(mesh)), len(mesh["mass"]))


@peer
def gerrychain_bursts(mesh: Parts, grids: int) -> Any:
    """Short bursts of ReCom that cut fewer arcs, from a tree partition."""
    from functools import partial

    from gerrychain import Partition, constraints, updaters
    from gerrychain.optimization import SingleMetricOptimizer
    from gerrychain.proposals import recom

    random.seed(0)
    graph, mean = _chain(mesh), float(mesh["mass"].sum() / grids)
    first = Partition(graph, _tree(mesh, grids, graph), updaters={
        "mass": updaters.Tally("mass"), "cut_edges": updaters.cut_edges})
    step = partial(recom, pop_col="mass", pop_target=mean, epsilon=mesh["tolerance"],
                   node_repeats=2)
    near = constraints.within_percent_of_ideal_population(
        first, mesh["tolerance"] + 0.001, pop_key="mass")
    search = SingleMetricOptimizer(step, near, first, lambda p: len(p["cut_edges"]),
                                   maximize=False)
    for _ in search.short_bursts(10, 200):
        pass
    best = search.best_part.assignment
    return _labels({unit: best[unit] for unit in range(len(mesh["mass"]))}, len(mesh["mass"]))


def _geoda(mesh: Parts) -> tuple[Any, ...]:
    import pandas as pd
    import pygeoda
    import shapely
    from geopandas import GeoDataFrame

    # Its weights come from polygons alone: cells of the places stand in for the units.
    box = shapely.multipoints(mesh["place"])
    cells = shapely.get_parts(shapely.voronoi_polygons(box, ordered=True))
    opened = pygeoda.open(GeoDataFrame({"mass": mesh["mass"]}, geometry=cells))
    return (pygeoda, pygeoda.rook_weights(opened),
            pd.DataFrame(mesh["place"], columns=["x", "y"]), mesh["mass"].tolist())


@peer
def geoda_maxp(mesh: Parts, grids: int) -> Any:
    library, near, place, mass = _geoda(mesh)
    told = library.maxp_greedy(near, place, mass, mesh["low"], iterations=3, seed=0,
                               cpu_threads=1)
    return np.asarray(told["Clusters"] if isinstance(told, dict) else told.Clusters)


@peer
def geoda_azp(mesh: Parts, grids: int) -> Any:
    library, near, place, mass = _geoda(mesh)
    told = library.azp_greedy(grids, near, place, bound_variable=mass, min_bound=mesh["low"],
                              random_seed=0)
    return np.asarray(told["Clusters"] if isinstance(told, dict) else told.Clusters)


@peer
def geoda_skater(mesh: Parts, grids: int) -> Any:
    library, near, place, mass = _geoda(mesh)
    told = library.skater(grids, near, place, bound_variable=mass, min_bound=mesh["low"],
                          random_seed=0, cpu_threads=1)
    return np.asarray(told["Clusters"] if isinstance(told, dict) else told.Clusters)


# ------------------------------------------------------------------------------- the call


def run(name: str, mesh: Parts, counts: list[int]) -> tuple[Any, float]:
    """Return labels and CPU seconds, found community by community where there are several."""
    if len(counts) == 1:
        return ask(name, mesh, counts[0])
    label, used, spent = np.empty(len(mesh["mass"]), int), 0, 0.0
    for community, grids in enumerate(counts):
        members = np.flatnonzero(mesh["community"] == community)
        for units in pieces(mesh, members):
            share = mesh["mass"][units].sum() / max(1.0, mesh["mass"][members].sum())
            wanted = min(len(units), max(1, round(grids * share)))
            part = np.zeros(len(units), int)
            if wanted > 1:
                part, more = ask(name, take(mesh, units), wanted)
                spent += more
            label[units] = used + part
            used += int(part.max()) + 1
    return label, spent


def ask(name: str, mesh: Parts, grids: int) -> tuple[Any, float]:
    """Return labels and CPU seconds of one call of a peer."""
    start = time.process_time()
    label = np.asarray(PEERS[name](mesh, grids))
    return label, time.process_time() - start


def pieces(mesh: Parts, units: Any) -> list[Any]:
    """Return the units of each piece that hangs together: many peers take no other graph."""
    part = take(mesh, units)
    piece = np.full(len(units), -1)
    for root in range(len(units)):
        waiting = [] if piece[root] >= 0 else [root]
        while waiting:
            unit = waiting.pop()
            if piece[unit] < 0:
                piece[unit] = root
                near = part["neighbour"][part["start"][unit]:part["start"][unit + 1]]
                waiting += near[piece[near] < 0].tolist()
    return [units[piece == root] for root in np.unique(piece)]


def main() -> None:
    name, path, counts, labels, low, high, tolerance, follow = sys.argv[1:9]
    mesh: Parts = dict(np.load(path))
    mesh |= {"low": float(low), "high": float(high), "tolerance": float(tolerance),
             "follow": float(follow)}
    label, spent = run(name, mesh, json.loads(counts))
    np.save(labels, label)
    status = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    peak = next(line for line in status if line.startswith("VmHWM")).split()[1]
    print(json.dumps({"cpu_s": spent, "memory_gb": int(peak) * 1024 / 1e9}))


if __name__ == "__main__":
    main()
