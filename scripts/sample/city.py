"""The whole city as the frames that go into files, still without a defect."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pandas import DataFrame

from . import names
from .homes import Homes, build_homes
from .land import Land, build_land
from .offices import Offices, build_offices
from .people import People, build_people, resident_rows
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
    land_cover: DataFrame
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

    sites = _code_sites(plan, homes, territories)
    addresses = _name_addresses(people, homes, territories, sites)
    codes = addresses["address"].to_numpy()
    population = resident_rows(people, codes)
    is_road = np.isin(network.classes, ["motorway", "primary", "secondary", "tertiary",
                                        "residential"])
    is_barrier = np.isin(network.classes, ["coast", "river", "railway"])
    return City(
        plan=plan, communities=moved(territories.communities), towns=moved(territories.towns),
        counties=moved(territories.counties),
        roads=moved(_lines(network, is_road, "L")),
        barriers=moved(_lines(network, is_barrier, "N")),
        land_cover=moved(_land_cover(plan, land, network)),
        sites=moved(sites.drop(columns="block")), addresses=moved(addresses),
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


def _land_cover(plan: Plan, land: Land, network: Network) -> DataFrame:
    """Return hills, rivers and the neighbours' land, for drawing only."""
    hills = bend(plan, land, np.array(land.hills, dtype=object))
    rivers = shapely.line_merge(shapely.multilinestrings(
        network.lines[network.classes == "river"]))
    water = shapely.get_parts(shapely.buffer(rivers, 17.0, quad_segs=3))
    abroad = bend(plan, land, np.array(land.beyond, dtype=object))
    kinds = ["abroad"] * len(abroad) + ["hill"] * len(hills) + ["water"] * len(water)
    return DataFrame({"kind": kinds, "geometry": np.concatenate([abroad, hills, water])})


def _code_sites(plan: Plan, homes: Homes, territories: Territories) -> DataFrame:
    """Give the sites codes and names: compounds after their community."""
    sites = homes.sites
    place = territories.communities["name"].str.slice(0, 2).to_numpy()[
        territories.of_block[sites["block"]]]
    number = sites.assign(place=place).groupby(["place", "kind"]).cumcount().to_numpy()
    label = [p + names.site(k, n) for p, k, n in zip(place, sites["kind"], number, strict=True)]
    return DataFrame({"site": _numbers("S", len(sites)), "kind": sites["kind"], "name": label,
                      "block": sites["block"], "geometry": sites["geometry"]})


def _code_buildings(homes: Homes) -> DataFrame:
    rows = homes.buildings
    return DataFrame({"building": _numbers("B", len(rows)), "use": rows["use"],
                      "floors": rows["floors"], "geometry": homes.footprints})


def _name_addresses(people: People, homes: Homes, territories: Territories, sites: DataFrame
                    ) -> DataFrame:
    """Write the standard addresses: town, community, compound or street, number, stair."""
    rows = people.addresses
    towns = dict(zip(territories.towns["code"], territories.towns["name"], strict=True))
    community = territories.communities
    place = (community["parent"].map(towns) + community["name"]).to_numpy()
    stem = community["name"].str.slice(0, 2).to_numpy()[territories.of_block]
    lot = DataFrame({"c": territories.of_block}).groupby("c").cumcount().to_numpy()
    street = np.array([names.street(s, n) for s, n in zip(stem, lot, strict=True)], dtype=object)
    street[homes.uses == "open"] = ""
    street[sites["block"]] = sites["name"]
    number = homes.buildings.groupby("block").cumcount().to_numpy()[rows["building"]] + 1
    villages = homes.uses[rows["block"]] == "open"  # numbered through, over all blocks
    through = rows.groupby("community").cumcount().to_numpy() + 1
    number = np.where(villages, through, number)
    many = homes.buildings["stairs"].to_numpy()[rows["building"]] > 1
    text = np.strings.add(place[rows["community"]].astype("U"), street[rows["block"]].astype("U"))
    text = np.strings.add(text, number.astype("U"))
    ending = np.strings.add(np.strings.add("号楼", rows["stair"].to_numpy().astype("U")), "单元")
    text = np.strings.add(text, np.where(many, ending, "号"))
    return DataFrame({
        "address": _numbers("A", len(rows)), "text": text,
        "community": community["code"].to_numpy()[rows["community"]],
        "x": rows["x"], "y": rows["y"], "households": rows["households"],
    })
