"""The steps that measure: who asks for service, whom assets reach, and sums by grid."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from .. import coverage
from . import arrow, draw, fill, keys, load, service, shelf
from .job_attach import Attaching
from .refs import code_of
from .steps import Before, Outputs

_OWN = "pipeline/job_measure.py"


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
            return service.find_demand_again(self._placed, rows, before.outputs)

        ingredients = {"elements": elements.hash,
                       "columns": self.attached["elements"].hash_of("columns"),
                       **code_of(_OWN, "coverage", "pipeline/service.py", "pipeline/columns.py")}
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
            return service.measure_reach_again(
                *service.read_demand(self._placed, found),
                service.read_spots(before.table("spots")),
                (before.table("assets"), assets.table), before.outputs)

        shared = service.is_shared(assets.table)
        ingredients = {
            "spots": found.hash_of("spots"), "assets": assets.hash,
            "shared among": f"{found.hash_of('rows')} {self.hash_placed('elements')}"
            if shared else "", **code_of(_OWN, "coverage", "pipeline/service.py")}
        return self.steps.do("reach", ingredients, make, mend=again)

    def _measure(self, found: Outputs | None, reached: Outputs | None) -> coverage.Coverage:
        size = self.config.profile.size
        frames = {name: self.placed(name) if name == "assets" else self._list_placed(name)
                  for name in fill.NAMES if name != "elements"}
        if found is None or reached is None:
            return coverage.measure_coverage(self.grids.value, size=size, **frames,
                                             elements=self.placed("elements"))
        demand, spots = service.read_demand(self._placed, found)
        served = coverage.Served(service.sum_collected(self._placed), demand,
                                 service.read_reach(spots, reached))
        return coverage.measure_served(self.grids.value, served, size=size, **frames)

    def _list_placed(self, name: str) -> Any:
        """Return a frame with the grid of each row, without places where no one is asked for."""
        added, frame = self.attached.get(name), self.given(name)
        if added is None or not added.record.outputs["columns"] or not shelf.is_name(frame.hash):
            return self.placed(name)
        return fill.put_back(arrow.to_plain(frame.table), added["columns"])

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
                given = load.gather(units=self.given("units").value,
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
            **code_of(_OWN, "coverage", "zoning", "pipeline/draw.py", "pipeline/service.py",
                    "pipeline/columns.py"),
        }, make)
