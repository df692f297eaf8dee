"""What changed in a workspace since one of its versions, or since a day."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import geopandas

from ..errors import ConfigError, WorkspaceError
from ..workspace import history, manifest, store
from . import changed

#: Events after which a workspace stands for another version.
_TURNED = (history.MADE, history.RESTORED, history.RECOVERED)


class Since(NamedTuple):
    """What is not what it was in an earlier version."""

    version: str  # the earlier one
    inputs: list[str]  # files of the input that are new, gone, or have other bytes
    rules: list[str]  # configuration, profile, publication
    territories: list[str]  # those with grids that are new, gone, or have other borders or counts
    grids: list[str]
    files: list[str]  # outputs

    @property
    def told(self) -> str:
        """All of it in one line."""
        counts = {"input": self.inputs, "rule": self.rules, "territor": self.territories,
                  "grid": self.grids, "file": self.files}
        ends = {"territor": ("y", "ies")}
        words = [f"{len(some):,} {name}{ends.get(name, ('', 's'))[len(some) != 1]}"
                 for name, some in counts.items()]
        return f"changed since version {self.version}: {', '.join(words)}"


def find_since(workspace: str | Path, since: str) -> Since:
    """Tell what changed between an earlier version of a workspace and the current one.

    Parameters
    ----------
    workspace : str or Path
    since : str
        The number of a version, such as ``2`` or ``0002``, or a time as in `load_history`:
        ``2026-03-01``, ``7d``. A time stands for the version that was current then, or the
        first one that is there if all are younger.

    Returns
    -------
    Since

    Raises
    ------
    WorkspaceError
        If there is no such version, or no version at all.
    ConfigError
        If ``since`` is neither a number nor a time.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> from gridmap.pipeline import run_again
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> done = run_again(config)
    >>> find_since(config.workspace, "1").told
    'changed since version 0001: 0 inputs, 0 rules, 0 territories, 0 grids, 0 files'
    """
    place = store.find_place(workspace)
    current = store.current_number(place)
    if current is None:
        raise WorkspaceError(f"{workspace} has no version yet. Make one with: gridmap run")
    version = find_version_at(place, since)
    folders = [store.store_of(place) / number for number in (version, current)]
    before, now = (manifest.load_manifest(folder) for folder in folders)
    grids, territories = _compare_grids(*folders)
    return Since(
        version, _differ(before, now, "inputs"), _differ(before, now, "hashes"), territories,
        grids, _differ(before, now, "outputs"))


def find_version_at(place: Path, since: str) -> str:
    """Return the number of the version that a number or a time stands for.

    Raises
    ------
    WorkspaceError, ConfigError
        As `find_since` does.
    """
    if since.isdigit() and len(since) <= 4:
        return store.check_number(place, since)
    try:
        time = history.read_since(since)
    except ConfigError as error:
        raise ConfigError(
            f"--since {since!r} is no version and no time: write a number such as 2, a date such "
            "as 2026-03-01, 7d for days or 12h for hours"
        ) from error
    there = store.list_numbers(place)
    turned = [str(event["version"]) for event in history.load_events(place)
              if event["event"] in _TURNED and str(event["time"]) <= time]
    stood = [number for number in turned if number in there]
    return stood[-1] if stood else there[0]


def _differ(before: dict[str, Any], now: dict[str, Any], part: str) -> list[str]:
    one, two = before.get(part, {}), now.get(part, {})
    return sorted(name for name in {*one, *two} if one.get(name) != two.get(name))


def _compare_grids(before: Path, now: Path) -> tuple[list[str], list[str]]:
    """Return the grids that differ, and their territories."""
    files = [folder / "frames" / "grids.parquet" for folder in (before, now)]
    if not all(file.is_file() for file in files):
        return [], []
    if manifest.hash_file(files[0]) == manifest.hash_file(files[1]):
        return [], []
    old, new = (geopandas.read_parquet(file) for file in files)
    was, is_ = changed.find_changed(old, new, ("territory", "kind", "households", "people"))
    grids = {*old.index[was], *new.index[is_]}
    homes = {*old["territory"][was], *new["territory"][is_]}
    return sorted(map(str, grids)), sorted(map(str, homes))
