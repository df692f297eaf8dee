"""Sixth step: every element, asset, event and visit gets its grid."""

from __future__ import annotations

from typing import Any, NamedTuple

from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import attach, ledger
from ..executors import Executor
from .load import Inputs, Progress, silent
from .totals import MASSES
from .units import residents


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
        grids = count_grids(grids, inputs.elements, by_elements.by_grid)
    return Filled(
        grids=grids,
        **{name: put_back(getattr(inputs, name), one and one.columns)
           for name, one in attached.items()},
        by_grid=DataFrame(index=grids.index) if by_elements is None else by_elements.by_grid,
        rejects=ledger.join_changes(*(one.rejects for one in found)),
        ledger=ledger.join_ledger(*(one.ledger for one in found)),
    )


#: What is attached, in order.
NAMES = ("elements", "assets", "events", "visits", "workers")


class Attached(NamedTuple):
    """What attaching adds to a frame."""

    columns: DataFrame  # grid and how, in the order of the rows, numbered from 0
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
    attached = attach.attach_elements(frame, grids, nearest_m=snap_m, executor=executor)
    lines = [_rows(name, attached.elements)]
    if name == "elements":
        lines += _masses(attached.elements)
    columns = DataFrame(attached.elements[["grid", "how"]]).reset_index(drop=True)
    return Attached(columns, attached.by_grid, attached.rejects, ledger.join_ledger(*lines))


def put_back(frame: Any, columns: DataFrame | None) -> Any:
    """Return a frame with the columns that attaching adds."""
    if columns is None:
        return frame
    return frame.assign(**{str(name): columns[name].array for name in columns})


def count_grids(
    grids: GeoDataFrame, elements: GeoDataFrame | None, counts: DataFrame
) -> GeoDataFrame:
    """Count grids anew from what is attached, where elements stand for somebody."""
    if residents(elements) is None:
        return grids
    return grids.assign(**{m: counts[m] for m in MASSES if m in counts})


def _rows(name: str, attached: DataFrame) -> DataFrame:
    inside = int(attached["grid"].notna().sum())
    return ledger.balance("attach", name, came_in=len(attached), went_on=inside,
                          left_over=len(attached) - inside)


def _masses(elements: GeoDataFrame) -> list[DataFrame]:
    outside = elements["grid"].isna()
    return [
        ledger.balance(
            "attach", "elements", measure=mass, came_in=elements[mass].sum(),
            went_on=elements.loc[~outside, mass].sum(),
            left_over=elements.loc[outside, mass].sum(),
        )
        for mass in MASSES if mass in elements
    ]


def collected_share(elements: GeoDataFrame | None) -> float:
    """Return the share of elements that have a grid, or missing without elements."""
    if elements is None or elements.empty:
        return float("nan")
    return float(elements["grid"].notna().mean())
