"""Second step: one CRS in metres, and seamless territories."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from .. import ledger, tiling
from ..rules import TilingRule
from ..workspace.config import Config
from .load import Inputs, Progress, choose_crs, lowest_territories, silent, to_crs

#: Grids and their territory are the same land up to this share of its area.
_STRAY_SHARE = 0.01

_PLACED = ("territories", "units", "grids", "barriers", "sites", "elements", "assets", "events",
           "visits", "workers", "schemes")


def mend_inputs(inputs: Inputs, config: Config, *, progress: Progress = silent) -> Inputs:
    """Bring all frames into one CRS in metres and mend what should tile the territory.

    Territories are mended level by level from the top, each level against the one above.
    Given units and given grids are mended among themselves, since their outer border is as
    good as that of the territories; where the two differ is noted. Elements and schemes are
    moved to the CRS and otherwise left as they are.

    Parameters
    ----------
    inputs : Inputs
        As `load_inputs` returns them.
    config : Config
        Its profile has the tiling rule; ``[run] crs`` overrules the CRS that is found.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Inputs
        With every mended place in ``changes``.

    Raises
    ------
    CRSError
        If no CRS in metres fits.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> from gridmap.pipeline import load_inputs
    >>> mended = mend_inputs(load_inputs(config), config)
    >>> mended.territories.index.tolist()
    ['T']
    """
    return mend_layers(inputs, config, progress=progress)[0]


class Layer(NamedTuple):
    """What the mending of one layer gave beside its frame."""

    name: str
    changes: DataFrame
    took: Index  # the polygons that took part; none where nobody asks
    alone: bool  # see `tiling.Repaired`
    ledger: DataFrame  # empty where no row could be lost


def mend_layers(
    inputs: Inputs, config: Config, *, progress: Progress = silent
) -> tuple[Inputs, list[Layer]]:
    """Mend like `mend_inputs`, and tell of each layer what became of it, in order."""
    progress("mend", 0, 3)
    inputs = project_inputs(inputs, config)
    rule = config.profile.tiling
    layers: list[Layer] = []
    units, territories, grids = inputs.units, inputs.territories, inputs.grids
    if units is not None:
        units = mend_layer(units, None, rule, "units", layers)
    if config.territories_from_units and units is not None:
        territories = _dissolve(units, inputs, config)
    progress("mend", 1, 3)
    if territories is not None:
        territories = _mend_levels(territories, rule, layers)
    progress("mend", 2, 3)
    if grids is not None and territories is not None:
        grids = mend_layer(grids, None, rule, "grids", layers)
        lowest = lowest_territories(territories, config.settings.within)
        layers.append(tell("strays", note_strays(grids, lowest)))
    if inputs.schemes is not None:
        layers += [note_scheme(scheme, work_grids, rule)
                   for scheme, work_grids in inputs.schemes.groupby("scheme")]
    progress("mend", 3, 3)
    done = inputs._replace(territories=territories, units=units, grids=grids)
    changes, lines = join_layers(layers)
    return done._replace(changes=ledger.join_changes(inputs.changes, changes),
                         ledger=ledger.join_ledger(inputs.ledger, lines)), layers


def join_layers(layers: list[Layer]) -> tuple[DataFrame, DataFrame]:
    """Return the changes and the ledger of layers, one below the other."""
    return (ledger.join_changes(*(layer.changes for layer in layers)),
            ledger.join_ledger(*(layer.ledger for layer in layers)))


def tell(
    name: str, changes: DataFrame, took: Index | None = None, *, alone: bool = False,
    line: DataFrame | None = None,
) -> Layer:
    """Return what became of a layer."""
    took = Index([], dtype="str") if took is None else took
    return Layer(name, changes, took, alone, ledger.join_ledger() if line is None else line)


def project_inputs(inputs: Inputs, config: Config) -> Inputs:
    """Bring all frames into the CRS of the run, and change nothing else.

    Raises
    ------
    CRSError
        If no CRS in metres fits.
    """
    land = [frame for frame in (inputs.territories, inputs.units) if frame is not None]
    crs = choose_crs(config, *land)
    return inputs._replace(**{name: to_crs(getattr(inputs, name), crs) for name in _PLACED})


def _dissolve(units: GeoDataFrame, inputs: Inputs, config: Config) -> GeoDataFrame:
    made = tiling.build_territories(units, level=config.settings.within)
    given = inputs.territories
    return made if given is None else pd.concat([given, made])


def mend_layer(
    polygons: GeoDataFrame, parent: GeoDataFrame | None, rule: TilingRule, name: str,
    layers: list[Layer],
) -> GeoDataFrame:
    """Return a layer mended as a whole, and add to the list what became of it."""
    done = tiling.repair_and_tell(polygons, parent, rule=rule)
    if parent is None:  # then such a layer is always mended whole
        done = done._replace(took=done.took[:0], alone=False)
    layers.append(tell_mended(name, polygons, done))
    return done.polygons


def tell_mended(name: str, polygons: GeoDataFrame, done: tiling.Repaired) -> Layer:
    """Return what became of a layer that was mended."""
    line = ledger.balance("mend", name, came_in=len(polygons), went_on=len(done.polygons),
                          left_over=len(polygons) - len(done.polygons))
    return tell(name, done.changes, done.took, alone=done.alone, line=line)


def _mend_levels(
    territories: GeoDataFrame, rule: TilingRule, layers: list[Layer]
) -> GeoDataFrame:
    """Mend each level against the one above it, which is already whole."""
    above: GeoDataFrame | None = None
    mended = []
    for level in levels_from_top(territories):
        children = territories[territories["level"] == level]
        above = mend_layer(children, above, rule, name_level(level), layers)
        mended.append(above)
    return pd.concat(mended)


def name_level(level: str) -> str:
    """Return the name of the layer that a level of territories is."""
    return f"territories: {level}"


def levels_from_top(territories: GeoDataFrame) -> list[str]:
    """Return the levels of territories, parents before children.

    Parameters
    ----------
    territories : GeoDataFrame, schema TERRITORIES

    Returns
    -------
    list of str
        A level comes after the level of its parents; levels without known parents come
        first, in the order of the rows.
    """
    parent = territories["parent"]
    depth = pd.Series(0, index=territories.index)
    known = parent[parent.isin(territories.index)]
    for _ in range(territories["level"].nunique()):
        depth.update(depth.reindex(known).set_axis(known.index) + 1)
    order = depth.groupby(territories["level"], sort=False).max()
    return order.sort_values(kind="stable").index.tolist()


def note_strays(grids: GeoDataFrame, territories: GeoDataFrame) -> DataFrame:
    """Write down where given grids and their territories are not the same land.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
        Their ``territory`` says what they should fill.
    territories : GeoDataFrame, schema TERRITORIES
        Of the level that grids stay inside.

    Returns
    -------
    DataFrame, schema CHANGES
        One row for each territory that differs by more than 1 % of its area, with the area
        of the difference, and one for each territory of grids that there is none of.
    """
    land = tiling.build_territories(grids)
    strangers = land.index[~land.index.isin(territories.index)]
    land = land.drop(index=strangers)
    same = territories.geometry.reindex(land.index)
    differs = land.geometry.symmetric_difference(same).area
    share = differs / same.area
    far = share > _STRAY_SHARE
    return ledger.join_changes(
        ledger.note_changes(strangers, step="mend", what="territory unknown",
                            note="grids name it, but no territory has this code"),
        ledger.note_changes(share.index[far], step="mend", what="territory differs from its grids",
                            area_m2=differs[far],
                            note=[f"{s:.1%} of its area; both are left as they are"
                                  for s in share[far]]),
    )


def note_scheme(scheme: str, work_grids: GeoDataFrame, rule: TilingRule) -> Layer:
    """Write down where work grids of one scheme overlap: facts, which nobody mends here."""
    overlaps = tiling.find_overlaps(work_grids, rule=rule)
    if overlaps.empty:
        return tell(name_scheme(scheme), ledger.join_changes())
    return tell(name_scheme(scheme), ledger.note_changes(
        [scheme], step="mend", what="scheme overlaps itself",
        area_m2=overlaps["area_m2"].sum(),
        note=f"{len(overlaps):,} overlaps between work grids; left as they are",
    ))


def name_scheme(scheme: str) -> str:
    """Return the name of the layer that a scheme is."""
    return f"scheme: {scheme}"
