"""Published totals spread over the buildings they belong to, as whole numbers."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from .. import ledger, schema
from ..errors import SchemaError, listed
from . import counts, footprints, places

WEIGHTS = ("floor_area", "area", "count")


class Population(NamedTuple):
    """Elements with the people and households of published totals."""

    elements: GeoDataFrame  # as given, with the measures filled in
    left_over: DataFrame  # one row for every total, or part of one, that no element took
    changes: DataFrame  # schema CHANGES: territories spread in another way than asked


def attach_population(
    totals: DataFrame,
    elements: GeoDataFrame,
    *,
    measures: Collection[str] = ("households", "people"),
    weight: str = "floor_area",
    kinds: Collection[str] = (),
) -> Population:
    """Spread the total of each territory over the elements in it, as whole numbers.

    Elements take part in proportion to their weight, by largest remainder; of equal
    remainders the element whose code sorts first is served. What is given to the elements
    of a territory and what is left over add up to its total exactly.

    Parameters
    ----------
    totals : DataFrame or GeoDataFrame, indexed by territory
        The columns ``measures``; a missing total is unknown and spreads nothing. With
        polygons (schema TERRITORIES) an element belongs where it lies, a footprint by its
        largest share; without, where its column ``territory`` says.
    elements : GeoDataFrame, schema ELEMENTS, UNITS or GRIDS
        What people live in, in the same CRS in metres. Units and grids take their total by
        ``weight="area"``, where no buildings or addresses are known; their own column
        ``territory`` says where they belong.
    measures : collection of str, default ("households", "people")
        What to spread, as far as ``totals`` has it; present values of the elements are
        replaced.
    weight : {"floor_area", "area", "count"} or name of a column, default "floor_area"
        Area of the footprint times ``floors`` (1 where missing), area alone, the column
        ``count``, or any column of numbers, 0 or more; a missing weight is 0.
    kinds : collection of str, optional
        The kinds that people live in; others take part only in a territory that has none of
        these. All by default.

    Returns
    -------
    Population
        ``elements``: same rows, same order, ``measures`` as whole numbers; 0 where an
        element took no part, missing where no total is known for its place.
        ``left_over``: index ``territory``; name (where totals have one), the measures and
        ``reason``: the total of a territory without elements, or what a total has beyond a
        whole number. ``changes``: territories spread over all kinds because they have none
        of ``kinds``, or evenly because all weights are 0, and elements without a total.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, or no measure or weight of that name exists.
    CRSError
        If the CRS differ or are not in metres.

    References
    ----------
    Largest remainder is the method of Hamilton. Spreading by buildings is dasymetric
    interpolation: J. K. Wright (1936), "A method of mapping densities of population".

    Examples
    --------
    >>> import pandas as pd
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (1, 1), (2, 2)).assign(territory=["T", "T", "U"])
    >>> totals = pd.DataFrame({"people": [5, 7]}, index=pd.Index(["T", "V"], name="territory"))
    >>> spread = attach_population(totals, homes, weight="count")
    >>> spread.elements["people"].tolist()
    [3.0, 2.0, nan]
    >>> spread.left_over["people"].to_dict()
    {'V': 7}
    """
    asked = _check_totals(totals, measures)
    unknown = totals.index[totals[asked].isna().all(axis=1)]
    totals = totals.drop(index=unknown)
    territory = _find_territories(totals, elements)
    weights = _weigh(elements, weight)
    shares = _settle_weights(totals, elements, territory, weights, kinds)
    missing = ledger.note_changes(unknown, step="attach", what="total unknown",
                                  note="the territory has no total")
    columns = {m: _spread(totals[m], elements, territory, shares.weights) for m in asked}
    spread = elements.assign(**columns)
    return Population(spread, _left_over(totals, spread, territory, asked),
                      ledger.join_changes(missing, shares.changes))


def _check_totals(totals: DataFrame, measures: Collection[str]) -> list[str]:
    asked = [measure for measure in measures if measure in totals]
    if totals.index.name != "territory" or not totals.index.is_unique:
        raise SchemaError("totals: a unique index called 'territory' is needed")
    if not asked:
        raise SchemaError(
            f"totals: none of the columns {listed(measures)} is there. Name others by measures=…"
        )
    for measure in asked:
        known = totals[measure].dropna()
        odd = known.index[~(np.isfinite(known) & (known >= 0))]
        if len(odd):
            raise SchemaError(
                f"totals: column {measure} is below 0 or not finite in {listed(odd)}",
                rows=[str(code) for code in odd],
            )
    return asked


def _find_territories(totals: DataFrame, elements: GeoDataFrame) -> NDArray[np.intp]:
    """Return the position in ``totals`` of the territory of each element, -1 for none."""
    if elements.index.name in (schema.UNITS.index, schema.GRIDS.index):
        places.check_holders(elements)
        codes = elements
    elif isinstance(totals, GeoDataFrame):
        codes = footprints.attach_footprints(elements, totals[[totals.geometry.name]]).elements
    else:
        schema.check_frame(elements, schema.ELEMENTS, argument="elements")
        codes = elements
    if "territory" not in codes:
        raise SchemaError(
            "elements: column territory is absent, and totals have no polygons: one of the two "
            "must tell where an element belongs"
        )
    return np.asarray(totals.index.get_indexer(codes["territory"]), dtype=np.intp)


def _weigh(elements: GeoDataFrame, weight: str) -> NDArray[np.float64]:
    if weight in ("floor_area", "area"):
        areas = counts.measure_areas(elements)
        column = "floor_area_m2" if weight == "floor_area" else "footprint_m2"
        return areas[column].to_numpy(dtype="float64")
    if weight not in elements:
        raise SchemaError(
            f"weight is {weight!r}: {', '.join(WEIGHTS)} or a column of elements is needed"
        )
    weights: NDArray[np.float64] = np.nan_to_num(elements[weight].to_numpy(dtype="float64"))
    if (weights < 0).any() or not np.isfinite(weights).all():
        odd = elements.index[(weights < 0) | ~np.isfinite(weights)]
        raise SchemaError(
            f"elements: weight {weight} is below 0 or not finite in {listed(odd)}",
            rows=[str(code) for code in odd],
        )
    return weights


class _Settled(NamedTuple):
    weights: NDArray[np.float64]  # 0 for an element that takes no part
    changes: DataFrame


def _settle_weights(
    totals: DataFrame,
    elements: GeoDataFrame,
    territory: NDArray[np.intp],
    weights: NDArray[np.float64],
    kinds: Collection[str],
) -> _Settled:
    """Let only the wanted kinds take part, and find another way where none can."""
    size = len(totals)
    here = territory >= 0
    lived_in = elements["kind"].isin(kinds).to_numpy() if kinds else np.ones_like(here)
    any_here = np.bincount(territory[here], minlength=size) > 0
    has_weight = _has_weight(territory, weights * here, size)
    has_kind = _has_weight(territory, weights * (here & lived_in), size)
    settled = np.where(lived_in | ~has_kind[territory], weights, 0.0)
    settled = np.where(has_weight[territory], settled, 1.0)
    other = totals.index[any_here & has_weight[:-1] & ~has_kind[:-1]]
    even = totals.index[any_here & ~has_weight[:-1]]
    unknown = elements.index[~here]
    return _Settled(settled, ledger.join_changes(
        ledger.note_changes(other, step="attach", what="spread over all kinds",
                            note="no element of the kinds that people live in"),
        ledger.note_changes(even, step="attach", what="spread evenly",
                            note="no element of the territory has a weight"),
        ledger.note_changes(unknown, step="attach", what="total unknown",
                            note="the element lies in no territory that has a total"),
    ))


def _has_weight(
    territory: NDArray[np.intp], weights: NDArray[np.float64], size: int
) -> NDArray[np.bool_]:
    """Say for each territory, and last for elements in none, whether anything weighs there."""
    sums = np.bincount(territory + 1, weights=weights, minlength=size + 1)
    return np.roll(sums > 0, -1)


def _spread(
    totals: Series,
    elements: DataFrame,
    territory: NDArray[np.intp],
    weights: NDArray[np.float64],
) -> Series:
    """Spread one measure; by code, so that the order of the rows does not matter."""
    known = np.append(totals.notna().to_numpy(), False)  # the last answers for no territory
    order = np.argsort(elements.index.to_numpy(dtype=object), kind="stable")
    order = order[known[territory[order]]]
    whole = np.floor(totals.fillna(0).to_numpy(dtype="float64"))
    given = counts.share_out(whole, weights[order], territory[order])
    if len(order) == len(elements):
        spread = np.empty(len(elements), dtype=np.int64)
        spread[order] = given
        return Series(spread, index=elements.index)
    partly = np.full(len(elements), np.nan)
    partly[order] = given
    return Series(partly, index=elements.index)


def _left_over(
    totals: DataFrame, spread: DataFrame, territory: NDArray[np.intp], asked: list[str]
) -> DataFrame:
    here = territory >= 0
    empty = np.bincount(territory[here], minlength=len(totals)) == 0
    left = {}
    for measure in asked:
        taken = np.nan_to_num(spread[measure].to_numpy(dtype="float64")[here])
        given = np.bincount(territory[here], weights=taken, minlength=len(totals))
        rest = totals[measure].fillna(0) - given
        left[measure] = rest.astype(totals[measure].dtype)
    reason = np.where(empty, "no element to go to", "beyond a whole number")
    named = totals[["name"]] if "name" in totals else DataFrame(index=totals.index)
    rows = DataFrame(named).assign(**left, reason=Series(reason, totals.index, dtype="str"))
    return rows[(rows[asked] > 0).any(axis=1)].sort_index()
