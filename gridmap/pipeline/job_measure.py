"""The steps that measure: who asks for service, whom assets reach, and sums by grid."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from .. import coverage
from . import (
    arrow,
    columns,
    demand_again,
    draw,
    fill,
    keys,
    load,
    measure_again,
    service,
    shelf,
)
from .job_attach import Attaching
from .refs import code_of
from .steps import Before, Outputs

_OWN = "pipeline/job_measure.py"

#: What the table is called that says which grid holds each row of a frame.
_IN = "{} in grids"


class Measuring(Attaching):
    """The steps up to the figures of grids; see `Loading`."""

    @cached_property
    def demanded(self) -> Outputs | None:
        """Who asks for service, and where; None where elements or assets do not tell."""
        elements = self.given("elements")
        kept = all(name in self.attached and shelf.is_name(self.given(name).hash)
                   and shelf.is_name(self.attached[name].hash_of("columns"))
                   for name in ("elements", "assets"))
        if not kept or "households" not in elements.columns:
            return None

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, ("elements", "columns")):
                return None
            rows = self.compare(before, "elements", elements)
            held = before.table("columns")["grid"]
            return demand_again.find_demand_again(self._placed, held, rows, before.outputs)

        ingredients = {"elements": elements.hash,
                       "columns": self.attached["elements"].hash_of("columns"),
                       **code_of(_OWN, "coverage", "pipeline/service.py", "pipeline/columns.py",
                                 "pipeline/demand_again.py")}
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
            if not before.same_but(ingredients, ("spots", "assets", "shared among")):
                return None
            spots, old = (service.read_spots(some.table("spots")) for some in (found, before))
            return service.measure_reach_again(
                lambda: service.read_demand(self._placed, found)[0], spots, old,
                (before.table("assets"), assets.table), before.outputs)

        shared = service.is_shared(assets.table)
        ingredients = {
            "spots": found.hash_of("spots"), "assets": assets.hash,
            "shared among": f"{found.hash_of('rows')} {self.hash_placed('elements')}"
            if shared else "",
            **code_of(_OWN, "coverage", "pipeline/service.py", "pipeline/columns.py")}
        return self.steps.do("reach", ingredients, make, mend=again)

    def _add(self, found: Outputs, reached: Outputs) -> coverage.Added:
        demand, spots = service.read_demand(self._placed, found)
        return coverage.add_reach(demand, service.read_reach(spots, reached), self.grids.value)

    def _add_again(
        self, before: Before, found: Outputs, reached: Outputs
    ) -> tuple[coverage.Added, str] | None:
        """Add up what changed."""
        old = before.outputs
        if old["sums"] is None or not before.ingredients[_IN.format("elements")]:
            return None
        assets = before.ingredients["assets"] == self.given("assets").hash
        if not assets and not before.ingredients["reach"]:
            return None
        past = measure_again.Past(
            service.Placed(before.table("elements"), before.table(_IN.format("elements"))),
            coverage.Added(old["sums"], old["squares"]),
            *(None if assets else before.table(name) for name in ("spots", "reach")))
        rows = self.compare(before, "elements", self.given("elements"))
        now = measure_again.Now(self._placed, rows, found, reached)
        return measure_again.add_again(past, now, self.grids.value)

    def _measure(self, added: coverage.Added | None) -> coverage.Coverage:
        size = self.config.profile.size
        frames = {name: self._list_placed(name) for name in fill.NAMES if name != "elements"}
        if added is None:
            return coverage.measure_coverage(
                self.grids.value, size=size, **frames | {"assets": self.placed("assets")},
                elements=self.placed("elements"))
        served = coverage.Served(service.sum_collected(self._placed), added)
        return coverage.measure_served(self.grids.value, served, size=size, **frames)

    def _list_placed(self, name: str) -> Any:
        """Return a frame with the grid of each row, without places where no one is asked for."""
        added, frame = self.attached.get(name), self.given(name)
        if added is None or not added.record.outputs["columns"] or not shelf.is_name(frame.hash):
            return self.placed(name)
        held = columns.read_grids(added.table("columns"))
        return arrow.to_plain(frame.table).assign(grid=held)

    @cached_property
    def measured(self) -> Outputs:
        """The figures of grids and of the whole."""
        found = self.demanded
        reached = None if found is None else self._reach(found)
        ingredients = self._list_measured(found, reached)

        def make() -> dict[str, Any]:
            return tell(None if found is None or reached is None else self._add(found, reached))

        def tell(added: coverage.Added | None) -> dict[str, Any]:
            self.progress("measure", 0, 1)
            done = self._state(self._measure(added))
            self.progress("measure", 1, 1)
            kept = dict.fromkeys(coverage.Added._fields) if added is None else added._asdict()
            return {"by_grid": done.by_grid, "uncovered": done.uncovered,
                    "totals": done.totals.to_frame(), **kept}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            made_by = ("code", "libraries")
            if found is None or reached is None or not before.same_but(
                    ingredients, [name for name in ingredients if name not in made_by]):
                return None
            done = self._add_again(before, found, reached)
            return None if done is None else (tell(done[0]), done[1])

        return self.steps.do("measure", ingredients, make, mend=again)

    @property
    def _stated(self) -> bool:
        """Whether it is not the profile alone that says which grids are in range."""
        config = self.config
        return config.grids is None and bool(config.profiles or config.drawing.workload)

    def _state(self, done: coverage.Coverage) -> coverage.Coverage:
        if not self._stated:
            return done
        given = load.gather(units=self.given("units").value,
                            territories=self.given("territories").value)
        return draw.state_sizes(done, draw.take_units(given, self.config),
                                self.drawn["assignment"]["grid"], self.config)

    def _list_measured(self, found: Outputs | None, reached: Outputs | None) -> dict[str, str]:
        """Return what figures are made of."""
        config = self.config
        more = {} if not self._stated else {
            "units": self.given("units").hash, "territories": self.given("territories").hash,
            "assignment": self.drawn.hash_of("assignment"),
            "profiles": keys.hash_value(config.profiles),
            "drawing": keys.hash_value(config.drawing),
        }
        return {
            "grids": self.grids.hash, **{name: self.given(name).hash for name in fill.NAMES},
            **{_IN.format(name): self.attached[name].hash_of("columns")
               for name in fill.NAMES if name in self.attached},
            "spots": "" if found is None else found.hash_of("spots"),
            "reach": "" if reached is None else reached.hash_of("spots"),
            "size of the profile": keys.hash_value(config.profile.size), **more,
            **code_of(_OWN, "coverage", "zoning", "pipeline/draw.py", "pipeline/service.py",
                      "pipeline/columns.py", "pipeline/measure_again.py"),
        }
