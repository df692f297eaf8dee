"""What the departments keep: their own schemes, assets, workers, events, visits, figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas import DataFrame
from scipy.spatial import cKDTree
from shapely import STRtree

from . import names
from .homes import Homes
from .land import Land
from .people import People
from .plan import Floats, Plan
from .streets import Network
from .territories import Territories, dissolve

MONTHS = tuple(f"2025-{m:02d}" for m in range(1, 13))
#: Reach of each kind of asset in metres; none for cameras and lamps.
REACH = {"notice board": 200, "service centre": 1000, "hydrant": 150, "camera": None,
         "lamp": None}
LETTERS = {"notice board": "NB", "service centre": "SC", "hydrant": "HY", "camera": "CA",
           "lamp": "LA"}
MATTERS = ("street lamp out", "rubbish not collected", "noise", "water pipe leaking",
           "parking", "neighbour dispute", "fire exit blocked", "road surface damaged",
           "stray animal", "help for an elderly resident", "illegal building", "permit question")
#: Who closes an event, with the share of each; the last stays open.
LEVELS = {"grid": 0.970, "community": 0.014, "town": 0.008, "department": 0.004, "": 0.004}


@dataclass(frozen=True)
class Offices:
    """The frames of the departments; coordinates in the metric CRS."""

    schemes: dict[str, DataFrame]
    assets: DataFrame
    workers: DataFrame
    events: DataFrame
    visits: DataFrame
    indicators: DataFrame


def build_offices(plan: Plan, land: Land, network: Network, homes: Homes,
                  territories: Territories, people: People) -> Offices:
    """Make everything that departments keep on top of the city."""
    places = people.addresses
    lived = places[places["households"] > 0].reset_index(drop=True)
    events = _events(plan, lived)
    visits = _visits(plan, lived, homes)
    return Offices(
        schemes=_schemes(plan, network, territories, lived),
        assets=_assets(plan, network, territories, lived),
        workers=_workers(plan, territories, lived),
        events=events.drop(columns="community"),
        visits=visits.drop(columns="community"),
        indicators=_indicators(plan, territories, people, events, visits),
    )


def _schemes(plan: Plan, network: Network, territories: Territories, lived: DataFrame
             ) -> dict[str, DataFrame]:
    return {
        "police_beats": _beats(plan, network, lived),
        "city_management": _management(plan, network),
        "civil_affairs": _civil(plan, territories),
    }


def _beats(plan: Plan, network: Network, lived: DataFrame) -> DataFrame:
    """Police beats: whole blocks around stations of their own, across community borders."""
    rng = plan.random("beats")
    count = max(6, round(plan.households / 1000))
    seats = lived.iloc[rng.choice(len(lived), count, replace=False, p=lived["households"]
                                  / lived["households"].sum())]
    middle = shapely.get_coordinates(shapely.centroid(network.blocks))
    nearest = cKDTree(seats[["x", "y"]].to_numpy()).query(middle)[1]
    used, group = np.unique(nearest, return_inverse=True)
    shapes = dissolve(network.blocks, group, len(used))
    grown = rng.random(len(shapes)) < 0.2  # beats whose station drew the line too far out
    shapes[grown] = shapely.simplify(shapely.buffer(shapes[grown], 25.0, quad_segs=2), 4.0)
    return _coded(shapes, "JW")


def _management(plan: Plan, network: Network) -> DataFrame:
    """City management: cells drawn on a plan of the town, over blocks and borders alike."""
    rng = plan.random("management")
    inside = network.density > 6.0
    town = shapely.union_all(shapely.buffer(network.blocks[inside], 0.5)).simplify(8.0)
    shapely.prepare(town)
    blocks = network.blocks[inside]
    count = max(8, round(len(blocks) / 12))
    seats = shapely.get_coordinates(shapely.centroid(blocks[rng.permutation(len(blocks))[:count]]))
    seats = seats + rng.normal(0, 30.0, seats.shape)
    cells = shapely.get_parts(shapely.voronoi_polygons(
        shapely.multipoints(seats), extend_to=shapely.box(*town.bounds)))
    shapes = shapely.intersection(cells, town)
    shapes = shapes[~shapely.is_empty(shapes) & (shapely.area(shapes) > 2000)]
    return _coded(shapes, "CG")


def _civil(plan: Plan, territories: Territories) -> DataFrame:
    """Civil affairs: halves of communities, traced roughly from a paper map."""
    rng = plan.random("civil")
    shapes, codes = [], []
    for shape, code in zip(territories.communities["geometry"], territories.communities["code"],
                           strict=True):
        ring = shapely.get_coordinates(shapely.oriented_envelope(shape))[:4]
        first = ring[0] + (ring[1] - ring[0]) * 0.5
        last = ring[3] + (ring[2] - ring[3]) * 0.5
        wide = np.hypot(*(ring[1] - ring[0])) >= np.hypot(*(ring[2] - ring[1]))
        half = shapely.Polygon(
            [ring[0], first, last, ring[3]] if wide else
            [ring[0], ring[1], (ring[1] + ring[2]) / 2, (ring[0] + ring[3]) / 2])
        parts = [shapely.intersection(shape, half.buffer(0.1)),
                 shapely.difference(shape, half.buffer(0.1))]
        for number, part in enumerate(p for p in parts if p.area > 1000):
            shift = rng.normal(0, 4.0, 2)
            rough = shapely.simplify(part, 9.0)
            shapes.append(shapely.transform(rough, lambda xy, s=shift: xy + s))
            codes.append(f"{code}-{number + 1}")
    return DataFrame({"code": codes, "geometry": _clean(np.array(shapes))})


def _clean(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    broken = ~shapely.is_valid(shapes)
    shapes[broken] = shapely.buffer(shapes[broken], 0)
    return shapely.set_precision(shapes, 0.01)


def _coded(shapes: NDArray[np.object_], prefix: str) -> DataFrame:
    shapes = _clean(np.array(shapes))
    middle = np.round(shapely.get_coordinates(shapely.centroid(shapes)), 2)
    shapes = shapes[np.lexsort((middle[:, 1], middle[:, 0]))]
    codes = [f"{prefix}{i + 1:04d}" for i in range(len(shapes))]
    return DataFrame({"code": codes, "geometry": shapely.normalize(shapes)})


def _assets(plan: Plan, network: Network, territories: Territories, lived: DataFrame
            ) -> DataFrame:
    rng = plan.random("assets")
    weight = (lived["households"] / lived["households"].sum()).to_numpy()
    at = lived[["x", "y"]].to_numpy()
    count = max(1, round(plan.households / 30))
    boards = at[rng.choice(len(at), count, replace=False, p=weight)]
    boards = boards + rng.normal(0, 9.0, (count, 2))
    centres = _centres(territories, lived)
    streets = np.isin(network.classes, ["primary", "secondary", "tertiary", "residential"])
    density = _line_density(network)
    hydrants = _along(network.lines[streets & (density > 4)], 190.0, rng)
    lamps = _along(network.lines[np.isin(network.classes, ["primary", "secondary"])
                                 & (density > 8)], 130.0, rng)
    corners = _corners(network, density)
    cameras = corners[rng.random(len(corners)) < 0.5]
    kinds = {"notice board": boards, "service centre": centres, "hydrant": hydrants,
             "camera": cameras, "lamp": lamps}
    frames = [DataFrame({"kind": kind, "x": np.round(xy[:, 0], 2), "y": np.round(xy[:, 1], 2)})
              for kind, xy in kinds.items()]
    assets = pd.concat(frames, ignore_index=True)
    number = assets.groupby("kind").cumcount() + 1
    code = assets["kind"].map(LETTERS) + number.astype(str).str.zfill(5)
    return assets.assign(asset=code, radius_m=assets["kind"].map(REACH))


def _centres(territories: Territories, lived: DataFrame) -> Floats:
    """A service centre for about two communities in three, at the address in their middle."""
    by = lived.groupby("community")[["x", "y"]].median()
    chosen = by[np.arange(len(by)) % 3 != 1]
    spots = cKDTree(lived[["x", "y"]].to_numpy()).query(chosen.to_numpy())[1]
    return lived[["x", "y"]].to_numpy()[spots] + [6.0, -8.0]


def _line_density(network: Network) -> Floats:
    middle = shapely.line_interpolate_point(network.lines, 0.5, normalized=True)
    near = STRtree(network.blocks).nearest(middle)
    return network.density[near]


def _along(lines: NDArray[np.object_], step: float, rng: np.random.Generator) -> Floats:
    """Return points every so many metres along lines, beside the carriageway."""
    count = np.floor(shapely.length(lines) / step + rng.random(len(lines))).astype(int)
    owner = np.repeat(np.arange(len(lines)), count)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    share = (number + 0.5) / count[owner]
    spots = shapely.line_interpolate_point(lines[owner], share, normalized=True)
    return shapely.get_coordinates(spots) + rng.choice([-5.0, 5.0], (len(owner), 2))


def _corners(network: Network, density: Floats) -> Floats:
    """Return the junctions of roads in town, a little beside the middle."""
    big = np.isin(network.classes, ["primary", "secondary", "tertiary", "residential"])
    big &= density > 6
    ends = np.concatenate([shapely.get_coordinates(shapely.get_point(network.lines[big], i))
                           for i in (0, -1)])
    spots, count = np.unique(ends, axis=0, return_counts=True)
    return spots[count > 2] + [4.0, 4.0]


def _workers(plan: Plan, territories: Territories, lived: DataFrame) -> DataFrame:
    """One lead in each community, and a post for every 300 households or so."""
    rng = plan.random("workers")
    homes = lived.groupby("community")["households"].sum().reindex(
        range(len(territories.communities)), fill_value=0).to_numpy()
    full = np.maximum(1, np.round(homes / 330)).astype(int)
    part = (homes > 450).astype(int)
    owner = np.concatenate([np.arange(len(homes)), np.repeat(np.arange(len(homes)), full),
                            np.repeat(np.arange(len(homes)), part)])
    role = np.repeat(["lead", "full-time", "part-time"], [len(homes), full.sum(), part.sum()])
    order = np.argsort(owner, kind="stable")
    code = territories.communities["code"].to_numpy()[owner[order]]
    return DataFrame({
        "worker": [f"W{i + 1:05d}" for i in range(len(order))], "territory": code,
        "role": role[order], "name": names.persons(rng, len(order)),
        "phone": names.phones(rng, len(order)),
        "identity": names.identity_numbers(rng, len(order)),
    })


def _events(plan: Plan, lived: DataFrame) -> DataFrame:
    """A year of matters, most closed by the grid within a day or two."""
    rng = plan.random("events")
    count = round(plan.households / 4)
    weight = (lived["households"] / lived["households"].sum()).to_numpy()
    at = rng.choice(len(lived), count, p=weight)
    opened = np.datetime64("2025-01-01T07:00") + (
        rng.integers(0, 365, count) * 1440 + rng.integers(0, 14 * 60, count)
    ).astype("timedelta64[m]")
    opened = np.sort(opened)
    level = rng.choice(list(LEVELS), count, p=list(LEVELS.values()))
    hours = rng.lognormal(np.log(9.0), 0.9, count) * np.select(
        [level == "grid", level == "community"], [1.0, 5.0], 16.0)
    closed = opened + np.maximum(10, hours * 60).astype("timedelta64[m]")
    closed[level == ""] = np.datetime64("NaT")
    odds = np.array([14, 13, 11, 8, 15, 9, 6, 7, 4, 5, 3, 5], dtype=float)
    shift = rng.normal(0, 14.0, (count, 2))
    return DataFrame({
        "event": [f"E{i + 1:06d}" for i in range(count)],
        "matter": rng.choice(MATTERS, count, p=odds / odds.sum()),
        "opened": opened, "closed": closed, "level": level,
        "x": lived["x"].to_numpy()[at] + shift[:, 0], "y": lived["y"].to_numpy()[at] + shift[:, 1],
        "community": lived["community"].to_numpy()[at],
    })


def _visits(plan: Plan, lived: DataFrame, homes: Homes) -> DataFrame:
    """Household visits counted per block and month, over the last half year."""
    rng = plan.random("visits")
    by = lived.groupby("block").agg(x=("x", "median"), y=("y", "median"),
                                    households=("households", "sum"),
                                    community=("community", "first"))
    by = by[by["households"] >= 10]
    parts = []
    for month in MONTHS[6:]:
        count = rng.binomial(by["households"].to_numpy(), 0.15)
        parts.append(by.assign(period=month, count=count)[count > 0])
    visits = pd.concat(parts, ignore_index=True)
    return visits.assign(visit=[f"V{i + 1:05d}" for i in range(len(visits))])


def _indicators(plan: Plan, territories: Territories, people: People, events: DataFrame,
                visits: DataFrame) -> DataFrame:
    """The figures each community reports every month, from the same books."""
    count = len(territories.communities)
    lived = np.bincount(people.addresses["community"], people.addresses["households"],
                        minlength=count).astype(int)
    month = events["opened"].dt.month.to_numpy() - 1
    opened = np.zeros((12, count), dtype=int)
    inside = np.zeros((12, count), dtype=int)
    np.add.at(opened, (month, events["community"]), 1)
    closed = (events["level"] == "grid").to_numpy()
    np.add.at(inside, (month[closed], events["community"][closed]), 1)
    seen = np.zeros((12, count), dtype=int)
    when = visits["period"].str[5:].astype(int).to_numpy() - 1
    np.add.at(seen, (when, visits["community"]), visits["count"])
    return DataFrame({
        "period": np.repeat(MONTHS, count),
        "community": np.tile(territories.communities["code"], 12),
        "households": np.tile(lived, 12), "events": opened.ravel(),
        "events_closed_in_grid": inside.ravel(), "visits": seen.ravel(),
    })
