"""Where sorted numbers are cut into classes: at natural breaks, or in equal steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def natural_breaks(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the bounds between classes whose values differ least within each class.

    Parameters
    ----------
    values : array of float
        In ascending order. The time grows with the square of their number: 20 ms for a
        thousand.
    count : int
        Classes, not more than there are distinct values.

    Returns
    -------
    array of float
        The largest value of each class but the last.

    Notes
    -----
    Sums are taken in single precision, from the last value of a class to its first, and of
    cuts that are as good the leftmost is taken: so the bounds are those of
    ``mapclassify.FisherJenks``, which takes seconds to load, to the last bit.

    References
    ----------
    W. D. Fisher (1958), "On Grouping for Maximum Homogeneity", Journal of the American
    Statistical Association 53; G. F. Jenks (1977), "Optimal Data Classification for Choropleth
    Maps", University of Kansas.

    Examples
    --------
    >>> natural_breaks(np.array([1.0, 2.0, 2.0, 10.0, 11.0, 50.0]), 3).tolist()
    [2.0, 11.0]
    """
    cuts = _cheapest_cuts(values.astype("float32"), count)
    bounds, size = np.empty(max(count - 1, 0)), len(values)
    for classes in range(count, 1, -1):
        size = int(cuts[size, classes])
        bounds[classes - 2] = values[size - 1]
    return bounds


def _cheapest_cuts(values: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Return how many of the first values the classes before the last one hold, at best.

    By how many of the values are cut (rows), into how many classes (columns).
    """
    cuts = np.full((len(values) + 1, count + 1), -1, dtype="int64")
    cuts[1] = 0  # one value in several classes, where single precision tells none apart
    costs = np.zeros((count + 1, len(values) + 1), dtype="float32")
    weights = np.arange(1, len(values) + 1, dtype="float32")
    back = values[::-1].copy()
    squared, classes = back * back, np.arange(count - 1)
    # A loop: the costs of so many values are made of the costs of all smaller numbers.
    for size in range(2, len(values) + 1):
        # Without names of sums between them: so short are they that a call costs more.
        sums, squares = np.add.accumulate(back[-size:]), np.add.accumulate(squared[-size:])
        sums *= sums
        sums /= weights[:size]
        squares -= sums
        spread = squares[::-1]
        costs[1, size] = spread[0]
        trials = spread[1:] + costs[1:count, 1:size]
        best = trials.argmin(axis=1)
        costs[2:, size] = trials[classes, best]
        cuts[size, 2:] = best + 1
    return cuts


def equal_steps(values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Return the bounds between classes of the same width.

    Examples
    --------
    >>> equal_steps(np.array([0.0, 1.0, 10.0]), 4).tolist()
    [2.5, 5.0, 7.5]
    """
    width = (values[-1] - values[0]) / count
    return np.arange(values[0] + width, values[-1] + width, width)[:count - 1]
