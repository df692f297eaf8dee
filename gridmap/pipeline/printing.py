"""Print: from a finished workspace to one PDF, chunk by chunk, to be gone on with."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import coverage, rules
from ..errors import SchemaError, WorkspaceError, listed
from ..maps.paper import overview, page, pdf, plan
from ..workspace import Config, load_config, load_manifest, load_version, store
from . import load

#: Sheets that are drawn and kept at once.
CHUNK = 50


class Prints(NamedTuple):
    """What a workspace gives to print."""

    grids: GeoDataFrame
    by_grid: DataFrame | None
    territories: GeoDataFrame | None
    barriers: GeoDataFrame | None
    buildings: GeoDataFrame | None
    assets: GeoDataFrame | None
    title: str
    publication: rules.Publication | str  # or the name of a shipped one


class Printed(NamedTuple):
    """What was written."""

    file: Path
    pages: int
    grids: int
    kept: int  # chunks that an earlier, interrupted run had drawn


def load_prints(path: str | Path) -> Prints:
    """Read what maps of grids are printed from: a workspace, or the configuration of one.

    Parameters
    ----------
    path : str or Path
        A workspace, one of its versions such as ``out@0002``, a ``gridmap.toml`` or its folder.
        Streets are those of the configuration; for a workspace it is looked for beside it.

    Raises
    ------
    WorkspaceError, ConfigError
        If there is neither.
    SourceError, CRSError, SchemaError
        If the streets cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.pipeline import run, save_run
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> files = save_run(run(config), config)
    >>> load_prints(config.workspace).title
    'Drawn town'
    """
    place, config = store.find_version(path), None
    if not (place / "frames").is_dir():
        config = load_config(place)
        place = config.workspace
    elif (place.parent / "gridmap.toml").is_file():
        beside = load_config(place.parent)
        config = beside if beside.workspace.resolve() == place.resolve() else None
    # The link is followed once: a run may turn it to another version while frames are read.
    place = place.resolve()
    version = load_version(place)
    frames, facts = place / "frames", load_manifest(place)
    by_grid, assets = (frames / f"{name}.parquet" for name in ("by_grid", "assets"))
    return Prints(
        version.grids, pd.read_parquet(by_grid) if by_grid.is_file() else None,
        version.territories,
        None if config is None else _load_lines(config, version.grids),
        _load_buildings(frames / "elements.parquet", version.grids),
        geopandas.read_parquet(assets) if assets.is_file() else None,
        str(facts.get("name", place.name)),
        str(facts.get("publication", "shared")) if config is None else config.publication)


def _load_lines(config: Config, grids: GeoDataFrame) -> GeoDataFrame | None:
    """Read the streets of a configuration, with no more than how to draw them."""
    lines = []
    for source in config.barriers:
        frame = load.to_crs(load.read_source("barriers", source).frame, grids.crs)
        if len(frame):
            lines.append(GeoDataFrame({"kind": frame["kind"]}, geometry=frame.geometry))
    return pd.concat(lines, ignore_index=True) if lines else None


def _load_buildings(file: Path, grids: GeoDataFrame) -> GeoDataFrame | None:
    """Read the polygons among the elements: millions of points beside them are left."""
    if not file.is_file():
        return None
    geometry = pq.read_table(file, columns=["geometry"])["geometry"]
    kinds = pc.binary_slice(geometry, 1, 5)
    flat = pc.or_(*(pc.equal(kinds, bytes([kind, 0, 0, 0])) for kind in (3, 6)))
    shapes = shapely.from_wkb(np.array(geometry.filter(flat).to_pylist(), dtype="object"))
    return GeoDataFrame(geometry=shapes, crs=grids.crs) if len(shapes) else None


def choose_grids(
    prints: Prints, *, codes: Collection[str] = (), places: Collection[str] = ()
) -> list[str]:
    """Return the grids that are asked for: by code, or by a territory's code or name.

    Raises
    ------
    SchemaError
        If there is no such grid or territory.
    """
    grids, territories = prints.grids, prints.territories
    odd = [code for code in codes if code not in grids.index]
    if odd:
        raise SchemaError(f"{listed(odd)} are no grids of this workspace", rows=odd)
    chosen = set(codes)
    parents = {} if territories is None else territories["parent"].dropna().to_dict()
    names = {} if territories is None else territories["name"].to_dict()
    found = set()
    for code, home in grids["territory"].items():
        at, seen = home, set()
        while isinstance(at, str) and at not in seen:
            for place in {at, names.get(at)} & set(places):
                chosen.add(str(code))
                found.add(place)
            seen.add(at)
            at = parents.get(at)
    absent = [place for place in places if place not in found]
    if absent:
        raise SchemaError(f"{listed(absent)} hold no grids of this workspace", rows=absent)
    return sorted(chosen) if codes or places else list(grids.index)


def make_plan(
    prints: Prints, *, publication: str | None = None, chosen: Collection[str] | None = None,
    posts: DataFrame | None = None, texts: Mapping[str, str] | None = None, **options: object,
) -> plan.Plan:
    """Plan the pages of a workspace: figures as its publication profile lets them out.

    Neighbours are drawn although they get no page of their own.
    """
    named = publication or prints.publication
    published = rules.load_publication(named) if isinstance(named, str) else named
    out = None if prints.by_grid is None else coverage.suppress_counts(prints.by_grid, published)
    if out is None:
        bare = prints.grids.drop(columns=["households", "people"], errors="ignore")
        by_grid, hidden = DataFrame(bare.drop(columns="geometry")), None
    else:
        by_grid, hidden = out.by_grid, out.suppressed
    made = plan.plan_atlas(
        prints.grids, publication=published, by_grid=by_grid, suppressed=hidden,
        territories=prints.territories, barriers=prints.barriers, buildings=prints.buildings,
        assets=prints.assets, contacts=_spread(posts, prints),
        texts={"title": prints.title, **(texts or {})}, **options)  # type: ignore[arg-type]
    if chosen is not None:
        wanted = set(chosen)
        parts = {name: kept for name, codes in made.parts.items()
                 if (kept := [code for code in codes if code in wanted])}
        made = made._replace(parts=parts, order=[code for code in made.order if code in wanted])
    return made._replace(first=overview.count_overview(made.parts, prints.territories) + 1)


def _spread(posts: DataFrame | None, prints: Prints) -> DataFrame | None:
    """Give every grid the line of its own row, or of the lowest territory that has one."""
    if posts is None or posts.index.name != "territory":
        return posts
    territories = prints.territories
    parents = {} if territories is None else territories["parent"].dropna().to_dict()
    known = set(prints.grids["territory"]) | set(() if territories is None else territories.index)
    odd = sorted(set(posts.index) - known)
    if odd:
        raise SchemaError(f"posts: {listed(odd)} are no territories", rows=odd)
    homes = {}
    for code, home in prints.grids["territory"].items():
        at = home
        while at in parents and at not in posts.index:
            at = parents[at]
        if at in posts.index:
            homes[code] = at
    index = pd.Index(list(homes), name="grid", dtype="str")
    return posts.loc[list(homes.values())].set_axis(index)


def save_atlas(
    made: plan.Plan, target: str | Path, *, grids: GeoDataFrame,
    territories: GeoDataFrame | None = None, workers: int = 1,
    progress: Callable[..., None] = lambda *told: None,
) -> Printed:
    """Write one PDF: overview, index, then every grid. An interrupted run is gone on with.

    Chunks of 50 sheets lie in a folder beside the target until all are drawn; then they are
    joined, and the target is replaced in one step. The bytes are the same for any number of
    workers, and whether there was an interruption or not.

    Parameters
    ----------
    made : Plan
    target : str or Path
        Where the PDF goes.
    grids, territories : GeoDataFrame
        For the overview.
    workers : int, default 1
        Processes that draw side by side.
    progress : callable, optional
        Called with (step, done, total).

    Raises
    ------
    WorkspaceError
        If it cannot be written.
    """
    file = Path(target)
    try:
        return _save(made, file, grids, territories, workers, progress)
    except OSError as error:
        raise WorkspaceError(
            f"{file} cannot be written: {error.strerror or error}. What was drawn is kept beside "
            "it, and the next run goes on; choose another place with --out FILE"
        ) from error


def _save(
    made: plan.Plan, file: Path, grids: GeoDataFrame, territories: GeoDataFrame | None,
    workers: int, progress: Callable[..., None],
) -> Printed:
    folder = file.parent / f".{file.name}.parts"
    key = folder / "key"
    mark = plan.fingerprint(made)
    if not key.is_file() or key.read_text(encoding="utf-8") != mark:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        key.write_text(mark, encoding="utf-8")
    sheets = page.count_sheets(made)
    chunks = [(start, min(start + CHUNK, sheets)) for start in range(0, sheets, CHUNK)]
    left = [one for one in chunks if not _read(_chunk_file(folder, one))]
    done = sheets - sum(stop - start for start, stop in left)
    progress("print", done, sheets)
    for start, stop in _draw_all(made, folder, left, workers):
        done += stop - start
        progress("print", done, sheets)
    fresh = folder / "whole.pdf"
    with fresh.open("wb") as stream:
        pages = pdf.write_document(stream, _all_sheets(made, folder, chunks, grids, territories),
                                   made.face, title=made.told.common["title"] or "gridmap")
    os.replace(fresh, file)
    shutil.rmtree(folder, ignore_errors=True)
    return Printed(file, pages, len(made.order), len(chunks) - len(left))


def _chunk_file(folder: Path, chunk: tuple[int, int]) -> Path:
    return folder / f"{chunk[0]:07d}.sheets"


def _read(file: Path) -> list[pdf.Packed]:
    return pdf.read_chunk(file.read_bytes()) if file.is_file() else []


def _all_sheets(
    made: plan.Plan, folder: Path, chunks: list[tuple[int, int]], grids: GeoDataFrame,
    territories: GeoDataFrame | None,
) -> Iterator[pdf.Packed]:
    some = page.per_sheet(made)
    numbers = {code: made.first + place // some for place, code in enumerate(made.order)}
    land = grids.loc[made.order]
    for sheet in overview.draw_overview(
            land, made.parts, made.told.common["title"], made.face, territories=territories,
            language=made.language, numbers=numbers):
        yield pdf.pack_sheet(sheet)
    for chunk in chunks:
        yield from _read(_chunk_file(folder, chunk))


def _draw_all(
    made: plan.Plan, folder: Path, left: list[tuple[int, int]], workers: int
) -> Iterator[tuple[int, int]]:
    if workers < 2 or len(left) < 2:
        for chunk in left:
            _draw_chunk(made, folder, chunk)
            yield chunk
        return
    with ProcessPoolExecutor(min(workers, len(left)), mp_context=get_context("spawn"),
                             initializer=_take, initargs=(made, folder)) as pool:
        yield from pool.map(_draw_taken, left)


def _draw_chunk(made: plan.Plan, folder: Path, chunk: tuple[int, int]) -> None:
    content = pdf.write_chunk(map(pdf.pack_sheet, page.draw_sheets(made, *chunk)))
    fresh = folder / f"{chunk[0]:07d}.{os.getpid()}"
    fresh.write_bytes(content)
    os.replace(fresh, _chunk_file(folder, chunk))


#: What a process of the pool draws from: set once in each, when it starts.
_taken: list[tuple[plan.Plan, Path]] = []


def _take(made: plan.Plan, folder: Path) -> None:
    _taken[:] = [(made, folder)]


def _draw_taken(chunk: tuple[int, int]) -> tuple[int, int]:
    _draw_chunk(*_taken[0], chunk)
    return chunk
