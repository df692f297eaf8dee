"""The configuration of a run: ``gridmap.toml`` as frozen values.

Paths are relative to the file that names them, and ``${NAME}`` stands for a variable of
the environment. An entry that is not known is an error, never ignored.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from .. import rules
from ..errors import ConfigError, ProfileError, listed
from ..executors.choose import EXECUTORS
from ..sources import Limits
from . import inlets
from .drawing import DrawingRule, ProfileChoice

#: Tables of gridmap.toml that may stand several times, one for each file.
MANY = ("territories", "barriers", "sites", "elements", "assets", "workers", "events", "visits",
        "schemes", "tables")

#: How long grids are looked for, from the shortest.
EFFORTS = ("draft", "normal", "best")

#: What an entry may be, and the words for it. Entries of other kinds are looked at elsewhere.
_KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    str: ((str,), "text in quotation marks"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    bool: ((bool,), "true or false"),
    Mapping: ((Mapping,), "a table, such as { name = value }"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One file, and how to read it."""

    path: Path
    layer: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    crs: str | None = None
    offset: str | None = None
    encoding: str | None = None
    where: Mapping[str, Any] | None = None
    prefix: str = ""  # put before every code, to tell files with the same codes apart
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSource:
    """A table of totals, keyed by the codes of a frame that it is joined to."""

    path: Path
    joins: str
    key: str
    columns: Mapping[str, Any] = field(default_factory=dict)
    encoding: str | None = None
    where: Mapping[str, Any] | None = None
    strip: str | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.joins not in ("territories", "units", "grids"):
            raise ConfigError(
                f"[[tables]] {self.path.name} joins {self.joins!r}: expected territories, units "
                "or grids"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The ``[run]`` table."""

    name: str
    profile: str = "urban"
    within: str = "community"
    publication: str = "shared"
    seed: int = 0
    workspace: str = "out"
    crs: str | None = None
    effort: str = "normal"
    time_limit_s: float | None = None
    workers: int = 1
    executor: str = "local"
    scheduler: str | None = None
    figure: str = "households"
    code: str | None = None

    def __post_init__(self) -> None:
        if self.effort not in EFFORTS:
            raise ConfigError(f"[run] effort is {self.effort!r}: expected {listed(EFFORTS)}")
        if self.workers < 1 or (self.time_limit_s is not None and self.time_limit_s < 0):
            raise ConfigError("[run] needs workers of 1 or more, and no time limit below 0")
        if self.executor not in EXECUTORS:
            raise ConfigError(f"[run] executor is {self.executor!r}: expected {listed(EXECUTORS)}")
        if self.scheduler is not None and self.executor != "dask":
            raise ConfigError("[run] names a scheduler: set executor to \"dask\" as well")


@dataclass(frozen=True, kw_only=True, slots=True)
class PopulationRule:
    """How published totals of territories are spread over elements."""

    over: str = "building"
    people_per_household: float | None = None

    def __post_init__(self) -> None:
        if self.people_per_household is not None and self.people_per_household <= 0:
            raise ConfigError("[population] people_per_household must be above 0")


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """All that a run needs to know."""

    path: Path
    settings: Settings
    profile: rules.Profile
    publication: rules.Publication
    territories: tuple[Source, ...] = ()
    units: Source | None = None
    territories_from_units: bool = False
    build_units: bool = False
    grids: Source | None = None
    population: PopulationRule | None = None
    drawing: DrawingRule = field(default_factory=DrawingRule)
    profiles: tuple[ProfileChoice, ...] = ()
    barriers: tuple[Source, ...] = ()
    sites: tuple[Source, ...] = ()
    elements: tuple[Source, ...] = ()
    assets: tuple[Source, ...] = ()
    workers: tuple[Source, ...] = ()
    events: tuple[Source, ...] = ()
    visits: tuple[Source, ...] = ()
    schemes: tuple[Source, ...] = ()
    tables: tuple[TableSource, ...] = ()
    net: rules.NetRule = field(default_factory=rules.NetRule)

    @property
    def workspace(self) -> Path:
        """The folder that the run writes: a link to its current version."""
        named = self.path.parent / self.settings.workspace
        # Not the folder that the link leads to: that is a version, and another one tomorrow.
        return named.parent.resolve() / named.name if named.name != ".." else named.resolve()


def load_config(path: str | Path, *, environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration of a run.

    Parameters
    ----------
    path : str or Path
        A ``gridmap.toml``, or the folder that holds one.
    environ : mapping, optional
        Variables for ``${NAME}`` in paths; those of the process by default.

    Returns
    -------
    Config

    Raises
    ------
    ConfigError
        If the file is absent, is not TOML, or has absent, unknown or contradicting entries.
    ProfileError
        If it names a profile that does not exist or is wrong.

    Examples
    --------
    >>> load_config("nowhere.toml")
    Traceback (most recent call last):
    gridmap.errors.ConfigError: there is no configuration nowhere.toml. Make one with: gridmap \
new DIR
    """
    file = Path(path)
    file = file / "gridmap.toml" if file.is_dir() else file
    if not file.is_file():
        raise ConfigError(f"there is no configuration {path}. Make one with: gridmap new DIR")
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not valid TOML in UTF-8: {error}") from error
    variables = os.environ if environ is None else environ
    return _config(file, tables, variables)


def _config(file: Path, tables: dict[str, Any], variables: Mapping[str, str]) -> Config:
    known = ("run", "units", "grids", "population", "drawing", "profiles", "net",
             "limits", *MANY)
    unknown = [name for name in tables if name not in known]
    if unknown:
        raise ConfigError(
            f"{file.name} has unknown tables {listed(unknown)}. Known are "
            f"{listed(known, show=20)}"
        )
    if "run" not in tables:
        raise ConfigError(f"{file.name} has no [run] table, which names the run")
    settings: Settings = _make(Settings, tables["run"], "[run]")
    tables = inlets.spread_limits(tables, MANY)
    many: dict[str, Any] = {name: _many(tables, name, file, variables) for name in MANY}
    config = Config(
        path=file.resolve(),
        settings=settings,
        profile=_profile(settings, file),
        publication=rules.load_publication(_rule_file(settings.publication, file)),
        population=_population(tables),
        net=_net(tables),
        drawing=_make(DrawingRule, tables.get("drawing", {}), "[drawing]"),
        profiles=_choices(tables, file),
        **_units(tables, file, variables),
        **many,
    )
    _check_enough(config)
    return config


def _profile(settings: Settings, file: Path) -> rules.Profile:
    """Read the profile; ``[run] code`` overrules its code rule."""
    profile = rules.load_profile(_rule_file(settings.profile, file))
    if settings.code is None:
        return profile
    return replace(profile, code=rules.load_code_rule(_rule_file(settings.code, file)))


def _net(tables: Mapping[str, Any]) -> rules.NetRule:
    entries = dict(tables.get("net", {}))
    entries["seniority"] = tuple(entries.get("seniority", ()))
    try:
        rule: rules.NetRule = _make(rules.NetRule, entries, "[net]")
    except ProfileError as error:
        raise ConfigError(f"[net]: {error}") from error
    return rule


def _choices(tables: Mapping[str, Any], file: Path) -> tuple[ProfileChoice, ...]:
    """Read [[profiles]]: profiles whose sizes hold in some territories."""
    made = []
    for entry in tables.get("profiles", []):
        if "profile" not in entry:
            raise ConfigError("[[profiles]] has no profile")
        size = rules.load_profile(_rule_file(entry["profile"], file)).size
        made.append(_make(ProfileChoice, {**entry, "size": size}, "[[profiles]]"))
    return tuple(made)


def _rule_file(name: str, file: Path) -> str:
    return str(file.parent / name) if name.endswith(".toml") else name


def _population(tables: Mapping[str, Any]) -> PopulationRule | None:
    if "population" not in tables:
        return None
    rule: PopulationRule = _make(PopulationRule, tables["population"], "[population]")
    return rule


def _units(
    tables: Mapping[str, Any], file: Path, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Read [units] (a file, or build = true) and [grids] (a file)."""
    found: dict[str, Any] = {}
    units = dict(tables.get("units", {}))
    for name in ("build", "territories"):
        _check_kind(units.get(name, False), bool, f"[units] {name}")
    found["build_units"] = units.pop("build", False)
    found["territories_from_units"] = units.pop("territories", False)
    if units:
        found["units"] = _source(Source, units, "[units]", file, variables)
    if found["build_units"] and units:
        raise ConfigError("[units] has both build = true and a file: only one of them is possible")
    if "grids" in tables:
        found["grids"] = _source(Source, tables["grids"], "[grids]", file, variables)
    return found


def _many(
    tables: Mapping[str, Any], name: str, file: Path, variables: Mapping[str, str]
) -> tuple[Any, ...]:
    kind = TableSource if name == "tables" else Source
    entries = tables.get(name, [])
    if not isinstance(entries, list):
        raise ConfigError(f"[{name}] may stand several times: write it as [[{name}]]")
    return tuple(_source(kind, entry, f"[[{name}]]", file, variables) for entry in entries)


def _source(
    kind: type, entry: Mapping[str, Any], where: str, file: Path, variables: Mapping[str, str]
) -> Any:
    if "path" not in entry:
        raise ConfigError(f"{where} has no path")
    text = _expand(str(entry["path"]), variables, where)
    return _make(kind, inlets.place_entry(entry, file.resolve().parent, text, where), where)


def _expand(text: str, variables: Mapping[str, str], where: str) -> str:
    """Replace ``${NAME}`` by the variable, and ``${NAME:-text}`` by the text where unset."""
    def value(match: re.Match[str]) -> str:
        name, default = match.group(1), match.group(2)
        if name not in variables and default is None:
            raise ConfigError(f"{where} names the variable {name}, which is not set")
        return variables.get(name) or default or ""

    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", value, text)


def _make(kind: type, entries: Mapping[str, Any], where: str) -> Any:
    if not isinstance(entries, Mapping):
        raise ConfigError(f"{where} is {entries!r}: expected a table of entries")
    known = [f.name for f in fields(kind)]
    unknown = [name for name in entries if name not in known]
    if unknown:
        raise ConfigError(
            f"{where} has unknown entries {listed(unknown)}. Known are {listed(known, show=20)}"
        )
    hints = get_type_hints(kind)
    for name, value in entries.items():
        _check_kind(value, hints[name], f"{where} {name}")
    try:
        return kind(**entries)
    except TypeError as error:
        absent = [f.name for f in fields(kind) if f.name not in entries and f"'{f.name}'"
                  in str(error)]
        raise ConfigError(f"{where} lacks {listed(absent)}") from error


def _check_kind(value: Any, hint: Any, where: str) -> None:
    """Raise an error where an entry is of another kind than its field."""
    hint = get_args(hint)[0] if isinstance(hint, UnionType) else hint
    kinds, words = _KINDS.get(get_origin(hint) or hint, ((object,), ""))
    mistaken = isinstance(value, bool) and (int in kinds or float in kinds)
    if mistaken or not isinstance(value, kinds):
        raise ConfigError(f"{where} is {value!r}: expected {words}")


def _check_enough(config: Config) -> None:
    if config.territories_from_units and config.units is None:
        raise ConfigError("[units] territories = true needs a file of units: give its path")
    if not config.territories and not config.territories_from_units:
        raise ConfigError(
            "there are no [[territories]]: grids need to know what they stay inside. Where only "
            "units exist, write territories = true in [units]"
        )
    if config.schemes and config.grids is None and config.units is None:
        return  # enough to reconcile them
    if config.grids is None and config.units is None and not config.build_units:
        raise ConfigError(
            "there is nothing to make grids of: give [units] a path or build = true, or give an "
            "existing layer in [grids]"
        )
