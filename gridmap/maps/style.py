"""Classes and colours, the same in pages, pictures and QGIS.

A figure is shown in classes. `measure_classes` makes them once, as a frame, and every
output is drawn from that frame. Palettes are those with the smallest loss under colour
blindness: cuts of viridis and cividis for sequences, Okabe-Ito and Tol's muted set for
categories. Dark is always more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas import DataFrame, Series
from pandas.api import types

from ..errors import ProfileError, listed
from . import cuts

METHODS = ("quantiles", "natural breaks", "equal intervals")

#: Six steps from light to dark, evenly spaced in lightness.
SEQUENCES: Mapping[str, tuple[str, ...]] = {
    "viridis": ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154"),
    "cividis": ("#fee838", "#cbba69", "#958f78", "#666970", "#31446b", "#00224e"),
}
OKABE_ITO = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
TOL_MUTED = ("#332288", "#88ccee", "#44aa99", "#117733", "#999933", "#ddcc77", "#cc6677",
             "#882255", "#aa4499")

#: Values that mean the same on every map keep one colour.
FIXED_COLOURS: Mapping[str, str] = {
    "in range": "#8ccfae", "small": "#3f8fc4", "large": "#d55e00", "not sized": "#b8bcc2",
    "comprehensive": "#44aa99", "dedicated": "#cc79a7", "existing": "#6f9bc8",
    "grid": "#009e73", "community": "#e69f00", "town": "#56b4e9", "department": "#cc79a7",
    "kept": "#cddccf", "changed": "#56b4e9", "split": "#e69f00", "merged": "#0072b2",
    "recoded": "#f0e442", "new": "#009e73", "retired": "#d55e00",
}
FIXED_ORDER = tuple(FIXED_COLOURS)

#: Colour of what is not known; it is never the colour of zero.
UNKNOWN = "#d7d9dd"

#: More categories than this cannot be told apart by colour; the rest is one class.
MOST_CATEGORIES = 8
OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassRule:
    """How a figure is cut into classes.

    Parameters
    ----------
    method : str, default "quantiles"
        ``quantiles``, ``natural breaks`` (Fisher-Jenks) or ``equal intervals``; not used
        where ``breaks`` are given.
    count : int, default 6
        How many classes to aim at, 2 to 6; ties in the values may leave fewer.
    breaks : tuple of float, default ()
        Upper bounds of the classes, ascending, the last one excepted (it is the maximum).
    palette : str, default "viridis"
        ``viridis`` or ``cividis``.

    Examples
    --------
    >>> ClassRule(breaks=(300, 500)).breaks
    (300, 500)
    """

    method: str = "quantiles"
    count: int = 6
    breaks: tuple[float, ...] = ()
    palette: str = "viridis"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ProfileError(f"there is no class method {self.method!r}. "
                               f"Methods are {listed(METHODS)}")
        if self.palette not in SEQUENCES:
            raise ProfileError(f"there is no palette {self.palette!r}. "
                               f"Palettes are {listed(SEQUENCES)}")
        if not 2 <= self.count <= 6:
            raise ProfileError(f"a map can have 2 to 6 classes, not {self.count}: more shades "
                               "cannot be told apart")
        if list(self.breaks) != sorted(set(self.breaks)) or len(self.breaks) > 5:
            raise ProfileError(f"breaks are {listed(self.breaks, show=9)}: up to 5 ascending "
                               "numbers are needed")


def measure_classes(values: Series, *, rule: ClassRule | None = None) -> DataFrame:
    """Return the classes of a figure with their bounds, colours and counts.

    Parameters
    ----------
    values : Series
        One value for each grid: numbers, or text for categories. Missing is unknown.
    rule : ClassRule, optional
        How numbers are cut; six quantiles by default. Breaks are rounded to as few digits
        as keep them apart, and counts are taken after rounding.

    Returns
    -------
    DataFrame
        Index ``class`` from 0; columns ``lower`` and ``upper`` (numbers: above the lower,
        up to and including the upper; the first class includes its lower), ``value``
        (categories), ``colour``, ``count``. If values are missing, a last row has none of
        the three. A class may hold nobody only where breaks were given.

    Examples
    --------
    >>> values = Series([1, 2, 3, 4, None])
    >>> measure_classes(values, rule=ClassRule(count=2))[["lower", "upper", "count"]].values
    array([[ 1.,  2.,  2.],
           [ 2.,  4.,  2.],
           [nan, nan,  1.]])
    """
    rule = rule or ClassRule()
    if is_sequence(values):
        known = values.dropna().to_numpy("float64")
        classes = _number_classes(known, rule)
    else:
        classes = _categories(values)
    absent = int(values.isna().sum())
    if absent:
        classes.append({"colour": UNKNOWN, "count": absent})
    columns = ["lower", "upper", "value", "colour", "count"]
    frame = DataFrame(classes, columns=columns,
                      index=pd.RangeIndex(len(classes), name="class"))
    return frame.astype({"lower": "float64", "upper": "float64", "value": "str",
                         "colour": "str", "count": "int64"})


def is_sequence(values: Series) -> bool:
    """Say whether values are numbers (in classes) and not categories.

    Examples
    --------
    >>> is_sequence(Series([1.5])), is_sequence(Series(["small"])), is_sequence(Series([True]))
    (True, False, False)
    """
    return bool(types.is_numeric_dtype(values)) and not types.is_bool_dtype(values)


def find_breaks(known: np.ndarray, *, method: str, count: int) -> tuple[float, ...]:
    """Return the rounded inner breaks of numbers, ascending, each with a value on both sides.

    Parameters
    ----------
    known : array of float
        Values without missing ones, in any order.
    method : str
        One of ``METHODS``.
    count : int
        How many classes to aim at.

    Examples
    --------
    >>> find_breaks(np.array([1.0, 2.0, 3.0, 4.0]), method="quantiles", count=2)
    (2.0,)
    """
    distinct = np.unique(known)
    if len(distinct) <= count:
        return _rounded(tuple(distinct[:-1].tolist()), known)
    return _rounded(tuple(_cut(known, method, count)), known)


def _cut(known: np.ndarray, method: str, count: int) -> list[float]:
    known = np.sort(known)  # the sampled method must not depend on the order of rows
    if method == "quantiles":
        # A value that fills several quantiles by itself (often 0) leaves fewer bounds.
        quantiles = np.quantile(known, np.arange(1, count) / count, method="lower")
        # One that is the largest value would bound a class of nothing.
        return [float(bound) for bound in np.unique(quantiles) if bound < known[-1]]
    if method == "equal intervals":
        return [float(bound) for bound in cuts.equal_steps(known, count)]
    if len(known) > 1_000:
        # Every n-th value of the sorted ones is a sample without chance: the exact method
        # takes minutes for many thousands.
        known = known[np.linspace(0, len(known) - 1, 1_000).round().astype(int)]
        count = min(count, len(np.unique(known)))  # rare values may be missing in it
    return [float(bound) for bound in cuts.natural_breaks(known, count)]


def _rounded(breaks: Sequence[float], known: np.ndarray) -> tuple[float, ...]:
    """Round to the fewest digits that leave every class its values, at most 6 digits."""
    if not breaks:
        return ()
    before = _sizes(known, breaks)
    few = 0.02 * len(known)  # a class may gain or lose this many by rounding
    for digits in range(2, 6):
        after = [_significant(bound, digits) for bound in breaks]
        apart = len(set(after)) == len(after)
        if apart and np.abs(_sizes(known, after) - before).max() <= few:
            return tuple(after)
    return tuple(sorted({_significant(bound, 6) for bound in breaks}))


def _sizes(known: np.ndarray, breaks: Sequence[float]) -> np.ndarray:
    return np.bincount(np.searchsorted(breaks, known, side="left"), minlength=len(breaks) + 1)


def _significant(value: float, digits: int) -> float:
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def _number_classes(known: np.ndarray, rule: ClassRule) -> list[dict[str, object]]:
    if not len(known):
        return []
    breaks = rule.breaks or find_breaks(known, method=rule.method, count=rule.count)
    least, most = float(known.min()), float(known.max())
    lower = [min(least, *breaks, most), *breaks]
    upper = [*breaks, max(most, *breaks, least)]
    colours = sequence_colours(len(upper), rule.palette)
    sizes = _sizes(known, breaks)
    return [
        {"lower": lo, "upper": up, "colour": colour, "count": int(size)}
        for lo, up, colour, size in zip(lower, upper, colours, sizes, strict=True)
    ]


def sequence_colours(count: int, palette: str) -> tuple[str, ...]:
    """Return so many colours of a sequence, from its lightest to its darkest.

    Examples
    --------
    >>> sequence_colours(2, "viridis")
    ('#fde725', '#440154')
    >>> sequence_colours(1, "cividis")
    ('#666970',)
    """
    steps = SEQUENCES[palette]
    if count == 1:
        return (steps[3],)
    places = np.linspace(0, len(steps) - 1, count).round().astype(int)
    return tuple(steps[place] for place in places)


def factorize(values: Series) -> tuple[np.ndarray, list[str]]:
    """Return the category of every value as a number, -1 where missing, and their names.

    Examples
    --------
    >>> codes, levels = factorize(Series(["b", None, "a", "b"]))
    >>> codes.tolist(), levels
    ([0, -1, 1, 0], ['b', 'a'])
    """
    codes, levels = pd.factorize(values.array)  # without the index: it may hold millions
    return np.asarray(codes), [str(level) for level in levels]


def _categories(values: Series) -> list[dict[str, object]]:
    codes, levels = factorize(values)
    counts = Series(np.bincount(codes[codes >= 0], minlength=len(levels)), index=levels,
                    dtype="int64")
    fixed = [value for value in FIXED_ORDER if value in counts.index]
    free = sorted(set(counts.index) - set(fixed), key=lambda value: (-counts[value], value))
    shown = [*fixed, *free][:MOST_CATEGORIES]
    colours = category_colours(shown)
    rows: list[dict[str, object]] = [
        {"value": value, "colour": colour, "count": int(counts[value])}
        for value, colour in zip(shown, colours, strict=True)
    ]
    if len(free) + len(fixed) > len(shown):
        rest = int(counts.sum() - counts[shown].sum())
        rows.append({"value": OTHER, "colour": "#8a8f98", "count": rest})
    return rows


def find_classes(values: Series, classes: DataFrame) -> np.ndarray:
    """Return the class of every value: its position in the frame of `measure_classes`.

    Parameters
    ----------
    values : Series
        Numbers or text, missing where unknown.
    classes : DataFrame
        As `measure_classes` made it for these values, or for values of the same kind.

    Returns
    -------
    array of int
        Numbers outside all classes go to the first or last one. Unknown values go to the
        last row if that is the unknown one, and else one past the last.

    Examples
    --------
    >>> values = Series([1, 2, 3, 4, None])
    >>> find_classes(values, measure_classes(values, rule=ClassRule(count=2))).tolist()
    [0, 0, 1, 1, 2]
    """
    named = classes[classes["value"].notna() | classes["upper"].notna()]
    if is_sequence(values):
        inner = named["upper"].to_numpy()[:-1]
        found = np.searchsorted(inner, values.to_numpy("float64", na_value=0), side="left")
    else:
        place = {value: number for number, value in enumerate(named["value"])}
        other = place.get(OTHER, len(named))
        codes, levels = factorize(values)
        of_level = np.array([*(place.get(level, other) for level in levels), len(named)])
        found = of_level[codes]
    return np.where(values.isna(), len(named), found).astype("int64")


def category_colours(values: Sequence[str]) -> tuple[str, ...]:
    """Return a colour for each category: the fixed one of its meaning, or the next free.

    Examples
    --------
    >>> category_colours(["in range", "school"])
    ('#8ccfae', '#0072b2')
    """
    palette = OKABE_ITO if len(values) <= len(OKABE_ITO) else TOL_MUTED
    taken = {FIXED_COLOURS[value] for value in values if value in FIXED_COLOURS}
    free = [colour for colour in (*palette, *TOL_MUTED) if colour not in taken]
    # Values with a fixed colour take none of the free ones; with more values than colours
    # the free ones are used again, in order.
    colours: list[str] = []
    for value in values:
        spare = len([c for c in colours if c in free])
        colours.append(FIXED_COLOURS.get(value) or free[spare % len(free)])
    return tuple(colours)
