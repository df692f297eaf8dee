"""The main job: from raw files to grids, their figures and the account of every row."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import ledger, tiling, zoning
from ..executors import Executor, open_executor
from ..workspace.config import Config
from . import draw, graph
from .load import Inputs, Progress, silent
from .steps import Steps
from .totals import MASSES


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
    settings = config.settings
    with open_executor(settings.executor, workers=settings.workers,
                       scheduler=settings.scheduler) as executor:
        return _run(config, progress, executor)


def _run(config: Config, progress: Progress, executor: Executor | None) -> Run:
    return take_run(graph.Job(config, Steps(None), None, progress, executor))


def take_run(job: graph.Job) -> Run:
    """Return all frames of a job, which is done as far as it is not."""
    account, measured = job.account, job.measured
    job.proven  # noqa: B018  raises where grids do not tile their land
    return Run(
        grids=job.grids.value,
        by_grid=measured["by_grid"],
        territories=_known(job.given("territories").value),
        units=job.given("units").value,
        assignment=job.drawn["assignment"]["grid"],
        elements=job.placed("elements"),
        assets=job.placed("assets"),
        barriers=job.given("barriers").value,
        sites=job.given("sites").value,
        schemes=job.given("schemes").value,
        workers=job.placed("workers"),
        events=job.placed("events"),
        visits=job.placed("visits"),
        uncovered=measured["uncovered"],
        totals=measured["totals"]["totals"],
        summary=job.summary,
        **account,
    )


def draw_base_grids(
    inputs: Inputs, config: Config, *, progress: Progress = silent,
    executor: Executor | None = None,
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
    executor : Executor, optional
        Draws communities side by side; the outcome is the same.

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
    >>> from gridmap.pipeline import load_inputs, mend_inputs
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
    units = draw.take_units(inputs, config)
    return zoning.partition(
        units, draw.list_sizes(config), size_by=draw.PROFILE if config.profiles else None,
        barriers=inputs.barriers, barrier_rule=profile.barriers,
        dedicated=profile.dedicated, code=profile.code, seed=settings.seed,
        effort=settings.effort, workers=settings.workers, time_limit_s=settings.time_limit_s,
        progress=lambda done, total: progress("partition", done, total), executor=executor,
        **draw.take_options(inputs, units, config.drawing),
    )


def _given_grids(grids: GeoDataFrame) -> GeoDataFrame:
    missing = {mass: float("nan") for mass in MASSES if mass not in grids}
    return grids.assign(kind="existing", area_m2=tiling.measure_area(grids), **missing)


def drawn_lines(inputs: Inputs, drawn: zoning.Partition) -> list[DataFrame]:
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
