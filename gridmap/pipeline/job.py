"""The main job: from raw files to grids, their figures and the account of every row."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import coverage, ledger, tiling, zoning
from ..workspace.config import Config
from . import draw
from .fill import fill_grids
from .load import Inputs, Progress, load_inputs, silent
from .mend import mend_inputs
from .summary import summarise
from .totals import MASSES, join_totals
from .units import make_units


class Run(NamedTuple):
    """What the main job made. All frames are in one CRS in metres."""

    grids: GeoDataFrame  # schema GRIDS
    by_grid: DataFrame  # schema BY_GRID, unsuppressed
    territories: GeoDataFrame
    units: GeoDataFrame | None
    assignment: Series  # unit -> grid
    elements: GeoDataFrame | None
    assets: GeoDataFrame | None
    barriers: GeoDataFrame | None
    sites: GeoDataFrame | None
    schemes: GeoDataFrame | None
    workers: DataFrame | None
    events: DataFrame | None
    visits: DataFrame | None
    uncovered: GeoDataFrame
    totals: Series
    summary: Series
    changes: DataFrame
    rejects: DataFrame
    ledger: DataFrame


def run(config: Config, *, progress: Progress = silent) -> Run:
    """Do the main job: load, mend, count, draw, attach, measure.

    Nothing is written; ``save_run`` does that.

    Parameters
    ----------
    config : Config
        As `load_config` reads it.
    progress : callable, optional
        Called with (step, done, total) on the way.

    Returns
    -------
    Run
        Grids with their figures, everything attached, and the account of every row.

    Raises
    ------
    GridmapError
        If an input is missing, unreadable or contradicts itself; the message says which,
        where, and what to do.
    LedgerError
        If a step lost or doubled rows or people.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> run(config).grids["households"].to_dict()
    {'T-0001': 4, 'T-0002': 4}
    """
    inputs = load_inputs(config, progress=progress)
    inputs = mend_inputs(inputs, config, progress=progress)
    progress("totals", 0, 1)
    inputs = join_totals(inputs, config)
    progress("totals", 1, 1)
    inputs = make_units(inputs, config, progress=progress)
    drawn = draw_base_grids(inputs, config, progress=progress)
    rule = config.profile.tiling
    filled = fill_grids(inputs, drawn.grids, counted=config.build_units, snap_m=rule.snap_m,
                        progress=progress)
    progress("prove", 0, 1)
    tiling.check_tiling(filled.grids, rule=rule)
    progress("prove", 1, 1)
    progress("measure", 0, 1)
    measured = coverage.measure_coverage(
        filled.grids, elements=filled.elements, assets=filled.assets, events=filled.events,
        visits=filled.visits, workers=filled.workers, size=config.profile.size,
    )
    progress("measure", 1, 1)
    if inputs.grids is None:
        measured = draw.state_sizes(measured, _units_to_draw(inputs, config), drawn.assignment,
                                    config)
    account = ledger.join_ledger(inputs.ledger, *_drawn_lines(inputs, drawn), filled.ledger)
    ledger.check_balance(account)
    changes = ledger.join_changes(inputs.changes, drawn.changes)
    return Run(
        grids=filled.grids,
        by_grid=measured.by_grid,
        territories=_known(inputs.territories),
        units=inputs.units,
        assignment=drawn.assignment,
        elements=filled.elements,
        assets=filled.assets,
        barriers=inputs.barriers,
        sites=inputs.sites,
        schemes=inputs.schemes,
        workers=filled.workers,
        events=filled.events,
        visits=filled.visits,
        uncovered=measured.uncovered,
        totals=measured.totals,
        summary=summarise(filled, measured, changes=changes, ledger=account),
        changes=changes,
        rejects=ledger.join_changes(inputs.rejects, filled.rejects),
        ledger=account,
    )


def draw_base_grids(
    inputs: Inputs, config: Config, *, progress: Progress = silent
) -> zoning.Partition:
    """Draw grids out of the units, or take the layer that was given.

    Parameters
    ----------
    inputs : Inputs
        With units that are counted, or with grids.
    config : Config
        Its profile says how large grids are and what they follow.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Partition
        For a given layer the assignment is empty.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> inputs = mend_inputs(load_inputs(config), config)
    >>> draw_base_grids(inputs, config).assignment.to_dict()
    {'A': 'T-0001', 'B': 'T-0002', 'C': 'T-0001', 'D': 'T-0002'}
    """
    if inputs.grids is not None:
        grids = _given_grids(inputs.grids)
        nobody = Series(dtype="str", name="grid", index=pd.Index([], dtype="str", name="unit"))
        return zoning.Partition(grids, nobody, ledger.join_changes())
    settings, profile = config.settings, config.profile
    progress("partition", 0, 1)
    units = _units_to_draw(inputs, config)
    return zoning.partition(
        units, draw.list_sizes(config), size_by=draw.PROFILE if config.profiles else None,
        barriers=inputs.barriers, barrier_rule=profile.barriers,
        dedicated=profile.dedicated, code=profile.code, seed=settings.seed,
        effort=settings.effort, workers=settings.workers, time_limit_s=settings.time_limit_s,
        progress=lambda done, total: progress("partition", done, total),
        **draw.take_options(inputs, units, config.drawing),
    )


def _units_to_draw(inputs: Inputs, config: Config) -> GeoDataFrame:
    """Return units with the territory they stay in, and the profile whose sizes hold there."""
    territories = inputs.territories
    units = draw.place_units(_known(inputs.units), territories, config.settings.within)
    return draw.choose_profiles(units, territories, config) if config.profiles else units


def _given_grids(grids: GeoDataFrame) -> GeoDataFrame:
    missing = {mass: float("nan") for mass in MASSES if mass not in grids}
    return grids.assign(kind="existing", area_m2=tiling.measure_area(grids), **missing)


def _drawn_lines(inputs: Inputs, drawn: zoning.Partition) -> list[DataFrame]:
    """Prove that the partition holds every unit and everybody in it."""
    if inputs.units is None or inputs.grids is not None:
        return []
    units = inputs.units
    lines = [ledger.balance("partition", "units", came_in=len(units),
                            went_on=int(drawn.assignment.notna().sum()))]
    return lines + [
        ledger.balance("partition", "units", measure=mass, came_in=units[mass].sum(),
                       went_on=drawn.grids[mass].sum())
        for mass in MASSES
    ]


def _known(frame: GeoDataFrame | None) -> GeoDataFrame:
    """Return a frame that the configuration guarantees."""
    if frame is None:
        raise TypeError("the configuration was checked to name this frame")
    return frame
