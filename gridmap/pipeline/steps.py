"""Steps that are done once for the same ingredients, and why each was done or not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pandas import DataFrame
from pyarrow import Schema, Table

from . import arrow, changed, keys, shelf
from .shelf import Record

#: What a step gives: frames and values by name.
Made = Mapping[str, Any]

_UNTOUCHED = "nothing it is made of changed"

RAN, REUSED, PARTLY = "ran", "reused", "ran in part"


class Told(NamedTuple):
    """What became of a step in a run."""

    step: str
    did: str  # ran, ran in part, reused
    why: str
    seconds: float  # of processor time


class Before(NamedTuple):
    """What a step was made of and gave in the run before."""

    ingredients: dict[str, str]
    outputs: Outputs
    folder: Path

    def same_but(self, now: Mapping[str, str], some: Sequence[str]) -> bool:
        """Say whether nothing changed but some ingredients."""
        return all(self.ingredients.get(name) == text for name, text in now.items()
                   if name not in some) and self.ingredients.keys() == now.keys()

    def frame(self, name: str) -> Any:
        """Return an ingredient that is a frame, as it was; None where there was none."""
        table = self.table(name)
        return None if table is None else arrow.to_frame(table)

    def table(self, name: str) -> Any:
        """Return the table of an ingredient that is a frame; None where there was none.

        Raises
        ------
        Unfit
            If it was one that is not kept.
        """
        kept = self.ingredients[name]
        if not kept:
            return None
        if not shelf.is_name(kept):
            raise arrow.Unfit(name)
        return shelf.read_table(self.folder, kept, self.outputs.record.step)

    def find_shapes(self, name: str, now: Any, columns: Sequence[str]) -> changed.Shapes:
        """Return the places of the rows of a frame that are not as they were."""
        if self.ingredients[name] == now.hash:
            return changed.find_shapes(None, None)
        return changed.find_shapes(self.table(name), now.table_or_none, columns)


class Outputs:
    """What came out of a step: read from the store when it is asked for."""

    def __init__(self, record: Record, folder: Path | None, made: Made | None = None) -> None:
        self.record = record
        self._folder = folder
        self._made: dict[str, Any] = dict(made or {})

    def hash_of(self, name: str) -> str:
        """Return the hash of an output, for the steps that are made of it."""
        if name in self.record.outputs:
            return self.record.outputs[name]
        return keys.hash_value(self.record.told[name])

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            if name in self.record.told:
                return self.record.told[name]
            kept = self.record.outputs[name]
            self._made[name] = self.table(name) if kept else None
        if isinstance(self._made[name], Table):
            self._made[name] = arrow.to_frame(self._made[name])
        return self._made[name]

    def table(self, name: str) -> Table:
        """Return an output as a table of Arrow, whose bytes are read where they are looked at."""
        made = self._made.get(name)
        if isinstance(made, Table):
            return made
        if made is not None and not shelf.is_name(self.record.outputs[name]):
            return arrow.to_table(made)
        return shelf.read_table(*self._place(name))

    def schema(self, name: str) -> Schema:
        """Return the columns of an output as a table; most of its bytes are not looked at."""
        made = name in self._made or not shelf.is_name(self.record.outputs[name])
        return self.table(name).schema if made else shelf.read_schema(*self._place(name))

    def _place(self, name: str) -> tuple[Path, str, str]:
        """Return where an output is kept."""
        if self._folder is None:
            raise shelf.Damaged(self.record.step)
        return self._folder, self.record.outputs[name], self.record.step


class Steps:
    """Does steps, or takes what they gave before.

    Parameters
    ----------
    folder : Path or None
        The store; without one every step is done, and nothing is kept.
    fresh : bool
        Do every step, whatever is kept, and keep what comes out.
    """

    def __init__(self, folder: Path | None, *, fresh: bool = False) -> None:
        self.folder = folder
        self.fresh = fresh
        self.told: list[Told] = []
        self.keys: dict[str, str] = {}
        self._last = {} if folder is None else shelf.load_last(folder)

    def do(
        self, step: str, ingredients: Mapping[str, str], make: Callable[[], Made], *,
        mend: Callable[[Before], tuple[Made, str] | None] | None = None,
        lasting: Callable[[Made], bool] | None = None,
    ) -> Outputs:
        """Return what a step gives.

        Parameters
        ----------
        step : str
        ingredients : mapping
            Everything that the outcome depends on, by name: hashes, or values as text.
        make : callable
            Does the whole step.
        mend : callable, optional
            Does what changed since the run before, and says in words what that was; None
            where it cannot tell.
        lasting : callable, optional
            Whether what was made may be kept.
        """
        key = keys.make_key(step, ingredients)
        kept = None if self.folder is None or self.fresh else shelf.find_record(self.folder, key)
        if kept is not None:
            self.keys[step] = key
            self.told.append(Told(step, REUSED, _UNTOUCHED, 0.0))
            return Outputs(kept, self.folder)
        start = time.process_time()
        before = self._before(step)
        why = self._tell(before, ingredients)
        made, did = None, RAN
        if mend is not None and before is not None and not self.fresh:
            mended = _try(mend, self._past(before))
            if mended is not None:
                made, did, why = mended[0], PARTLY, f"{why}: {mended[1]}"
        made = make() if made is None else made
        outputs = self._keep(step, key, ingredients, made, lasting is None or lasting(made))
        self.told.append(Told(step, did, why, time.process_time() - start))
        return outputs

    def note(self, step: str, ingredients: Mapping[str, str]) -> None:
        """Have kept what a step gave before, though nothing may ask for it in this run."""
        self.keys.setdefault(step, keys.make_key(step, ingredients))

    def tell(self, step: str, ingredients: Mapping[str, str], did: str) -> None:
        """Note what became of a step that is done elsewhere."""
        why = (_UNTOUCHED if did == REUSED else self._tell(self._before(step), ingredients))
        self.told.append(Told(step, did, why, 0.0))

    def find_past(self, step: str) -> Before | None:
        """Return what a step was made of and gave in the run before; None where unknown."""
        before = None if self.fresh else self._before(step)
        return None if before is None else self._past(before)

    def _past(self, record: Record) -> Before:
        if self.folder is None:
            raise shelf.Damaged(record.step)
        return Before(record.ingredients, Outputs(record, self.folder), self.folder)

    def _before(self, step: str) -> Record | None:
        key = self._last.get(step)
        return None if self.folder is None or key is None else shelf.find_record(self.folder, key)

    def _tell(self, before: Record | None, ingredients: Mapping[str, str]) -> str:
        if self.folder is None:
            return "no store"
        if self.fresh:
            return "asked for"
        if before is None:
            return "what it gave is not kept" if self._last else "the first time"
        return keys.tell_difference(ingredients, before.ingredients)

    def _keep(
        self, step: str, key: str, ingredients: Mapping[str, str], made: Made, lasting: bool
    ) -> Outputs:
        frames = {name: value for name, value in made.items()
                  if value is None or isinstance(value, DataFrame | Table)}
        told = {name: value for name, value in made.items() if name not in frames}
        if self.folder is None:
            return Outputs(_unkept(step, key, frames, told), None, made)
        try:
            hashes = {name: "" if frame is None else shelf.add_frame(self.folder, frame)
                      for name, frame in frames.items()}
            # Tables are opened where they lie now: put together of pieces they would be
            # joined by every step that looks at them.
            made = {name: value for name, value in made.items() if not isinstance(value, Table)}
        except arrow.Unfit:
            lasting, hashes = False, {name: f"{key}: {name}" for name in frames}
        record = Record(step, key, dict(ingredients), hashes, told)
        if lasting:
            shelf.add_record(self.folder, record)
            self.keys[step] = key
        return Outputs(record, self.folder, made)


def _try(
    mend: Callable[[Before], tuple[Made, str] | None], past: Before
) -> tuple[Made, str] | None:
    """Do what changed; None where that holds what no table gives back as it was."""
    try:
        return mend(past)
    except arrow.Unfit:
        return None


def _unkept(step: str, key: str, frames: Mapping[str, Any], told: dict[str, Any]) -> Record:
    """Return a record of what is not kept: its outputs are told apart by the key."""
    outputs = {name: "" if frame is None else f"{key}: {name}" for name, frame in frames.items()}
    return Record(step, key, {}, outputs, told)
