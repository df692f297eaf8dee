#!/usr/bin/env python3
"""Measure coverage, siting and what is published against targets and peers.

    python scripts/bench_coverage.py --quick                a tenth of a city, under 2 minutes
    python scripts/bench_coverage.py --json coverage.json   7,400 grids, 580,000 households

CPU seconds on one core, after a first small run that compiles and loads. pandana, access and
spopt run on the same input in a Python of their own: --peers-python NAME, one that has them
installed. Exit code 1 when a target falls short.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bench_coverage_attacks as attacks
import numpy as np
import shapely
from bench_coverage_inputs import City, make_city

import gridmap as gm
from gridmap.coverage.network import Network

Row = dict[str, Any]


def main() -> int:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the city")
    parser.add_argument("--json", type=Path, help="write the rows here")
    parser.add_argument("--peers-python", help="a Python with pandana, access and spopt")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    scale = 0.1 if options.quick else 1.0
    measure_all(make_city(0.01))  # loads what is slow to load
    city = make_city(scale)
    rows = [*measure_city(city, scale), *measure_sites(city, scale),
            *measure_peers(city, options.peers_python), *measure_attacks(city)]
    for row in rows:
        tell(row)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0 if all(row["ok"] for row in rows) else 1


def tell(row: Row) -> None:
    target = "" if row["target"] is None else f"target {row['target']:g}"
    peer = "" if row["peer_value"] is None else f"{row['peer']}: {row['peer_value']:,.6g}"
    print(f"{'ok ' if row['ok'] else 'NOT'} {row['work']:52} {row['measure']:22} "
          f"{row['value']:>12,.6g} {target:14} {peer}")


def make_row(
    work: str, measure: str, value: float, *, most: float | None = None,
    least: float | None = None, peer: str | None = None, peer_value: float | None = None,
) -> Row:
    target = most if most is not None else least
    ok = (most is None or value <= most) and (least is None or value >= least)
    return {"work": work, "measure": measure, "value": float(value), "target": target,
            "ok": bool(ok), "peer": peer, "peer_value": peer_value}


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return work(), time.process_time() - began


# ------------------------------------------------------------------------------ the city


def measure_all(city: City) -> dict[str, float]:
    """Do everything that the coverage of a city asks for; return the seconds of each part."""
    spent = {}
    network, spent["network"] = timed(lambda: gm.build_network(city.roads))
    covered, spent["coverage"] = timed(lambda: gm.measure_coverage(
        city.grids, elements=city.homes, assets=city.assets, events=city.events,
        visits=city.visits, workers=city.workers, network=network, by_road=["service centre"]))
    area = city.assets[city.assets["kind"] == "notice board"]
    _, spent["area in reach of boards"] = timed(lambda: gm.measure_area_reach(city.grids, area))
    _, spent["matters, months and levels"] = timed(lambda: [
        gm.measure_matters(city.events, by=by, limits_days=7.0)
        for by in (["matter"], ["department"], ["level"], ["grid"], ["grid", "month"], ["week"])])
    _, spent["hot spots"] = timed(lambda: gm.find_hot_spots(
        covered.by_grid["events"], city.grids, base=city.grids["households"]))
    _, spent["workload"] = timed(lambda: gm.measure_workload(
        covered.by_grid, {"households": 1.0, "events": 4.0}, workers=city.workers,
        team={"lead": 1, "full-time": 1}))
    _, spent["suppression"] = timed(lambda: gm.suppress_counts(
        covered.by_grid, gm.load_publication("shared")))
    return spent


def measure_city(city: City, scale: float) -> list[Row]:
    spent = measure_all(city)
    work = f"city: {len(city.grids):,} grids, {len(city.homes):,} households"
    rows = [make_row(work, part, seconds) for part, seconds in spent.items()]
    rows.append(make_row(work, "all, CPU s", sum(spent.values()), most=60.0 * max(scale, 0.2)))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    rows.append(make_row(work, "peak memory, GB", peak, most=4.0))
    return rows


# ----------------------------------------------------------------------------------- siting


def measure_sites(city: City, scale: float) -> list[Row]:
    """Site among 2,000 candidates for 60,000 places, as a planner would ask."""
    chance = np.random.default_rng(3)
    places, spots = int(60_000 * scale), max(int(2_000 * scale), 60)
    homes = city.homes.iloc[np.sort(chance.choice(len(city.homes), places, replace=False))]
    candidates = city.homes.iloc[np.sort(chance.choice(len(city.homes), spots, replace=False))]
    existing = city.assets[city.assets["kind"] == "service centre"]
    count = max(int(80 * scale), 5)
    work = f"sites: {spots:,} candidates, {places:,} places"
    asked: dict[str, Callable[[], gm.coverage.Sites]] = {
        f"most in 1 km, {count} more": lambda: gm.choose_sites(
            candidates, homes, radius_m=1_000, count=count, existing=existing, seconds=45),
        "fewest for 60 % in 1.5 km": lambda: gm.choose_sites(
            candidates, homes, radius_m=1_500, share=0.6, seconds=45),
        f"nearest on average, {count}": lambda: gm.choose_medians(
            candidates, homes, count=count),
    }
    rows = []
    for name, choose in asked.items():
        began = time.perf_counter()
        sites, seconds = timed(choose)
        waited = time.perf_counter() - began
        rows += [make_row(work, f"{name}: CPU s", seconds, most=60.0),
                 make_row(work, f"{name}: s", waited),
                 make_row(work, f"{name}: gap", sites.totals["gap"], most=0.05)]
    return rows


# ------------------------------------------------------------------------------------ peers


def measure_peers(city: City, python: str | None) -> list[Row]:
    """Let pandana, access and spopt do the same on the same input."""
    if python is None:
        print("no --peers-python: the peers are left out", file=sys.stderr)
        return []
    network = gm.build_network(city.roads)
    chance = np.random.default_rng(4)
    place = chance.integers(0, len(network.nodes), len(city.homes))
    site = chance.choice(len(network.nodes), 81, replace=False)
    given = {"nodes": network.nodes, "tail": network.tail, "head": network.head,
             "length": network.length, "place_nodes": place, "site_nodes": site,
             **_pairs(city), **_town(city)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "input.npz"
        np.savez(file, **given)
        script = Path(__file__).with_name("bench_coverage_peers.py")
        answer = Path(folder) / "answer.json"
        ran = subprocess.run([python, str(script), str(file), str(answer)], check=False,
                             stdout=subprocess.DEVNULL)
        if ran.returncode:
            raise SystemExit("the peers failed")
        told = json.loads(answer.read_text(encoding="utf-8"))
    rows = []
    if "pandana" in told:
        rows += _beside_pandana(network, place, site, told["pandana"])
    if "access" in told:
        rows += _beside_access(city, told["access"])
    if "spopt" in told:
        rows += _beside_spopt(city, given, told["spopt"])
    return rows


def _beside_pandana(network: Network, place: Any, site: Any, peer: Row) -> list[Row]:
    found, seconds = timed(lambda: gm.measure_distances(
        network, network.nodes[place], network.nodes[site]))
    some = found[:: max(len(found) // 20_000, 1)]
    off = np.abs(some - np.array(peer["distances"])).max()
    work = f"roads: {len(place):,} households to {len(site)} centres, {len(network.tail):,} edges"
    return [make_row(work, "CPU s", seconds, most=10.0, peer="pandana",
                     peer_value=peer["seconds"]),
            # pandana counts in singles: a metre on 60 km
            make_row(work, "farthest from pandana, m", float(off), most=1.0)]


def _clinics(city: City) -> Any:
    return city.assets[city.assets["kind"] == "service centre"].sort_index()


def _pairs(city: City) -> Row:
    clinics = _clinics(city)
    shapes = city.homes.geometry.to_numpy()
    site, place = shapely.STRtree(shapes).query(
        clinics.geometry.to_numpy(), predicate="dwithin", distance=3_000.0)
    way = shapely.distance(shapes[place], clinics.geometry.to_numpy()[site])
    return {"households": city.homes["households"].to_numpy(dtype=float),
            "capacity": clinics["capacity"].to_numpy(), "pair_place": place, "pair_site": site,
            "pair_distance": way, "radius": 3_000.0}


def _beside_access(city: City, peer: Row) -> list[Row]:
    found, seconds = timed(lambda: gm.measure_access(city.homes, _clinics(city)))
    some = found.to_numpy()[:: max(len(found) // 20_000, 1)]
    off = np.abs(some - np.array(peer["each"])).max()
    work = f"access: {len(found):,} households, 81 centres with a capacity"
    return [make_row(work, "CPU s, pairs found", seconds, peer="access, pairs given",
                     peer_value=peer["seconds"]),
            make_row(work, "farthest from access", float(off), most=1e-9)]


def _town(city: City) -> Row:
    """A town so small that all can prove what is best: 400 places, 60 candidates."""
    homes, spots = city.homes.iloc[:400], city.homes.iloc[400:460]
    xy, sites = (f.get_coordinates().to_numpy() for f in (homes, spots))
    weight = np.random.default_rng(5).integers(1, 50, len(homes)).astype(float)
    cost = np.hypot(*(xy[:, None] - sites).transpose(2, 0, 1))
    return {"town_cost": cost, "town_households": weight, "town_radius": 4_000.0,
            "town_count": 8}


def _beside_spopt(city: City, given: Row, peer: Row) -> list[Row]:
    homes = city.homes.iloc[:400].assign(households=given["town_households"])
    spots = city.homes.iloc[400:460]
    covered = (given["town_cost"] <= given["town_radius"]).any(axis=1)
    work = f"sites: 60 candidates, 400 places, {given['town_count']} chosen"
    asked = {
        "mclp": lambda: gm.choose_sites(spots, homes, radius_m=4_000, count=8).totals[
            "households"],
        "lscp": lambda: gm.choose_sites(spots, homes[covered], radius_m=4_000,
                                        share=1.0).totals["sites"],
        "pmedian": lambda: gm.choose_medians(spots, homes, count=8).totals["mean_after"],
    }
    rows = []
    for name, choose in asked.items():
        value, seconds = timed(choose)
        best = float(peer[name])
        off = {"mclp": best - value, "lscp": value - best, "pmedian": value - best}[name]
        rows += [make_row(work, f"{name}: CPU s", seconds, peer="spopt",
                          peer_value=peer[f"{name}_seconds"]),
                 make_row(work, f"{name}: worse than spopt by", off, most=1e-3 * best,
                          peer="spopt", peer_value=best)]
    return rows


# ---------------------------------------------------------------------------------- attacks


def measure_attacks(city: City) -> list[Row]:
    """Attack counts of few people by totals and by differences between two releases."""
    chance = np.random.default_rng(7)
    few = city.grids.iloc[:1_500]
    people = np.where(chance.random(len(few)) < 0.2, chance.integers(1, 10, len(few)),
                      chance.integers(0, 400, len(few)))
    by_grid = few[["territory", "kind", "area_m2"]].assign(people=people, households=people)
    by_grid = by_grid.assign(town=by_grid["territory"].str[:2])
    allowed = gm.Publication(name="shared", columns=("territory", "people"))
    levels = ("territory", "town")
    published = gm.suppress_counts(by_grid, allowed, parent=levels)
    secrets = int(((people > 0) & (people < attacks.SMALLEST)).sum())
    work = f"attacks: {len(few):,} grids, {secrets:,} small counts"
    rows = [
        make_row(work, "by subtraction", attacks.attack_totals(by_grid, published, "people",
                                                               levels), most=0,
                 peer="small counts withheld alone",
                 peer_value=attacks.attack_naively(by_grid, "people")),
        make_row(work, "others withheld, share", float(
            (published.by_grid["people"].isna() & (by_grid["people"] >= 10)).mean())),
    ]
    return rows + _attack_difference(city, allowed)


def _attack_difference(city: City, allowed: gm.Publication) -> list[Row]:
    homes = city.homes.dropna(subset=["grid"]).iloc[:60_000]
    homes = homes.assign(old=homes["grid"], new=attacks.move_borders(homes))
    counts = {name: homes.groupby(name)["people"].sum() for name in ("old", "new")}
    counts = {name: one.where((one == 0) | (one >= attacks.SMALLEST))
              for name, one in counts.items()}
    exposed, seconds = timed(lambda: gm.find_disclosures(homes, counts, allowed))
    slices = homes.groupby(["old", "new"])["people"].sum()
    moved = slices[slices.index.get_level_values(0) != slices.index.get_level_values(1)]
    work = f"attacks: old and new grids of {len(homes):,} households"
    planted = int((moved < attacks.SMALLEST).sum())
    coarser = gm.merge_zones(homes, counts, allowed)
    after = homes.assign(new=homes["new"].map(coarser))
    told = after.groupby("new")["people"].sum()
    left = gm.find_disclosures(after, {"old": counts["old"], "new": told.where(
        (told == 0) | (told >= attacks.SMALLEST))}, allowed)
    return [make_row(work, "slices exposed, found", len(exposed), least=1,
                     peer="strips of few people moved", peer_value=planted),
            make_row(work, "CPU s", seconds),
            make_row(work, "exposed after merging", len(left), most=0)]


if __name__ == "__main__":
    sys.exit(main())
