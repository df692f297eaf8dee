"""The written schemas of all frames, and the check that a frame follows its own.

The same objects fill ``docs/schemas.md`` and the allow-lists of columns, so that what
is documented, what is checked and what may leave the house are one thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame
from pandas.api import types
from pyproj import CRS

from .errors import CRSError, SchemaError, listed

Kind = Literal["text", "count", "number", "flag", "time"]

#: What GEOS calls the types of geometry that schemas ask for.
_TYPE_IDS = {"Point": 0, "LineString": 1, "Polygon": 3, "MultiPoint": 4, "MultiLineString": 5,
             "MultiPolygon": 6}

POLYGONS = ("Polygon", "MultiPolygon")
LINES = ("LineString", "MultiLineString")
POINTS = ("Point",)


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a frame.

    ``kind`` is ``text``, ``count`` (whole or fractional, not negative), ``number``,
    ``flag`` (true or false) or ``time``. An optional column (``required=False``) may be
    absent; ``missing=True`` allows missing values in it.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = True
    missing: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """What a frame holds: its index, its columns and its kind of geometry."""

    name: str
    index: str
    meaning: str
    columns: tuple[Column, ...] = ()
    geometry: tuple[str, ...] = ()
    index_kind: Kind = "text"

    def column(self, name: str) -> Column:
        """Return the column called ``name``; KeyError where the schema has none."""
        return next((c for c in self.columns if c.name == name), None) or _unknown(self, name)


def _unknown(schema: Schema, name: str) -> Column:
    raise KeyError(f"{schema.name} has no column {name!r}")


def _households(meaning: str, *, required: bool = False, missing: bool = False) -> Column:
    return Column(name="households", kind="count", unit="households", meaning=meaning,
                  required=required, missing=missing)


def _people(meaning: str, *, required: bool = False, missing: bool = False) -> Column:
    return Column(name="people", kind="count", unit="people", meaning=meaning,
                  required=required, missing=missing)


_GRID_LINK = Column(name="grid", kind="text", required=False, missing=True,
                    meaning="the grid that holds the row; missing where none does")

TERRITORIES = Schema(
    name="TERRITORIES",
    index="territory",
    meaning="administrative polygons; the children of one parent tile it",
    geometry=POLYGONS,
    columns=(
        Column(name="name", kind="text", meaning="official name", required=False, missing=True),
        Column(name="level", kind="text", meaning="county, town, community or the like"),
        Column(name="parent", kind="text", missing=True,
               meaning="territory of the next level up; missing at the top"),
        _households("published total, where one is given", missing=True),
        _people("published total, where one is given", missing=True),
    ),
)

UNITS = Schema(
    name="UNITS",
    index="unit",
    meaning="basic spatial units: they tile the territory and are never cut",
    geometry=POLYGONS,
    columns=(
        Column(name="territory", kind="text", meaning="the lowest territory that holds the unit"),
        Column(name="kind", kind="text", required=False,
               meaning="block, compound, cell, dedicated, official or the like"),
        _households("households living in the unit", required=True),
        _people("people living in the unit", required=True),
    ),
)

GRIDS = Schema(
    name="GRIDS",
    index="grid",
    meaning="base grids: a tiling, each grid contiguous and inside one territory",
    geometry=POLYGONS,
    columns=(
        Column(name="territory", kind="text", meaning="the territory that holds the grid"),
        Column(name="kind", kind="text",
               meaning="comprehensive, dedicated, existing for a layer that was given, or "
                       "fallback for land that no scheme claims"),
        _households("households living in the grid; missing where unknown", required=True,
                   missing=True),
        _people("people living in the grid; missing where unknown", required=True,
               missing=True),
        Column(name="area_m2", kind="number", unit="m²",
               meaning="area on the ground, from an equal-area projection"),
    ),
)

SCHEMES = Schema(
    name="SCHEMES",
    index="work_grid",
    meaning="work grids of departments; overlaps are facts to report, not faults",
    geometry=POLYGONS,
    columns=(
        Column(name="scheme", kind="text", meaning="the set that the work grid belongs to"),
        Column(name="department", kind="text", required=False, missing=True,
               meaning="who works with it"),
    ),
)

ELEMENTS = Schema(
    name="ELEMENTS",
    index="element",
    meaning="what is attached: standard addresses, buildings, population records",
    geometry=POINTS + POLYGONS,
    columns=(
        Column(name="kind", kind="text", meaning="address, building, population or the like"),
        Column(name="count", kind="count", meaning="how many things the row stands for"),
        _households("households the row stands for; missing if none", missing=True),
        _people("people the row stands for; missing if none", missing=True),
        Column(name="floors", kind="number", unit="floors", required=False, missing=True,
               meaning="storeys of a building"),
        Column(name="address", kind="text", required=False, missing=True,
               meaning="the standard address in words, by which a page finds the row"),
        Column(name="territory", kind="text", required=False, missing=True,
               meaning="the territory that the source names for the row"),
        Column(name="unit", kind="text", required=False, missing=True,
               meaning="the unit that holds the row; missing where none does"),
        _GRID_LINK,
        Column(name="how", kind="text", required=False, missing=True,
               meaning="inside, border (decided by the tie rule), largest or entrance (of a "
                       "footprint), nearest, address (by its text), fallback, or missing"),
    ),
)

ASSETS = Schema(
    name="ASSETS",
    index="asset",
    meaning="things that serve: notice boards, centres, hydrants, cameras, lamps; a point, or "
            "the area that it serves",
    geometry=POINTS + POLYGONS,
    columns=(
        Column(name="kind", kind="text", meaning="what it is"),
        Column(name="radius_m", kind="number", unit="m", missing=True,
               meaning="straight-line reach; missing where the kind has none"),
        Column(name="reach_min", kind="number", unit="min", required=False, missing=True,
               meaning="minutes along a network with speeds that it reaches"),
        Column(name="capacity", kind="number", unit="households", required=False, missing=True,
               meaning="households that it can serve; missing where there is no limit"),
        _GRID_LINK,
    ),
)

BARRIERS = Schema(
    name="BARRIERS",
    index="barrier",
    meaning="lines that grids should follow: roads, rivers, railways",
    geometry=LINES,
    columns=(
        Column(name="kind", kind="text",
               meaning="class of the line, a key of the profile's barrier weights"),
    ),
)

SITES = Schema(
    name="SITES",
    index="site",
    meaning="compounds that are never cut, and dedicated sites with a grid of their own",
    geometry=POLYGONS,
    columns=(
        Column(name="kind", kind="text",
               meaning="compound, or the kind of a dedicated site: school, hospital, park, …"),
    ),
)

WORKERS = Schema(
    name="WORKERS",
    index="worker",
    meaning="posts of grid workers, without any personal detail",
    columns=(
        Column(name="territory", kind="text", meaning="territory that the post belongs to"),
        Column(name="role", kind="text", required=False, missing=True,
               meaning="lead, full-time, part-time or the like"),
        _GRID_LINK,
    ),
)

EVENTS = Schema(
    name="EVENTS",
    index="event",
    meaning="matters reported in a grid, with the times of each step",
    geometry=POINTS,
    columns=(
        Column(name="matter", kind="text", missing=True, required=False,
               meaning="what kind of matter"),
        Column(name="opened", kind="time", meaning="when it was reported", missing=True),
        Column(name="closed", kind="time", missing=True,
               meaning="when it was closed; missing while it is open"),
        Column(name="level", kind="text", missing=True,
               meaning="who closed it: grid, community, town or department"),
        _GRID_LINK,
    ),
)

VISITS = Schema(
    name="VISITS",
    index="visit",
    meaning="household visits counted per place and month, never per person",
    geometry=POINTS,
    columns=(
        Column(name="period", kind="text", meaning="month, as 2026-03"),
        Column(name="count", kind="count", meaning="visits"),
        _GRID_LINK,
    ),
)

CHANGES = Schema(
    name="CHANGES",
    index="number",
    index_kind="count",
    meaning="everything that was altered or noticed on the way, one row each",
    columns=(
        Column(name="step", kind="text", meaning="the step that says so: load, mend, …"),
        Column(name="what", kind="text", meaning="what was done or found, from a fixed list"),
        Column(name="id", kind="text", missing=True, meaning="code of the row concerned"),
        Column(name="before", kind="text", missing=True, meaning="value before"),
        Column(name="after", kind="text", missing=True, meaning="value after"),
        Column(name="area_m2", kind="number", unit="m²", missing=True,
               meaning="area that changed hands"),
        Column(name="note", kind="text", missing=True, meaning="reason, and the way out"),
    ),
)

REJECTS = Schema(
    name="REJECTS",
    index="number",
    index_kind="count",
    meaning="rows that did not go on, one each, with the reason",
    columns=CHANGES.columns,
)

LEDGER = Schema(
    name="LEDGER",
    index="number",
    index_kind="count",
    meaning="one line per step and measure: what came in went out or is accounted for",
    columns=(
        Column(name="step", kind="text", meaning="the step"),
        Column(name="frame", kind="text", meaning="what was counted: addresses, units, …"),
        Column(name="measure", kind="text", meaning="rows, households or people"),
        Column(name="came_in", kind="count", meaning="total before the step"),
        Column(name="went_on", kind="count", meaning="total after the step"),
        Column(name="left_over", kind="count",
               meaning="rejected rows, or mass outside every grid"),
    ),
)

BY_GRID = Schema(
    name="BY_GRID",
    index="grid",
    meaning="the figures of every grid, one row each",
    columns=(
        Column(name="territory", kind="text", meaning="the territory that holds the grid"),
        Column(name="kind", kind="text", meaning="comprehensive, dedicated or existing"),
        _households("households living in the grid; missing where unknown", required=True,
                   missing=True),
        _people("people living in the grid; missing where unknown", required=True,
               missing=True),
        Column(name="area_m2", kind="number", unit="m²", meaning="area on the ground"),
        Column(name="size_state", kind="text", required=False,
               meaning="in range, small, large, dedicated or unknown"),
        Column(name="compactness", kind="number", required=False,
               meaning="Polsby-Popper: 4π area / perimeter², 1 for a circle"),
        Column(name="parts", kind="count", required=False, meaning="pieces; 1 is contiguous"),
        Column(name="events", kind="count", required=False, meaning="events opened"),
        Column(name="events_closed_in_grid", kind="count", required=False,
               meaning="of these, closed by the grid itself"),
        Column(name="visits", kind="count", required=False, meaning="household visits"),
        Column(name="workers", kind="count", required=False, meaning="posts"),
        Column(name="households_in_reach_share", kind="number", required=False, missing=True,
               unit="0 to 1", meaning="share of households that an asset serves"),
    ),
)

CROSSWALK = Schema(
    name="CROSSWALK",
    index="number",
    index_kind="count",
    meaning="weights between two schemes; those of one source add up to 1",
    columns=(
        Column(name="source", kind="text", meaning="code on the left"),
        Column(name="target", kind="text", missing=True,
               meaning="code on the right; missing for what no target takes"),
        Column(name="weight", kind="number", unit="0 to 1", meaning="share of the source"),
        Column(name="basis", kind="text", meaning="area, households, people or buildings"),
        Column(name="measured", kind="text", required=False,
               meaning="what the weights of the source were measured by: the basis, or area "
                       "where the basis finds nothing in the source"),
        Column(name="source_layer", kind="text", required=False,
               meaning="the scheme or layer on the left"),
        Column(name="target_layer", kind="text", required=False,
               meaning="the scheme or layer on the right"),
    ),
)

LINEAGE = Schema(
    name="LINEAGE",
    index="number",
    index_kind="count",
    meaning="where grids of one version went in the next, one row for each pair with common "
            "ground",
    columns=(
        Column(name="old", kind="text", missing=True,
               meaning="code before; missing for ground that no old grid held"),
        Column(name="new", kind="text", missing=True,
               meaning="code after; missing for ground that no new grid holds"),
        Column(name="kind", kind="text",
               meaning="kept, changed, moved, split, merged, recoded, new or retired"),
        _households("households that went this way; missing where unknown", required=True,
                   missing=True),
        Column(name="area_m2", kind="number", unit="m²", missing=True,
               meaning="common ground; missing where unknown"),
        Column(name="old_share", kind="number", unit="0 to 1", missing=True,
               meaning="share of the old grid that went this way: of its households, of its "
                       "area where it has none; missing without an old grid"),
        Column(name="new_share", kind="number", unit="0 to 1", missing=True,
               meaning="share of the new grid that came this way"),
        Column(name="old_version", kind="text", required=False, missing=True,
               meaning="name of the version before"),
        Column(name="new_version", kind="text", required=False, missing=True,
               meaning="name of the version after"),
    ),
)

ATOMS = Schema(
    name="ATOMS",
    index="atom",
    meaning="the pieces of land that every scheme claims as a whole; they tile the territories. "
            "Beside these columns there is one for each scheme, with the work grid that claims "
            "the atom",
    geometry=POLYGONS,
    columns=(
        Column(name="territory", kind="text", meaning="the territory that holds the atom"),
        Column(name="grid", kind="text", meaning="the grid of the one net that it went to"),
        Column(name="decided", kind="text",
               meaning="why it went there: agreed, seniority, cost, size, remnant or fallback"),
        Column(name="claims", kind="count", meaning="how many schemes claim it"),
        Column(name="agreement", kind="number", unit="0 to 1",
               meaning="share of the pairs of schemes claiming it that agree on it; 1 where "
                       "there is no pair"),
        _households("households living in the atom; missing where unknown", required=True,
                    missing=True),
        _people("people living in the atom; missing where unknown", required=True,
                missing=True),
        Column(name="area_m2", kind="number", unit="m²", meaning="area on the ground"),
    ),
)

CONFLICTS = Schema(
    name="CONFLICTS",
    index="number",
    index_kind="count",
    meaning="who disagrees with whom over which atom, one row for each pair of schemes",
    geometry=POLYGONS,
    columns=(
        Column(name="atom", kind="text", meaning="the place"),
        Column(name="first", kind="text", meaning="the more senior scheme"),
        Column(name="second", kind="text",
               meaning="the other scheme; the same one where it claims the place twice"),
        Column(name="first_grid", kind="text", missing=True,
               meaning="work grid of the first; missing where it claims nothing"),
        Column(name="second_grid", kind="text", missing=True, meaning="work grid of the second"),
        Column(name="what", kind="text",
               meaning="drawn differently, claimed by one only, or claimed twice"),
        Column(name="grid", kind="text", meaning="the grid of the one net that got the place"),
        Column(name="decided", kind="text", meaning="why, as in ATOMS"),
        _households("households living there; missing where unknown", required=True,
                    missing=True),
        _people("people living there; missing where unknown", required=True, missing=True),
        Column(name="area_m2", kind="number", unit="m²", meaning="area on the ground"),
    ),
)

NET_BORDERS = Schema(
    name="NET_BORDERS",
    index="number",
    index_kind="count",
    meaning="the borders between atoms of one territory, and how many schemes draw them",
    geometry=LINES,
    columns=(
        Column(name="first", kind="text", meaning="the atom on one side"),
        Column(name="second", kind="text", meaning="the atom on the other side"),
        Column(name="length_m", kind="number", unit="m", meaning="length"),
        Column(name="drawn", kind="count", meaning="how many schemes have a border here"),
        Column(name="asked", kind="count", meaning="how many schemes claim land beside it"),
        Column(name="agreement", kind="number", unit="0 to 1",
               meaning="drawn / asked: 1 where all agree that there is a border; missing "
                       "where nobody was asked", missing=True),
        Column(name="kept", kind="flag", meaning="whether it is a border of the one net"),
    ),
)

ALL: tuple[Schema, ...] = (
    TERRITORIES, UNITS, GRIDS, SCHEMES, ELEMENTS, ASSETS, BARRIERS, SITES, WORKERS, EVENTS,
    VISITS, BY_GRID, CROSSWALK, ATOMS, CONFLICTS, NET_BORDERS, LINEAGE, CHANGES, REJECTS,
    LEDGER,
)


def check_frame(frame: DataFrame, schema: Schema, *, argument: str) -> None:
    """Raise unless a frame follows its schema; all faults are named together.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        What to check. Columns that the schema does not know are allowed.
    schema : Schema
        What it should follow.
    argument : str
        The caller's name for the frame, for the message.

    Raises
    ------
    SchemaError
        If the index is not unique text of the right name, a required column is absent,
        a column has the wrong kind or missing values it may not have, or a geometry is
        missing, empty or of the wrong type.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> check_frame(sketch_grids("AB"), GRIDS, argument="grids")
    >>> check_frame(sketch_grids("AB").drop(columns="people"), GRIDS, argument="grids")
    Traceback (most recent call last):
    gridmap.errors.SchemaError: grids: column people is absent. Schema GRIDS in docs/schemas.md \
lists what is needed.
    """
    faults, rows = _index_faults(frame, schema)
    for column in schema.columns:
        _column_faults(frame, column, faults, rows)
    if schema.geometry:
        _geometry_faults(frame, schema, faults, rows)
    if faults:
        raise SchemaError(
            f"{argument}: {'; '.join(faults)}. Schema {schema.name} in docs/schemas.md lists "
            "what is needed.",
            rows=rows,
        )


def _index_faults(frame: DataFrame, schema: Schema) -> tuple[list[str], list[str]]:
    faults: list[str] = []
    index = frame.index
    if index.name != schema.index:
        faults.append(f"the index is called {index.name!r}, not {schema.index!r}")
    if len(frame) and schema.index_kind == "text" and not types.is_string_dtype(index):
        faults.append(f"the index is {index.dtype}, not text: codes are text always")
    if index.hasnans:
        faults.append(f"{index.size - index.dropna().size} index values are missing")
    if is_unique(index):
        return faults, []
    twice = index[index.duplicated()].unique()
    faults.append(f"the index repeats {listed(twice)}")
    return faults, [str(code) for code in twice]


def is_unique(index: pd.Index) -> bool:
    """Say whether no code repeats, for text in a tenth of the time that pandas takes.

    Parameters
    ----------
    index : Index

    Returns
    -------
    bool
        As ``index.is_unique``, which makes a Python object of every code.

    Examples
    --------
    >>> is_unique(pd.Index(["A", "B"])), is_unique(pd.Index(["A", "B", "A"]))
    (True, False)
    """
    if not isinstance(index.dtype, pd.StringDtype) or len(index) < 2 or index.hasnans:
        return bool(index.is_unique)
    codes = pa.array(index.array, pa.large_string())
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    if pc.all(pc.less(codes.slice(0, len(codes) - 1), codes.slice(1))).as_py():
        return True
    # Different hashes prove different codes; equal ones prove nothing, so pandas is asked.
    hashes = np.sort(_hash_texts(codes))
    return bool((hashes[1:] != hashes[:-1]).all()) or bool(index.is_unique)


def _hash_texts(codes: pa.LargeStringArray) -> NDArray[np.uint64]:
    """Hash texts, those of one length together, eight letters at a time."""
    offsets = np.frombuffer(codes.buffers()[1], np.int64)[codes.offset :][: len(codes) + 1]
    letters = np.frombuffer(codes.buffers()[2] or b"", np.uint8)
    lengths = np.diff(offsets)
    hashes = np.empty(len(codes), np.uint64)
    for length in np.flatnonzero(np.bincount(lengths)).tolist():
        rows = np.flatnonzero(lengths == length)
        words = np.zeros((len(rows), max(-(-length // 8), 1) * 8), np.uint8)
        if len(rows) == len(codes):
            words[:, :length] = letters[offsets[0] : offsets[-1]].reshape(len(rows), length)
        else:
            words[:, :length] = letters[offsets[rows][:, None] + np.arange(length)]
        mixed = np.full(len(rows), length, np.uint64)
        for word in words.view(np.uint64).T:
            mixed ^= mixed >> np.uint64(29)
            mixed += word
            mixed *= np.uint64(0x9E3779B97F4A7C15)
        hashes[rows] = mixed
    return hashes


def _column_faults(
    frame: DataFrame, column: Column, faults: list[str], rows: list[str]
) -> None:
    if column.name not in frame.columns:
        if column.required:
            faults.append(f"column {column.name} is absent")
        return
    values = frame[column.name]
    if isinstance(values, DataFrame):
        faults.append(f"column {column.name} stands {values.shape[1]} times")
        return
    if len(values) and not values.isna().all() and not _is_kind(values, column.kind):
        faults.append(f"column {column.name} is {values.dtype}, not {column.kind}")
        return
    absent = values.isna()
    if absent.any() and not column.missing:
        faults.append(f"column {column.name} is missing in {listed(frame.index[absent])}")
        rows.extend(map(str, frame.index[absent]))
    if column.kind == "count" and types.is_numeric_dtype(values):
        plain = values.astype("float64")
        for what, wrong in (("below 0", plain < 0), ("without end", np.isposinf(plain))):
            if wrong.any():
                faults.append(f"column {column.name} is {what} in {listed(frame.index[wrong])}")
                rows.extend(map(str, frame.index[wrong]))


def _is_kind(values: pd.Series, kind: Kind) -> bool:
    if kind == "text":
        if isinstance(values.dtype, pd.StringDtype):
            return True
        if isinstance(values.dtype, pd.CategoricalDtype):
            return bool(types.is_string_dtype(values.cat.categories))
        return bool(types.is_string_dtype(values.dropna()))
    if kind == "flag":
        return bool(types.is_bool_dtype(values))
    if kind == "time":
        return bool(types.is_datetime64_any_dtype(values))
    return bool(types.is_numeric_dtype(values)) and not types.is_bool_dtype(values)


def _geometry_faults(
    frame: DataFrame, schema: Schema, faults: list[str], rows: list[str]
) -> None:
    if not isinstance(frame, GeoDataFrame) or frame.active_geometry_name is None:
        faults.append("it has no geometry")
        return
    shapes = frame.geometry
    # By number: the names of five million kinds take longer than all other checks.
    kinds = shapely.get_type_id(shapes.to_numpy())
    absent = (kinds < 0) | shapely.is_empty(shapes.to_numpy())
    wrong = ~absent & ~np.isin(kinds, [_TYPE_IDS[name] for name in schema.geometry])
    if absent.any():
        faults.append(f"geometry is missing or empty in {listed(frame.index[absent])}")
    if wrong.any():
        faults.append(
            f"geometry is {listed(sorted(set(shapes.geom_type[wrong])))} in "
            f"{listed(frame.index[wrong])}, where {' or '.join(schema.geometry)} is needed"
        )
    rows.extend(map(str, frame.index[absent | wrong]))


def check_metric_crs(**frames: GeoDataFrame) -> None:
    """Raise unless all frames are in one and the same projected CRS in metres.

    Parameters
    ----------
    **frames : GeoDataFrame
        The frames under the caller's own argument names.

    Raises
    ------
    CRSError
        If a frame has no CRS, one not in metres, or frames differ.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> check_metric_crs(grids=sketch_grids("AB"))
    >>> check_metric_crs(grids=sketch_grids("AB").to_crs(4326))
    Traceback (most recent call last):
    gridmap.errors.CRSError: grids is in EPSG:4326, which is in degrees. Areas and distances \
need metres: use grids.to_crs(metric_crs(grids)).
    """
    for name, frame in frames.items():
        if frame.crs is None:
            raise CRSError(f"{name} has no CRS. Set the one it was made in: {name}.set_crs(…).")
        unit = _crs_unit(frame.crs)
        if unit != "metre":
            raise CRSError(
                f"{name} is in {crs_name(frame)}, which is in {unit}. Areas and distances need "
                f"metres: use {name}.to_crs(metric_crs({name}))."
            )
    (first, frame), *others = frames.items()
    for name, other in others:
        if other.crs != frame.crs:
            raise CRSError(
                f"{first} is in {crs_name(frame)} and {name} in {crs_name(other)}. Bring them "
                f"together: {name}.to_crs({first}.crs)."
            )


def _crs_unit(crs: CRS) -> str:
    if crs.is_geographic:
        return "degrees"
    return str(crs.axis_info[0].unit_name) if crs.is_projected else "no projection"


def crs_name(frame: GeoDataFrame) -> str:
    """Return the short name of a frame's CRS: "EPSG:4326", or "no CRS".

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> crs_name(sketch_grids("AB"))
    'EPSG:32651'
    """
    if frame.crs is None:
        return "no CRS"
    authority = frame.crs.to_authority()
    return ":".join(authority) if authority else str(frame.crs.name)


def empty_frame(schema: Schema, *, crs: object = None) -> DataFrame:
    """Return a frame of no rows that follows a schema.

    Parameters
    ----------
    schema : Schema
        What it follows; required and optional columns are all there.
    crs : any CRS, optional
        For a schema with geometry.

    Returns
    -------
    DataFrame or GeoDataFrame

    Examples
    --------
    >>> list(empty_frame(CROSSWALK).columns)
    ['source', 'target', 'weight', 'basis', 'measured', 'source_layer', 'target_layer']
    """
    frame = _empty_columns(schema).copy()
    if not schema.geometry:
        return frame
    return GeoDataFrame(frame, geometry=geopandas.GeoSeries([], index=frame.index, crs=crs))


@cache
def _empty_columns(schema: Schema) -> DataFrame:
    """Return the columns of a schema, made once: they are asked for time and again."""
    dtypes = {"text": "str", "count": "int64", "number": "float64", "flag": "bool",
              "time": "datetime64[us]"}
    frame = DataFrame({c.name: pd.Series(dtype=dtypes[c.kind]) for c in schema.columns})
    frame.index = pd.Index([], dtype=dtypes[schema.index_kind], name=schema.index)
    return frame
