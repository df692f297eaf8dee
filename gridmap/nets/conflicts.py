"""The conflict layer: who disagrees with whom, where, and over how many households."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas
import numpy as np
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import schema
from ..tiling.rings import Floats, Ints
from . import votes
from .ground import NONE, Ground
from .intake import Given

APART, ALONE, TWICE = "drawn differently", "claimed by one only", "claimed twice"


def find_splits(
    ground: Ground, given: Given, mass: Floats
) -> tuple[DataFrame, Floats]:
    """Return the disagreements by position, and the agreement on each piece.

    Parameters
    ----------
    ground : Ground
    given : Given
    mass : array of float
        What each piece weighs, above 0.

    Returns
    -------
    splits : DataFrame
        piece, first, second (schemes), one, two (work grids) and what, by position.
    agreement : array of float
        Share of the pairs of schemes claiming a piece that agree on it; 1 without a pair.
    """
    size = len(ground.shapes)
    pairs, apart = np.zeros(size), np.zeros(size)
    parts = [_twice(ground, given)]
    for split in votes.compare_pairs(ground, given, mass):
        pairs += split.both
        apart += split.apart
        for what, where in ((APART, split.apart), (ALONE, split.alone)):
            piece = np.flatnonzero(where & ground.inside)
            parts.append(DataFrame({
                "piece": piece, "first": split.senior, "second": split.junior,
                "one": ground.claims[piece, split.senior],
                "two": ground.claims[piece, split.junior], "what": what}))
    splits = pd.concat(parts).sort_values(["piece", "first", "second"], kind="stable")
    agreement = 1 - np.divide(apart, pairs, out=np.zeros(size), where=pairs > 0)
    return splits, agreement


def _twice(ground: Ground, given: Given) -> DataFrame:
    """Find where a scheme overlaps itself."""
    piece, work_grid = ground.piece, ground.work_grid
    scheme = given.rank[work_grid]
    first = ground.claims[piece, scheme]
    more = (first != work_grid) & ground.inside[piece]
    return DataFrame({"piece": piece[more], "first": scheme[more], "second": scheme[more],
                      "one": first[more], "two": work_grid[more], "what": TWICE})


def write_conflicts(
    splits: DataFrame, given: Given, atoms: GeoDataFrame
) -> GeoDataFrame:
    """Return the disagreements as a layer, the most households first.

    Parameters
    ----------
    splits : DataFrame
        As `find_splits` returns them.
    given : Given
    atoms : GeoDataFrame, schema ATOMS
        In the order of the pieces.

    Returns
    -------
    GeoDataFrame, schema CONFLICTS
    """
    at = splits["piece"].to_numpy()
    number = pd.RangeIndex(len(at), name=schema.CONFLICTS.index)
    names = pd.array(list(given.names), dtype="str")
    columns = {
        "atom": atoms.index.astype("str").array.take(at),
        "first": names.take(splits["first"].to_numpy()),
        "second": names.take(splits["second"].to_numpy()),
        "first_grid": _codes(given, splits["one"]), "second_grid": _codes(given, splits["two"]),
        "what": splits["what"].astype("str").array,
        **{name: atoms[name].array.take(at) for name in
           ("grid", "decided", "households", "people", "area_m2")},
    }
    shapes = geopandas.GeoSeries(atoms.geometry.to_numpy()[at], index=number, crs=atoms.crs)
    layer = GeoDataFrame(columns, geometry=shapes, index=number).astype({"what": "str"})
    order = np.lexsort((np.arange(len(at)), -layer["area_m2"].round(3),
                        -layer["households"].fillna(0)))
    layer = layer.iloc[order].reset_index(drop=True)
    layer.index.name = schema.CONFLICTS.index
    return layer


def _codes(given: Given, position: Series) -> pd.api.extensions.ExtensionArray:
    codes = Series(given.codes.astype("str")).array
    return codes.take(position.to_numpy(), allow_fill=True)


def measure_conflicts(conflicts: DataFrame, *, what: str = APART) -> DataFrame:
    """Return who disagrees with whom: places, households, people and land, by pair of schemes.

    Parameters
    ----------
    conflicts : GeoDataFrame, schema CONFLICTS
        As `reconcile` returns them.
    what : str, default "drawn differently"
        The kind of disagreement.

    Returns
    -------
    DataFrame
        One row for each pair, the most households first: first, second, places, households,
        people, area_m2. A sum is missing where all of its parts are.

    Examples
    --------
    >>> from gridmap.nets import reconcile
    >>> from gridmap.sketch import sketch_grids
    >>> land = sketch_grids("TTTTT", side_m=100).rename_axis("territory")
    >>> land = land.assign(level="community", parent=None)
    >>> one = sketch_grids("AABBB", side_m=100).rename_axis("work_grid").assign(scheme="fire")
    >>> two = sketch_grids("PPPQQ", side_m=100).rename_axis("work_grid").assign(scheme="police")
    >>> against = measure_conflicts(reconcile([one, two], land).conflicts)
    >>> against[["first", "second", "places"]].values.tolist()
    [['fire', 'police', 1]]
    """
    chosen = conflicts[conflicts["what"] == what]
    groups = chosen.groupby(["first", "second"], sort=True)
    table = groups[["households", "people", "area_m2"]].sum(min_count=1)
    table.insert(0, "places", groups.size())
    table = table.reset_index().sort_values(
        ["households", "area_m2", "first", "second"], ascending=[False, False, True, True])
    return table.reset_index(drop=True).rename_axis("number")


def name_sides(claims: Ints, names: Sequence[str], codes: pd.Index) -> str:
    """Say in words who claims a piece for which work grid.

    Examples
    --------
    >>> name_sides(np.array([1, NONE]), ("police", "fire"), pd.Index(["A", "B"]))
    'police: B'
    """
    return "; ".join(f"{name}: {codes[at]}" for name, at in zip(names, claims, strict=True)
                     if at != NONE)
