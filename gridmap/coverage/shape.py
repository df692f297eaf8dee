"""Size and shape of grids: in range or not, compact or not, in one piece or not."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Series

from ..errors import SchemaError
from ..rules import SizeRule

#: States of a grid that has a size to keep; the others are dedicated and unknown.
SIZED = ("in range", "small", "large")


def measure_sizes(grids: GeoDataFrame, size: SizeRule) -> Series:
    """Say of every grid whether its size is in range.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
        A grid of the kind "dedicated" has no size to keep.
    size : SizeRule
        The range, and limits on other measures: above one of them a grid is large, below
        one of them small, whatever the main measure says.

    Returns
    -------
    Series
        size_state: "in range", "small", "large", "dedicated" or "unknown".

    Raises
    ------
    SchemaError
        If ``grids`` has no column that the rule measures.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> rule = SizeRule(minimum=2, target=2, maximum=3)
    >>> measure_sizes(sketch_grids("ABBCCCC"), rule).to_dict()
    {'A': 'small', 'B': 'in range', 'C': 'large'}
    """
    bounds = [(size.measure, size.minimum, size.maximum)]
    bounds += [(limit.measure, limit.minimum, limit.maximum) for limit in size.limits]
    small, large = np.zeros((2, len(grids)), dtype=bool)
    for measure, minimum, maximum in bounds:
        if measure not in grids:
            raise SchemaError(f"grids: column {measure} is absent, which the size rule measures")
        values = grids[measure].to_numpy(dtype="float64")
        small |= values < minimum
        large |= values > maximum
    unknown = grids[size.measure].isna().to_numpy()
    dedicated = (grids["kind"] == "dedicated").to_numpy()
    state = np.select([dedicated, unknown, large, small],
                      ["dedicated", "unknown", "large", "small"], "in range")
    return Series(state, index=grids.index, name="size_state", dtype="str")


def measure_shapes(grids: GeoDataFrame) -> DataFrame:
    """Measure how compact a grid is, and in how many pieces.

    Parameters
    ----------
    grids : GeoDataFrame, schema GRIDS
        In a CRS in metres.

    Returns
    -------
    DataFrame
        compactness: 4π area / perimeter², 1 for a circle; parts: 1 is contiguous.

    References
    ----------
    D. D. Polsby and R. D. Popper (1991), "The third criterion: compactness as a procedural
    safeguard against partisan gerrymandering".

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> measure_shapes(sketch_grids("A.A"))["parts"].to_dict()
    {'A': 2}
    """
    shapes: NDArray[np.object_] = grids.geometry.to_numpy()
    compactness = 4 * np.pi * shapely.area(shapes) / shapely.length(shapes) ** 2
    parts = shapely.get_num_geometries(shapes).astype("int64")
    return DataFrame({"compactness": compactness, "parts": parts}, index=grids.index)
