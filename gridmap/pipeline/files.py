"""The files of a workspace, each made of some outputs of a job: those alone are read for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import coverage, maps
from ..rules import TilingRule
from ..workspace import Contents, Layer, make_ground, tell_kinds
from ..workspace.config import Config
from ..workspace.rowgroups import RowGroups
from . import arrow, graph, grouped, keys, layout, shelf
from .outputs import Current, Make, Output
from .refs import Ref

#: What a frame is made of beside itself.
_ADDED = "what attaching adds"

#: The step that takes out what may not be shown.
_PUBLISHED = "publish"

#: The step that lays out what of the package does not change with the grids.
_GROUND = "lay out: grids.gpkg"

#: The step that draws what of the map does not change with the grids.
_PAGE = "draw: map.html"

#: The step that draws the shapes of grids.
_SHAPES = "draw: shapes of grids"

#: The step that draws the picture of the report.
_PICTURE = "draw: report.html"


class Files:
    """What is written of a job.

    Parameters
    ----------
    job : Job
    config : Config
    current : Current
        What large frames are copied from where they are the same.
    """

    def __init__(self, job: graph.Job, config: Config, current: Current) -> None:
        self.job, self.config, self._current = job, config, current

    @cached_property
    def published(self) -> coverage.Published:
        """The figures that may be shown."""
        measured, publication = self.job.measured, self.config.publication
        made = self.job.steps.do(_PUBLISHED, {
            "figures": measured.hash_of("by_grid"), "publication": keys.hash_value(publication),
            "code": keys.hash_code("coverage", "pipeline/files.py"),
            "libraries": keys.hash_libraries(),
        }, lambda: coverage.suppress_counts(measured["by_grid"], publication)._asdict())
        return coverage.Published(made["by_grid"], made["suppressed"])

    @cached_property
    def shown(self) -> GeoDataFrame:
        """Grids with the figures that may be shown."""
        return self.job.grids.value[["geometry"]].join(self.published.by_grid)

    @cached_property
    def frames(self) -> list[Output]:
        """The frames, for the next step of work."""
        job = self.job
        made = [Output(f"frames/{name}.parquet", self._made_of(name), Make(self._frame, name))
                for name in layout.KNOWN if self._ref(name).hash]
        code = _writing_code()
        return [*made,
                Output("frames/by_grid.parquet",
                       {"figures": job.measured.hash_of("by_grid"), **code},
                       lambda: job.measured["by_grid"]),
                Output("frames/assignment.parquet",
                       {"assignment": job.drawn.hash_of("assignment"), **code},
                       lambda: job.drawn["assignment"])]

    def _ref(self, name: str) -> Ref:
        return self.job.grids if name == "grids" else self.job.given(name)

    def _added(self, name: str) -> Ref:
        """Return the columns that attaching adds to a frame."""
        added = self.job.attached.get(name)
        there = added is not None and added.record.outputs["columns"]
        return Ref(added, "columns") if there else Ref()

    def _made_of(self, name: str) -> dict[str, str]:
        return {name: self._ref(name).hash, _ADDED: self._added(name).hash, **_writing_code()}

    def _frame(self, name: str) -> GeoDataFrame | RowGroups:
        rows = self._group_rows(name)
        if rows is not None:
            return rows
        return layout.lay_out_frame(
            name, self.job.grids.value if name == "grids" else self.job.placed(name))

    def _group_rows(self, name: str) -> RowGroups | None:
        """Return a frame as row groups, without making it; None where that cannot be."""
        added = self._added(name)
        try:
            placed = grouped.Placed(self._ref(name).table, added.table_or_none)
        except arrow.Unfit:
            return None
        return grouped.lay_out_rows(placed, layout.list_columns(name), self._find_written(name))

    def _find_written(self, name: str) -> grouped.Written | None:
        """Return a frame as the current version has it; None where that is not proven."""
        file, now = f"frames/{name}.parquet", self._made_of(name)
        past = self.job.steps.find_past(f"write: {file}")
        if past is None or not past.same_but(now, (name, _ADDED)):
            return None
        there = self._current.find(file, past.outputs.record.told["hash"])
        if there is None:
            return None
        try:
            return grouped.Written(grouped.Placed(past.table(name), past.table(_ADDED)), there,
                                   self.job.compare(past, name, self._ref(name)))
        except (shelf.Damaged, arrow.Unfit):  # all of it is written anew
            return None

    @property
    def _ground(self) -> dict[str, str]:
        """What every published file is made of."""
        return {"grids": self.job.grids.hash, "figures": self.job.measured.hash_of("by_grid"),
                "publication": keys.hash_value(self.config.publication)}

    @cached_property
    def packages(self) -> list[Output]:
        """The packages."""
        job = self.job
        self._note_past(_GROUND)
        return [Output("grids.gpkg", {
            **self._ground, "territories": job.given("territories").hash,
            "assets": job.hash_placed("assets"), "figure": self.config.settings.figure,
            **_drawing_code(),
        }, self._layers)]

    def _layers(self) -> dict[str, Layer]:
        return layout.lay_out(
            self.config, self.shown, self.published, self.job.given("territories").value,
            self.job.placed("assets"))

    def _note_past(self, step: str) -> None:
        """Have a step kept as it was: nothing asks for it where its file is kept."""
        past = self.job.steps.find_past(step)
        if past is not None:
            self.job.steps.note(step, past.ingredients)

    def _make_ground(self, layers: dict[str, Layer]) -> bytes | None:
        """Return the package without its grids, made where another layer changed."""
        kinds = tell_kinds(layers["grids"].frame)
        if kinds is None:
            return None
        made = self.job.steps.do(_GROUND, {
            "territories": self.job.given("territories").hash,
            "assets": self.job.hash_placed("assets"), "columns of grids": keys.hash_value(kinds),
            "code": keys.hash_code("workspace", "pipeline/files.py", "pipeline/layout.py"),
            "libraries": keys.hash_libraries(),
        }, lambda: {"package": DataFrame({"bytes": layout.cut_bytes(make_ground(layers))})})
        return b"".join(made["package"]["bytes"])

    @cached_property
    def tables(self) -> list[Output]:
        """The tables."""
        job, made_of = self.job, {**self._ground, **_drawing_code()}
        self._note_past(_PUBLISHED)
        return [
            Output("grids.csv", made_of, lambda: self.published.by_grid),
            Output("suppressed.csv", made_of, lambda: self.published.suppressed),
            *(Output(f"{name}.csv", {name: job.account_hashes[name], **_writing_code()},
                     Make(job.account.get, name))
              for name in ("changes", "rejects", "ledger")),
        ]

    @cached_property
    def pages(self) -> list[Output]:
        """The pages."""
        job, config = self.job, self.config
        several = {**self._ground, "territories": job.given("territories").hash,
                   "name": config.settings.name, **_drawing_code()}
        for name, ingredients in self._beside.items():
            job.steps.note(f"draw: {name}", ingredients)
        job.steps.note(_PAGE, self._hollow)
        for step in (_SHAPES, _PICTURE):
            self._note_past(step)
        shows = {"elements": job.hash_placed("elements")} if config.publication.elements else {}
        return [
            Output("map.html", {
                **several, **shows, "barriers": job.given("barriers").hash,
                "sites": job.given("sites").hash, "assets": job.hash_placed("assets"),
                "figure": config.settings.figure}, self._page),
            Output("report.html", {
                **several, "summary": job.summed.hash_of("summary"),
                "totals": job.measured.hash_of("totals"),
                "changes": job.account_hashes["changes"],
                "ledger": job.account_hashes["ledger"],
                "size of the profile": keys.hash_value(config.profile.size)}, self._report),
        ]

    @cached_property
    def _beside(self) -> dict[str, dict[str, str]]:
        """What the layers of each frame beside the grids are made of, where they are kept."""
        job, publication = self.job, self.config.publication
        tells_grid = {"grid", "how"} & set(publication.element_columns)
        hashes = {name: job.given(name).hash for name in ("territories", "barriers", "sites")}
        hashes["assets"] = (job.hash_placed("assets") if tells_grid else
                            job.given("assets").hash)
        several = {"publication": keys.hash_value(publication), **_drawing_code()}
        return {name: {name: text, **several} for name, text in hashes.items() if text}

    def _layers_beside(self) -> dict[str, list[Any]]:
        """Return the layers of the frames beside the grids, drawn where they changed."""
        steps = self.job.steps
        kept = {name: steps.do(f"draw: {name}", ingredients, partial(self._draw, name))
                for name, ingredients in self._beside.items()}
        layers = {name: maps.read_layers(made["layers"]) for name, made in kept.items()}
        if self.config.publication.elements:
            elements = self.job.placed("elements")
            layers["elements"] = list(maps.draw_beside("elements", elements,
                                                       self.config.publication))
        return layers

    def _draw(self, name: str) -> dict[str, DataFrame]:
        layers = maps.draw_beside(name, self.job.placed(name), self.config.publication)
        return {"layers": maps.write_layers(layers)}

    def _page(self) -> str:
        """Return the page: what does not change with the grids is kept, and they are put in."""
        config, steps = self.config, self.job.steps
        kept = steps.do(_PAGE, self._hollow, self._draw_hollow)
        grids = maps.lay_out_grids(
            self.shown, config.settings.figure, publication=config.publication,
            territories=self.job.given("territories").value,
            suppressed=self.published.suppressed, encoded=self._encode_grids())
        return maps.fill_page(kept["page"]["text"].iloc[0], grids)

    def _encode_grids(self) -> maps.Encoded:
        """Return the shapes of grids as the page draws them."""
        def encode() -> dict[str, Any]:
            meta, blocks = maps.encode_tiling(self.shown.geometry)
            return {"meta": meta, "blocks": DataFrame(
                {"name": list(blocks), "text": list(blocks.values())}, dtype="str")}

        made = self.job.steps.do(_SHAPES, {"shapes": self._shapes, **_drawing_code()}, encode)
        blocks = made["blocks"]
        return maps.Encoded(made["meta"], dict(zip(blocks["name"], blocks["text"], strict=True)))

    @cached_property
    def _shapes(self) -> str:
        """The hash of the codes and shapes of grids, whatever is counted in them."""
        try:
            return arrow.hash_shapes(self.job.grids.table)
        except arrow.Unfit:
            return self.job.grids.hash

    @cached_property
    def _hollow(self) -> dict[str, str]:
        """What the page without its grids is made of."""
        job, config = self.job, self.config
        shows = {"elements": job.hash_placed("elements")} if config.publication.elements else {}
        return {**{f"layers of {name}": keys.hash_value(made)
                   for name, made in self._beside.items()}, **shows,
                "publication": keys.hash_value(config.publication),
                "name": config.settings.name, **_drawing_code()}

    def _draw_hollow(self) -> dict[str, DataFrame]:
        config = self.config
        page = maps.draw_hollow(self._layers_beside(), publication=config.publication,
                                title=config.settings.name)
        return {"page": DataFrame({"text": [page]}, dtype="str")}

    def _report(self) -> str:
        job = self.job
        return layout.draw_report(
            config=self.config, shown=self.shown, published=self.published, summary=job.summary,
            totals=job.measured["totals"]["totals"], changes=job.account["changes"],
            ledger=job.account["ledger"], territories=job.given("territories").value,
            picture=self._picture(),
            proven=bool(job.proven["proven"]) and self.config.profile.tiling == TilingRule())

    def _picture(self) -> str:
        """Return the map of sizes, drawn where what it shows changed."""
        publication, suppressed = self.config.publication, self.published.suppressed
        figure = maps.find_size_figure(self.shown, publication)
        if figure is None:
            return ""
        land = self.job.given("territories")
        made = self.job.steps.do(_PICTURE, {
            "shapes": self._shapes, "territories": land.hash,
            "sizes": keys.hash_frame(self.shown[[figure]]),
            "suppressed": keys.hash_frame(suppressed[suppressed["column"] == figure]),
            "publication": keys.hash_value(publication), **_drawing_code(),
        }, lambda: {"picture": DataFrame({"address": [maps.draw_size_picture(
            self.shown, publication=publication, territories=land.value,
            suppressed=suppressed)]}, dtype="str")})
        return str(made["picture"]["address"].iloc[0])

    def gather(self, kept: Mapping[str, Path], facts: Mapping[str, Any]) -> Contents:
        """Make what is not kept, and return all of it."""
        def some(outputs: list[Output]) -> dict[str, Any]:
            return {Path(one.name).stem: one.make() for one in outputs if one.name not in kept}

        packages = some(self.packages)
        return Contents(
            frames=some(self.frames), packages=packages,
            grounds={name: self._make_ground(layers) for name, layers in packages.items()},
            tables=some(self.tables), pages=some(self.pages), facts=facts,
            kept=kept)

    def list_all(self) -> list[Output]:
        """Return all files."""
        return [*self.frames, *self.packages, *self.tables, *self.pages]


def _drawing_code() -> dict[str, str]:
    code = ("maps", "coverage", "workspace", "pipeline/files.py", "pipeline/layout.py")
    return {"code": keys.hash_code(*code), "libraries": keys.hash_libraries()}


def _writing_code() -> dict[str, str]:
    code = ("pipeline/files.py", "pipeline/layout.py", "pipeline/grouped.py", "pipeline/arrow.py",
            "workspace/rowgroups.py", "workspace/compact.py", "workspace/pieces.py",
            "workspace/save.py")
    return {"code": keys.hash_code(*code), "libraries": keys.hash_libraries()}
