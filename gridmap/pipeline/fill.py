"""Sixth step: every element, asset, event and visit gets its grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import attach, ledger
from ..executors import Executor
from . import arrow, columns
from .load import Inputs, Progress, silent
from .totals import MASSES


class Filled(NamedTuple):
    """Grids with who lives in them, and everything that was attached."""

    grids: GeoDataFrame
    elements: GeoDataFrame | None
    assets: GeoDataFrame | None
    workers: DataFrame | None
    events: DataFrame | None
    visits: DataFrame | None
    by_grid: DataFrame
    rejects: DataFrame
    ledger: DataFrame


def fill_grids(
    inputs: Inputs, grids: GeoDataFrame, *, counted: bool, snap_m: float = 0.01,
    progress: Progress = silent, executor: Executor | None = None,
) -> Filled:
    """Attach everything that was given to the grids.

    Parameters
    ----------
    inputs : Inputs
        Mended, in the CRS of ``grids``.
    grids : GeoDataFrame, schema GRIDS
        Drawn or given.
    counted : bool
        True where households and people come from the elements: then the grids are
        counted anew from what is attached, so that both frames say the same.
    snap_m : float, default 0.01
        What lies outside every grid by less than this is on the border but for rounding,
        and goes to the nearest grid.
    progress : callable, optional
        Called with (step, done, total).
    executor : Executor, optional
        Looks for points side by side where there are millions; the outcome is the same.

    Returns
    -------
    Filled
        Elements outside every grid keep a missing ``grid`` and are named in ``rejects``;
        the ledger closes in rows, households and people.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.pipeline import draw_base_grids, load_inputs, mend_inputs
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> inputs = mend_inputs(load_inputs(config), config)
    >>> grids = draw_base_grids(inputs, config).grids
    >>> fill_grids(inputs, grids, counted=False).elements["grid"].tolist()
    ['T-0001', 'T-0002', 'T-0001', 'T-0002']
    """
    attached: dict[str, Attached | None] = {}
    for done, name in enumerate(NAMES):
        progress("attach", done, len(NAMES))
        attached[name] = attach_frame(name, getattr(inputs, name), grids, snap_m=snap_m,
                                      executor=executor)
    progress("attach", len(NAMES), len(NAMES))
    found = [one for one in attached.values() if one is not None]
    by_elements = attached["elements"]
    if by_elements is not None and counted:
        grids = count_grids(grids, take_masses(inputs.elements), by_elements.by_grid)
    return Filled(
        grids=grids,
        **{name: put_back(getattr(inputs, name), one and arrow.to_frame(one.columns))
           for name, one in attached.items()},
        by_grid=DataFrame(index=grids.index) if by_elements is None else by_elements.by_grid,
        rejects=ledger.join_changes(*(one.rejects for one in found)),
        ledger=ledger.join_ledger(*(one.ledger for one in found)),
    )


#: What is attached, in order.
NAMES = ("elements", "assets", "events", "visits", "workers")


class Attached(NamedTuple):
    """What attaching adds to a frame."""

    columns: pa.Table  # grid and how, in the order of the rows, numbered from 0
    by_grid: DataFrame
    rejects: DataFrame
    ledger: DataFrame


def attach_frame(
    name: str, frame: DataFrame | None, grids: GeoDataFrame, *, snap_m: float,
    executor: Executor | None = None,
) -> Attached | None:
    """Attach one frame to grids; None where it has no places.

    Parameters
    ----------
    name : str
        What the ledger calls it.
    frame : GeoDataFrame or None
    grids : GeoDataFrame, schema GRIDS
    snap_m, executor
        As in `fill_grids`.
    """
    if not isinstance(frame, GeoDataFrame) or frame.empty:
        return None
    held = attach.hold_elements(frame, grids, nearest_m=snap_m, executor=executor)
    return Attached(
        columns.write_columns(held.position, held.way, grids.index),
        attach.count_elements(frame, held.position, grids.index),
        attach.write_rejects(frame, held.position, held.reason, grids.index),
        tell_held(name, held.position != attach.NOWHERE, take_masses(frame)),
    )


def take_masses(frame: Any) -> dict[str, Series]:
    """Return households and people of each row, as far as a frame has them."""
    return {mass: frame[mass] for mass in MASSES if mass in frame}


def put_back(frame: Any, added: DataFrame | None) -> Any:
    """Return a frame with the columns that attaching adds."""
    if added is None:
        return frame
    return frame.assign(**{str(name): added[name].array for name in added})


def count_grids(
    grids: GeoDataFrame, masses: Mapping[str, Series], counts: DataFrame
) -> GeoDataFrame:
    """Count grids anew from what is attached, where elements stand for somebody.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
    masses : mapping
        Households and people of each element, as far as they are given.
    counts : DataFrame
        What was attached, by grid.
    """
    living = any((values.to_numpy(dtype="float64") > 0).any() for values in masses.values())
    return grids.assign(**{m: counts[m] for m in MASSES if m in counts}) if living else grids


def tell_held(name: str, inside: NDArray[np.bool_], masses: Mapping[str, Series]) -> DataFrame:
    """Return the lines of the ledger: what came in, and what lies in a grid.

    Parameters
    ----------
    name : str
        What the ledger calls the rows.
    inside : array of bool
        Whether a row has a grid.
    masses : mapping
        Households and people of each row; told of elements alone.

    Examples
    --------
    >>> tell_held("assets", np.array([True, False]), {})[["came_in", "left_over"]].values.tolist()
    [[2.0, 1.0]]
    """
    held = int(inside.sum())
    lines = [ledger.balance("attach", name, came_in=len(inside), went_on=held,
                            left_over=len(inside) - held)]
    for mass, values in masses.items() if name == "elements" else ():
        lines.append(ledger.balance(
            "attach", "elements", measure=mass, came_in=values.sum(),
            went_on=values[inside].sum(), left_over=values[~inside].sum()))
    return ledger.join_ledger(*lines)


def collected_share(columns: DataFrame | pa.Table | None) -> float:
    """Return the share of elements that have a grid, or missing without elements.

    Examples
    --------
    >>> collected_share(DataFrame({"grid": ["A", None]}))
    0.5
    """
    if columns is None or not len(columns):
        return float("nan")
    grid = columns["grid"]
    absent = grid.null_count if isinstance(columns, pa.Table) else int(grid.isna().sum())
    return (len(columns) - absent) / len(columns)
