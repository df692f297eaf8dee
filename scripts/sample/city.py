"""The whole city as the frames that go into files, still without a defect."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pandas import DataFrame

from .homes import Homes, build_homes
from .land import Land, build_land
from .offices import Offices, build_offices
from .people import People, build_people, household_rows, resident_rows
from .plan import CRS, MIDDLE, Floats, Plan
from .routes import build_routes
from .streets import Network, Shapes, bend, build_network
from .territories import Territories, build_territories


@dataclass(frozen=True)
class City:
    """All frames, with coordinates in the metric CRS."""

    plan: Plan
    communities: DataFrame
    towns: DataFrame
    counties: DataFrame
    roads: DataFrame
    barriers: DataFrame
    hills: DataFrame
    sites: DataFrame
    addresses: DataFrame
    buildings: DataFrame
    population: DataFrame
    offices: Offices


def build_city(plan: Plan) -> City:
    """Build everything, then move it to its place on the map."""
    land = build_land(plan)
    network = build_network(plan, land, build_routes(plan, land))
    homes = build_homes(plan, land, network)
    lived = np.bincount(homes.buildings["block"], homes.buildings["households"],
                        minlength=len(network.blocks))
    territories = build_territories(plan, land, network, lived)
    people = build_people(plan, homes, territories)
    offices = build_offices(plan, land, network, homes, territories, people)
    return _place(plan, land, network, homes, territories, people, offices)


def origin(plan: Plan) -> Floats:
    """Return the map coordinates of the city's lower left corner."""
    to_map = pyproj.Transformer.from_crs("EPSG:4490", CRS, always_xy=True)
    east, north = to_map.transform(*MIDDLE)
    half = np.array([0.65, 0.5]) * plan.height_m
    return np.round(np.array([east, north]) - half, -2)


def _place(plan: Plan, land: Land, network: Network, homes: Homes, territories: Territories,
           people: People, offices: Offices) -> City:
    corner = origin(plan)

    def moved(frame: DataFrame) -> DataFrame:
        if "geometry" in frame:
            return frame.assign(geometry=_shift(frame["geometry"].to_numpy(), corner))
        return frame.assign(x=np.round(frame["x"] + corner[0], 2),
                            y=np.round(frame["y"] + corner[1], 2))

    addresses = _name_addresses(people, homes, territories)
    codes = addresses["address"].to_numpy()
    population = (resident_rows if plan.residents else household_rows)(people, codes)
    is_road = np.isin(network.classes, ["motorway", "primary", "secondary", "tertiary",
                                        "residential"])
    is_barrier = np.isin(network.classes, ["coast", "river", "railway"])
    return City(
        plan=plan, communities=moved(territories.communities), towns=moved(territories.towns),
        counties=moved(territories.counties),
        roads=moved(_lines(network, is_road, "L")),
        barriers=moved(_lines(network, is_barrier, "N")),
        hills=moved(DataFrame({"kind": "hill", "geometry": bend(
            plan, land, np.array(land.hills, dtype=object))})),
        sites=moved(_code_sites(homes)), addresses=moved(addresses),
        buildings=moved(_code_buildings(homes)), population=moved(population),
        offices=replace(
            offices, schemes={k: moved(v) for k, v in offices.schemes.items()},
            assets=moved(offices.assets), events=moved(offices.events),
            visits=moved(offices.visits)),
    )


def _shift(shapes: Shapes, corner: Floats) -> Shapes:
    return shapely.transform(shapes, lambda xy: np.round(xy + corner, 2))


def _numbers(letter: str, count: int) -> NDArray[np.str_]:
    digits = max(5, len(str(count)))
    return np.char.add(letter, np.char.zfill(np.arange(1, count + 1).astype(str), digits))


def _lines(network: Network, chosen: NDArray[np.bool_], letter: str) -> DataFrame:
    kinds, shapes = network.classes[chosen], network.lines[chosen]
    return DataFrame({"line": _numbers(letter, len(shapes)), "kind": kinds, "geometry": shapes})


def _code_sites(homes: Homes) -> DataFrame:
    sites = homes.sites.drop(columns="block")
    return sites.assign(site=_numbers("S", len(sites)))[["site", "kind", "geometry"]]


def _code_buildings(homes: Homes) -> DataFrame:
    rows = homes.buildings
    return DataFrame({"building": _numbers("B", len(rows)), "use": rows["use"],
                      "floors": rows["floors"], "geometry": homes.footprints})


def _name_addresses(people: People, homes: Homes, territories: Territories) -> DataFrame:
    """Write the standard address: town, community, building, stair."""
    rows = people.addresses
    towns = dict(zip(territories.towns["code"], territories.towns["name"], strict=True))
    community = territories.communities
    place = (community["parent"].map(towns) + community["name"]).to_numpy()
    many = homes.buildings["stairs"].to_numpy()[rows["building"]] > 1
    block = homes.buildings["block"]
    number = block.groupby(block).cumcount().to_numpy()[rows["building"]] + 1
    lot = rows["block"] - rows.groupby("community")["block"].transform("min") + 1
    text = (DataFrame({"place": place[rows["community"]]})["place"] + lot.astype(str) + "区"
            + DataFrame({"n": number})["n"].astype(str) + "号")
    text = text.where(~many, text + "楼" + rows["stair"].astype(str) + "单元")
    return DataFrame({
        "address": _numbers("A", len(rows)), "text": text,
        "community": community["code"].to_numpy()[rows["community"]],
        "x": rows["x"], "y": rows["y"], "households": rows["households"],
    })
