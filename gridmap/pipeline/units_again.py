"""Units built again round what changed, and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .. import attach, ledger, tiling
from ..workspace.config import Config
from . import arrow, changed, units
from .changed import Flags, Floats
from .load import Inputs, lowest_territories
from .totals import MASSES

#: What changed is felt this far: strips of street are narrower, and so is everything else.
REACH_M = 100.0

#: Above this share of all territories the whole is built at once.
MOST = 0.4

_ASKED: dict[str, tuple[str, ...]] = {"barriers": (), "sites": ("kind",)}

#: What units are built and counted by, of elements.
LIVING = ("count", "households", "people")


class Land(NamedTuple):
    """Territories of the lowest level, and which of them are built again."""

    territories: GeoDataFrame
    stale: Flags  # what changed is in them, or in one that touches them
    drawn: Flags  # these, and those that touch them


def build_again(
    old: dict[str, Any], new: Inputs, config: Config, elements: Any,
    before: Any, changed_elements: Floats,
) -> tuple[dict[str, Any], str] | None:
    """Build the units of territories that a change touches; take over all others.

    Parameters
    ----------
    old : dict
        ``territories``, ``barriers`` and ``sites`` of the run before.
    new : Inputs
        Those of this run.
    config : Config
    elements : Table
        The elements of this run, as `open_table` opens them.
    before : Outputs
        What the step gave then: units, changes, cut.
    changed_elements : array
        Boxes of elements that are not as they were.

    Returns
    -------
    made : dict
        As `make` makes it, byte for byte.
    told : str
        How many territories were built.
    """
    within = config.settings.within
    if old["territories"] is None or new.territories is None:
        return None
    land_before = lowest_territories(old["territories"], within)
    land = lowest_territories(new.territories, within).sort_index()
    boxes = np.concatenate([
        changed.find_boxes(land_before, land), changed_elements,
        *(changed.find_boxes(old[name], getattr(new, name), _ASKED[name])
          for name in ("barriers", "sites"))])
    chosen = _choose(land, boxes)
    if chosen.drawn.mean() > MOST:
        return None
    divided = _divide(chosen, new, config, elements) if chosen.drawn.any() else None
    merged = _merge(divided, chosen, land_before, old["sites"], new.sites, before, elements)
    counted = _count(merged.units, before["units"], elements, changed_elements, config)
    if counted is None:
        return None
    made = {"units": counted[0], "changes": units.tell(merged), "ledger": counted[1],
            "cut": merged.cut.to_frame(index=False)}
    return made, f"{int(chosen.stale.sum()):,} of {len(land):,} territories"


def _choose(land: GeoDataFrame, boxes: Floats) -> Land:
    shapes = land.geometry.to_numpy()
    stale = changed.find_touching(shapes, changed.find_near(shapes, boxes, reach_m=REACH_M))
    return Land(land, stale, changed.find_touching(shapes, stale))


def _divide(chosen: Land, new: Inputs, config: Config, elements: Any) -> tiling.Divided:
    """Divide the land that is drawn, with all that lies in it."""
    land = chosen.territories[chosen.drawn]
    boxes = land.bounds.to_numpy()
    near: dict[str, Any] = {}
    for name in ("barriers", "sites"):
        frame = getattr(new, name)
        near[name] = None if frame is None else frame[
            changed.find_near(frame.geometry.to_numpy(), boxes, reach_m=REACH_M)]
    living = arrow.take_rows(elements, boxes)[1]
    # What is known somewhere is 0 where it is missing, here as in the whole.
    known = [mass for mass in MASSES if mass in living
             and elements[mass].null_count < len(elements)]
    living = living.assign(**{mass: living[mass].fillna(0) for mass in known})
    return units.divide(new._replace(**near, elements=living), config, land)


def _merge(
    divided: tiling.Divided | None, chosen: Land, land_before: GeoDataFrame,
    old_sites: GeoDataFrame | None, new_sites: GeoDataFrame | None, before: Any, elements: Any,
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
    shapes = np.concatenate([chosen.territories.geometry.to_numpy()[chosen.stale],
                             land_before.geometry[land_before.index.isin(stale)].to_numpy()])
    near_sites = _find_codes(old_sites, shapes).union(_find_codes(new_sites, shapes))
    footprints = arrow.take_rows(elements, shapely.bounds(shapes))[1]
    footprints = footprints[shapely.get_dimensions(footprints.geometry.to_numpy()) == 2]
    near = _find_codes(footprints, shapes)
    return tiling.Divided(
        GeoDataFrame(joined),
        ledger.join_changes(slivers,
                            divided.slivers[divided.slivers["id"].isin(mine.index)]),
        ledger.join_changes(sites[~sites["id"].isin(near_sites)],
                            divided.sites[divided.sites["id"].isin(near_sites)]),
        cut.difference(near).union(divided.cut.intersection(near)).sort_values()
        .rename("element"),
    )


def _find_codes(frame: GeoDataFrame | None, shapes: NDArray[np.object_]) -> pd.Index:
    """Return the codes of the rows that meet any of some shapes."""
    if frame is None:
        return pd.Index([], dtype="str")
    hit = shapely.STRtree(frame.geometry.to_numpy()).query(shapes, predicate="intersects")[1]
    return frame.index[np.unique(hit)]


def _count(
    made: GeoDataFrame, before: GeoDataFrame, elements: Any, changed_elements: Floats,
    config: Config,
) -> tuple[GeoDataFrame, DataFrame] | None:
    """Count who lives in units that are not as they were; None where halves of people do."""
    masses = [mass for mass in MASSES if mass in elements.column_names]
    numbers = {mass: elements[mass].to_numpy().astype("float64") for mass in masses}
    living = np.zeros(len(elements), bool)
    for values in numbers.values():
        living |= np.nan_to_num(values) > 0
    if any((np.nan_to_num(values[living]) % 1 != 0).any() for values in numbers.values()):
        return None
    counted = _count_near(
        made, before, elements, changed_elements, masses, config.profile.tiling.snap_m)
    lines = []
    for mass in masses if living.any() else ():
        came_in, went_on = np.nansum(numbers[mass][living]), counted[mass].sum()
        lines.append(ledger.balance("units", "residents", measure=mass, came_in=came_in,
                                    went_on=went_on, left_over=came_in - went_on))
    return counted, ledger.join_ledger(*lines)


def _count_near(
    made: GeoDataFrame, before: GeoDataFrame, elements: Any, changed_elements: Floats,
    masses: list[str], snap_m: float,
) -> GeoDataFrame:
    shapes = made.geometry.to_numpy()
    was, now = changed.find_changed(before, made)
    boxes = np.concatenate([changed_elements, shapely.bounds(
        np.concatenate([before.geometry.to_numpy()[was], shapes[now]]))])
    near = changed.find_near(shapes, boxes, reach_m=1.0)
    counts = {mass: before[mass].reindex(made.index) for mass in masses}
    if near.any():
        asked = shapely.bounds(shapes[near]) + np.array([-1.0, -1.0, 1.0, 1.0])
        some = units.residents(arrow.take_rows(elements, asked)[1])
        rivals = made[changed.find_near(shapes, asked, reach_m=1.0)]
        for mass, column in counts.items():
            column[near] = 0
            if some is not None and mass in some:
                found = attach.attach_elements(some, rivals, nearest_m=snap_m).by_grid[mass]
                column[near] = found.fillna(0).reindex(made.index[near]).to_numpy()
    return made.assign(**{mass: column.astype(before[mass].dtype)
                          for mass, column in counts.items()})
