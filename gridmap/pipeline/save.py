"""Last step: the workspace that a run leaves behind."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import coverage, maps, schema
from ..workspace import Contents, Layer, inputs, manifest, save_workspace
from ..workspace.config import Config
from ..workspace.inputs import Reading
from .job import Run
from .load import Progress, silent
from .summary import explain_sizes


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
    page = _page(done, shown, published, config)
    progress("save", 1, 4)
    report = _report(done, shown, published, config)
    progress("save", 2, 4)
    tables = {"grids": published.by_grid, "suppressed": published.suppressed,
              "changes": done.changes, "rejects": done.rejects, "ledger": done.ledger}
    contents = Contents(
        frames=_frames(done), packages={"grids": _layers(done, shown, config)}, tables=tables,
        pages={"map": page, "report": report}, facts=_facts(done, config, read),
    )
    inputs.check_inputs(read)
    files = save_workspace(config.workspace, contents)
    progress("save", 4, 4)
    return files


def _frames(done: Run) -> dict[str, GeoDataFrame | DataFrame]:
    frames = {"grids": done.grids, "territories": done.territories, "units": done.units,
              "elements": done.elements, "assets": done.assets}
    known = {"grids": schema.GRIDS, "territories": schema.TERRITORIES, "units": schema.UNITS,
             "elements": schema.ELEMENTS, "assets": schema.ASSETS}
    kept: dict[str, GeoDataFrame | DataFrame] = {
        name: frame[[c.name for c in known[name].columns if c.name in frame] + ["geometry"]]
        for name, frame in frames.items() if frame is not None
    }
    return {**kept, "by_grid": done.by_grid, "assignment": done.assignment.to_frame()}


def _layers(done: Run, shown: GeoDataFrame, config: Config) -> dict[str, Layer]:
    style = maps.draw_qgis_style(shown, config.settings.figure)
    columns = ["name", "level", "parent", "geometry"]
    territories = done.territories[[c for c in columns if c in done.territories]]
    layers = {"grids": Layer(shown, style), "territories": Layer(territories)}
    if done.assets is not None:
        layers["assets"] = Layer(done.assets[["kind", "radius_m", "grid", "geometry"]])
    return layers


def _page(
    done: Run, shown: GeoDataFrame, published: coverage.Published, config: Config
) -> str:
    page = maps.draw_page(
        shown, figure=config.settings.figure, territories=done.territories,
        barriers=done.barriers, sites=done.sites, assets=done.assets, elements=done.elements,
        suppressed=published.suppressed, title=config.settings.name,
        publication=config.publication,
    )
    html: str = page.get_root().render()
    return html


def _report(
    done: Run, shown: GeoDataFrame, published: coverage.Published, config: Config
) -> str:
    return maps.draw_report(
        shown, title=config.settings.name, summary=done.summary, totals=done.totals,
        reasons=explain_sizes(done.changes), ledger=done.ledger, size=config.profile.size,
        territories=done.territories, suppressed=published.suppressed,
        publication=config.publication,
    )


def _facts(done: Run, config: Config, reading: Reading) -> dict[str, Any]:
    """Return what the manifest says beside the outputs: enough to make them again."""
    settings = config.settings
    return {
        "name": settings.name,
        "profile": config.profile.name,
        "publication": config.publication.name,
        "seed": settings.seed,
        "hashes": manifest.hash_config(config),
        "inputs": reading.hashes,
        "summary": {str(k): None if v != v else float(v) for k, v in done.summary.items()},
        "tiling": asdict(config.profile.tiling),
        "ledger": json.loads(done.ledger.to_json(orient="records")),
        "changes": _count(done.changes),
        "rejects": _count(done.rejects),
        "versions": manifest.tell_versions(),
    }


def _count(account: DataFrame) -> dict[str, int]:
    """Count the rows of an account by the step that wrote them."""
    counts = account["step"].value_counts().sort_index()
    return {str(step): int(rows) for step, rows in counts.items()}
