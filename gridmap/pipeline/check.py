"""Diagnose the input of a run, and write nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import sources
from ..errors import CRSError, GridmapError
from ..workspace.config import Config, Source, TableSource
from . import evidence, faults, places
from .faults import Diagnosis
from .load import (
    Inputs,
    Progress,
    ReadFile,
    join_files,
    read_files,
    read_source,
    silent,
    tell_file,
)
from .mend import mend_inputs, project_inputs
from .totals import join_totals

#: Layers whose faults mending may end.
_TILED = ("territories", "units", "grids")


def find_faults(config: Config, *, progress: Progress = silent) -> DataFrame:
    """Read and mend all inputs, and list what was found by severity.

    Parameters
    ----------
    config : Config
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    DataFrame
        Columns ``severity`` (blocks the run, mended, look at this), ``step``, ``what``,
        ``layer`` (which file or layer), ``rows`` (how many), ``note`` (which, and why) and
        ``suggestion`` (what to do); the severest first. What `diagnose_inputs` finds, without
        the places.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> sorted(set(find_faults(config)["severity"]))
    ['look at this']
    """
    return diagnose_inputs(config, progress=progress).findings


def diagnose_inputs(config: Config, *, progress: Progress = silent) -> Diagnosis:
    """Read and mend all inputs, and tell every fault with its place and what to do.

    A file that cannot be read does not hide the faults of the others. Nothing is written,
    and no suggestion is followed.

    Parameters
    ----------
    config : Config
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Diagnosis
        ``findings`` is the table, ``faults`` every single fault. Where the publication
        profile shows no single elements, their places are rounded to 100 m.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> sorted(diagnose_inputs(config).faults["what"].unique())
    ['CRS said by the user', 'encoding']
    """
    refused: list[tuple[ReadFile | None, str, GridmapError]] = []

    def refuse(name: str, source: Source | TableSource, error: GridmapError) -> None:
        refused.append((_read_unplaced(name, source, error), tell_file(name, source), error))

    files = read_files(config, progress=progress, refused=refuse)
    progress("evidence", 0, 1)
    unplaced = [file for file, _, _ in refused if file is not None]
    found = evidence.find_evidence(files, unplaced=unplaced)
    progress("evidence", 1, 1)
    about_crs = {one.layer: one for one in found if one.layer in {f.told for f in unplaced}}
    blocked = [_blocked(layer, error, about_crs.get(layer)) for _, layer, error in refused]
    found = [one for one in found if one.layer not in about_crs]
    parts = [*blocked, *(faults.faults_of_file(file) for file in files),
             faults.faults_of_evidence(found)]
    elsewhere = {one.layer for one in found if one.severity == "blocks the run"}
    usable = [file for file in files if file.told not in elsewhere]
    whole = not refused and len(usable) == len(files)
    later, single, inputs = _look_later(usable, config, progress, whole=whole)
    told = faults.join_faults([*parts, *later])
    coarse = not config.publication.elements
    if coarse:
        told = faults.round_places(told, single=_is_single(told, single))
    return Diagnosis(faults.group_faults(told), told, *_ground(inputs), coarse)


def _read_unplaced(
    name: str, source: Source | TableSource, error: GridmapError
) -> ReadFile | None:
    """Read a file that lacks nothing but its CRS, so that evidence can be found for one."""
    if not isinstance(error, CRSError) or isinstance(source, TableSource) or source.crs:
        return None
    from dataclasses import replace

    try:
        loaded = read_source(name, replace(source, crs="EPSG:4326", offset=None))
    except GridmapError:
        return None
    return ReadFile(name, source, strip_crs(loaded))


def strip_crs(loaded: sources.Loaded) -> sources.Loaded:
    """Return what was loaded with no CRS: its coordinates are as the file has them."""
    bare = GeoDataFrame(loaded.frame.drop(columns="geometry"),
                        geometry=loaded.frame.geometry.to_numpy(), index=loaded.frame.index)
    changes = loaded.changes[loaded.changes["what"] != "CRS said by the user"]
    return loaded._replace(frame=bare, changes=changes)


def _blocked(layer: str, error: GridmapError, about: evidence.Evidence | None) -> GeoDataFrame:
    if about is None:
        return faults.faults_of_error(error, what="file cannot be used", layer=layer)
    return faults.make_faults(
        severity="blocks the run", step="load", what="CRS missing", layer=layer, ids=[None],
        note=f"{error} {about.note}", suggestion=about.suggestion)


def _look_later(
    files: list[ReadFile], config: Config, progress: Progress, *, whole: bool
) -> tuple[list[GeoDataFrame], set[str], Inputs | None]:
    """Return what tilings and later steps have to tell, which layers are single, the inputs.

    An error of a later step is told only where every file could be used: else it follows
    from the one that is missing.
    """
    told: list[GeoDataFrame] = []
    single: set[str] = set()
    inputs = None
    try:
        inputs = project_inputs(join_files(files, config), config)
        torn = places.number_places(places.find_tiling_faults(inputs, config))
        severity: Any = "look at this"
        told.append(faults.faults_of_places(torn, severity=severity))
        mended = mend_inputs(inputs, config, progress=progress)
        told[-1] = faults.faults_of_places(
            torn, severity=_judge(torn, places.find_tiling_faults(mended, config)))
        strays = places.number_places(places.find_strays(mended, config))
        single = set(strays["layer"]) - _kinds(inputs.assets)
        told.append(faults.faults_of_places(strays, severity="look at this"))
        joined = join_totals(mended, config)
        told.append(faults.faults_of_step(
            joined.changes.iloc[len(inputs.changes):], joined.rejects.iloc[len(inputs.rejects):],
            _layers(joined)))
    except GridmapError as error:
        if whole:
            told.append(faults.faults_of_error(error, what="inputs do not fit together",
                                               layer=config.path.name, step="mend"))
    return told, single, inputs


def _kinds(frame: GeoDataFrame | None) -> set[str]:
    return set() if frame is None else set(frame["kind"])


def _layers(inputs: Inputs) -> dict[str, Any]:
    named = {"territories": inputs.territories, "units": inputs.units, "grids": inputs.grids}
    return {name: frame for name, frame in named.items() if frame is not None}


def _judge(before: GeoDataFrame, after: list[GeoDataFrame]) -> np.ndarray:
    """Say which faults mending ends: those of tiled layers where nothing is left after it."""
    tiled = before["layer"].str.split(":").str[0].isin(_TILED).to_numpy(dtype=bool)
    ended = tiled.copy()
    left = places.number_places(after)
    if len(left) and len(before):
        pairs = shapely.STRtree(left.geometry.to_numpy()).query(
            before.geometry.to_numpy(), predicate="intersects")
        same = (before["layer"].to_numpy()[pairs[0]] == left["layer"].to_numpy()[pairs[1]])
        ended[pairs[0][same]] = False
    return np.where(ended, "mended", "look at this")


def _is_single(told: GeoDataFrame, single: set[str]) -> np.ndarray:
    first = told["layer"].str.split(":").str[0]
    points = told.geometry.geom_type == "Point"
    return np.asarray((first.isin(faults.SINGLE) | told["layer"].isin(single)) & points)


def _ground(
    inputs: Inputs | None,
) -> tuple[GeoDataFrame | None, Mapping[str, GeoDataFrame]]:
    """Return what is drawn under the faults."""
    if inputs is None:
        return None, {}
    polygons = {name: frame for name, frame in _layers(inputs).items() if name != "territories"}
    return inputs.territories, polygons
