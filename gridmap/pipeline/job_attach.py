"""The steps that fill grids: attach, and the proof that they tile their land."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from pandas import Series

from .. import tiling
from . import arrow, attach_again, fill, keys
from .job_draw import Drawing
from .refs import Ref, code_of
from .steps import Before, Outputs

_OWN = "pipeline/job_attach.py"


class Attaching(Drawing):
    """The steps up to what is in each grid; see `Loading`."""

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
                                      executor=self.executor)
            if found is None:
                return {**dict.fromkeys(fill.Attached._fields), "grids": None}
            return tell(found, fill.take_masses(frame.value))

        def tell(found: fill.Attached, masses: Mapping[str, Series]) -> dict[str, Any]:
            counted = name == "elements" and config.build_units
            grids = fill.count_grids(drawn.value, masses, found.by_grid) if counted else None
            return {**found._asdict(), "grids": grids}

        def again(before: Before) -> tuple[dict[str, Any], str] | None:
            if not before.same_but(ingredients, (name, "grids")):
                return None
            land = self._compare_grids(before, drawn)
            if land is None:
                return None
            past = attach_again.Past(before.table(name), before.outputs)
            now = attach_again.Now(frame.table, land, self.compare(before, name, frame), snap_m)
            done = attach_again.attach_again(name, past, now)
            if done is None:
                return None
            return tell(done[0], attach_again.read_most(frame.table)), done[1]

        ingredients = {
            name: frame.hash, "grids": drawn.hash, "snapping distance of the profile": str(snap_m),
            "counted": str(config.build_units),
            **code_of(_OWN, "attach", "pipeline/fill.py", "pipeline/attach_again.py",
                    "pipeline/columns.py"),
        }
        return self.steps.do(f"attach: {name}", ingredients, make, mend=again)

    def _compare_grids(self, before: Before, drawn: Ref) -> attach_again.Land | None:
        """Say which grids changed since a run before, once for all that is attached."""
        both = before.ingredients["grids"], drawn.hash
        if both not in self._lands:
            self._lands[both] = attach_again.compare_grids(
                before.table("grids"), drawn.table, drawn.value)
        return self._lands[both]

    @cached_property
    def _lands(self) -> dict[tuple[str, str], attach_again.Land | None]:
        return {}

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
            if not before.same_but(ingredients, ("grids",)):
                return None
            land = self._compare_grids(before, grids)
            if land is None:
                return None
            old = arrow.to_frame(arrow.take(before.table("grids"), np.flatnonzero(land.gone)))
            stale = np.ones(len(old), dtype=bool), land.changed
            if not tiling.is_tiling_still(old, grids.value, stale, rule=rule):
                return None
            return {"proven": True}, f"{int(land.changed.sum()):,} of {len(grids.value):,} grids"

        ingredients = {"grids": grids.hash, "tiling of the profile": keys.hash_value(rule),
                       **code_of(_OWN, "tiling", "pipeline/attach_again.py")}
        return self.steps.do("prove", ingredients, make, mend=again)
