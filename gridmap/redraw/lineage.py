"""Lineage: what became of every grid from one version to the next."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import schema
from ..errors import LedgerError, SchemaError, listed
from . import transfers

#: Of a row, and of a code: what happened to it.
KINDS = ("kept", "changed", "moved", "split", "merged", "recoded", "new", "retired")

#: What every row must add up to, as a share of the whole.
TOLERANCE = 1e-9


class Fates(NamedTuple):
    """What became of each code."""

    old: Series  # code before -> kept, changed, split, merged, recoded or retired
    new: Series  # code after -> kept, changed, split, merged, recoded or new


def build_lineage(
    old: GeoDataFrame | Series,
    new: GeoDataFrame | Series,
    *,
    units: GeoDataFrame | None = None,
    crosswalk: DataFrame | None = None,
    versions: tuple[str, str] | None = None,
    snap_m: float = 0.05,
) -> DataFrame:
    """Say what went from each old grid to each new one, and what that makes of both.

    Two assignments of the same units are compared unit by unit. Two layers of grids are laid
    over each other, and the households of each unit or home go by the place of a point
    inside it; without units those of a grid go by area; with a crosswalk, by its weights.

    Each row has a kind:

    - ``kept``: the same code, and nothing came or went.
    - ``changed``: the same code, and something came or went.
    - ``moved``: from one grid to another, both of which live on.
    - ``split``: to a code that was not there before; also from a grid that is no more, if
      the new grid holds nothing else, or less than most of the old one.
    - ``merged``: from a grid that is no more, to one that lives on; or most of it to a new
      one that holds more than that.
    - ``recoded``: the same ground whole, under another code.
    - ``new``, ``retired``: ground that no old grid held under a code that was not there
      before, or ground that no new grid holds of a code that is no more.

    Parameters
    ----------
    old, new : GeoDataFrame of schema GRIDS, or Series
        Both layers of grids in one CRS in metres, or both assignments (unit -> grid).
    units : GeoDataFrame, optional
        Schema UNITS for assignments; any polygons or points with ``households`` for layers.
    crosswalk : DataFrame, schema CROSSWALK, optional
        From old grids to new ones, for layers, in place of units.
    versions : (str, str), optional
        Names of the two versions, for `trace`.
    snap_m : float, default 0.05
        Layers only: common ground thinner than this is a border drawn twice.

    Returns
    -------
    DataFrame, schema LINEAGE
        Sorted by old and new code. The households of the rows of an old grid add up to its
        own: each is in exactly one row.

    Raises
    ------
    SchemaError
        If frames do not follow their schema, old and new are of different types, or units
        are needed and not given.
    CRSError
        If layers are not in one CRS in metres.

    See Also
    --------
    check_lineage : The proof that nothing was lost.
    measure_lineage : What it comes to in all.
    trace : The way of one code through many versions.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> units = sketch_units("AB", "CD")
    >>> old = Series({"A": "G1", "B": "G1", "C": "G2", "D": "G2"})
    >>> new = Series({"A": "G1", "B": "G3", "C": "G2", "D": "G2"})
    >>> build_lineage(old, new, units=units)[["old", "new", "kind", "old_share"]].values.tolist()
    [['G1', 'G1', 'changed', 0.5], ['G1', 'G3', 'split', 0.5], ['G2', 'G2', 'kept', 1.0]]
    """
    went = _count_transfers(old, new, units, crosswalk, snap_m)
    went = went.sort_values(["old", "new"], na_position="last").reset_index(drop=True)
    lineage = went.astype({"old": "str", "new": "str", "households": "float64",
                           "area_m2": "float64"})
    for side in ("old", "new"):
        lineage[f"{side}_share"] = _share(lineage, side)
    lineage.insert(2, "kind", _find_kinds(lineage))
    if versions is not None:
        lineage["old_version"], lineage["new_version"] = versions
        lineage = lineage.astype({"old_version": "str", "new_version": "str"})
    return lineage.rename_axis(schema.LINEAGE.index)


def _count_transfers(
    old: GeoDataFrame | Series,
    new: GeoDataFrame | Series,
    units: GeoDataFrame | None,
    crosswalk: DataFrame | None,
    snap_m: float,
) -> DataFrame:
    if isinstance(old, GeoDataFrame) and isinstance(new, GeoDataFrame):
        schema.check_frame(old, schema.GRIDS, argument="old")
        schema.check_frame(new, schema.GRIDS, argument="new")
        if crosswalk is not None:
            schema.check_frame(crosswalk, schema.CROSSWALK, argument="crosswalk")
            went = transfers.count_crosswalk_transfers(old, crosswalk)
            return _with_unfed(went, new)
        schema.check_metric_crs(old=old, new=new)
        if units is not None:
            schema.check_metric_crs(old=old, units=units)
        return transfers.count_ground_transfers(old, new, units=units, snap_m=snap_m)
    if isinstance(old, GeoDataFrame) or isinstance(new, GeoDataFrame):
        raise SchemaError("old and new are a layer and an assignment: two of a kind are needed")
    if units is None:
        raise SchemaError("units are needed to compare two assignments: they say what moved")
    schema.check_frame(units, schema.UNITS, argument="units")
    return transfers.count_unit_transfers(old, new, units)


def _with_unfed(went: DataFrame, new: GeoDataFrame) -> DataFrame:
    """Add a row for each new grid that a crosswalk leads nothing to."""
    unfed = new.index.difference(Index(went["new"].dropna()))
    rows = DataFrame({"old": None, "new": unfed, "households": 0.0, "area_m2": np.nan})
    return pd.concat([went, rows], ignore_index=True) if len(unfed) else went


def _share(lineage: DataFrame, side: str) -> Series:
    """Return what part of the grid on one side each row is."""
    code = lineage[side]
    sums = lineage.groupby(code)[["households", "area_m2"]].transform("sum", min_count=1)
    by_households = lineage["households"] / sums["households"]
    by_area = lineage["area_m2"] / sums["area_m2"]
    share = by_households.where(sums["households"] > 0, by_area)
    alone = code.map(code.value_counts()) == 1
    return share.mask(alone, 1.0).where(code.notna())


def _find_kinds(lineage: DataFrame) -> Series:
    """Return the kind of every row; see `build_lineage` for what they mean."""
    old, new = lineage["old"], lineage["new"]
    lives_on = old.isin(new.dropna())
    was_there = new.isin(old.dropna())
    sole_old = old.map(old.value_counts()).eq(1)
    sole_new = new.map(new.value_counts()).eq(1)
    mostly = lineage["old_share"].gt(0.5) & ~sole_new
    kinds: list[tuple[Series, NDArray[Any] | str]] = [
        (old.isna(), np.where(was_there, "moved", "new")),
        (new.isna(), np.where(lives_on, "moved", "retired")),
        (old == new, np.where(sole_old & sole_new, "kept", "changed")),
        (sole_old & sole_new, "recoded"),
        (lives_on & was_there, "moved"),
        (lives_on, "split"),
        (was_there | mostly, "merged"),
    ]
    found = np.full(len(lineage), "split", dtype=object)
    for where, kind in reversed(kinds):  # the first that applies is written last
        found[where] = np.broadcast_to(np.asarray(kind, dtype=object), len(lineage))[where]
    return Series(found, index=lineage.index, dtype="str")


def measure_fates(lineage: DataFrame) -> Fates:
    """Say of every code, old and new, what became of it or where it came from.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE

    Returns
    -------
    Fates
        Sorted by code. An old code is ``kept``, ``recoded``, ``split`` (a new code came out
        of it), ``merged`` (it is no more, most of it went into others), ``changed`` or
        ``retired`` (none of its ground is in any grid). A new code is ``kept``, ``recoded``,
        ``merged`` (it took in a grid that is no more), ``split`` (it came out of others),
        ``new`` (none of its ground was in any grid) or ``changed``.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> fates = measure_fates(build_lineage(sketch_grids("AAB"), sketch_grids("ACB")))
    >>> fates.old.to_dict(), fates.new.to_dict()
    ({'A': 'split', 'B': 'kept'}, {'A': 'changed', 'B': 'kept', 'C': 'split'})
    """
    both = {}
    for side, order in (
        ("old", ("kept", "recoded", "split", "merged", "changed", "retired", "moved")),
        ("new", ("kept", "recoded", "merged", "split", "changed", "new", "moved")),
    ):
        known = lineage[lineage[side].notna()]
        rank = known["kind"].map({kind: number for number, kind in enumerate(order)})
        first = rank.groupby(known[side]).min()
        # A code whose rows are all "moved" lives on, on other ground.
        told = first.map(dict(enumerate(order))).replace("moved", "changed").astype("str")
        both[side] = told.rename("fate").sort_index()
    return Fates(both["old"], both["new"])


def measure_lineage(lineage: DataFrame) -> Series:
    """Sum up a lineage: how many grids had which fate, and how many households moved.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE

    Returns
    -------
    Series
        ``grids before`` and ``grids after``; of those before, how many were ``kept``,
        ``changed``, ``split``, ``merged``, ``recoded`` and ``retired``, which add up to the
        first; ``new codes`` and ``retired codes``; ``households``, those ``households
        moved`` (in another grid than before) and the ``share moved``; and the ``households
        recoded``, whose grid has only another code.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> sums = measure_lineage(build_lineage(sketch_grids("AAB"), sketch_grids("ACB")))
    >>> sums[["grids after", "split", "households moved"]].tolist()
    [3.0, 1.0, 1.0]
    """
    fates = measure_fates(lineage)
    households = lineage["households"].where(lineage["old"].notna())
    other = (lineage["old"] != lineage["new"]) & (lineage["kind"] != "recoded")
    total, moved = (part.sum(min_count=1) for part in (households, households[other]))
    moved = moved if other.any() else 0.0 * total
    counts = fates.old.value_counts()
    told = {
        "grids before": len(fates.old),
        "grids after": len(fates.new),
        **{kind: counts.get(kind, 0) for kind in
           ("kept", "changed", "split", "merged", "recoded", "retired")},
        "new codes": len(fates.new.index.difference(fates.old.index)),
        "retired codes": len(fates.old.index.difference(fates.new.index)),
        "households": total,
        "households moved": moved,
        "share moved": moved / total if total else np.nan,
        "households recoded": households[lineage["kind"] == "recoded"].sum(),
    }
    return Series(told, dtype="float64")


def check_lineage(lineage: DataFrame, old: GeoDataFrame, new: GeoDataFrame) -> None:
    """Raise unless a lineage closes: every grid is in it, every old household exactly once.

    Parameters
    ----------
    lineage : DataFrame, schema LINEAGE
    old, new : GeoDataFrame, schema GRIDS
        The grids of both versions. Households that are unknown are not compared.

    Raises
    ------
    LedgerError
        If a grid is absent or a stranger, the households of the rows of an old grid do not
        add up to its own, or shares do not add up to 1.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> old, new = sketch_grids("AAB"), sketch_grids("ACB")
    >>> lineage = build_lineage(old, new)
    >>> check_lineage(lineage, old, new)
    >>> check_lineage(lineage.drop(index=0), old, new)
    Traceback (most recent call last):
    gridmap.errors.LedgerError: the lineage does not close: new grids A are not in it; \
households of old grids A do not add up; shares of old grids A do not add up to 1. Every \
household of an old grid goes to exactly one new grid, or to none and is named: build the \
lineage anew with build_lineage.
    """
    faults: list[tuple[str, Index]] = []
    for side, grids in (("old", old), ("new", new)):
        told = Index(lineage[side].dropna().unique())
        faults.append((f"{side} grids {{}} are not in it", grids.index.difference(told)))
        faults.append((f"{side} grids {{}} are unknown", told.difference(grids.index)))
    households = lineage.groupby("old")["households"].sum(min_count=1)
    known = old["households"].astype("float64").reindex(households.index)
    off = (households - known).abs() > TOLERANCE * known.clip(lower=1)
    faults.append(("households of old grids {} do not add up", households.index[off]))
    for side in ("old", "new"):
        shares = lineage.groupby(side)[f"{side}_share"].sum(min_count=1)
        odd = shares.index[(shares - 1).abs() > TOLERANCE]
        faults.append((f"shares of {side} grids {{}} do not add up to 1", odd))
    found = [(what, codes) for what, codes in faults if len(codes)]
    if found:
        raise LedgerError(
            "the lineage does not close: "
            + "; ".join(what.format(listed(codes)) for what, codes in found)
            + ". Every household of an old grid goes to exactly one new grid, or to none and is "
            "named: build the lineage anew with build_lineage.",
            rows=[str(code) for _, codes in found for code in codes],
        )
