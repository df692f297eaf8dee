"""The steps that read: every kind of file, in the CRS of the run."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from pyproj import CRS

from ..executors import Executor
from ..sources import database
from ..workspace import inputs as files
from ..workspace.config import Config, Source, TableSource
from ..workspace.inputs import Reading
from . import arrow, keys, load, load_again
from .load import Progress
from .refs import code_of
from .steps import Before, Outputs, Steps

_OWN = "pipeline/job_load.py"


class Loading:
    """The steps that read files, each done when something asks for it.

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
        self.executor = executor
        self.reading = reading
        self._hashes: dict[Path, str] = {}
        if reading is not None:
            named = files.name_files(config)
            self._hashes = {named[name]: text for name, text in reading.hashes.items()
                            if name in named}  # what is gone by now is told where it is read
        self._read: dict[str, list[load.ReadFile]] = {}

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
        given = self.reading
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
            "crs", {**self._files_of(land[0]), **self._files_of(land[1]),
                    **code_of(_OWN, "sources")},
            lambda: {"crs": arrow.tell_crs(load.choose_crs(
                config, *load.prefixed(self._read_kind(land[0])),
                *load.prefixed(self._read_kind(land[1]))))},
            lasting=lambda _: self._stand(*land),
        )
        return str(made["crs"])

    @cached_property
    def loaded(self) -> dict[str, Outputs]:
        """What the files of each kind hold."""
        return {kind: self._load(kind) for kind in (*load.KINDS, "tables")
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
                       **code_of(_OWN, "sources", "pipeline/load_again.py")}
        return self.steps.do(f"load: {kind}", ingredients, make, mend=again,
                             lasting=lambda _: self._stand(kind))


def _belongs(path: Path, source: Path) -> bool:
    """Say whether a file is one that is read with a source; a table is read by itself."""
    if database.is_table(path) or database.is_table(source):
        return path == source
    beside = path.parent == source.parent and (
        path.stem.split(".")[0] == source.stem.split(".")[0])
    return path == source or path.is_relative_to(source) or beside
