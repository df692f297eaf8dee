"""Whom assets reach, kept apart from where grids lie: demand, and the reach of every spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import coverage
from ..coverage import reach
from ..coverage.reach import Demand, Reach, Spots
from . import arrow, changed, columns
from .changed import Flags, Floats

Places = NDArray[np.intp]


class Placed(NamedTuple):
    """Elements, and the grid of each, as tables."""

    elements: pa.Table
    columns: pa.Table  # as from `columns.write_columns`


# --- demand -----------------------------------------------------------------------------------


def find_demand(placed: Placed) -> dict[str, DataFrame]:
    """Return the rows that live somewhere or are buildings, in order of code, and their spots.

    Parameters
    ----------
    placed : Placed

    Returns
    -------
    dict
        ``rows``: position of each row of demand among the elements, and of its spot;
        ``spots``: x and y of each.
    """
    rows = np.flatnonzero(find_wanted(placed))
    codes = arrow.codes_of(placed.elements).take(pa.array(rows))
    if not _is_sorted(codes):
        rows = rows[pc.sort_indices(codes).to_numpy()]
    spots = reach.gather_spots(find_middles(placed.elements, rows))
    return write_demand(rows, spots.of, spots.xy)


def find_wanted(placed: Placed, some: Places | None = None) -> Flags:
    """Say which rows, or which of some, have a grid, and stand for households or are buildings.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = arrow.to_table(sketch_points((0, 0), (1, 1)).assign(households=[3, 0]))
    >>> held = columns.write_columns(np.zeros(2, int), np.zeros(2, int), Index(["A"]))
    >>> find_wanted(Placed(homes, held)).tolist()
    [True, False]
    """
    if some is not None:
        placed = Placed(columns.take_rows(placed.elements, ("households", "kind"), some),
                        columns.take_rows(placed.columns, ("grid",), some))
    built = _find_built(placed.elements)
    held = placed.columns["grid"].is_valid().to_numpy()
    wanted: Flags = held & ((_read_numbers(placed.elements, "households") > 0) | built)
    return wanted


def _find_built(elements: pa.Table) -> Flags:
    kind = columns.read_positions(elements["kind"], Index([reach.BUILDING], dtype="str"))
    return np.asarray(kind == 0, dtype=bool)


def _read_numbers(elements: pa.Table, name: str) -> Floats:
    """Return a column of numbers, 0 where none is known, or throughout without the column."""
    if name not in elements.column_names:
        return np.zeros(len(elements))
    values = elements[name].cast(pa.float64(), safe=False).to_numpy()
    return np.where(np.isnan(values), 0.0, values)


def _is_sorted(codes: pa.Array) -> bool:
    least = max(len(codes) - 1, 0)
    return bool(pc.all(pc.less(codes.slice(0, least), codes.slice(1))).as_py() in (True, None))


def find_middles(elements: pa.Table, rows: Places) -> Floats:
    """Return the place of each row, as `reach.find_demand` does.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> find_middles(arrow.to_table(sketch_points((0, 0), (1, 2))), np.array([1])).tolist()
    [[1.0, 2.0]]
    """
    shapes = columns.take_rows(elements, arrow.SHAPE, rows)
    xy = np.column_stack([shapes[name].to_numpy() for name in arrow.SHAPE[:2]])
    drawn = arrow.find_shaped(shapes)
    if drawn.any():
        xy[drawn] = reach.find_middles(arrow.join_shapes(shapes.filter(pa.array(drawn))))
    return xy


def write_demand(rows: Places, spot: Places, spots: Floats) -> dict[str, DataFrame]:
    """Return the frames of demand; see `find_demand`."""
    return {"rows": DataFrame({"row": rows.astype("int32"), "spot": spot.astype("int32")}),
            "spots": DataFrame({"x": spots[:, 0], "y": spots[:, 1]})}


def read_spots(table: pa.Table) -> Floats:
    """Return x and y of each spot.

    Examples
    --------
    >>> read_spots(arrow.to_table(DataFrame({"x": [1.0], "y": [2.0]}))).tolist()
    [[1.0, 2.0]]
    """
    return np.column_stack([table[name].to_numpy() for name in ("x", "y")])


def read_demand(placed: Placed, found: Any) -> tuple[Demand, Spots]:
    """Return demand as `reach.find_demand` does, and its spots.

    Parameters
    ----------
    placed : Placed
    found : Outputs
        As from `find_demand`.
    """
    table, spots = found.table("rows"), read_spots(found.table("spots"))
    row, spot = table["row"].to_numpy(), table["spot"].to_numpy()
    elements = placed.elements
    demand = Demand(
        spots[spot], _read_numbers(elements, "households")[row],
        _read_numbers(elements, "people")[row], _find_built(elements)[row].astype("float64"),
        Series(columns.read_grids(placed.columns).take(row)))
    return demand, Spots(spots, spot)


def read_some(
    placed: Placed, found: Any, reached: Any, some: Places
) -> tuple[Demand, dict[str, Reach]]:
    """Return some places of demand, and whom assets reach there, without looking at others.

    Parameters
    ----------
    placed : Placed
    found, reached : Outputs
        As from `find_demand` and `measure_reach`, of kinds of which nothing is shared.
    some : array of int
        Positions among the places of demand, in order.
    """
    take = columns.take_rows
    row, spot = (column.to_numpy() for column in
                 take(found.table("rows"), ("row", "spot"), some).columns)
    elements = take(placed.elements, ("kind", "households", "people"), row)
    demand = Demand(
        read_spots(take(found.table("spots"), ("x", "y"), spot)),
        _read_numbers(elements, "households"), _read_numbers(elements, "people"),
        _find_built(elements).astype("float64"),
        Series(columns.read_grids(take(placed.columns, ("grid",), row))))
    spots = reached.table("spots")
    known = take(spots, spots.column_names, spot)
    return demand, {kind: _read_kind(known, kind) for kind in reached["kinds"]}


def sum_collected(placed: Placed) -> dict[str, float]:
    """Say how many elements there are, and the share of them that lies in a grid."""
    count, held = placed.elements["count"], placed.columns["grid"].is_valid()
    if count.null_count or not pa.types.is_integer(count.type):
        return coverage.sum_collected(
            columns.read_series(placed.elements, "count"), Series(held.to_numpy()))
    # Whole numbers add up to the same in any order: few lie outside.
    outside = columns.take_rows(
        placed.elements, ("count",), np.flatnonzero(~held.to_numpy()))["count"]
    whole, left = (pc.sum(some).as_py() or 0 for some in (count, outside))
    return coverage.sum_collected(Series([whole - left, left]), Series([True, False]))


# --- reach ------------------------------------------------------------------------------------


def measure_reach(demand: Demand, spots: Spots, assets: GeoDataFrame) -> dict[str, Any]:
    """Measure the reach of every kind of asset, by spot, and by place where places share.

    Parameters
    ----------
    demand : Demand
    spots : Spots
        Of the demand.
    assets : GeoDataFrame, schema ASSETS

    Returns
    -------
    dict
        ``spots`` and ``places``: what is known of each, in columns of each kind; ``kinds``:
        for each kind, which of the two tells it, and whether it has a reach.
    """
    told = {}
    for kind, some in reach.split_kinds(assets).items():
        alone = reach.stands_alone(some)
        told[kind] = (alone, reach.reach_spots(spots.xy, some) if alone
                      else reach.reach_places(demand, some))
    return _write_reach(told)


def _write_reach(told: Mapping[str, tuple[bool, Reach]]) -> dict[str, Any]:
    frames: dict[bool, dict[str, Any]] = {True: {}, False: {}}
    for kind, (alone, one) in told.items():
        frames[alone][f"nearest {kind}"] = one.nearest
        if one.providers is not None:
            frames[alone][f"providers {kind}"] = one.providers.astype("int32")
        if one.supply is not None:
            frames[alone][f"supply {kind}"] = one.supply
    return {"spots": DataFrame(frames[True]) if frames[True] else None,
            "places": DataFrame(frames[False]) if frames[False] else None,
            "kinds": {kind: alone for kind, (alone, _) in told.items()}}


def measure_reach_again(
    ask: Callable[[], Demand], spots: Floats, old_spots: Floats,
    assets: tuple[pa.Table, pa.Table], before: Any,
) -> tuple[dict[str, Any], str] | None:
    """Measure as `measure_reach` does, only spots that are new and kinds that changed.

    Parameters
    ----------
    ask : callable
        Returns demand, which is asked for where places share what assets do.
    spots, old_spots : array
        The spots of demand, and those of the run before.
    assets : pair of Table
        Those of the run before, and of this one.
    before : Outputs
        What the step gave then.

    Returns
    -------
    made, told
        Or None, where assets stand in another order.
    """
    rows = changed.compare_tables(*assets)
    if (np.diff(rows.was[rows.same]) < 0).any():
        return None
    frame = arrow.to_frame(assets[1])
    stale = set(frame["kind"][~rows.same]) | set(
        assets[0]["kind"].take(pa.array(rows.gone)).to_pylist())
    at, new = match_spots(old_spots, spots)
    told = {}
    for kind, some in reach.split_kinds(frame).items():
        if not reach.stands_alone(some):
            told[kind] = False, reach.reach_places(ask(), some)
        elif kind in stale or not before["kinds"].get(kind):
            told[kind] = True, reach.reach_spots(spots, some)
        else:
            old = _read_kind(before.table("spots"), kind)
            told[kind] = True, _patch(reach.spread(old, at), new,
                                      reach.reach_spots(spots[new], some))
    return _write_reach(told), f"{len(new):,} of {len(at):,} spots, {len(stale):,} kinds"


def as_numbers(spots: Floats) -> NDArray[np.complex128]:
    """Return x and y of each spot as one number, which is sorted as they are.

    Examples
    --------
    >>> as_numbers(np.array([[0.0, 1.0]])).tolist()
    [1j]
    """
    numbers: NDArray[np.complex128] = np.ascontiguousarray(spots).view(np.complex128).ravel()
    return numbers


def match_spots(old: Floats, new: Floats) -> tuple[Places, Places]:
    """Return where each spot stood, and the spots that are new; both are sorted.

    Examples
    --------
    >>> at, new = match_spots(np.array([[0.0, 1.0]]), np.array([[0.0, 1.0], [2.0, 0.0]]))
    >>> at.tolist(), new.tolist()
    ([0, 0], [1])
    """
    one, two = as_numbers(old), as_numbers(new)
    if not len(one):
        return np.zeros(len(two), dtype=np.intp), np.arange(len(two))
    at = np.minimum(np.searchsorted(one, two), len(one) - 1)
    return at, np.flatnonzero(one[at] != two)


def _patch(kept: Reach, new: Places, fresh: Reach) -> Reach:
    """Put what was measured anew in its place."""
    def put(old: Any, some: Any) -> Any:
        if old is not None:
            old[new] = some
        return old

    return kept._replace(nearest=put(kept.nearest, fresh.nearest),
                         served=put(kept.served, fresh.served),
                         providers=put(kept.providers, fresh.providers))


def _read_kind(table: pa.Table, kind: str) -> Reach:
    known = set(table.column_names)
    said = {name: table[f"{name} {kind}"].to_numpy() for name in ("nearest", "providers", "supply")
            if f"{name} {kind}" in known}
    providers = said.get("providers")
    counts = None if providers is None else providers.astype("float64")
    return Reach(said["nearest"], None if counts is None else counts > 0, "m", counts,
                 said.get("supply"))


def read_reach(spots: Spots, found: Any) -> dict[str, Reach]:
    """Return reach as `reach.measure_reach` does.

    Parameters
    ----------
    spots : Spots
    found : Outputs
        As from `measure_reach`.
    """
    return {kind: reach.spread(_read_kind(found.table("spots"), kind), spots.of) if alone
            else _read_kind(found.table("places"), kind)
            for kind, alone in found["kinds"].items()}


def is_shared(assets: pa.Table) -> bool:
    """Say whether what some assets do for a place may depend on the others they reach.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> is_shared(arrow.to_table(sketch_points((0, 0), kind="board")))
    False
    """
    sized = "capacity" in assets.column_names and (
        assets["capacity"].null_count < len(assets))
    return bool(sized or assets[arrow.SHAPE[4]].null_count < len(assets))
