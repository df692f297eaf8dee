"""The main job as steps: each with the ingredients that it is made of, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame, Series
from pyproj import CRS

from .. import coverage, ledger, tiling, zoning
from ..executors import Executor
from ..workspace import inputs as files
from ..workspace.config import Config, Source, TableSource
from ..workspace.inputs import Reading
from . import (
    arrow,
    attach_again,
    base_grids,
    changed,
    draw,
    fill,
    grids_again,
    keys,
    load,
    load_again,
    mend,
    service,
    shelf,
    totals,
    units,
    units_again,
)
from .load import Inputs, Progress
from .steps import Before, Outputs, Steps
from .summary import summarise

#: What steps give for the account.
_ACCOUNT = ("changes", "rejects", "ledger", "doubles", "lines", "doubles_lines")

_NOTHING = {"changes": ledger.join_changes(), "rejects": ledger.join_changes(),
            "ledger": ledger.join_ledger()}


class Ref(NamedTuple):
    """A frame that a step gives, or that there is none of."""

    outputs: Outputs | None = None
    name: str = ""

    @property
    def value(self) -> Any:
        """The frame."""
        return None if self.outputs is None else self.outputs[self.name]

    @property
    def table(self) -> Any:
        """The frame as a table of Arrow, read where it is looked at."""
        if self.outputs is None:
            raise TypeError(f"there is no {self.name}")
        return self.outputs.table(self.name)

    @property
    def table_or_none(self) -> Any:
        """The same, or None where there is no such frame."""
        return None if self.outputs is None or not self.hash else self.table

    @property
    def hash(self) -> str:
        """The hash of its bytes, "" for none."""
        return "" if self.outputs is None else self.outputs.hash_of(self.name)


def _belongs(path: Path, source: Path) -> bool:
    """Say whether a file is one that is read with a source."""
    beside = path.parent == source.parent and (
        path.stem.split(".")[0] == source.stem.split(".")[0])
    return path == source or path.is_relative_to(source) or beside


class Job:
    """The steps of the main job, each done when something asks for it.

    Parameters
    ----------
    config : Config
    steps : Steps
    reading : Reading, optional
        The hashes of the input; needed where steps are kept.
    progress : callable
    executor : Executor, optional
        Where drawing and attaching are done side by side.
    """

    #: From which sizes on files are read in parts.
    sizes = load_again.USUAL

    def __init__(
        self, config: Config, steps: Steps, reading: Reading | None, progress: Progress,
        executor: Executor | None = None,
    ) -> None:
        self.config, self.steps, self.progress = config, steps, progress
        self._executor = executor
        self._reading = reading
        self._hashes: dict[Path, str] = {}
        if reading is not None:
            named = files.name_files(config)
            self._hashes = {named[name]: text for name, text in reading.hashes.items()
                            if name in named}  # what is gone by now is told where it is read
        self._read: dict[str, list[load.ReadFile]] = {}

    # --- load -------------------------------------------------------------------------------

    def _name_files(self, kind: str) -> dict[str, Source | TableSource]:
        """Return the files of a kind by the names that they have as ingredients."""
        named: dict[str, Source | TableSource] = {}
        for number, source in enumerate(load.name_sources(self.config, kind)):
            name = f"{kind}: {source.path.name}"
            named[name if name not in named else f"{name} ({number})"] = source
        return named

    def _files_of(self, kind: str) -> dict[str, str]:
        """Return the hash of each file of a kind, and how it is read."""
        said = {}
        for name, source in self._name_files(kind).items():
            mine = {path.name: text for path, text in sorted(self._hashes.items())
                    if _belongs(path, source.path)}
            said[name] = keys.hash_value(mine)
            said[f"{name}, how it is read"] = keys.hash_value(
                replace(source, path=Path(source.path.name)))
        return said

    def _stand(self, *kinds: str) -> bool:
        """Say whether the files of kinds are still those whose hashes the steps are kept by."""
        given = self._reading
        sources = [source.path for kind in kinds
                   for source in load.name_sources(self.config, kind)]
        return given is None or all(files.stands(given, path) for path in given.states
                                    if any(_belongs(path, source) for source in sources))

    def _read_kind(self, kind: str) -> list[load.ReadFile]:
        if kind not in self._read:
            kept = partial(load_again.read_one, sizes=self.sizes)
            self._read[kind] = load.read_kind(
                self.config, kind, progress=self.progress,
                read=load.read_one if self.steps.folder is None else kept)
        return self._read[kind]

    @cached_property
    def crs(self) -> str:
        """The CRS of the run, as text."""
        config = self.config
        if config.settings.crs is not None:
            return config.settings.crs
        land = ("territories", "units")
        made = self.steps.do(
            "crs", {**self._files_of(land[0]), **self._files_of(land[1]), **_code("sources")},
            lambda: {"crs": arrow.tell_crs(load.choose_crs(
                config, *load.prefixed(self._read_kind(land[0])),
                *load.prefixed(self._read_kind(land[1]))))},
            lasting=lambda _: self._stand(*land),
        )
        return str(made["crs"])

    @cached_property
    def loaded(self) -> dict[str, Outputs]:
        """What the files of each kind hold."""
        return {kind: self._load(kind) for kind in (*load.LOADERS, "tables")
                if load.name_sources(self.config, kind)}

    def _load(self, kind: str) -> Outputs:
        def make() -> dict[str, Any]:
            read = self._read_kind(kind)
            joined = load.join_kind(read, CRS.from_user_input(self.crs))
            self._read.pop(kind)
            if kind == "tables":
                tables = {str(n): file.loaded.frame for n, file in enumerate(read)}
                return {**joined._asdict(), **tables}
            return {**joined._asdict(), "files": load_again.tell_files(read)}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if kind == "tables" or kind in self._read:
                return None
            return load_again.load_again(before, kind, self._name_files(kind), ingredients,
                                         CRS.from_user_input(self.crs), sizes=self.sizes)

        ingredients = {**self._files_of(kind), "crs of the run": self.crs,
                       **_code("sources", "pipeline/load_again.py")}
        return self.steps.do(f"load: {kind}", ingredients, make, mend=again,
                             lasting=lambda _: self._stand(kind))

    # --- mend, totals, units ----------------------------------------------------------------

    @cached_property
    def mended(self) -> Outputs:
        """Seamless territories, units and grids."""
        names = ("territories", "units", "grids", "schemes")
        config = self.config
        settings = replace(config.settings, crs=self.crs)

        def make() -> dict[str, Any]:
            given = _inputs(**{name: self._ref("load", name).value for name in names})
            done = mend.mend_inputs(given, replace(config, settings=settings),
                                    progress=self.progress)
            return _pick(done, "territories", "units", "grids", "schemes", "changes", "ledger")

        return self.steps.do("mend", {
            **{name: self._ref("load", name).hash for name in names},
            "tiling of the profile": keys.hash_value(config.profile.tiling),
            "within": config.settings.within,
            "territories from units": str(config.territories_from_units),
            **_code("tiling", "sources", "pipeline/mend.py"),
        }, make)

    @cached_property
    def totalled(self) -> Outputs | None:
        """Frames that tables were joined to; None without tables and totals to spread."""
        config = self.config
        if not config.tables and config.population is None:
            return None
        names = ("territories", "units", "grids")
        spread = ("elements",) if config.population is not None else ()

        def make() -> dict[str, Any]:
            self.progress("totals", 0, 1)
            tables = tuple(self.loaded["tables"][str(n)] for n in range(len(config.tables)))
            given = _inputs(**{name: self._ref("mend", name).value for name in (*names, *spread)},
                            tables=tables)
            done = totals.join_totals(given, config)
            self.progress("totals", 1, 1)
            return _pick(done, *names, *spread, "changes", "rejects", "ledger")

        tables = {f"table {n + 1}": self.loaded["tables"].hash_of(str(n))
                  for n in range(len(config.tables))}
        return self.steps.do("totals", {
            **{name: self._ref("mend", name).hash for name in (*names, *spread)}, **tables,
            "what tables join": keys.hash_value([(t.joins, t.path.name) for t in config.tables]),
            "population": keys.hash_value(config.population), "within": config.settings.within,
            **_code("attach", "pipeline/totals.py"),
        }, make)

    @cached_property
    def built(self) -> Outputs | None:
        """Units that were built; None where units or grids are given."""
        config = self.config
        if not config.build_units or config.grids is not None:
            return None
        names = ("territories", "barriers", "sites", "elements")

        def make() -> dict[str, Any]:
            given = _inputs(**{name: self._ref("totals", name).value for name in names})
            return units.build(given, config, progress=self.progress)

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, names):
                return None
            now = {name: self._ref("totals", name).table_or_none for name in names}
            old = {name: now[name] if before.ingredients[name] == ingredients[name]
                   else before.table(name) for name in names}
            return units_again.build_again(
                units_again.Ground(**old), units_again.Ground(**now), before.outputs, config)

        ingredients = {
            **{name: self._ref("totals", name).hash for name in names},
            "sizes of the profile": keys.hash_value(units.finest(config)),
            "tiling of the profile": keys.hash_value(config.profile.tiling),
            "within": config.settings.within,
            **_code("tiling", "attach", "pipeline/units.py", "pipeline/units_again.py",
                    "pipeline/changed.py"),
        }
        return self.steps.do("units", ingredients, make, mend=again)

    def _ref(self, after: str, name: str) -> Ref:
        """Return a frame as it is after a step: load, mend, totals or units."""
        if after == "units" and name == "units" and self.built is not None:
            return Ref(self.built, name)
        if after in ("totals", "units") and self.totalled is not None and (
            name in self.totalled.record.outputs and name not in ("changes", "rejects", "ledger")
        ):
            return Ref(self.totalled, name)
        if after != "load" and name in ("territories", "units", "grids", "schemes"):
            return Ref(self.mended, name)
        return Ref(self.loaded[name], "frame") if name in self.loaded else Ref()

    def given(self, name: str) -> Ref:
        """Return a frame as the drawing of grids takes it."""
        return self._ref("units", name)

    # --- partition --------------------------------------------------------------------------

    @cached_property
    def drawn(self) -> Outputs:
        """Grids, which unit is in which, and why they are odd."""
        config, settings, profile = self.config, self.config.settings, self.config.profile
        names = ["units", "territories", "barriers", "grids"]
        names += ["assets"] if config.drawing.homes else []

        def make() -> dict[str, Any]:
            given = _inputs(**{name: self.given(name).value for name in names})
            done = base_grids.draw_base_grids(given, config, progress=self.progress,
                                   executor=self._executor)
            return tell(given, done._replace(changes=grids_again.sort_changes(done.changes)))

        def tell(given: Inputs, done: zoning.Partition) -> dict[str, Any]:
            return {"grids": done.grids, "assignment": done.assignment.to_frame(),
                    "changes": done.changes,
                    "ledger": ledger.join_ledger(*base_grids.drawn_lines(given, done))}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            rule = config.drawing
            whole = (config.profiles or config.grids or rule.counts or rule.homes
                     or rule.locked or rule.linked)
            if whole or not before.same_but(ingredients, names[:3]):
                return None
            old, new = self._placed_units(before), self._placed_units()
            if old is None or new is None:
                return None
            lines = self.given("barriers")
            places = before.find_shapes("barriers", lines, ("kind",))
            given = _inputs(**{name: self.given(name).value for name in ("units", "territories")})

            def draw(some: changed.Flags) -> zoning.Partition:
                mine = load.take_known(given.units)[some]
                near = None if not lines.hash else arrow.take_rows(
                    lines.table, mine.bounds.to_numpy() + base_grids.BEYOND)[1]
                return base_grids.draw_base_grids(
                    given._replace(units=mine, barriers=near), config, executor=self._executor)

            drawn = grids_again.draw_again(old, new, before.outputs, places, draw)
            if drawn is None:
                return None
            made = zoning.Partition(drawn[0]["grids"], drawn[0]["assignment"],
                                    drawn[0]["changes"])
            return tell(given, made), drawn[1]

        rules = {
            "size of the profile": draw.list_sizes(config), "barriers of the profile":
            profile.barriers, "dedicated kinds of the profile": profile.dedicated,
            "codes of the profile": profile.code, "profiles": config.profiles,
            "drawing": config.drawing, "seed": settings.seed, "effort": settings.effort,
            "time limit": settings.time_limit_s, "within": settings.within,
            "name of the profile": profile.name if config.profiles else "",
        }
        ingredients = {
            **{name: self.given(name).hash for name in names},
            **{name: keys.hash_value(rule) for name, rule in rules.items()},
            **_code("zoning", "tiling", "coverage", "pipeline/draw.py", "pipeline/base_grids.py",
                    "pipeline/grids_again.py", "pipeline/changed.py"),
        }
        return self.steps.do("partition", ingredients, make, mend=again, lasting=_was_whole)

    def _placed_units(self, before: Before | None = None) -> grids_again.Units | None:
        """Return the units of this run, or of one before, and the territory each stays in."""
        names = ("units", "territories")
        units, land = ((before.table(name) if before else self.given(name).table_or_none)
                       for name in names)
        if units is None or not len(units):
            return None
        home = draw.place_units(
            arrow.to_plain(units), None if land is None else arrow.to_plain(land),
            self.config.settings.within)["territory"]
        return grids_again.Units(units, home)

    # --- attach, prove, measure -------------------------------------------------------------

    @cached_property
    def attached(self) -> dict[str, Outputs]:
        """What attaching adds to each frame."""
        names = [name for name in fill.NAMES if name in self.loaded]
        done = {}
        for number, name in enumerate(names):
            self.progress("attach", number, len(names))
            done[name] = self._attach(name)
        self.progress("attach", len(names), len(names))
        return done

    def _attach(self, name: str) -> Outputs:
        config, snap_m = self.config, self.config.profile.tiling.snap_m
        frame, drawn = self.given(name), Ref(self.drawn, "grids")

        def make() -> dict[str, Any]:
            found = fill.attach_frame(name, frame.value, drawn.value, snap_m=snap_m,
                                      executor=self._executor)
            if found is None:
                return {**dict.fromkeys(fill.Attached._fields), "grids": None}
            return tell(found, fill.take_masses(frame.value))

        def tell(found: fill.Attached, masses: Mapping[str, Series]) -> dict[str, Any]:
            counted = name == "elements" and config.build_units
            grids = fill.count_grids(drawn.value, masses, found.by_grid) if counted else None
            return {**found._asdict(), "grids": grids}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, (name, "grids")) or (
                    not _is_kept(before, name, "grids")):
                return None
            past = attach_again.Past(before.table(name), before.frame("grids"), before.outputs)
            now = attach_again.Now(frame.table, drawn.value,
                                   changed.compare_tables(past.table, frame.table), snap_m)
            done = attach_again.attach_again(name, past, now)
            if done is None:
                return None
            return tell(done[0], attach_again.read_masses(frame.table)), done[1]

        ingredients = {
            name: frame.hash, "grids": drawn.hash, "snapping distance of the profile": str(snap_m),
            "counted": str(config.build_units),
            **_code("attach", "pipeline/fill.py", "pipeline/attach_again.py",
                    "pipeline/columns.py", "pipeline/changed.py"),
        }
        return self.steps.do(f"attach: {name}", ingredients, make, mend=again)

    @property
    def grids(self) -> Ref:
        """The grids, counted."""
        counted = self.attached.get("elements")
        if counted is not None and counted.record.outputs["grids"]:
            return Ref(counted, "grids")
        return Ref(self.drawn, "grids")

    def placed(self, name: str) -> Any:
        """Return a frame with the grid of each row."""
        if name not in self.attached:
            return self.given(name).value
        return fill.put_back(self.given(name).value, self.attached[name]["columns"])

    def hash_placed(self, name: str) -> str:
        """Return the hash of a frame with the grid of each row."""
        added = self.attached[name].hash_of("columns") if name in self.attached else ""
        return f"{self.given(name).hash} {added}".strip()

    @cached_property
    def proven(self) -> Outputs:
        """The proof that grids tile their land."""
        rule = self.config.profile.tiling
        grids = Ref(self.drawn, "grids")

        def make() -> dict[str, Any]:
            self.progress("prove", 0, 1)
            tiling.check_tiling(grids.value, rule=rule)
            self.progress("prove", 1, 1)
            return {"proven": True}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, ("grids",)) or not _is_kept(before, "grids"):
                return None
            old = before.frame("grids")
            stale = changed.find_changed(old, grids.value)
            if not tiling.is_tiling_still(old, grids.value, stale, rule=rule):
                return None
            return {"proven": True}, f"{int(stale[1].sum()):,} of {len(grids.value):,} grids"

        ingredients = {"grids": grids.hash, "tiling of the profile": keys.hash_value(rule),
                       **_code("tiling")}
        return self.steps.do("prove", ingredients, make, mend=again)

    @cached_property
    def demanded(self) -> Outputs | None:
        """Who asks for service, and where; None where elements or assets do not tell."""
        elements = self.given("elements")
        kept = all(name in self.attached and shelf.is_name(self.given(name).hash)
                   and shelf.is_name(self.attached[name].hash_of("columns"))
                   for name in ("elements", "assets"))
        if not kept or "households" not in elements.table.column_names:
            return None

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, ("elements", "columns")) or (
                    not _is_kept(before, "elements")):
                return None
            rows = changed.compare_tables(before.table("elements"), elements.table)
            return service.find_demand_again(self._placed, rows, before.outputs)

        ingredients = {"elements": elements.hash,
                       "columns": self.attached["elements"].hash_of("columns"),
                       **_code("coverage", "pipeline/service.py", "pipeline/columns.py")}
        return self.steps.do("demand", ingredients, lambda: service.find_demand(self._placed),
                             mend=again)

    @property
    def _placed(self) -> service.Placed:
        return service.Placed(self.given("elements").table,
                              self.attached["elements"].table("columns"))

    def _reach(self, found: Outputs) -> Outputs:
        """Whom assets reach, and how far off the nearest one is."""
        assets = self.given("assets")

        def make() -> dict[str, Any]:
            return service.measure_reach(*service.read_demand(self._placed, found), assets.value)

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, ("spots", "assets", "shared among")) or (
                    not _is_kept(before, "spots", "assets")):
                return None
            table = before.table("spots")
            spots = np.column_stack([table[name].to_numpy() for name in ("x", "y")])
            return service.measure_reach_again(
                *service.read_demand(self._placed, found), spots,
                (before.table("assets"), assets.table), before.outputs)

        shared = service.is_shared(assets.table)
        ingredients = {
            "spots": found.hash_of("spots"), "assets": assets.hash,
            "shared among": f"{found.hash_of('rows')} {self.hash_placed('elements')}"
            if shared else "", **_code("coverage", "pipeline/service.py")}
        return self.steps.do("reach", ingredients, make, mend=again)

    def _measure(self, found: Outputs | None, reached: Outputs | None) -> coverage.Coverage:
        size = self.config.profile.size
        frames = {name: self.placed(name) for name in fill.NAMES if name != "elements"}
        if found is None or reached is None:
            return coverage.measure_coverage(self.grids.value, size=size, **frames,
                                             elements=self.placed("elements"))
        demand, spots = service.read_demand(self._placed, found)
        served = coverage.Served(service.sum_collected(self._placed), demand,
                                 service.read_reach(spots, reached))
        return coverage.measure_served(self.grids.value, served, size=size, **frames)

    @cached_property
    def measured(self) -> Outputs:
        """The figures of grids and of the whole."""
        config = self.config
        stated = config.grids is None and bool(config.profiles or config.drawing.workload)
        found = self.demanded
        reached = None if found is None else self._reach(found)

        def make() -> dict[str, Any]:
            self.progress("measure", 0, 1)
            done = self._measure(found, reached)
            if stated:
                given = _inputs(units=self.given("units").value,
                                territories=self.given("territories").value)
                done = draw.state_sizes(done, draw.take_units(given, config),
                                        self.drawn["assignment"]["grid"], config)
            self.progress("measure", 1, 1)
            return {"by_grid": done.by_grid, "uncovered": done.uncovered,
                    "totals": done.totals.to_frame()}

        more = {} if not stated else {
            "units": self.given("units").hash, "territories": self.given("territories").hash,
            "assignment": self.drawn.hash_of("assignment"),
            "profiles": keys.hash_value(config.profiles),
            "drawing": keys.hash_value(config.drawing),
        }
        return self.steps.do("measure", {
            "grids": self.grids.hash, **{name: self.hash_placed(name) for name in fill.NAMES},
            "size of the profile": keys.hash_value(config.profile.size), **more,
            **_code("coverage", "zoning", "pipeline/draw.py", "pipeline/service.py",
                    "pipeline/columns.py"),
        }, make)

    # --- account ----------------------------------------------------------------------------

    @cached_property
    def account(self) -> dict[str, DataFrame]:
        """The account of every row: changes, rejects, ledger."""
        done = [self.mended, self.totalled, self.built, self.drawn, *self.attached.values()]
        later = [outputs for outputs in done if outputs is not None]

        def make() -> dict[str, Any]:
            first = load.join_accounts([_Kind(outputs) for outputs in self.loaded.values()])
            parts = [first, *map(_told, later)]
            account = ledger.join_ledger(*(part["ledger"] for part in parts))
            ledger.check_balance(account)
            return {
                "changes": ledger.join_changes(*(part["changes"] for part in parts)),
                "rejects": ledger.join_changes(*(part["rejects"] for part in parts)),
                "ledger": account,
            }

        made = self.steps.do("account", {
            **{f"{outputs.record.step}, {name}": text
               for outputs in (*self.loaded.values(), *later)
               for name, text in outputs.record.outputs.items() if name in _ACCOUNT},
            **_code("ledger.py"),
        }, make)
        return {name: made[name] for name in _NOTHING}

    @cached_property
    def summed(self) -> Outputs:
        """The few figures that sum the run up."""
        account = {name: keys.hash_frame(frame) for name, frame in self.account.items()}

        def make() -> dict[str, Any]:
            attached = self.attached.get("elements")
            elements = None if attached is None or not attached.record.outputs["columns"] else (
                attached.table("columns"))
            filled = fill.Filled(
                self.grids.value, elements, None, None, None, None, DataFrame(),
                self.account["rejects"], self.account["ledger"])
            measured = coverage.Coverage(self.measured["by_grid"], self.measured["uncovered"],
                                         self.measured["totals"]["totals"])
            summary = summarise(filled, measured, changes=self.account["changes"],
                                ledger=self.account["ledger"])
            return {"summary": summary.to_frame()}

        return self.steps.do("sum up", {
            "figures": self.measured.hash_of("by_grid"), "elements": self.hash_placed("elements"),
            **account, **_code("pipeline/summary.py", "pipeline/fill.py"),
        }, make)

    @property
    def summary(self) -> Series:
        """The figures of `summed` as a column."""
        return self.summed["summary"]["summary"]


class _Kind:
    """Gives the outputs of loading a kind as attributes."""

    def __init__(self, outputs: Outputs) -> None:
        self._outputs = outputs

    def __getattr__(self, name: str) -> Any:
        return self._outputs[name]


def _told(outputs: Outputs) -> Mapping[str, DataFrame]:
    """Return what a step adds to the account."""
    found = {name: outputs[name] for name in _NOTHING if name in outputs.record.outputs}
    return {**_NOTHING, **{name: frame for name, frame in found.items() if frame is not None}}


def _inputs(**given: Any) -> Inputs:
    """Return inputs of which a step needs only some, with an empty account."""
    frames = dict.fromkeys(load.LOADERS) | {"tables": ()}
    return Inputs(**{**frames, **_NOTHING, **given})


def _pick(done: Inputs, *names: str) -> dict[str, Any]:
    return {name: getattr(done, name) for name in names}


def _is_kept(before: Before, *names: str) -> bool:
    """Say whether some ingredients are frames that can be looked at again."""
    return all(shelf.is_name(before.ingredients[name]) for name in names)


def _was_whole(made: Mapping[str, Any]) -> bool:
    """Say whether a drawing was not cut short by a clock or an interrupt."""
    changes: DataFrame = made["changes"]
    return not (changes["what"] == "search cut short").any()


def _code(*rooms: str) -> dict[str, str]:
    """Return the ingredients that every step has: the code that does it, and the libraries."""
    own = ("pipeline/graph.py", "pipeline/load.py")
    return {"code": keys.hash_code(*rooms, *own), "libraries": keys.hash_libraries()}
