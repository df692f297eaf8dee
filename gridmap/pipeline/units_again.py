"""Units built again round what changed, and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from pandas import Index
from pyarrow import Table

from .. import ledger, tiling
from ..workspace.config import Config
from . import arrow, between, changed, counted_again, load, units
from .changed import Flags, Rows, Shapes
from .counted_again import Folk
from .load import lowest_territories
from .meeting import widen
from .nearby import Nearby
from .totals import MASSES

#: Borders, lines and sites are felt this far: strips of street are narrower, and so is
#: everything else.
REACH_M = 100.0

#: Elements and corners are felt where they are.
TOUCH_M = 1.0

#: Above this share of all territories the whole is built at once.
MOST = 0.4

#: How often more territories are built because corners of their borders moved.
TRIES = 3

#: What units are built by, beside places.
_ASKED: dict[str, tuple[str, ...]] = {"territories": (), "barriers": (), "sites": ("kind",)}


class Ground(NamedTuple):
    """What units are built of, as tables of Arrow; None for what there is none of."""

    territories: Table | None
    barriers: Table | None
    sites: Table | None
    elements: Table | None


class Known(NamedTuple):
    """All that is known when units are built again."""

    old: Ground
    new: Ground
    land: GeoDataFrame  # territories of the lowest level
    folk: Folk
    near: Nearby  # the elements
    before: Any  # what the step gave
    config: Config

    @property
    def shapes(self) -> Shapes:
        """The shapes of the land."""
        shapes: Shapes = self.land.geometry.to_numpy()
        return shapes


class Made(NamedTuple):
    """What was built in territories, and all units with it."""

    stale: Flags  # the territories
    divided: tiling.Divided | None  # with those that touch them; None where nothing was built
    gone: frozenset[str]  # units that do not stand
    units: Table
    ground: Shapes  # units that are not as they were, before and now


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
        As `make` makes it, byte for byte; units as a table.
    told : str
        How many territories were built.
    """
    if (new.territories is None or old.territories is None or new.elements is None
            or any(before.table("units")[mass].null_count for mass in MASSES)
            or not before["exact"]):
        return None
    folk = counted_again.look_at(load.take_known(old.elements), new.elements, elements, before)
    if folk is None:
        return None
    land = lowest_territories(arrow.to_frame(new.territories), config.settings.within)
    known = Known(old, new, land.sort_index(), folk, Nearby(new.elements), before, config)
    made = None if _are_gone(known) else _build(known)
    if made is None:
        return None
    told = _merge(made, known)
    counted, lines = counted_again.count_again(
        made.units, made.ground, folk, known.near, config.profile.tiling.snap_m)
    return {"units": counted, "changes": units.tell(told), "ledger": lines,
            "cut": told.cut.to_frame(index=False), "whole_numbers": True,
            "exact": True}, f"{int(made.stale.sum()):,} of {len(land):,} territories"


def _are_gone(known: Known) -> bool:
    """Say whether units lie in territories that are no more."""
    if known.old.territories is known.new.territories:
        return False
    home = between.texts_of(known.before.table("units")["territory"])
    return not Index(home).isin(known.land.index).all()


def _build(known: Known) -> Made | None:
    """Build units where something is felt, and then where a corner of a border moved."""
    stale = _find_felt(known)
    for _ in range(TRIES):
        stale = _spread(stale, known)
        drawn = changed.find_touching(known.shapes, stale)
        if drawn.mean() > MOST:
            return None
        divided = _divide(stale, drawn, known) if drawn.any() else None
        if divided is not None and not divided.exact:
            return None
        made, moved = _put(stale, divided, known)
        more = changed.find_near(known.shapes, moved, reach_m=TOUCH_M) & ~stale
        if not more.any():
            return made
        stale |= more
    return None


def _find_felt(known: Known) -> Flags:
    """Say in which territories it is felt that something is not as it was."""
    within = known.config.settings.within
    places = [_find_changed(name, known.old, known.new, within) for name in _ASKED]
    felt = known.folk.felt
    if len(felt):  # points in a footprint weigh where a point of that one lies
        beside = known.near.take(widen(shapely.bounds(felt), TOUCH_M)).geometry.to_numpy()
        beside = beside[shapely.get_dimensions(beside) == 2]
        felt = np.concatenate([felt, beside[changed.find_near(beside, felt, reach_m=TOUCH_M)]])
    return (changed.find_near(known.shapes, np.concatenate(places), reach_m=REACH_M)
            | changed.find_near(known.shapes, felt, reach_m=TOUCH_M))


def _find_changed(name: str, old: Ground, new: Ground, within: str) -> Shapes:
    """Return the places of everything of a kind that is not as it was."""
    one, two = getattr(old, name), getattr(new, name)
    if name == "territories" and one is not two:
        one, two = (table.filter(pc.equal(table["level"], within)) for table in (one, two))
    return changed.find_shapes(one, two, _ASKED[name])


def _spread(stale: Flags, known: Known) -> Flags:
    """Add the territories that share a site with one: how it is cut depends on all its parts."""
    shapes = known.shapes[stale]
    for table in (known.old.sites, known.new.sites) if len(shapes) else ():
        sites = _find_meeting(table, shapes).geometry.to_numpy()
        stale = stale | changed.find_near(known.shapes, sites, reach_m=0.0)
    return stale


def _grounds(stale: Flags, known: Known) -> Shapes:
    """Return the shapes of territories, as they are and as they were."""
    now = known.shapes[stale]
    if known.old.territories is known.new.territories:
        return now
    old = arrow.to_frame(load.take_known(known.old.territories))
    return np.concatenate([now, old.geometry[old.index.isin(known.land.index[stale])].to_numpy()])


def _divide(stale: Flags, drawn: Flags, known: Known) -> tiling.Divided:
    """Divide the land that is drawn, with all that lies in it."""
    land = known.land[drawn]
    boxes = np.concatenate([land.bounds.to_numpy(), shapely.bounds(_grounds(stale, known))])
    near = {name: None if table is None else arrow.take_rows(table, widen(boxes, REACH_M))
            for name, table in (("barriers", known.new.barriers), ("sites", known.new.sites))}
    living = known.near.take(widen(boxes, 2 * TOUCH_M))
    # What is known somewhere is 0 where it is missing, here as in the whole.
    living = living.assign(**{mass: living[mass].fillna(0) for mass in known.folk.known})
    return units.divide(load.gather(**near, elements=living), known.config, land,
                        someone=known.folk.someone)


def _put(
    stale: Flags, divided: tiling.Divided | None, known: Known
) -> tuple[Made, Shapes]:
    """Put what was built in the place of what was there; return the corners that moved, too."""
    table, nothing = known.before.table("units"), np.empty(0, dtype=object)
    codes = between.texts_of(table["unit"])
    if divided is None:
        return Made(stale, None, frozenset(), table, nothing), nothing
    old = between.find_among(between.texts_of(table["territory"]), known.land.index[stale])
    was = arrow.to_frame(table.filter(pa.array(old)))
    now = divided.units[divided.units["territory"].isin(known.land.index[stale])]
    gone, new = changed.find_changed(was, now, ("territory", "kind"))
    shapes = was.geometry.to_numpy()[gone], now.geometry.to_numpy()[new]
    counts = {mass: was[mass].reindex(now.index).where(~new, 0).astype(was[mass].dtype)
              for mass in MASSES}
    made = between.put_between(table, ~old, now.assign(**counts), by="territory")
    ground = np.concatenate(shapes)
    return Made(stale, divided, frozenset(codes[old]), made, ground), _find_moved(*shapes)


def _find_moved(old: Shapes, new: Shapes) -> Shapes:
    """Return the corners that are only in the one or only in the other shapes."""
    one, two = (shapely.get_coordinates(shapes).view(np.complex128).ravel()
                for shapes in (old, new))
    moved = np.setxor1d(one, two)
    points: Shapes = shapely.points(moved.real, moved.imag)
    return points


def _merge(made: Made, known: Known) -> tiling.Divided:
    """Put what is told of what was built in the place of what is no longer so."""
    told = known.before["changes"]
    slivers = told[told["what"] == "sliver joined"]
    sites = told[told["what"].isin(["site cut", "site left out"])]
    cut = Index(known.before["cut"]["element"], dtype="str", name="element")
    built = made.divided
    if built is None:
        return tiling.Divided(known.land.iloc[:0], slivers, sites, cut, True)
    grounds = _grounds(made.stale, known)
    shared = _find_meeting(known.old.sites, grounds).index.union(
        _find_meeting(known.new.sites, grounds).index)
    beside = known.near.take(shapely.bounds(grounds))
    beside = beside[shapely.get_dimensions(beside.geometry.to_numpy()) == 2]
    near = _meeting(beside, grounds).index.union(known.folk.codes)
    mine = built.units.index[built.units["territory"].isin(known.land.index[made.stale])]
    return tiling.Divided(
        built.units,
        ledger.join_changes(slivers[~slivers["id"].isin(made.gone)],
                            built.slivers[built.slivers["id"].isin(mine)]),
        ledger.join_changes(sites[~sites["id"].isin(shared)],
                            built.sites[built.sites["id"].isin(shared)]),
        cut.difference(near).union(built.cut.intersection(near)).sort_values()
        .rename("element"), True,
    )


def _find_meeting(table: Table | None, shapes: Shapes) -> GeoDataFrame:
    """Return the rows that meet any of some shapes."""
    if table is None:
        return GeoDataFrame(index=Index([], dtype="str"), geometry=[])
    return _meeting(arrow.take_rows(table, shapely.bounds(shapes)), shapes)


def _meeting(frame: GeoDataFrame, shapes: Shapes) -> GeoDataFrame:
    hit = shapely.STRtree(frame.geometry.to_numpy()).query(shapes, predicate="intersects")[1]
    return frame.iloc[np.unique(hit)]
