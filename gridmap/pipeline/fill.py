"""Sixth step: every element, asset, event and visit gets its grid."""

from __future__ import annotations

from typing import Any, NamedTuple

from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import attach, ledger
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
    progress: Progress = silent,
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
    placed: dict[str, Any] = {}
    rejects, lines, counts = [], [], DataFrame(index=grids.index)
    names = ("elements", "assets", "events", "visits", "workers")
    for done, name in enumerate(names):
        progress("attach", done, len(names))
        frame = getattr(inputs, name)
        placed[name] = frame
        if not isinstance(frame, GeoDataFrame) or frame.empty:
            continue
        attached = attach.attach_elements(frame, grids, nearest_m=snap_m)
        placed[name] = attached.elements
        rejects.append(attached.rejects)
        lines.append(_rows(name, attached.elements))
        if name == "elements":
            counts = attached.by_grid
            lines += _masses(attached.elements)
            if counted and residents(frame) is not None:
                grids = grids.assign(**{m: counts[m] for m in MASSES if m in counts})
    progress("attach", len(names), len(names))
    return Filled(
        grids=grids, **placed, by_grid=counts,
        rejects=ledger.join_changes(*rejects), ledger=ledger.join_ledger(*lines),
    )


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
