"""The steps that lay the ground and draw: mend, totals, units, partition."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import pandas as pd
import pyarrow as pa
from pandas import DataFrame, Series
from pyarrow import Table

from .. import ledger, zoning
from . import (
    arrow,
    base_grids,
    between,
    changed,
    draw,
    grids_again,
    keys,
    load,
    mend,
    mend_again,
    totals,
    units,
    units_again,
)
from .job_load import Loading
from .load import Inputs
from .meeting import widen
from .refs import Ref, code_of
from .steps import Before, Outputs

_OWN = "pipeline/job_draw.py"


class Drawing(Loading):
    """The steps up to the grids; see `Loading`."""

    @cached_property
    def mended(self) -> Outputs:
        """Seamless territories, units and grids."""
        names = mend_again.Ground._fields
        config = replace(self.config, settings=replace(self.config.settings, crs=self.crs))

        def make() -> dict[str, Any]:
            given = load.gather(**{name: self.ref("load", name).value for name in names})
            return mend_again.make(*mend.mend_layers(given, config, progress=self.progress))

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, names):
                return None
            now = {name: self.ref("load", name).table_or_none for name in names}
            old = {name: now[name] if before.ingredients[name] == ingredients[name]
                   else before.table(name) for name in names}
            return mend_again.mend_again(
                mend_again.Ground(**old), mend_again.Ground(**now), before.outputs, config)

        ingredients = {
            **{name: self.ref("load", name).hash for name in names},
            "tiling of the profile": keys.hash_value(config.profile.tiling),
            "within": config.settings.within,
            "territories from units": str(config.territories_from_units),
            **code_of(_OWN, "tiling", "sources", "pipeline/mend.py", "pipeline/mend_again.py"),
        }
        return self.steps.do("mend", ingredients, make, mend=again)

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
            frames = {name: self.ref("mend", name).value for name in (*names, *spread)}
            given = load.gather(**frames, tables=tables)
            done = totals.join_totals(given, config)
            self.progress("totals", 1, 1)
            return _pick(done, *names, *spread, "changes", "rejects", "ledger")

        tables = {f"table {n + 1}": self.loaded["tables"].hash_of(str(n))
                  for n in range(len(config.tables))}
        return self.steps.do("totals", {
            **{name: self.ref("mend", name).hash for name in (*names, *spread)}, **tables,
            "what tables join": keys.hash_value([(t.joins, t.path.name) for t in config.tables]),
            "population": keys.hash_value(config.population), "within": config.settings.within,
            **code_of(_OWN, "attach", "pipeline/totals.py"),
        }, make)

    @cached_property
    def built(self) -> Outputs | None:
        """Units that were built; None where units or grids are given."""
        config = self.config
        if not config.build_units or config.grids is not None:
            return None
        names = ("territories", "barriers", "sites", "elements")

        def make() -> dict[str, Any]:
            given = load.gather(**{name: self.ref("totals", name).value for name in names})
            return units.build(given, config, progress=self.progress)

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, names):
                return None
            now = {name: self.ref("totals", name).table_or_none for name in names}
            old = {name: now[name] if before.ingredients[name] == ingredients[name]
                   else before.table(name) for name in names}
            if old["elements"] is None or now["elements"] is None:
                return None
            rows = None if old["elements"] is now["elements"] else self.compare(
                before, "elements", self.ref("totals", "elements"))
            return units_again.build_again(
                units_again.Ground(**old), units_again.Ground(**now), rows, before.outputs, config)

        ingredients = {
            **{name: self.ref("totals", name).hash for name in names},
            "sizes of the profile": keys.hash_value(units.finest(config)),
            "tiling of the profile": keys.hash_value(config.profile.tiling),
            "within": config.settings.within,
            **code_of(_OWN, "tiling", "attach", "pipeline/units.py", "pipeline/units_again.py",
                      "pipeline/counted_again.py", "pipeline/nearby.py", "pipeline/between.py",
                      "pipeline/totals.py"),
        }
        return self.steps.do("units", ingredients, make, mend=again)

    def ref(self, after: str, name: str) -> Ref:
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

    def compare(self, before: Before, name: str, now: Ref) -> changed.Rows:
        """Say what became of the rows of a frame since a run before, once for all steps."""
        both = before.ingredients[name], now.hash
        if both not in self._compared:
            self._compared[both] = (
                changed.stay_same(now.table) if both[0] == both[1] else
                changed.compare_tables(before.table(name), now.table))
        return self._compared[both]

    @cached_property
    def _compared(self) -> dict[tuple[str, str], changed.Rows]:
        return {}

    def given(self, name: str) -> Ref:
        """Return a frame as the drawing of grids takes it."""
        return self.ref("units", name)

    @cached_property
    def drawn(self) -> Outputs:
        """Grids, which unit is in which, and why they are odd."""
        names = ["units", "territories", "barriers", "grids"]
        names += ["assets"] if self.config.drawing.homes else []

        def make() -> dict[str, Any]:
            given = load.gather(**{name: self.given(name).value for name in names})
            done = base_grids.draw_base_grids(given, self.config, progress=self.progress,
                                              executor=self.executor)
            return _tell_drawn(given, done._replace(
                changes=grids_again.sort_changes(done.changes)))

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            whole = draw.looks_at_all(self.config) or not before.same_but(ingredients, names[:3])
            return None if whole else self._draw_again(before)

        ingredients = {
            **{name: self.given(name).hash for name in names},
            **{name: keys.hash_value(rule) for name, rule in draw.list_rules(self.config).items()},
            **code_of(_OWN, "zoning", "tiling", "coverage", "pipeline/draw.py",
                      "pipeline/base_grids.py", "pipeline/grids_again.py", "pipeline/between.py",
                      "pipeline/totals.py"),
        }
        return self.steps.do("partition", ingredients, make, mend=again, lasting=_was_whole)

    def _draw_again(self, before: Before) -> tuple[dict[str, Any], str] | None:
        """Draw the grids of territories that a change touches."""
        old, new = self._placed_units(before), self._placed_units()
        if old is None or new is None:
            return None
        drawn = grids_again.draw_again(
            old, new, self.compare(before, "units", self.given("units")), before.outputs,
            grids_again.Asked(
                draw.list_columns(self.config),
                before.find_shapes("barriers", self.given("barriers"), ("kind",)),
                partial(self._draw_some, new.table)))
        if drawn is None:
            return None
        made = drawn[0]
        lines = base_grids.count_lines(*(arrow.to_plain(table) for table in
                                         (new.table, made.grids, made.assignment)))
        return {**made._asdict(), "ledger": ledger.join_ledger(*lines)}, drawn[1]

    def _draw_some(
        self, units: Table, some: changed.Flags, beside: Collection[str]
    ) -> zoning.Partition:
        """Draw some units; in some territories they only show what lies beside."""
        mine = arrow.to_frame(units.filter(pa.array(some)))
        lines, land = self.given("barriers"), self.given("territories").table_or_none
        given = load.gather(
            units=mine, territories=None if land is None else arrow.to_plain(land),
            barriers=None if not lines.hash else arrow.take_rows(
                lines.table, widen(mine.bounds.to_numpy(), base_grids.BEYOND_M)))
        return base_grids.draw_some(given, self.config, beside, executor=self.executor)

    def _placed_units(self, before: Before | None = None) -> grids_again.Units | None:
        """Return the units of this run, or of one before, and the territory each stays in."""
        units, land = ((before.table(name) if before else self.given(name).table_or_none)
                       for name in ("units", "territories"))
        if units is None or not len(units) or units["territory"].null_count:
            return None
        at, codes = pd.factorize(between.texts_of(units["territory"]))
        home = draw.place_units(
            DataFrame({"territory": Series(codes, dtype="str")}),
            None if land is None else arrow.to_plain(land), self.config.settings.within)
        return grids_again.Units(units, home["territory"].to_numpy(dtype=object)[at])


def _pick(done: Inputs, *names: str) -> dict[str, Any]:
    return {name: getattr(done, name) for name in names}


def _tell_drawn(given: Inputs, done: zoning.Partition) -> dict[str, Any]:
    return {"grids": done.grids, "assignment": done.assignment.to_frame(),
            "changes": done.changes,
            "ledger": ledger.join_ledger(*base_grids.drawn_lines(given, done))}


def _was_whole(made: Mapping[str, Any]) -> bool:
    """Say whether a drawing was not cut short by a clock or an interrupt."""
    changes: DataFrame = made["changes"]
    return not (changes["what"] == "search cut short").any()
