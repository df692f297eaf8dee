"""The main job as steps: each with the ingredients that it is made of, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pandas import DataFrame, Series

from .. import coverage, ledger
from . import fill, keys, load
from .job_measure import Measuring
from .refs import code_of
from .steps import Outputs
from .summary import summarise

_OWN = "pipeline/graph.py"

#: What steps give for the account.
_ACCOUNT = ("changes", "rejects", "ledger", "doubles", "lines", "doubles_lines")


class Job(Measuring):
    """All steps of the main job, each done when something asks for it; see `Loading`."""

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
            **code_of(_OWN, "ledger.py"),
        }, make)
        return {name: made[name] for name in load.NOTHING}

    @cached_property
    def account_hashes(self) -> dict[str, str]:
        """The hash of each part of the account."""
        return {name: keys.hash_frame(frame) for name, frame in self.account.items()}

    @cached_property
    def summed(self) -> Outputs:
        """The few figures that sum the run up."""
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
            **self.account_hashes, **code_of(_OWN, "pipeline/summary.py", "pipeline/fill.py"),
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
    found = {name: outputs[name] for name in load.NOTHING if name in outputs.record.outputs}
    return {**load.NOTHING, **{name: frame for name, frame in found.items() if frame is not None}}
