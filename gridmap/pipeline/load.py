"""First step: read every file that the configuration names, and account for each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyproj import CRS

from .. import ledger, sources
from ..errors import ConfigError, listed
from ..workspace.config import Config, Source, TableSource

#: Told how far a long step is: its name, what is done, what there is to do.
Progress = Callable[[str, int, int], None]

_LOADERS: dict[str, Callable[..., sources.Loaded]] = {
    "territories": sources.load_territories,
    "units": sources.load_units,
    "grids": sources.load_grids,
    "barriers": sources.load_barriers,
    "sites": sources.load_sites,
    "elements": sources.load_elements,
    "assets": sources.load_assets,
    "workers": sources.load_workers,
    "events": sources.load_events,
    "visits": sources.load_visits,
    "schemes": sources.load_schemes,
}


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
    wanted = {name: _sources(config, name) for name in _LOADERS}
    total = sum(len(files) for files in wanted.values()) + len(config.tables)
    parts: dict[str, list[Any]] = {name: [] for name in wanted}
    account = _Account([], [], [])
    for done, (name, file) in enumerate((n, f) for n, files in wanted.items() for f in files):
        progress("load", done, total)
        parts[name].append(_load(name, file, account))
    crs = choose_crs(config, *parts["territories"], *parts["units"])
    frames: dict[str, Any] = {
        name: _join(name, some, crs, account) if some else None for name, some in parts.items()
    }
    tables = tuple(_load_table(table, account) for table in config.tables)
    progress("load", total, total)
    return Inputs(
        **frames,
        tables=tables,
        changes=ledger.join_changes(*account.changes),
        rejects=ledger.join_changes(*account.rejects),
        ledger=ledger.join_ledger(*account.lines),
    )


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


def _sources(config: Config, name: str) -> Sequence[Source]:
    given = getattr(config, name)
    if given is None:
        return ()
    return given if isinstance(given, tuple) else (given,)


def _load(name: str, file: Source, account: _Account) -> Any:
    loaded = _LOADERS[name](
        file.path, columns=file.columns, constants=file.constants, layer=file.layer,
        crs=file.crs, offset=file.offset, encoding=file.encoding, where=file.where,
    )
    account.take(loaded, f"{name}: {file.layer or file.path.name}")
    if not file.prefix:
        return loaded.frame
    codes = (file.prefix + loaded.frame.index).rename(loaded.frame.index.name)
    return loaded.frame.set_axis(codes, axis="index")


def _load_table(table: TableSource, account: _Account) -> DataFrame:
    loaded = sources.load_table(
        table.path, key=table.key, columns=table.columns, encoding=table.encoding,
        where=table.where, strip=table.strip,
    )
    account.take(loaded, f"tables: {table.path.name}")
    return loaded.frame


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
    """Return a frame in a CRS; one without places, or in it already, as it is."""
    placed = isinstance(frame, GeoDataFrame) and frame.crs is not None
    return frame.to_crs(crs) if placed and frame.crs != crs else frame


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
