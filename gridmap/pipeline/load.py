"""First step: read every file that the configuration names, and account for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyproj import CRS
from pyproj.exceptions import ProjError

from .. import ledger, sources
from ..errors import ConfigError, CRSError, GridmapError, listed
from ..schema import crs_name
from ..sources import reread
from ..workspace.config import Config, Source, TableSource

#: Told how far a long step is: its name, what is done, what there is to do.
Progress = Callable[[str, int, int], None]

#: Kinds of files, each read by the function of `sources` that is called after it.
KINDS = ("territories", "units", "grids", "barriers", "sites", "elements", "assets", "workers",
         "events", "visits", "schemes")


class Inputs(NamedTuple):
    """Everything a run was given, and the account of it so far.

    Frames follow their schemas; one that was not given is None. ``tables`` holds one frame
    for each ``[[tables]]`` of the configuration, in its order.
    """

    territories: GeoDataFrame | None
    units: GeoDataFrame | None
    grids: GeoDataFrame | None
    barriers: GeoDataFrame | None
    sites: GeoDataFrame | None
    elements: GeoDataFrame | None
    assets: GeoDataFrame | None
    workers: DataFrame | None
    events: DataFrame | None
    visits: DataFrame | None
    schemes: GeoDataFrame | None
    tables: tuple[DataFrame, ...]
    changes: DataFrame
    rejects: DataFrame
    ledger: DataFrame


#: An account in which nothing stands.
NOTHING = {"changes": ledger.join_changes(), "rejects": ledger.join_changes(),
           "ledger": ledger.join_ledger()}


def gather(**given: Any) -> Inputs:
    """Return inputs of which a step needs only some, with an empty account.

    Examples
    --------
    >>> gather().units is None, len(gather().changes)
    (True, 0)
    """
    return Inputs(**{**dict.fromkeys(KINDS), "tables": (), **NOTHING, **given})


def silent(step: str, done: int, total: int) -> None:
    """Take notice of progress and say nothing."""


def load_inputs(config: Config, *, progress: Progress = silent) -> Inputs:
    """Read all files of a configuration into frames.

    Parameters
    ----------
    config : Config
        Names the files and how to read them.
    progress : callable, optional
        Called with (step, done, total) after every file.

    Returns
    -------
    Inputs
        Frames as the files hold them, each file brought straight to the CRS of the run: a
        detour by a third CRS would move places off the borders they stand on. The ledger
        has a line for each file.

    Raises
    ------
    SourceError, CRSError, SchemaError
        If a file cannot be read, or does not hold what was asked of it.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> load_inputs(config).units.index.tolist()
    ['A', 'B', 'C', 'D']
    """
    return join_files(read_files(config, progress=progress), config)


class ReadFile(NamedTuple):
    """One file of a configuration, and what came out of it."""

    name: str  # territories, units, …, tables
    source: Source | TableSource
    loaded: sources.Loaded
    kept: reread.Kept | None = None  # by which only what changes of it is read next time

    @property
    def told(self) -> str:
        """What the file is called in the account: "territories: towns.shp"."""
        return tell_file(self.name, self.source)


def tell_file(name: str, source: Source | TableSource) -> str:
    """Return what a file is called in the account: "territories: towns.shp"."""
    return f"{name}: {getattr(source, 'layer', None) or source.path.name}"


#: Told of a file that cannot be read: its kind, the file, and why.
Refused = Callable[[str, Source | TableSource, GridmapError], None]


def read_files(
    config: Config, *, progress: Progress = silent, refused: Refused | None = None
) -> list[ReadFile]:
    """Read all files of a configuration, each by itself and in the CRS it is in.

    Parameters
    ----------
    config : Config
    progress : callable, optional
        Called with (step, done, total) before every file.
    refused : callable, optional
        Called for a file that cannot be read, which is then left out. Without it the first
        such file raises.

    Returns
    -------
    list of ReadFile
        In the order of the configuration, tables last.

    Raises
    ------
    SourceError, CRSError, SchemaError
        If a file cannot be read, and ``refused`` is not given.
    """
    named = [*KINDS, "tables"]
    wanted = [(name, file) for name in named for file in name_sources(config, name)]
    files = []
    for done, (name, file) in enumerate(wanted):
        progress("load", done, len(wanted))
        try:
            files.append(ReadFile(name, file, read_source(name, file)))
        except GridmapError as error:
            if refused is None:
                raise
            refused(name, file, error)
    progress("load", len(wanted), len(wanted))
    return files


def read_one(kind: str, file: Source | TableSource) -> ReadFile:
    """Read one file."""
    return ReadFile(kind, file, read_source(kind, file))


def read_kind(
    config: Config, kind: str, *, progress: Progress = silent,
    read: Callable[[str, Source | TableSource], ReadFile] = read_one,
) -> list[ReadFile]:
    """Read the files of one kind; see `read_files`."""
    named = [*KINDS, "tables"]
    before = sum(len(name_sources(config, name)) for name in named[: named.index(kind)])
    whole = sum(len(name_sources(config, name)) for name in named)
    files = []
    for done, file in enumerate(name_sources(config, kind), start=before):
        progress("load", done, whole)
        files.append(read(kind, file))
    progress("load", before + len(files), whole)
    return files


def join_files(files: Sequence[ReadFile], config: Config) -> Inputs:
    """Put files together into one frame of each kind, in the CRS of the run.

    Parameters
    ----------
    files : sequence of ReadFile
        As `read_files` returns them.
    config : Config

    Returns
    -------
    Inputs

    Raises
    ------
    CRSError
        If no CRS in metres fits.
    """
    parts = {name: [file for file in files if file.name == name] for name in (*KINDS, "tables")}
    crs = choose_crs(config, *prefixed(parts["territories"]), *prefixed(parts["units"]))
    kinds = {name: join_kind(some, crs) for name, some in parts.items() if some}
    frames: dict[str, Any] = {
        name: kinds[name].frame if name in kinds else None for name in KINDS
    }
    return Inputs(
        **frames,
        tables=tuple(file.loaded.frame for file in parts["tables"]),
        **join_accounts(list(kinds.values())),
    )


class Kind(NamedTuple):
    """All files of one kind, and the account of them."""

    frame: Any  # None for tables, which are not joined with each other
    changes: DataFrame
    rejects: DataFrame
    lines: DataFrame
    doubles: DataFrame  # rejects: codes that an earlier file has
    doubles_lines: DataFrame


def join_kind(files: Sequence[ReadFile], crs: CRS) -> Kind:
    """Put the files of one kind together, in the CRS of the run; tables stay apart.

    A code that came before is rejected by name.

    Raises
    ------
    CRSError
        If places have no place in the CRS.
    """
    doubles = _Account([], [], [])
    name = files[0].name
    frame = None if name == "tables" else _join(name, prefixed(files), crs, doubles)
    return Kind(frame, *account_of(files), ledger.join_changes(*doubles.rejects),
                ledger.join_ledger(*doubles.lines))


def account_of(files: Sequence[ReadFile]) -> tuple[DataFrame, DataFrame, DataFrame]:
    """Return changes, rejects and ledger lines of the files of one kind, each by itself."""
    account = _Account([], [], [])
    for file in files:
        account.take(file.loaded, file.told)
    return (ledger.join_changes(*account.changes), ledger.join_changes(*account.rejects),
            ledger.join_ledger(*account.lines))


def join_accounts(kinds: Sequence[Any]) -> dict[str, DataFrame]:
    """Return ``changes``, ``rejects`` and ``ledger`` of all kinds: files first, then doubles."""
    return {
        "changes": ledger.join_changes(*(kind.changes for kind in kinds)),
        "rejects": ledger.join_changes(*(kind.rejects for kind in kinds),
                                       *(kind.doubles for kind in kinds)),
        "ledger": ledger.join_ledger(*(kind.lines for kind in kinds),
                                     *(kind.doubles_lines for kind in kinds)),
    }


class _Account(NamedTuple):
    """Lists that grow while files are read, joined once at the end."""

    changes: list[DataFrame]
    rejects: list[DataFrame]
    lines: list[DataFrame]

    def take(self, loaded: sources.Loaded, frame: str) -> None:
        self.changes.append(loaded.changes)
        self.rejects.append(loaded.rejects)
        self.lines.append(
            ledger.balance("load", frame, came_in=loaded.rows_in, went_on=len(loaded.frame),
                           left_over=len(loaded.rejects))
        )


def name_sources(config: Config, name: str) -> Sequence[Source | TableSource]:
    """Return the files of one kind that a configuration names."""
    given = getattr(config, name)
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)


def read_source(name: str, file: Source | TableSource) -> sources.Loaded:
    """Read one file of a configuration by the loader of its kind.

    Raises
    ------
    SourceError, CRSError, SchemaError
        If it cannot be read, or does not hold what was asked of it.
    """
    if isinstance(file, TableSource):
        return sources.load_table(
            file.path, key=file.key, columns=file.columns, encoding=file.encoding,
            where=file.where, strip=file.strip, limits=file.limits,
        )
    load: Callable[..., sources.Loaded] = getattr(sources, f"load_{name}")
    return load(
        file.path, columns=file.columns, constants=file.constants, layer=file.layer,
        crs=file.crs, offset=file.offset, encoding=file.encoding, where=file.where,
        limits=file.limits,
    )


def prefixed(files: Sequence[ReadFile]) -> list[Any]:
    """Return the frames of files, with the prefix before each code that the file asks for."""
    return [_prefixed(file.loaded.frame, getattr(file.source, "prefix", "")) for file in files]


def _prefixed(frame: Any, prefix: str) -> Any:
    if not prefix:
        return frame
    return frame.set_axis((prefix + frame.index).rename(frame.index.name), axis="index")


def choose_crs(config: Config, *frames: GeoDataFrame) -> CRS:
    """Return the CRS of a run: the one it asks for, or the metres that fit its land.

    Raises
    ------
    CRSError
        If no CRS in metres fits.
    """
    if config.settings.crs is not None:
        return CRS.from_user_input(config.settings.crs)
    return sources.metric_crs(*frames)


def to_crs(frame: Any, crs: CRS) -> Any:
    """Return a frame in a CRS; one without places, or in it already, as it is.

    Raises
    ------
    CRSError
        If places have no place in the CRS: they are not where their own CRS says.
    """
    placed = isinstance(frame, GeoDataFrame) and frame.crs is not None
    if not placed or frame.crs == crs:
        return frame
    try:
        moved = frame.to_crs(crs)
        finite = not len(moved) or bool(np.isfinite(moved.total_bounds).all())
    except ProjError:
        finite = False
    if not finite:
        raise CRSError(
            f"{frame.index.name} rows as {crs_name(frame)} have no place in {crs.name}: their "
            "coordinates are not what their CRS says. See what explains them with gridmap check"
        )
    return moved


def _join(name: str, parts: list[Any], crs: CRS, account: _Account) -> Any:
    """Put the files of one kind together; a code that came before is rejected by name."""
    parts = [to_crs(part, crs) for part in parts]
    if len(parts) == 1:
        return parts[0]
    joined = pd.concat(parts)
    twice = joined.index.duplicated()
    if twice.any():
        account.rejects.append(
            ledger.note_changes(joined.index[twice], step="load", what="code of another file",
                                note=f"an earlier file of {name} has this code; the first stays")
        )
        account.lines.append(
            ledger.balance("load", f"{name}: all files", came_in=len(joined),
                           went_on=len(joined) - int(twice.sum()), left_over=int(twice.sum()))
        )
    return joined[~twice]


def lowest_territories(territories: GeoDataFrame, within: str) -> GeoDataFrame:
    """Return the territories of the level that grids stay inside.

    Raises
    ------
    ConfigError
        If there is no territory of that level.
    """
    lowest = territories[territories["level"] == within]
    if lowest.empty:
        raise ConfigError(
            f"[run] within is {within!r}, but the levels of the territories are "
            f"{listed(sorted(set(territories['level'])))}"
        )
    return lowest


def take_known(frame: GeoDataFrame | None) -> GeoDataFrame:
    """Return a frame that the configuration guarantees.

    Examples
    --------
    >>> take_known(None)
    Traceback (most recent call last):
    TypeError: the configuration was checked to name this frame
    """
    if frame is None:
        raise TypeError("the configuration was checked to name this frame")
    return frame
