"""Which size rule holds where, and the masses of units that it bounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series

from ..errors import PartitionError, listed
from ..rules import SizeRule
from ..tiling import areas

#: Sums of floats may miss a bound by this share of it.
SLACK = 1e-9

#: What a weighted sum of columns is called.
WORKLOAD = "workload"


class Range(NamedTuple):
    """The bounds of a size rule as arrays, the measure that sizes a grid first."""

    measures: tuple[str, ...]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    target: float


class Sizes(NamedTuple):
    """Ranges in force, the one of each unit, and the masses that they bound."""

    ranges: tuple[Range, ...]
    row: NDArray[np.int64]  # position of the range of each unit
    load: NDArray[np.float64]  # a column for each measure


def gather_sizes(
    units: GeoDataFrame,
    size: SizeRule | Mapping[str, SizeRule],
    *,
    within: str,
    size_by: str | None = None,
    workload: Mapping[str, float] | None = None,
) -> Sizes:
    """Work out which rule holds for each territory, and the masses that rules bound.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    size : SizeRule or mapping of str to SizeRule
        One rule for all, or one for each value of ``size_by``.
    within : str
        Column with the territory.
    size_by : str, optional
        Column that says which rule holds, such as "urban" and "rural". A territory whose
        units differ goes by the value with most households, the first of equals.
    workload : mapping of str to float, optional
        Columns and their weights: their sum sizes a grid, in place of the measure of the
        rule, whose range is then in that unit.

    Raises
    ------
    PartitionError
        If a column is absent or has missing or negative numbers, a value has no rule, or
        rules size grids by different measures.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> size = SizeRule(minimum=2, target=3, maximum=4)
    >>> gathered = gather_sizes(sketch_units("AAB"), size, within="territory")
    >>> gathered.load.tolist(), gathered.ranges[0].high.tolist()
    ([[2.0], [1.0]], [4.0])
    """
    rules = {"": size} if isinstance(size, SizeRule) else dict(size)
    values = _values(units, rules, within, size_by)
    first = {rule.measure for rule in rules.values()}
    if len(first) > 1:
        raise PartitionError(
            f"size rules measure {listed(sorted(first))}: rules of one partition must size "
            "grids by the same measure. Partition the territories of each rule on their own."
        )
    further = sorted({limit.measure for rule in rules.values() for limit in rule.limits})
    lead = WORKLOAD if workload else first.pop()
    measures = (lead, *further)
    names = sorted(rules)
    load = [_workload(units, workload) if workload else _mass(units, lead)]
    load += [_mass(units, measure) for measure in further]
    return Sizes(
        ranges=tuple(make_range(rules[name], measures) for name in names),
        row=np.searchsorted(np.array(names, dtype=str), values.to_numpy(str)),
        load=np.stack(load, axis=1),
    )


def make_range(rule: SizeRule, measures: tuple[str, ...]) -> Range:
    """Lay the bounds of a rule out over measures; several limits on one go together.

    Examples
    --------
    >>> rule = SizeRule(minimum=2, target=3, maximum=4)
    >>> make_range(rule, ("households", "people")).high.tolist()
    [4.0, inf]
    """
    low = np.zeros(len(measures))
    high = np.full(len(measures), np.inf)
    low[0], high[0] = rule.minimum, rule.maximum
    for limit in rule.limits:
        at = measures.index(limit.measure, 1)
        low[at] = max(low[at], limit.minimum)
        high[at] = min(high[at], limit.maximum)
    return Range(measures, low, high, rule.target)


def _values(
    units: GeoDataFrame, rules: Mapping[str, SizeRule], within: str, size_by: str | None
) -> Series:
    """Return for each unit the name of the rule of its territory."""
    if size_by is None:
        if len(rules) > 1:
            raise PartitionError(
                f"size has rules for {listed(sorted(rules))}, but size_by does not say which "
                "column of units picks one"
            )
        return Series(next(iter(rules)), index=units.index)
    if size_by not in units or units[size_by].isna().any():
        raise PartitionError(f"units: column {size_by}, named by size_by, is absent or missing "
                             "in places")
    unknown = sorted(set(units[size_by]) - set(rules))
    if unknown:
        raise PartitionError(
            f"units: {size_by} is {listed(unknown)} in places, but size has rules for "
            f"{listed(sorted(rules), show=9)} only"
        )
    weight = units["households"].groupby([units[within], units[size_by]], sort=True).sum()
    # The first of equals: idxmax takes the first of a sorted index.
    most = {territory: one.idxmax()[1] for territory, one in weight.groupby(level=0)}
    return units[within].map(most)


def _mass(units: GeoDataFrame, measure: str) -> NDArray[np.float64]:
    if measure == "area_m2":
        return areas.measure_area(units).to_numpy(np.float64)
    if measure not in units:
        raise PartitionError(
            f"units have no column {measure!r}, which the size rule measures. Add it to units, "
            "or take a rule for households, people or area_m2."
        )
    mass = units[measure].to_numpy(np.float64)
    odd = ~(mass >= 0)
    if odd.any():
        raise PartitionError(
            f"units: {measure} is missing or below 0 in {listed(units.index[odd])}. A size rule "
            "needs a number for every unit.",
            rows=[str(code) for code in units.index[odd]],
        )
    return mass


def _workload(units: GeoDataFrame, workload: Mapping[str, float]) -> NDArray[np.float64]:
    total = np.zeros(len(units))
    for column, weight in workload.items():
        if not weight >= 0:
            raise PartitionError(f"workload weighs {column} with {weight}: 0 or more is needed")
        total += weight * _mass(units, column)
    return total


def sum_loads(
    load: NDArray[np.float64], label: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Add up the columns of ``load`` per grid.

    Examples
    --------
    >>> sum_loads(np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 0]), 2).tolist()
    [[5.0], [2.0]]
    """
    sums = [np.bincount(label, column, minlength=count) for column in load.T]
    return np.stack(sums, axis=1).astype(np.float64)


def size_states(
    sums: NDArray[np.float64], ranges: tuple[Range, ...], row: NDArray[np.int64]
) -> NDArray[np.str_]:
    """Say of each row of sums whether it is "in range", "small" or "large".

    ``row`` is the position of the range of each. A limit that is not kept makes a grid
    small or large as well.

    Examples
    --------
    >>> rule = make_range(SizeRule(minimum=2, target=3, maximum=4), ("households",))
    >>> size_states(np.array([[1.0], [4.0]]), (rule,), np.array([0, 0])).tolist()
    ['small', 'in range']
    """
    low = np.stack([one.low for one in ranges])[row]
    high = np.stack([one.high for one in ranges])[row]
    large = (sums > high * (1 + SLACK)).any(axis=1)
    small = (sums < low * (1 - SLACK)).any(axis=1)
    return np.where(large, "large", np.where(small, "small", "in range"))


def measure_density(units: GeoDataFrame, *, within: str = "territory") -> Series:
    """Measure the people per km² of the territory of each unit.

    Compare it with a limit to choose between an urban and a rural rule.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    within : str, default "territory"
        Column with the territory.

    Returns
    -------
    Series
        ``people_per_km2``, on the index of ``units``: the same for all of a territory.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> measure_density(sketch_units("AB", side_m=1000)).round(1).tolist()
    [2.0, 2.0]
    """
    area = areas.measure_area(units).groupby(units[within].to_numpy()).sum()
    people = units["people"].groupby(units[within].to_numpy()).sum()
    density = units[within].map(1e6 * people / area)
    return density.astype("float64").rename("people_per_km2")
