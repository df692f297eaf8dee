"""The main job: from raw files to grids, their figures and the account of every row."""

from __future__ import annotations

from typing import NamedTuple

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from ..executors import Executor, open_executor
from ..workspace.config import Config
from . import graph
from .load import Progress, silent, take_known
from .steps import Steps


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
        territories=take_known(job.given("territories").value),
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
