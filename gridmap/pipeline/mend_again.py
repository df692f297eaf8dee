"""Layers mended again round what changed, and taken over where nothing did."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Index
from pyarrow import Table
from pyproj import CRS

from .. import ledger, tiling
from ..rules import TilingRule
from ..workspace.config import Config
from . import arrow, changed, mend
from .changed import Shapes
from .load import lowest_territories
from .mend import Layer


class Ground(NamedTuple):
    """What is mended, as tables of Arrow; None for what there is none of."""

    territories: Table | None
    units: Table | None
    grids: Table | None
    schemes: Table | None


def make(mended: Any, layers: list[Layer]) -> dict[str, Any]:
    """Return what the step gives: frames, their account, and what mending again asks for.

    Parameters
    ----------
    mended : Ground
        Or anything with frames by these names.
    layers : list of Layer

    Examples
    --------
    >>> sorted(make(Ground(None, None, None, None), []))
    ['changes', 'grids', 'layers', 'ledger', 'schemes', 'territories', 'took', 'units']
    """
    changes, lines = mend.join_layers(layers)
    size = [len(layer.took) for layer in layers]
    took = DataFrame({
        "layer": np.repeat(np.array([layer.name for layer in layers], dtype=object), size),
        "code": np.concatenate([np.empty(0, object), *(layer.took for layer in layers)]),
    }, dtype="str")
    told = [[layer.name, len(layer.changes), layer.alone] for layer in layers]
    return {**{name: getattr(mended, name) for name in Ground._fields},
            "changes": changes, "ledger": lines, "took": took, "layers": told}


class _Past:
    """What became of each layer in the run before."""

    def __init__(self, before: Any) -> None:
        changes, lines, took = (before[name] for name in ("changes", "ledger", "took"))
        self.layers: dict[str, Layer] = {}
        self.mended = before
        start = 0
        for name, count, alone in before["layers"]:
            rows = ledger.join_changes(changes.iloc[start : start + count])
            codes = Index(took["code"][took["layer"] == name], dtype="str")
            self.layers[name] = Layer(
                name, rows, codes, alone, ledger.join_ledger(lines[lines["frame"] == name]))
            start += count


class _Work:
    """What a run has mended so far."""

    def __init__(self, before: Any, rule: TilingRule) -> None:
        self.past = _Past(before)
        self.rule = rule
        self.layers: list[Layer] = []
        self.done = 0  # polygons that were mended

    def take_over(self, name: str) -> None:
        """Take over what became of a layer."""
        self.layers.append(self.past.layers[name])

    def take_all(self, start: str) -> None:
        """Take over what became of the layers whose names begin so."""
        self.layers += [layer for name, layer in self.past.layers.items()
                        if name.startswith(start)]

    def mend_whole(
        self, polygons: GeoDataFrame, parent: GeoDataFrame | None, name: str
    ) -> GeoDataFrame:
        """Mend all polygons of a layer."""
        self.done += len(polygons)
        return mend.mend_layer(polygons, parent, self.rule, name, self.layers)

    def mend_near(
        self, polygons: GeoDataFrame, parent: GeoDataFrame, name: str, places: Shapes
    ) -> GeoDataFrame:
        """Mend the polygons of a layer round what changed; all, where that does not do."""
        was = self.past.layers[name]
        again = None if was.alone else tiling.repair_again(
            polygons, parent, rule=self.rule, took=was.took, places=places)
        if again is None:
            return self.mend_whole(polygons, parent, name)
        self.done += len(again.took)
        self.layers.append(mend.tell_mended(name, polygons, again))
        return again.polygons


def mend_again(
    old: Ground, new: Ground, before: Any, config: Config
) -> tuple[dict[str, Any], str] | None:
    """Mend what a change touches; take over all else.

    Layers of which no shape changed are taken over. A level of territories that has one above
    it is mended round what changed in it and in that one; all other layers are mended whole.

    Parameters
    ----------
    old, new : Ground
        Of the run before and of this one; the very same table for what did not change.
    before : Outputs
        What the step gave then.
    config : Config
        With the CRS of the run.

    Returns
    -------
    made : dict
        As `make` makes it, byte for byte as for the whole.
    told : str
        How many polygons took part.
    """
    crs = CRS.from_user_input(config.settings.crs)
    given = [table for table in new if table is not None]
    if (config.territories_from_units or config.profile.tiling.overlaps == "seniority"
            or (new.territories is None) != (old.territories is None)
            or (new.territories is None and new.grids is not None)
            or any(arrow.read_crs(arrow.tell_geometry(table)[1]) != crs for table in given)):
        return None
    work = _Work(before, config.profile.tiling)
    units = _mend_alone("units", old.units, new.units, work)
    land = _mend_land(old.territories, new.territories, work, config.settings.within,
                      grids=new.grids is not None)
    if land is None:
        return None
    grids = _mend_alone("grids", old.grids, new.grids, work)
    if grids is not None and land.same and old.grids is new.grids:
        work.take_over("strays")
    elif grids is not None:
        lowest = lowest_territories(_to_frame(land.territories), config.settings.within)
        work.layers.append(mend.tell("strays", mend.note_strays(_to_frame(grids), lowest)))
    schemes = _note_schemes(old.schemes, new.schemes, work)
    made = make(Ground(land.territories, units, grids, schemes), work.layers)
    return made, f"{work.done:,} of {sum(map(len, given)):,} polygons"


class _Land(NamedTuple):
    """Territories, and whether those that grids stay in are as they were."""

    territories: Any
    same: bool


def _mend_alone(name: str, old: Table | None, new: Table | None, work: _Work) -> Any:
    """Return a layer without parents: as it was, or mended whole."""
    if new is None:
        return None
    if old is new:
        work.take_over(name)
        return work.past.mended.table(name)
    return work.mend_whole(_to_frame(new), None, name)


def _mend_land(
    old: Table | None, new: Table | None, work: _Work, within: str, *, grids: bool
) -> _Land | None:
    """Return territories; None where their levels are not those of the run before."""
    if old is None or new is None:
        return _Land(None, True)
    if old is new:
        work.take_all(mend.name_level(""))
        return _Land(work.past.mended.table("territories"), True)
    now, then = _to_frame(new), arrow.to_plain(old)
    levels = mend.levels_from_top(now)
    named = ["level", "parent"]
    if not now[named].equals(then[named]) and levels != mend.levels_from_top(then):
        return None
    rows = changed.compare_tables(old, new, named)
    fresh = np.flatnonzero(~rows.same)
    level_of = np.concatenate([now["level"].to_numpy()[fresh],
                               then["level"].to_numpy()[rows.gone]])
    places = shapely.box(*np.concatenate(
        [arrow.boxes_of(new, fresh), arrow.boxes_of(old, rows.gone)]).T)
    before = work.past.mended.table("territories")
    level_before = arrow.to_plain(before)["level"].to_numpy()
    done: list[_Level] = []
    for level in levels:
        mine = _Level(level, now[now["level"] == level],
                      arrow.take(before, np.flatnonzero(level_before == level)),
                      places[level_of == level])
        asked = level != levels[-1] or (level == within and grids)
        done.append(_mend_level(mine, done[-1] if done else None, work, asked=asked))
    same = all(not len(level.moved) for level in done if level.name == within)
    return _Land(pd.concat([level.polygons for level in done]), same)


class _Level(NamedTuple):
    """A level of territories."""

    name: str
    polygons: GeoDataFrame
    before: Table  # as it was mended before
    moved: Shapes  # boxes of the polygons that are not as they were


def _mend_level(mine: _Level, above: _Level | None, work: _Work, *, asked: bool) -> _Level:
    """Return a level mended and, where that is asked, where it is not what it was."""
    name = mend.name_level(mine.name)
    if not len(mine.moved) and (above is None or not len(above.moved)):
        work.take_over(name)
        return mine._replace(
            polygons=tiling.put_shapes(mine.polygons, _to_frame(mine.before)))
    if above is None:
        mended = work.mend_whole(mine.polygons, None, name)
    elif (len(above.polygons) == 1) != (len(above.before) == 1):
        mended = work.mend_whole(mine.polygons, above.polygons, name)
    else:
        mended = work.mend_near(mine.polygons, above.polygons, name,
                                np.concatenate([mine.moved, above.moved]))
    if not asked:
        return mine._replace(polygons=mended)
    both = (_to_frame(mine.before), mended)
    boxes = [frame.bounds.to_numpy()[flags]
             for frame, flags in zip(both, changed.find_changed(*both), strict=True)]
    return mine._replace(polygons=mended, moved=shapely.box(*np.concatenate(boxes).T))


def _note_schemes(old: Table | None, new: Table | None, work: _Work) -> Any:
    """Note the overlaps of schemes of which a work grid changed."""
    if new is None:
        return None
    if old is new:
        work.take_all(mend.name_scheme(""))
        return work.past.mended.table("schemes")
    schemes = _to_frame(new)
    stale = set(schemes["scheme"])
    if old is not None:
        rows = changed.compare_tables(old, new, ("scheme",))
        stale = {*schemes["scheme"][~rows.same],
                 *arrow.to_plain(old)["scheme"].iloc[rows.gone]}
    for scheme, work_grids in schemes.groupby("scheme"):
        if scheme in stale:
            work.done += len(work_grids)
            work.layers.append(mend.note_scheme(scheme, work_grids, work.rule))
        else:
            work.take_over(mend.name_scheme(scheme))
    return schemes


def _to_frame(frame: Any) -> GeoDataFrame:
    return arrow.to_frame(frame) if isinstance(frame, Table) else frame
