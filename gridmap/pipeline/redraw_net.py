"""A net in use redrawn after today's counts: the way from a configuration, and its folder."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import coverage, ledger, maps, tiling
from ..errors import ConfigError
from ..redraw import repartition as redrawing
from ..redraw.budget import Budget
from ..redraw.repartition import Repartition
from ..rules import Publication
from ..workspace import Contents, Layer, save_workspace
from ..workspace.config import Config
from . import draw
from .load import Progress, load_inputs, silent
from .mend import mend_inputs
from .totals import join_totals
from .units import make_units

#: What a page calls the figures of a bill.
LABELS = {"fate": ("What became of it", "变动"), "households": ("Households", "户数")}


class Redrawn(NamedTuple):
    """A net before and after, with the bill."""

    before: GeoDataFrame
    net: Repartition
    units: GeoDataFrame
    territories: GeoDataFrame | None
    changes: DataFrame


def redraw_net(
    config: Config,
    grids: GeoDataFrame,
    *,
    assignment: Series | None = None,
    budget: Budget | None = None,
    locked: Collection[str] = (),
    retired: Collection[str] = (),
    progress: Progress = silent,
) -> Redrawn:
    """Read what a configuration names, and bring a net in use back into range.

    Parameters
    ----------
    config : Config
        Its units, built or given, with today's counts; its profile says how large grids are.
    grids : GeoDataFrame, schema GRIDS
        The net in use, in any CRS.
    assignment : Series, optional
        The grid of each unit, where units are those that the net was drawn of.
    budget, locked, retired : optional
        As in `repartition`.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Redrawn

    Raises
    ------
    ConfigError
        If the configuration has no units and cannot make any.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.pipeline import run
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> done = redraw_net(config, run(config).grids)
    >>> int(done.net.bill.totals["households_moved"])
    0
    """
    inputs = load_inputs(replace(config, grids=None), progress=progress)
    inputs = mend_inputs(inputs, config, progress=progress)
    inputs = make_units(join_totals(inputs, config), config, progress=progress)
    if inputs.units is None:
        raise ConfigError("redrawing needs units: give them with [units], or build = true")
    units = draw.place_units(inputs.units, inputs.territories, config.settings.within)
    if config.profiles and inputs.territories is not None:
        units = draw.choose_profiles(units, inputs.territories, config)
    before = _complete(grids.to_crs(units.crs) if grids.crs != units.crs else grids)
    known = assignment is not None and assignment.index.isin(units.index).all()
    progress("redraw", 0, 1)
    options = draw.take_options(inputs, units, config.drawing)
    net = redrawing.repartition(
        assignment if known else before, units, draw.list_sizes(config),
        size_by=draw.PROFILE if config.profiles else None, workload=options["workload"],
        counts=options["counts"], links=options["links"], budget=budget, locked=locked,
        dedicated=config.profile.dedicated, code=config.profile.code, retired=retired,
        workers=_posts(inputs.workers), assets=inputs.assets, seed=config.settings.seed,
        snap_m=config.profile.tiling.snap_m)
    progress("redraw", 1, 1)
    return Redrawn(before, net, units, inputs.territories,
                   ledger.join_changes(inputs.changes, net.changes))


def _complete(grids: GeoDataFrame) -> GeoDataFrame:
    """Return a layer with all columns of its schema, where a file has the shapes alone."""
    wanted = {"kind": "existing", "households": float("nan"), "people": float("nan")}
    absent = {name: value for name, value in wanted.items() if name not in grids}
    whole = grids.assign(**absent)
    return whole if "area_m2" in whole else whole.assign(area_m2=tiling.measure_area(whole))


def _posts(workers: DataFrame | None) -> DataFrame | None:
    """Return workers whose grid is known, as a bill counts them."""
    return workers if workers is not None and "grid" in workers else None


def draw_bill(done: Redrawn, publication: Publication, *, title: str = "") -> maps.Map:
    """Compare a net before and after on one page, coloured by what became of each grid.

    Parameters
    ----------
    done : Redrawn
    publication : Publication
        What the page may show, beside what became of each grid. Households are on it only
        where single elements may be shown: the counts of two versions can be subtracted.
    title : str, default ""

    Returns
    -------
    Map
    """
    allowed = [name for name in publication.columns
               if publication.elements or name not in ("households", "people")]
    shown = replace(publication, columns=("fate", *allowed))
    fate, measured = done.net.bill.by_grid["fate"], done.net.bill.by_grid
    pair = []
    for grids, side in ((done.before, "before"), (done.net.grids, "after")):
        table = DataFrame({
            "territory": grids["territory"],
            "fate": fate.reindex(grids.index),
            "households": measured[f"households_{side}"].reindex(grids.index),
            "size_state": measured[f"size_state_{side}"].reindex(grids.index),
            "compactness": measured[f"compactness_{side}"].reindex(grids.index),
        })
        told = coverage.suppress_counts(table, shown).by_grid
        pair.append(grids[[grids.geometry.name]].join(told))
    return maps.draw_comparison(
        *pair, publication=shown, figure="fate", territories=done.territories, title=title,
        labels=LABELS)


def save_redraw(
    done: Redrawn, config: Config, folder: str | Path, *, progress: Progress = silent
) -> list[Path]:
    """Write the workspace of a redrawn net: frames in full, bill, and a page of both nets.

    Parameters
    ----------
    done : Redrawn
    config : Config
        Says what may be shown.
    folder : str or Path
        The workspace. It is made, or replaced if it is a workspace already.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WorkspaceError
        If the folder cannot be written, or holds something else.
    """
    net, bill = done.net, done.net.bill
    progress("save", 0, 1)
    table = DataFrame(net.grids.drop(columns=net.grids.geometry.name))
    published = coverage.suppress_counts(table, config.publication)
    page = draw_bill(done, config.publication, title=config.settings.name)
    sheet = maps.write_bill(
        bill, publication=config.publication, title=config.settings.name,
        territories=done.territories, changes=net.changes, page="redraw.html")
    told = maps.hide_small_totals(bill.totals, config.publication)
    shown = net.grids[["geometry"]].join(published.by_grid)
    plain = bill.by_grid[["territory", "fate", "size_state_before", "size_state_after",
                          "compactness_before", "compactness_after"]]
    contents = Contents(
        frames={"grids": net.grids, "units": done.units, "bill_by_grid": bill.by_grid,
                "assignment": net.assignment.to_frame(), "moves": bill.moves},
        packages={"grids": {"grids": Layer(shown)}},
        tables={"bill": told.rename("value").rename_axis("figure").to_frame(),
                "measures": bill.measures, "grids": published.by_grid, "fates": plain,
                "changes": done.changes},
        pages={"redraw": page.get_root().render(),
               "bill": sheet},
        facts={"name": config.settings.name, "publication": config.publication.name,
               "bill": {name: None if pd.isna(value) else float(value)
                        for name, value in told.items()}},
    )
    files = save_workspace(folder, contents)
    progress("save", 1, 1)
    return files
