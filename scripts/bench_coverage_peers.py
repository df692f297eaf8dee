"""The same work by pandana, access and spopt; run by a Python that has them.

    python scripts/bench_coverage_peers.py INPUT.npz OUTPUT.json

Each peer that is not installed is left out.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Answer = dict[str, Any]


def main() -> None:
    given = dict(np.load(sys.argv[1]))
    told: dict[str, Answer] = {}
    for name, work in (("pandana", walk), ("access", share), ("spopt", choose)):
        try:
            told[name] = work(given)
        except ImportError:
            print(f"{name} is not installed", file=sys.stderr)
    Path(sys.argv[2]).write_text(json.dumps(told), encoding="utf-8")


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def walk(given: Answer) -> Answer:
    """Distances of places on nodes to the nearest centre on a node."""
    import pandana
    import pandas as pd

    nodes, tail, head = given["nodes"], given["tail"], given["head"]

    def measure() -> Any:
        network = pandana.Network(
            pd.Series(nodes[:, 0]), pd.Series(nodes[:, 1]), pd.Series(tail), pd.Series(head),
            pd.DataFrame({"m": given["length"]}), twoway=True)
        sites = nodes[given["site_nodes"]]
        network.set_pois("site", 1e6, 1, sites[:, 0], sites[:, 1])
        near = network.nearest_pois(1e6, "site", num_pois=1)
        return near[1].to_numpy()[given["place_nodes"]]

    found, seconds = _timed(measure)
    return {"seconds": seconds, "distances": found[:: max(len(found) // 20_000, 1)].tolist()}


def share(given: Answer) -> Answer:
    """Capacity for each household by two-step floating catchment areas."""
    import pandas as pd
    from access import weights  # noqa: F401  the package is there
    from access.fca import two_stage_fca

    people = pd.DataFrame({"demand": given["households"]}).rename_axis("geoid").reset_index()
    supply = pd.DataFrame({"supply": given["capacity"]}).rename_axis("geoid")
    cost = pd.DataFrame({"origin": given["pair_place"], "dest": given["pair_site"],
                         "cost": given["pair_distance"]})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found, seconds = _timed(lambda: two_stage_fca(
            people, supply, cost, max_cost=float(given["radius"])))
    each = found.reindex(people.index).fillna(0.0).to_numpy()
    return {"seconds": seconds, "each": each[:: max(len(each) // 20_000, 1)].tolist()}


def choose(given: Answer) -> Answer:
    """MCLP, LSCP and p-median on a small town, by HiGHS."""
    import pulp
    from spopt.locate import LSCP, MCLP, PMedian

    cost, weight = given["town_cost"], given["town_households"]
    radius, count = float(given["town_radius"]), int(given["town_count"])
    solver = pulp.HiGHS(msg=False) if "HiGHS" in pulp.listSolvers(True) else pulp.PULP_CBC_CMD(
        msg=False)
    told: Answer = {}
    problem, told["mclp_seconds"] = _timed(lambda: MCLP.from_cost_matrix(
        cost, weight, radius, p_facilities=count).solve(solver))
    told["mclp"] = problem.problem.objective.value()
    covered = (cost <= radius).any(axis=1)
    problem, told["lscp_seconds"] = _timed(lambda: LSCP.from_cost_matrix(
        cost[covered], radius).solve(solver))
    told["lscp"] = problem.problem.objective.value()
    problem, told["pmedian_seconds"] = _timed(lambda: PMedian.from_cost_matrix(
        cost, weight, p_facilities=count).solve(solver))
    told["pmedian"] = problem.problem.objective.value() / float(weight.sum())
    return told


if __name__ == "__main__":
    main()
