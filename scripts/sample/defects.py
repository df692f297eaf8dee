"""The planted defects: the same faults that real files have, and the truth about each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pandas import DataFrame
from shapely import STRtree

from . import borders, names
from .city import City
from .plan import Floats

RARE = "䶮"


@dataclass(frozen=True)
class Flawed:
    """The city as its files have it, and the truth that only tests read."""

    city: City
    truth: dict[str, Any]
    true_communities: DataFrame
    table: DataFrame  # published totals of the communities, with damaged codes
    workers: DataFrame


def plant_defects(city: City) -> Flawed:
    """Damage borders, codes, points and rows, and note what was done."""
    truth: dict[str, Any] = {"seed": city.plan.seed}
    city = _rename(city, truth)
    true_communities = _count(city)
    communities, truth["borders"] = borders.tear_borders(city)
    corners = _shared_corners(city, truth["borders"])
    population, truth["population"] = _spoil_population(city, corners)
    spoiled = replace(city, population=population)
    true_communities = _recount(true_communities, spoiled, truth)
    addresses, truth["addresses"] = _spoil_addresses(city)
    assets, truth["assets"] = _spoil_assets(city, corners)
    workers, truth["workers"] = _spoil_workers(city)
    table, truth["table"] = _spoil_table(city, true_communities)
    spoiled = replace(spoiled, communities=communities, addresses=addresses,
                      offices=replace(city.offices, assets=assets))
    truth["totals"] = _totals(city)
    return Flawed(city=spoiled, truth=truth, true_communities=true_communities, table=table,
                  workers=workers)


def _rename(city: City, truth: dict[str, Any]) -> City:
    """Give one community a name with a character that GBK does not have."""
    communities = city.communities.copy()
    code = communities["code"].iloc[-1]
    old = communities["name"].iloc[-1]
    new = RARE + old[1:]
    communities["name"] = communities["name"].where(communities["code"] != code, new)
    has = city.addresses["community"] == code
    text = city.addresses["text"].where(~has, city.addresses["text"].str.replace(old, new))
    truth["rare_name"] = {"community": code, "name": new, "in_shapefile": new[1:],
                          "addresses": int(has.sum())}
    return replace(city, communities=communities, addresses=city.addresses.assign(text=text))


def _count(city: City) -> DataFrame:
    """Count addresses and buildings of every true community."""
    codes = city.communities["code"].to_numpy()
    at = city.addresses.groupby("community").size().reindex(codes, fill_value=0)
    middle = shapely.centroid(city.buildings["geometry"].to_numpy())
    held, _ = STRtree(middle).query(city.communities["geometry"].to_numpy(), "intersects")
    return city.communities.assign(addresses=at.to_numpy(),
                                   buildings=np.bincount(held, minlength=len(codes)))


def _recount(true_communities: DataFrame, city: City, truth: dict[str, Any]) -> DataFrame:
    """Count households and people by where the rows lie, ties to the first code."""
    rows = city.population.drop_duplicates("resident").dropna(subset=["x", "y"])
    points = shapely.points(rows["x"], rows["y"])
    held, row = STRtree(points).query(true_communities["geometry"].to_numpy(), "intersects")
    first = pd.Series(held).groupby(row).min()  # communities are sorted by code
    placed = rows.iloc[first.index].groupby(first.to_numpy())[["households", "people"]].sum()
    placed = placed.reindex(range(len(true_communities)), fill_value=0)
    truth["population"]["outside_people"] = int(rows["people"].sum() - placed["people"].sum())
    truth["population"]["outside_households"] = int(
        rows["households"].sum() - placed["households"].sum())
    return true_communities.assign(households=placed["households"], people=placed["people"])


def _totals(city: City) -> dict[str, int]:
    return {"households": int(city.population["households"].sum()),
            "people": int(city.population["people"].sum()),
            "addresses": len(city.addresses), "buildings": len(city.buildings)}


def _shared_corners(city: City, torn: list[dict[str, Any]]) -> Floats:
    """Return vertices that two or more communities share, away from the torn borders."""
    xy, owner = shapely.get_coordinates(city.communities["geometry"].to_numpy(),
                                        return_index=True)
    frame = DataFrame({"x": xy[:, 0], "y": xy[:, 1], "c": owner}).drop_duplicates()
    many = frame.groupby(["x", "y"]).size()
    shared = np.array(many[many > 1].index.tolist())
    gaps = [np.hypot(shared[:, 0] - t["x"], shared[:, 1] - t["y"]) for t in torn]
    return shared[np.min(gaps, axis=0) > 150.0]


def _in_the_sea(city: City, rng: np.random.Generator, count: int) -> Floats:
    """Return points in the sea, at least 150 m off any shore."""
    county = shapely.buffer(shapely.union_all(city.counties["geometry"].to_numpy()), 150.0)
    low_x, low_y, top_x, top_y = county.bounds
    spots = np.column_stack([rng.uniform(low_x, top_x, 4000),
                             rng.uniform(low_y + 0.6 * (top_y - low_y), top_y, 4000)])
    wet = ~shapely.contains_xy(county, spots)
    return np.round(spots[wet][:count], 2)


def _spoil_population(city: City, corners: Floats) -> tuple[DataFrame, dict[str, Any]]:
    rng = city.plan.random("population defects")
    rows = city.population.copy()
    lived = rows["address"].unique()
    chosen = rng.permutation(lived)[:25]
    where = corners[rng.permutation(len(corners))[:16]]
    for address, (x, y) in zip(chosen[:16], where, strict=True):
        rows.loc[rows["address"] == address, ["x", "y"]] = x, y
    sea = _in_the_sea(city, rng, 5)
    for address, (x, y) in zip(chosen[16:21], sea, strict=True):
        rows.loc[rows["address"] == address, ["x", "y"]] = x, y
    rows.loc[rows["address"].isin(chosen[21:25]), ["x", "y"]] = np.nan
    twice = rows.iloc[np.sort(rng.permutation(len(rows))[:9])]
    on_border = rows.loc[rows["address"].isin(chosen[:16])]
    unplaced = rows.loc[rows["address"].isin(chosen[21:25])]
    truth = {
        "rows": len(rows) + len(twice),
        "on_border": on_border["resident"].tolist(),
        "in_the_sea": rows.loc[rows["address"].isin(chosen[16:21]), "resident"].tolist(),
        "without_place": unplaced["resident"].tolist(),
        "without_place_households": int(unplaced["households"].sum()),
        "without_place_people": int(unplaced["people"].sum()),
        "same_id_twice": twice["resident"].tolist(),
    }
    return pd.concat([rows, twice], ignore_index=True), truth


def _spoil_addresses(city: City) -> tuple[DataFrame, dict[str, Any]]:
    rng = city.plan.random("address defects")
    rows = city.addresses.copy()
    pick = rng.permutation(len(rows))
    blank, mend, lost, sea, bare, again, moved, same = np.split(
        pick[:122], np.cumsum([25, 45, 15, 9, 6, 8, 4]))
    code = rows["community"].to_numpy(dtype=object)
    code[blank] = ""
    code[mend] = rows["community"].to_numpy()[mend] + ".0"
    code[lost] = [f"{c[0]}.{c[1:6]}E+11" for c in rows["community"].to_numpy()[lost]]
    rows["code"] = code
    spots = _in_the_sea(city, rng, len(sea))
    rows.iloc[sea, [rows.columns.get_loc("x"), rows.columns.get_loc("y")]] = spots
    rows.iloc[bare, [rows.columns.get_loc("x"), rows.columns.get_loc("y")]] = np.nan
    copies = rows.iloc[again]
    shifted = rows.iloc[moved].assign(x=rows["x"].iloc[moved] + 35.0)
    twins = rows.iloc[same].assign(
        address=[f"A9{i:04d}" for i in range(1, len(same) + 1)])
    ids = rows["address"].to_numpy()
    full = pd.concat([rows, copies, shifted, twins], ignore_index=True)
    full = full.assign(head=names.persons(rng, len(full)), phone=names.phones(rng, len(full)))
    full["head"] = full["head"].where(full["households"] > 0, "")
    full["phone"] = full["phone"].where(full["households"] > 0, "")
    truth = {
        "rows": len(full), "code_blank": sorted(ids[blank]),
        "code_mendable": dict(sorted(zip(ids[mend], rows["community"].to_numpy()[mend],
                                         strict=True))),
        "code_hopeless": sorted(ids[lost]), "in_the_sea": sorted(ids[sea]),
        "without_place": sorted(ids[bare]), "same_row_twice": sorted(ids[again]),
        "same_id_two_places": sorted(ids[moved]),
        "same_place_two_ids": dict(zip(twins["address"], ids[same], strict=True)),
    }
    return full, truth


def _spoil_assets(city: City, corners: Floats) -> tuple[DataFrame, dict[str, Any]]:
    rng = city.plan.random("asset defects")
    rows = city.offices.assets.copy()
    pick = rng.permutation(len(rows))
    border, sea, twice = pick[:20], pick[20:23], pick[23:26]
    where = corners[rng.permutation(len(corners))[:20]]
    columns = [rows.columns.get_loc("x"), rows.columns.get_loc("y")]
    rows.iloc[border, columns] = where
    rows.iloc[sea, columns] = _in_the_sea(city, rng, 3)
    ids = rows["asset"].to_numpy()
    truth = {"rows": len(rows) + 3, "on_border": sorted(ids[border]),
             "in_the_sea": sorted(ids[sea]), "same_row_twice": sorted(ids[twice])}
    return pd.concat([rows, rows.iloc[twice]], ignore_index=True), truth


def _spoil_workers(city: City) -> tuple[DataFrame, dict[str, Any]]:
    rng = city.plan.random("worker defects")
    rows = city.offices.workers.copy()
    pick = np.sort(rng.permutation(len(rows))[:6])
    mend, lost = pick[:4], pick[4:]
    code = rows["territory"].to_numpy(dtype=object)
    whole = code.copy()
    code[mend] = [f"{c}.0" for c in whole[mend]]
    code[lost] = [f"{c[0]}.{c[1:6]}E+11" for c in whole[lost]]
    ids = rows["worker"].to_numpy()
    truth = {"rows": len(rows),
             "code_mendable": dict(zip(ids[mend], whole[mend], strict=True)),
             "code_hopeless": ids[lost].tolist(),
             "personal_columns": ["姓名", "联系电话", "身份证号"]}
    return rows.assign(territory=code), truth


def _spoil_table(city: City, true_communities: DataFrame) -> tuple[DataFrame, dict[str, Any]]:
    """Return published totals with damaged codes, and a total row without a code."""
    rng = city.plan.random("table defects")
    homes = city.addresses.groupby("community")["households"].sum()
    rows = DataFrame({"code": city.communities["code"], "name": city.communities["name"]})
    rows["households"] = homes.reindex(rows["code"], fill_value=0).to_numpy()
    by_address = city.population.groupby("address")["people"].sum()
    people = city.addresses["address"].map(by_address).fillna(0).astype(int)
    lived = people.groupby(city.addresses["community"]).sum()
    rows["people"] = lived.reindex(rows["code"], fill_value=0).to_numpy()
    mend = np.sort(rng.permutation(len(rows))[:3])
    truth = {"rows": len(rows) + 1, "code_mendable": rows["code"].iloc[mend].tolist(),
             "total_row": "合计"}
    whole = DataFrame({"code": [""], "name": ["合计"], "households": [rows["households"].sum()],
                       "people": [rows["people"].sum()]})
    rows["code"] = [f"{c}.0" if i in mend else c for i, c in enumerate(rows["code"])]
    return pd.concat([rows, whole], ignore_index=True), truth
