"""Base grids: drawn out of counted units, or the layer that was given, with their account."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import ledger, tiling, zoning
from ..executors import Executor
from ..workspace.config import Config
from . import draw
from .load import Inputs, Progress, silent
from .totals import MASSES

#: Lines that run along units lie no farther than this beyond their bounds.
BEYOND_M = 10.0


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
    return _partition(inputs, config, {}, progress=progress, executor=executor)


def draw_some(
    inputs: Inputs, config: Config, beside: Collection[str], *,
    executor: Executor | None = None,
) -> zoning.Partition:
    """Draw the grids of some territories.

    Parameters
    ----------
    inputs : Inputs
        With their units, and those of the territories that touch them.
    config : Config
    beside : collection of str
        The territories that only show what lies beside the others: no time is spent on them.
    executor : Executor, optional
        As in `draw_base_grids`.
    """
    return _partition(inputs, config, dict.fromkeys(beside, 1), progress=silent,
                      executor=executor)


def _partition(
    inputs: Inputs, config: Config, counts: dict[str, int], *, progress: Progress,
    executor: Executor | None,
) -> zoning.Partition:
    """Draw grids out of units; of so many grids in some territories."""
    settings, profile = config.settings, config.profile
    progress("partition", 0, 1)
    units = draw.take_units(inputs, config)
    options = draw.take_options(inputs, units, config.drawing)
    return zoning.partition(
        units, draw.list_sizes(config), size_by=draw.PROFILE if config.profiles else None,
        barriers=inputs.barriers, barrier_rule=profile.barriers,
        dedicated=profile.dedicated, code=profile.code, seed=settings.seed,
        effort=settings.effort, workers=settings.workers, time_limit_s=settings.time_limit_s,
        progress=lambda done, total: progress("partition", done, total), executor=executor,
        **(options | {"counts": counts} if counts else options),
    )


def _given_grids(grids: GeoDataFrame) -> GeoDataFrame:
    missing = {mass: float("nan") for mass in MASSES if mass not in grids}
    return grids.assign(kind="existing", area_m2=tiling.measure_area(grids), **missing)


def drawn_lines(inputs: Inputs, drawn: zoning.Partition) -> list[DataFrame]:
    """Prove that the partition holds every unit and everybody in it."""
    if inputs.units is None or inputs.grids is not None:
        return []
    return count_lines(inputs.units, drawn.grids, drawn.assignment.to_frame())


def count_lines(units: DataFrame, grids: DataFrame, assignment: DataFrame) -> list[DataFrame]:
    """Prove that grids hold every unit that was assigned to one, and everybody in it."""
    lines = [ledger.balance("partition", "units", came_in=len(units),
                            went_on=int(assignment["grid"].notna().sum()))]
    return lines + [
        ledger.balance("partition", "units", measure=mass, came_in=units[mass].sum(),
                       went_on=grids[mass].sum())
        for mass in MASSES
    ]
