"""Diagnose files by themselves, without a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame
from pyproj import CRS

from .. import sources, tiling
from ..errors import CRSError, GridmapError, SourceError, listed
from ..rules import TilingRule
from ..schema import ELEMENTS, POLYGONS
from ..sources import loaders, peek
from ..workspace.config import Source
from . import evidence, faults, places
from .check import strip_crs
from .faults import Diagnosis
from .load import Progress, ReadFile, silent

#: Polygons count as a tiling where so many of them touch another one.
_TOUCHING = 0.6
_TOUCH_M = 1.0
_SAMPLE = 2_000
#: A layer is the parent of another that lies in it to this share, and is so much larger.
_INSIDE, _LARGER = 0.9, 1.2

_MENDABLE = "a run mends it where the file is given as territories, units or grids"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReading:
    """How files are read that no configuration describes; what is not said is found out."""

    kind: str | None = None  # territories, elements or lines
    code: str | None = None
    layer: str | None = None
    crs: str | None = None
    offset: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in (None, "territories", "elements", "lines"):
            raise SourceError(f"there is no kind of file {self.kind!r}: expected territories, "
                              "elements or lines")


class _Found(NamedTuple):
    """A file that was read, and what was seen on the way."""

    file: ReadFile
    faults: list[GeoDataFrame]
    placed: bool  # it says which CRS it is in


def diagnose_files(
    paths: Sequence[str | Path],
    *,
    parent: str | Path | None = None,
    reference: str | Path | None = None,
    reading: FileReading | None = None,
    progress: Progress = silent,
) -> Diagnosis:
    """Read files of any format, and tell every fault with its place and what to do.

    Codes, coordinates and counts are found by header and value, and the kind of a file by
    its shapes. Polygons that touch are held to be a tiling; where one layer lies inside
    another, that is its parent. Nothing is written, and no suggestion is followed.

    Parameters
    ----------
    paths : sequence of str or Path
        Boundaries, elements or lines; of a file with several layers each is looked at.
    parent : str or Path, optional
        What all polygons should fill.
    reference : str or Path, optional
        A layer of the same ground that is known to be right, against which coordinates are
        held. Without one the files are held against each other.
    reading : FileReading, optional
        What is known about the files.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Diagnosis
        A file that cannot be read is a fault that blocks. Places of single points are
        rounded to 100 m.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, rows in (("towns", ("AAB", "A.B")), ("county", ("CCC", "CCC"))):
    ...     drawn = sketch_grids(*rows, side_m=500).rename_axis("code")
    ...     moved = drawn.set_geometry(drawn.translate(4e5, 4.1e6))
    ...     moved.to_file(folder / f"{name}.gpkg")
    >>> whole = folder / "county.gpkg"
    >>> found = diagnose_files([folder / "towns.gpkg"], parent=whole).findings
    >>> found.loc[found["step"] == "check", ["what", "rows"]].values.tolist()
    [['gap open to the outside', 1]]
    """
    reading = reading or FileReading()
    found, told = _read_all(paths, reading, progress)
    base = None if reference is None else _read_base(reference)
    above = None if parent is None else _read_base(parent)
    files = [one.file for one in found if one.placed]
    unplaced = [one.file for one in found if not one.placed]
    progress("evidence", 0, 1)
    about = evidence.find_evidence(files, reference=base, unplaced=unplaced, say=_say)
    progress("evidence", 1, 1)
    assumed = [_assume_crs(file, about) for file in unplaced]
    told += [faults.faults_of_evidence(about), *(part for one in found for part in one.faults)]
    if base is None:
        told.append(faults.faults_of_evidence(_say_unchecked(files, about)))
    progress("check", 0, 1)
    layers = [*files, *(file for file in assumed if file is not None)]
    told += _look_at_places(layers, above)
    progress("check", 1, 1)
    joined = faults.join_faults(told)
    points = joined["layer"].str.startswith("elements") & (joined.geometry.geom_type == "Point")
    joined = faults.round_places(joined, single=points.to_numpy())
    return Diagnosis(faults.group_faults(joined), joined, None, _drawn(layers), bool(points.any()))


def _say(option: str, file: ReadFile) -> str:
    if " = " not in option:
        return f"read it with {option}"
    name, _, value = option.partition(" = ")
    return f"say --{name} {value} here, and {option} for {file.source.path.name} in gridmap.toml"


def _read_all(
    paths: Sequence[str | Path], reading: FileReading, progress: Progress
) -> tuple[list[_Found], list[GeoDataFrame]]:
    found, told = [], []
    for done, path in enumerate(paths):
        progress("load", done, len(paths))
        try:
            layers = [reading.layer] if reading.layer else peek.list_layers(path)
        except GridmapError as error:
            told.append(faults.faults_of_error(error, what="file cannot be used",
                                               layer=Path(path).name))
            continue
        for layer in layers:
            try:
                found.append(_read(Path(path), replace(reading, layer=layer)))
            except GridmapError as error:
                told.append(faults.faults_of_error(
                    error, what="file cannot be used", layer=layer or Path(path).name))
    progress("load", len(paths), len(paths))
    return found, told


def _read(path: Path, reading: FileReading) -> _Found:
    """Read a layer; one that only lacks a CRS is read without any, and blocks."""
    seen = peek.peek_file(path, layer=reading.layer, code=reading.code, encoding=reading.encoding)
    source = Source(path=path, layer=reading.layer, columns=seen.columns, crs=reading.crs,
                    offset=reading.offset, encoding=reading.encoding)
    if not {"x", "wkt"} & set(seen.columns) and path.suffix.lower() in peek.TABLES:
        return _read_table(path, source, seen)
    lacking: list[GeoDataFrame] = []
    try:
        loaded = _load_as_said(source)
    except CRSError as error:
        if source.crs is not None:
            raise
        loaded = strip_crs(_load(replace(source, crs="EPSG:4326", offset=None)))
        lacking = [_tell_lacking(error, source, loaded.frame)]
    if loaded.frame.crs is not None and not evidence.is_earthly(CRS(loaded.frame.crs)):
        unearthly = CRSError(f"{path} is in {loaded.frame.crs.name}, which has no place on earth")
        lacking = [_tell_lacking(unearthly, source, loaded.frame)]
        loaded = strip_crs(loaded)
    kind = reading.kind or _guess_kind(loaded.frame)
    loaded = _name_rows(loaded, source, numbered="site" not in seen.columns)
    file = ReadFile(kind, source, loaded)
    told = [*(part.assign(layer=file.told) for part in lacking), faults.faults_of_file(file),
            _tell_peek(file, seen)]
    return _Found(file, told, loaded.frame.crs is not None)


def _load(source: Source) -> sources.Loaded:
    return loaders.load_frame(
        source.path, peek.ANYTHING, columns=source.columns, layer=source.layer, crs=source.crs,
        offset=source.offset, encoding=source.encoding)


def _tell_lacking(error: CRSError, source: Source, frame: GeoDataFrame) -> GeoDataFrame:
    """Tell of a file without a usable CRS: degrees are suggested where it looks like them."""
    suggestion = "ask which CRS it is in, and say it with --crs"
    if frame.crs is None and _looks_like_degrees(frame):
        suggestion = ('say --crs "EPSG:4326" here, and crs = "EPSG:4326" for '
                      f"{source.path.name} in gridmap.toml")
    return faults.faults_of_error(error, what="CRS missing", layer="", suggestion=suggestion)


def _looks_like_degrees(frame: GeoDataFrame) -> bool:
    return bool(len(frame) and (np.abs(frame.total_bounds) <= (180, 90, 180, 90)).all())


def _load_as_said(source: Source) -> sources.Loaded:
    """Read a file; what is said about CRS and offset is for files that need it.

    One ``--crs`` may be for one of several files: a file that says its CRS keeps it, and one
    in metres has no offset.
    """
    try:
        loaded = _load(replace(source, crs=None, offset=None))
    except CRSError:
        return _load(source)
    if source.offset is None or not CRS(loaded.frame.crs).is_geographic:
        return loaded
    return _load(replace(source, crs=None))


def _read_table(path: Path, source: Source, seen: peek.Peek) -> _Found:
    """Read a table without places: only codes and counts can be at fault."""
    if "site" not in seen.columns:
        raise SourceError(f"{path} has no geometry, and no column that looks like coordinates or "
                          "codes: name one with --code COLUMN")
    columns = {name: column for name, column in seen.columns.items() if name != "site"}
    loaded = sources.load_table(path, key=str(seen.columns["site"]), columns=columns,
                                encoding=source.encoding)
    file = ReadFile("table", source, loaded)
    return _Found(file, [faults.faults_of_file(file), _tell_peek(file, seen)], True)


def _tell_peek(file: ReadFile, seen: peek.Peek) -> GeoDataFrame:
    """Tell which columns were taken, which hold personal numbers, and doubled figures."""
    notes = []
    if seen.columns:
        taken = ", ".join(f"{'code' if name == 'site' else name}: {column}"
                          for name, column in seen.columns.items())
        notes.append(("columns guessed", taken))
    if seen.personal:
        notes.append(("personal values", "phone or ID numbers in " + listed(seen.personal)))
    parts = [faults.make_faults(severity="look at this", step="load", what=what, layer=file.told,
                                ids=[None], note=note) for what, note in notes]
    doubled = tiling.find_repeated_parts(seen.repeated, code="code")
    for measure, rows in doubled.groupby("measure"):
        note = (f"{measure} of codes with several parts add up to {rows['summed'].sum():,.10g}, "
                f"and to {rows['once'].sum():,.10g} if the figure is that of the whole")
        parts.append(faults.make_faults(
            severity="look at this", step="load", what="figures repeated on parts",
            layer=file.told, ids=rows["id"], note=note))
    return pd.concat(parts) if parts else faults.make_faults(
        severity="", step="", what="", layer="", ids=[])


def _guess_kind(frame: GeoDataFrame) -> str:
    shapes = peek.main_kind(frame.geometry.to_numpy())
    if shapes != "polygons":
        return "lines" if shapes == "lines" else "elements"
    return "territories" if _touch(frame) else "elements"


def _touch(frame: GeoDataFrame) -> bool:
    """Say whether most polygons touch another one, as those of a tiling do."""
    shapes = frame.geometry.to_numpy()
    if len(shapes) <= 2:
        return True
    reach = _TOUCH_M if frame.crs is not None and not frame.crs.is_geographic else 1e-5
    sample = shapes[:: max(1, len(shapes) // _SAMPLE)]
    tree = shapely.STRtree(shapes)
    at, _ = tree.query(sample, predicate="dwithin", distance=reach)
    return float((np.bincount(at, minlength=len(sample)) > 1).mean()) >= _TOUCHING


def _name_rows(loaded: sources.Loaded, source: Source, *, numbered: bool) -> sources.Loaded:
    """Call rows without a code after their file, so that files can be told apart."""
    if not numbered:
        return loaded
    stem = source.layer or source.path.stem
    frame = loaded.frame
    names = [stem] if len(frame) == 1 else [f"{stem}-{code}" for code in frame.index]
    return loaded._replace(frame=frame.set_axis(pd.Index(names, dtype="str", name="site"),
                                                axis="index"))


def _read_base(path: str | Path) -> GeoDataFrame:
    """Read a layer that is known to be right: all its shapes, whatever else it has."""
    (layer, *more) = peek.list_layers(path)
    if more:
        raise SourceError(f"{path} has several layers: give a file with one")
    frame: GeoDataFrame = _load(Source(path=Path(path), layer=layer)).frame
    return frame


def _assume_crs(file: ReadFile, about: Sequence[evidence.Evidence]) -> ReadFile | None:
    """Return a file without a CRS in that of the evidence, or in degrees, to look at it."""
    frame = file.loaded.frame
    crs = next((one.suggestion.split('"')[1] for one in about
                if one.layer == file.told and '"EPSG' in one.suggestion
                and " yx" not in one.suggestion), None)
    if crs is None and _looks_like_degrees(frame):
        crs = "EPSG:4326"
    if crs is None:
        return None
    return file._replace(loaded=file.loaded._replace(frame=frame.set_crs(crs)))


def _say_unchecked(
    files: Sequence[ReadFile], about: Sequence[evidence.Evidence]
) -> list[evidence.Evidence]:
    """Say that files from one source may all be shifted alike, where that is possible."""
    told = {one.what for one in about}
    names = [file.source.path.name for file in files
             if evidence.may_be_shifted(file) and not getattr(file.source, "offset", None)]
    if not names or told & {"coordinates shifted", "offset not checked"}:
        return []
    return [evidence.Evidence(
        "look at this", "offset not checked", listed(dict.fromkeys(names)),
        "degrees in China may be shifted (GCJ-02, BD-09), and files of one source all alike",
        "", None)]


def _look_at_places(files: Sequence[ReadFile], parent: GeoDataFrame | None) -> list[GeoDataFrame]:
    """Return the faults of tilings, and elements that stand outside or in one place."""
    rule = TilingRule()
    shown = [file for file in files if evidence.is_placed(file.loaded.frame)
             and evidence.box_of(file.loaded.frame) is not None]
    if not shown:
        return []
    crs = sources.metric_crs(*(file.loaded.frame for file in shown))
    metric = [(file, file.loaded.frame.to_crs(crs)) for file in shown]
    above = None if parent is None else _polygons(parent.to_crs(crs))
    tilings = [(file.told, _polygons(frame)) for file, frame in metric
               if file.name == "territories" and len(_polygons(frame))]
    parts: list[GeoDataFrame] = []
    for layers, polygons, home in _with_parents(tilings, above):
        parts.append(places.tiling_places(polygons, home, rule, listed(layers)))
    lowest = max((polygons for _, polygons in tilings), key=len, default=above)
    for file, frame in metric:
        if file.name == "elements":
            named = frame[["geometry"]].rename_axis("element").assign(
                kind=file.told, count=1, households=np.nan, people=np.nan)
            named = named[named.geometry.geom_type.isin(ELEMENTS.geometry)]
            parts.append(places.repeated_places(named))
            if lowest is not None:
                strays = places.stray_places(named, lowest.rename_axis("territory"), rule)
                parts += [_off_all(part, tilings) for part in strays]
    found = places.number_places(parts) if parts else None
    if found is None or not len(found):
        return []
    told = faults.faults_of_places(found, severity="look at this")
    tiled = told["layer"].isin([listed([name]) for name, _ in tilings]) | ~told["layer"].isin(
        [file.told for file in files])
    return [told.assign(suggestion=told["suggestion"].where(~tiled, _MENDABLE))]


def _off_all(
    strays: GeoDataFrame, tilings: Sequence[tuple[str, GeoDataFrame]]
) -> GeoDataFrame:
    """Leave out what is outside one layer but inside another, which may be of other ground."""
    off = (strays["what"] != "outside every territory").to_numpy()
    held = [shapely.STRtree(polygons.geometry.to_numpy()).query(
        strays.geometry.to_numpy(), predicate="intersects")[0] for _, polygons in tilings]
    inside = np.zeros(len(strays), dtype=bool)
    for rows in held:
        inside[rows] = True
    return strays[off | ~inside]


def _polygons(frame: GeoDataFrame) -> GeoDataFrame:
    return frame[frame.geometry.geom_type.isin(POLYGONS)]


def _with_parents(
    tilings: Sequence[tuple[str, GeoDataFrame]], above: GeoDataFrame | None
) -> list[tuple[list[str], GeoDataFrame, GeoDataFrame | None]]:
    """Return tilings with their parents; single polygons of one parent are one tiling."""
    groups: list[tuple[list[str], list[GeoDataFrame], GeoDataFrame | None]] = []
    for name, polygons in tilings:
        home = above if above is not None else _parent_of(polygons, tilings)
        same = next((group for group in groups if group[2] is home and home is not None
                     and len(polygons) <= 2 and all(len(one) <= 2 for one in group[1])), None)
        if same is None:
            groups.append(([name], [polygons], home))
        else:
            same[0].append(name)
            same[1].append(polygons)
    return [(names, _unique(pd.concat(parts)), home) for names, parts, home in groups]


def _unique(polygons: GeoDataFrame) -> GeoDataFrame:
    """Tell rows of several files apart that have the same code."""
    again = pd.Series(polygons.index).groupby(polygons.index.to_numpy()).cumcount().to_numpy()
    codes = [f"{code}#{n + 1}" if n else str(code)
             for code, n in zip(polygons.index, again, strict=True)]
    return polygons.set_axis(pd.Index(codes, dtype="str", name=polygons.index.name), axis="index")


def _parent_of(
    polygons: GeoDataFrame, tilings: Sequence[tuple[str, GeoDataFrame]]
) -> GeoDataFrame | None:
    """Return the layer with most polygons that holds a layer, None where there is none."""
    middles = polygons.geometry.representative_point().to_numpy()
    area = float(polygons.area.sum())
    best, most = None, 0
    for _, other in tilings:
        fewer = len(other) < len(polygons) or (
            len(other) == len(polygons) and float(other.area.sum()) > _LARGER * area)
        if other is polygons or not fewer or len(other) <= most:
            continue
        held, _ = shapely.STRtree(other.geometry.to_numpy()).query(middles, "intersects")
        if len(np.unique(held)) >= _INSIDE * len(middles):
            best, most = other, len(other)
    return best


def _drawn(files: Sequence[ReadFile]) -> dict[str, GeoDataFrame]:
    """Return the polygons to draw under the faults: those of tilings, the largest last."""
    drawn = {}
    for file in files:
        frame = file.loaded.frame
        if (file.name == "territories" and evidence.is_placed(frame)
                and evidence.box_of(frame) is not None):
            polygons = _polygons(frame)
            if len(polygons):
                drawn[file.told.partition(": ")[2]] = GeoDataFrame(
                    DataFrame(index=polygons.index), geometry=polygons.geometry, crs=frame.crs)
    return dict(sorted(drawn.items(), key=lambda item: -len(item[1])))
