"""Second step: one CRS in metres, and seamless territories."""

from __future__ import annotations

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

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
    progress("mend", 0, 3)
    inputs = project_inputs(inputs, config)
    rule = config.profile.tiling
    changes = [inputs.changes]
    lines = [inputs.ledger]
    units, territories = inputs.units, inputs.territories
    if units is not None:
        units, parts = _mend(units, None, rule, "units", lines)
        changes += parts
    if config.territories_from_units and units is not None:
        territories = _dissolve(units, inputs, config)
    progress("mend", 1, 3)
    if territories is not None:
        territories, parts = _mend_levels(territories, rule, lines)
        changes += parts
    progress("mend", 2, 3)
    grids = inputs.grids
    if grids is not None and territories is not None:
        grids, parts = _mend(grids, None, rule, "grids", lines)
        lowest = lowest_territories(territories, config.settings.within)
        changes += [*parts, note_strays(grids, lowest)]
    schemes = inputs.schemes
    if schemes is not None:
        changes.append(note_overlaps(schemes, rule=rule))
    progress("mend", 3, 3)
    return inputs._replace(
        territories=territories, units=units, grids=grids,
        changes=ledger.join_changes(*changes), ledger=ledger.join_ledger(*lines),
    )


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


def _mend(
    polygons: GeoDataFrame,
    parent: GeoDataFrame | None,
    rule: TilingRule,
    name: str,
    lines: list[DataFrame],
) -> tuple[GeoDataFrame, list[DataFrame]]:
    mended, changes = tiling.repair_tiling(polygons, parent, rule=rule)
    lines.append(
        ledger.balance("mend", name, came_in=len(polygons), went_on=len(mended),
                       left_over=len(polygons) - len(mended))
    )
    return mended, [changes]


def _mend_levels(
    territories: GeoDataFrame, rule: TilingRule, lines: list[DataFrame]
) -> tuple[GeoDataFrame, list[DataFrame]]:
    """Mend each level against the one above it, which is already whole."""
    above: GeoDataFrame | None = None
    mended, changes = [], []
    for level in levels_from_top(territories):
        children = territories[territories["level"] == level]
        above, parts = _mend(children, above, rule, f"territories: {level}", lines)
        mended.append(above)
        changes += parts
    return pd.concat(mended), changes


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


def note_overlaps(schemes: GeoDataFrame, *, rule: TilingRule) -> DataFrame:
    """Write down where work grids of one scheme overlap: facts, which nobody mends here.

    Parameters
    ----------
    schemes : GeoDataFrame, schema SCHEMES
    rule : TilingRule

    Returns
    -------
    DataFrame, schema CHANGES
        One row for each scheme with overlaps, with their number and area.
    """
    notes = []
    for scheme, work_grids in schemes.groupby("scheme"):
        overlaps = tiling.find_overlaps(work_grids, rule=rule)
        if len(overlaps):
            notes.append(
                ledger.note_changes(
                    [scheme], step="mend", what="scheme overlaps itself",
                    area_m2=overlaps["area_m2"].sum(),
                    note=f"{len(overlaps):,} overlaps between work grids; left as they are",
                )
            )
    return ledger.join_changes(*notes)
