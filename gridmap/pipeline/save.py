"""Last step: the workspace that a run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import coverage
from ..workspace import Contents, inputs, make_ground, manifest, save_workspace
from ..workspace.config import Config
from ..workspace.inputs import Reading
from ..workspace.rowgroups import RowGroups
from . import layout
from .job import Run
from .load import Progress, silent


def save_run(
    done: Run, config: Config, *, reading: Reading | None = None, progress: Progress = silent
) -> list[Path]:
    """Write the workspace of a run: frames, packages, tables, map and report.

    The folder ``frames`` holds the full frames for the next step of work; everything else
    follows the publication profile and can be handed on.

    Parameters
    ----------
    done : Run
    config : Config
        Says where, under which name, and what may be shown.
    reading : Reading, optional
        The input as it was before the run, from `read_inputs`. Where it is not given, the
        manifest tells the hashes of now.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WorkspaceError
        If the folder cannot be written, or holds something else.
    SourceError
        If a file of the input is not what it was before the run.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> from gridmap.pipeline import run
    >>> "map.html" in [file.name for file in save_run(run(config), config)]
    True
    """
    read = inputs.read_inputs(config) if reading is None else reading
    published = coverage.suppress_counts(done.by_grid, config.publication)
    shown = done.grids[["geometry"]].join(published.by_grid)
    progress("save", 0, 4)
    page = layout.draw_page(
        config, shown, published, territories=done.territories, barriers=done.barriers,
        sites=done.sites, assets=done.assets, elements=done.elements)
    progress("save", 1, 4)
    report = layout.draw_report(
        config=config, shown=shown, published=published, summary=done.summary,
        totals=done.totals, changes=done.changes, ledger=done.ledger,
        territories=done.territories)
    progress("save", 2, 4)
    tables = {"grids": published.by_grid, "suppressed": published.suppressed,
              "changes": done.changes, "rejects": done.rejects, "ledger": done.ledger}
    layers = layout.lay_out(config, shown, published, done.territories, done.assets)
    contents = Contents(
        frames=_frames(done), packages={"grids": layers},
        grounds={"grids": make_ground(layers)}, tables=tables,
        pages={"map": page, "report": report},
        facts=tell_facts(config, read, done.summary, done.changes, done.rejects, done.ledger),
    )
    inputs.check_inputs(read)
    saved = save_workspace(config.workspace, contents)
    progress("save", 4, 4)
    return saved


def _frames(done: Run) -> dict[str, GeoDataFrame | DataFrame | RowGroups]:
    frames = {"grids": done.grids, "territories": done.territories, "units": done.units,
              "elements": done.elements, "assets": done.assets}
    kept: dict[str, GeoDataFrame | DataFrame | RowGroups] = {
        name: layout.lay_out_frame(name, frame)
        for name, frame in frames.items() if frame is not None
    }
    return {**kept, "by_grid": done.by_grid, "assignment": done.assignment.to_frame()}


def tell_facts(
    config: Config, reading: Reading, summary: Series, changes: DataFrame, rejects: DataFrame,
    account: DataFrame,
) -> Mapping[str, Any]:
    """Return what the manifest says beside the outputs: enough to make them again."""
    settings = config.settings
    return {
        "name": settings.name,
        "profile": config.profile.name,
        "publication": config.publication.name,
        "seed": settings.seed,
        "hashes": manifest.hash_config(config),
        "inputs": reading.hashes,
        "summary": {str(k): None if v != v else float(v) for k, v in summary.items()},
        "tiling": asdict(config.profile.tiling),
        "ledger": json.loads(account.to_json(orient="records")),
        "changes": _count(changes),
        "rejects": _count(rejects),
        "versions": manifest.tell_versions(),
    }


def _count(account: DataFrame) -> dict[str, int]:
    """Count the rows of an account by the step that wrote them."""
    counts = account["step"].value_counts().sort_index()
    return {str(step): int(rows) for step, rows in counts.items()}
