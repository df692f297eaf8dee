"""Standard addresses, households and residents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from .homes import Homes
from .plan import Plan
from .territories import Territories

#: Share of households with 1, 2, … residents.
HOUSEHOLD_SIZES = (0.22, 0.32, 0.24, 0.14, 0.06, 0.02)


@dataclass(frozen=True)
class People:
    """Addresses and households; frames in the order of the buildings."""

    addresses: DataFrame  # address, building, block, community, x, y, households
    households: DataFrame  # address (row number), people


def build_people(plan: Plan, homes: Homes, territories: Territories) -> People:
    """Give every stair of every building an address, and fill the dwellings."""
    addresses = _addresses(homes, territories)
    rng = plan.random("people")
    lived = addresses["households"].to_numpy()
    sizes = rng.choice(np.arange(1, 7), int(lived.sum()), p=HOUSEHOLD_SIZES)
    households = DataFrame({"address": np.repeat(np.arange(len(lived)), lived), "people": sizes})
    return People(addresses=addresses, households=households)


def _addresses(homes: Homes, territories: Territories) -> DataFrame:
    rows = homes.buildings
    stairs = rows["stairs"].to_numpy()
    owner = np.repeat(np.arange(len(rows)), stairs)
    stair = np.arange(len(owner)) - np.repeat(np.cumsum(stairs) - stairs, stairs)
    shift = ((stair + 0.5) / stairs[owner] - 0.5) * rows["length"].to_numpy()[owner]
    angle = rows["angle"].to_numpy()[owner]
    back = 0.3 * rows["depth"].to_numpy()[owner]
    x = np.round(rows["x"].to_numpy()[owner] + shift * np.cos(angle) - back * np.sin(angle), 2)
    y = np.round(rows["y"].to_numpy()[owner] + shift * np.sin(angle) + back * np.cos(angle), 2)
    lived = rows["households"].to_numpy()
    each = lived[owner] // stairs[owner] + (stair < lived[owner] % stairs[owner])
    block = rows["block"].to_numpy()[owner]
    return DataFrame({"building": owner, "stair": stair + 1, "block": block,
                      "community": territories.of_block[block], "x": x, "y": y,
                      "households": each})


def resident_rows(people: People, codes: NDArray[np.str_]) -> DataFrame:
    """Return one row per resident; the household is counted in its head's row."""
    size = people.households["people"].to_numpy()
    owner = np.repeat(np.arange(len(size)), size)
    head = np.arange(len(owner)) == np.repeat(np.cumsum(size) - size, size)
    return _placed(people, codes, people.households["address"].to_numpy()[owner], "R", np.ones(
        len(owner), dtype=np.int64), head.astype(np.int64))


def _placed(people: People, codes: NDArray[np.str_], address: NDArray[np.int64], letter: str,
            count: NDArray[np.int64], households: NDArray[np.int64]) -> DataFrame:
    digits = max(5, len(str(len(address))))
    ids = np.char.add(letter, np.char.zfill(np.arange(1, len(address) + 1).astype(str), digits))
    return DataFrame({
        "resident": ids, "address": codes[address], "people": count, "households": households,
        "x": people.addresses["x"].to_numpy()[address],
        "y": people.addresses["y"].to_numpy()[address],
    })
