"""What entries of ``gridmap.toml`` say of where input is, and how much it may ask for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import ConfigError, SourceError
from ..sources import Limits, database, make_limits


def place_entry(entry: Mapping[str, Any], home: Path, text: str, where: str) -> dict[str, Any]:
    """Return the entry of an input with the path that its text stands for.

    The path of a table of a database names the table, so that no layer is left.

    Raises
    ------
    ConfigError
        As in `find_input`.

    Examples
    --------
    >>> entry = {"path": "postgis://?service=city", "layer": "base.towns"}
    >>> place_entry(entry, Path("."), entry["path"], "[units]")["path"].name
    'base.towns'
    """
    path = find_input(home, text, where, entry.get("layer"))
    left_out = ("layer",) if database.is_table(path) else ()
    return {**{name: value for name, value in entry.items() if name not in left_out},
            "path": path}


def find_input(home: Path, text: str, where: str, layer: str | None = None) -> Path:
    """Return the path of an input: a file from the folder of the configuration, or a table.

    The table of a database is named by its address or, as ``layer`` of the entry, beside it.

    Raises
    ------
    ConfigError
        If the address of a database holds a password, cannot be read, or names no table.

    Examples
    --------
    >>> find_input(Path("/city"), "towns.shp", "[[territories]]").as_posix()
    '/city/towns.shp'
    >>> find_input(Path("/city"), "postgis://?service=city&table=towns", "[units]").name
    'towns'
    """
    if not text.startswith(f"{database.SCHEME}//"):
        return home / text
    try:
        path = database.as_path(text)
        return database.with_table(path, str(database.address_of(path, layer).table))
    except SourceError as error:
        raise ConfigError(f"{where}: {error}") from None


def spread_limits(tables: Mapping[str, Any], many: tuple[str, ...]) -> dict[str, Any]:
    """Return the tables of a configuration in which every input has the limits of [limits].

    An input may raise limits for itself.

    Raises
    ------
    ConfigError
        If there is no such limit, or a value is no whole number above 0.

    Examples
    --------
    >>> tables = {"limits": {"parts": 9}, "units": {"path": "units.shp"}}
    >>> spread_limits(tables, ())["units"]["limits"].parts
    9
    """
    general = tables.get("limits", {})
    read_limits(general, "[limits]")
    spread = {name: value for name, value in tables.items() if name != "limits"}
    for name in (*many, "units", "grids"):
        entries = spread.get(name)
        if isinstance(entries, list):
            spread[name] = [_limited(entry, general, f"[[{name}]]") for entry in entries]
        elif isinstance(entries, Mapping):
            spread[name] = _limited(entries, general, f"[{name}]")
    return spread


def _limited(entry: Any, general: Mapping[str, Any], where: str) -> Any:
    if not isinstance(entry, Mapping) or "path" not in entry:
        return entry
    own = entry.get("limits", {})
    read_limits(own, f"{where} limits")
    return {**entry, "limits": read_limits({**general, **own}, where)}


def read_limits(entries: Any, where: str) -> Limits:
    """Return limits as a table of a configuration raises them.

    Raises
    ------
    ConfigError
        If it is no table, there is no such limit, or a value is no whole number above 0.

    Examples
    --------
    >>> read_limits({"parts": 0}, "[limits]")
    Traceback (most recent call last):
    gridmap.errors.ConfigError: [limits]: the limit parts is 0: expected a whole number above 0
    """
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} is {entries!r}: expected a table, such as {{ name = value }}")
    try:
        return make_limits(entries)
    except SourceError as error:
        raise ConfigError(f"{where}: {error}") from error
