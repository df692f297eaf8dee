"""Units built again round what changed, and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyarrow import Table

from .. import attach, ledger, tiling
from ..workspace.config import Config
from . import arrow, changed, load, units
from .changed import Flags, Rows, Shapes
from .load import lowest_territories
from .meeting import widen
from .totals import MASSES

#: What changed is felt this far: strips of street are narrower, and so is everything else.
REACH_M = 100.0

#: Above this share of all territories the whole is built at once.
MOST = 0.4

#: What units are built by, beside places.
_ASKED: dict[str, tuple[str, ...]] = {"territories": (), "barriers": (), "sites": ("kind",)}


class Ground(NamedTuple):
    """What units are built of, as tables of Arrow; None for what there is none of."""

    territories: Table | None
    barriers: Table | None
    sites: Table | None
    elements: Table | None


class Land(NamedTuple):
    """Territories of the lowest level, and which of them are built again."""

    territories: GeoDataFrame
    stale: Flags  # what changed is in them, or in one that touches them
    drawn: Flags  # these, and those that touch them


def build_again(
    old: Ground, new: Ground, elements: Rows | None, before: Any, config: Config
) -> tuple[dict[str, Any], str] | None:
    """Build the units of territories that a change touches; take over all others.

    Parameters
    ----------
    old, new : Ground
        Of the run before and of this one; the very same table for what did not change.
    elements : Rows, optional
        What became of the elements; None where they are the same.
    before : Outputs
        What the step gave then: units, changes, cut.
    config : Config

    Returns
    -------
    made : dict
        As `make` makes it, byte for byte.
    told : str
        How many territories were built.
    """
    if new.territories is None or old.territories is None or new.elements is None:
        return None
    within = config.settings.within
    land = lowest_territories(arrow.to_frame(new.territories), within).sort_index()
    people = np.empty(0, dtype=object) if elements is None else changed.take_shapes(
        elements, load.take_known(old.elements), new.elements)
    chosen = _choose(land, np.concatenate(
        [people, *(_find_changed(name, old, new, within) for name in _ASKED)]))
    if chosen.drawn.mean() > MOST:
        return None
    divided = _divide(chosen, new, config) if chosen.drawn.any() else None
    merged = _merge(divided, chosen, old, new, before)
    counted = _count(merged.units, before["units"], chosen, new.elements, people,
                     config.profile.tiling.snap_m)
    if counted is None:
        return None
    made = {"units": counted[0], "changes": units.tell(merged), "ledger": counted[1],
            "cut": merged.cut.to_frame(index=False)}
    return made, f"{int(chosen.stale.sum()):,} of {len(land):,} territories"


def _find_changed(name: str, old: Ground, new: Ground, within: str) -> Shapes:
    """Return the places of everything of a kind that is not as it was."""
    one, two = getattr(old, name), getattr(new, name)
    if name == "territories" and one is not two:
        one, two = (table.filter(pc.equal(table["level"], within)) for table in (one, two))
    return changed.find_shapes(one, two, _ASKED[name])


def _choose(land: GeoDataFrame, places: Shapes) -> Land:
    shapes = land.geometry.to_numpy()
    stale = changed.find_touching(shapes, changed.find_near(shapes, places, reach_m=REACH_M))
    return Land(land, stale, changed.find_touching(shapes, stale))


def _divide(chosen: Land, new: Ground, config: Config) -> tiling.Divided:
    """Divide the land that is drawn, with all that lies in it."""
    land = chosen.territories[chosen.drawn]
    boxes = land.bounds.to_numpy()
    near = {name: None if table is None else arrow.take_rows(table, widen(boxes, REACH_M))
            for name, table in (("barriers", new.barriers), ("sites", new.sites))}
    elements = load.take_known(new.elements)
    living = arrow.take_rows(elements, boxes)
    # What is known somewhere is 0 where it is missing, here as in the whole.
    known = [mass for mass in MASSES if mass in living
             and elements[mass].null_count < len(elements)]
    living = living.assign(**{mass: living[mass].fillna(0) for mass in known})
    return units.divide(load.gather(**near, elements=living), config, land)


def _merge(
    divided: tiling.Divided | None, chosen: Land, old: Ground, new: Ground, before: Any
) -> tiling.Divided:
    """Put what was built in the place of what is no longer so."""
    codes = chosen.territories.index
    stale = codes[chosen.stale]
    kept = before["units"]
    kept = kept[kept["territory"].isin(codes) & ~kept["territory"].isin(stale)]
    told = before["changes"]
    slivers = told[told["id"].isin(kept.index)]
    sites = told[told["what"].isin(["site cut", "site left out"])]
    cut = pd.Index(before["cut"]["element"], dtype="str", name="element")
    if divided is None:
        return tiling.Divided(kept, slivers, sites, cut)
    mine = divided.units[divided.units["territory"].isin(stale)]
    joined = pd.concat([kept, mine]).sort_values("territory", kind="stable")
    gone = arrow.to_frame(load.take_known(old.territories))
    shapes = np.concatenate([chosen.territories.geometry.to_numpy()[chosen.stale],
                             gone.geometry[gone.index.isin(stale)].to_numpy()])
    near_sites = _find_codes(old.sites, shapes).union(_find_codes(new.sites, shapes))
    near = _find_codes(new.elements, shapes, footprints=True)
    return tiling.Divided(
        GeoDataFrame(joined),
        ledger.join_changes(slivers,
                            divided.slivers[divided.slivers["id"].isin(mine.index)]),
        ledger.join_changes(sites[~sites["id"].isin(near_sites)],
                            divided.sites[divided.sites["id"].isin(near_sites)]),
        cut.difference(near).union(divided.cut.intersection(near)).sort_values()
        .rename("element"),
    )


def _find_codes(table: Table | None, shapes: Shapes, *, footprints: bool = False) -> pd.Index:
    """Return the codes of the rows that meet any of some shapes."""
    if table is None:
        return pd.Index([], dtype="str")
    frame = arrow.take_rows(table, shapely.bounds(shapes))
    if footprints:
        frame = frame[shapely.get_dimensions(frame.geometry.to_numpy()) == 2]
    hit = shapely.STRtree(frame.geometry.to_numpy()).query(shapes, predicate="intersects")[1]
    return frame.index[np.unique(hit)]


def _count(
    made: GeoDataFrame, before: GeoDataFrame, chosen: Land, elements: Table, places: Shapes,
    snap_m: float,
) -> tuple[GeoDataFrame, DataFrame] | None:
    """Count who lives in units that are not as they were; None where halves of people do."""
    masses = [mass for mass in MASSES if mass in elements.column_names]
    numbers = {mass: np.nan_to_num(elements[mass].to_numpy().astype("float64", copy=False))
               for mass in masses}
    if any((np.floor(values) != values).any() or values.min(initial=0) < 0
           for values in numbers.values()):
        return None
    codes = chosen.territories.index[chosen.stale]
    was, now = (frame[frame["territory"].isin(codes)] for frame in (before, made))
    gone, new = changed.find_changed(was, now)
    ground = np.concatenate([was.geometry.to_numpy()[gone], now.geometry.to_numpy()[new], places])
    counted = _count_near(made, before, elements, ground, masses, snap_m)
    lines = []
    for mass in masses if any(values.any() for values in numbers.values()) else ():
        came_in, went_on = numbers[mass].sum(), counted[mass].sum()
        lines.append(ledger.balance("units", "residents", measure=mass, came_in=came_in,
                                    went_on=went_on, left_over=came_in - went_on))
    return counted, ledger.join_ledger(*lines)


def _count_near(
    made: GeoDataFrame, before: GeoDataFrame, elements: Table, ground: Shapes,
    masses: list[str], snap_m: float,
) -> GeoDataFrame:
    shapes = made.geometry.to_numpy()
    near = changed.find_near(shapes, ground, reach_m=1.0)
    counts = {mass: before[mass].reindex(made.index) for mass in masses}
    if near.any():
        asked = widen(shapely.bounds(shapes[near]), 1.0)
        some = units.residents(arrow.take_rows(elements, asked))
        rivals = made[changed.find_near(shapes, shapely.box(*asked.T), reach_m=1.0)]
        for mass, column in counts.items():
            column[near] = 0
            if some is not None and mass in some:
                found = attach.attach_elements(some, rivals, nearest_m=snap_m).by_grid[mass]
                column[near] = found.fillna(0).reindex(made.index[near]).to_numpy()
    return made.assign(**{mass: column.astype(before[mass].dtype)
                          for mass, column in counts.items()})
