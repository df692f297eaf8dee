"""Find rows that are parts of one thing but each carry the figures of the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas import DataFrame

from ..errors import SchemaError, listed


def find_repeated_parts(
    polygons: DataFrame,
    *,
    code: str | None = None,
    measures: Sequence[str] = ("households", "people"),
) -> DataFrame:
    """Find figures that an exploded layer repeats on every part, so that sums double.

    When a layer of multipart polygons is taken apart, each part gets a copy of all
    attributes. A figure counts as repeated where all parts of a code have the same value,
    not 0 and not missing.

    Parameters
    ----------
    polygons : DataFrame or GeoDataFrame
        One row per part; here codes may repeat.
    code : str, optional
        The column that tells which rows belong together; the index by default.
    measures : sequence of str, default ("households", "people")
        Columns of counts; those that are absent are passed over.

    Returns
    -------
    DataFrame
        One row per code and measure, sorted, index ``number``: ``id``, ``measure``, ``parts``
        (how many rows), ``summed`` (the total of the rows) and ``once`` (the total if the
        figure is that of the whole).

    Raises
    ------
    SchemaError
        If the column ``code`` is absent, or a measure is not a number.

    Examples
    --------
    >>> islands = DataFrame({"people": [700, 700, 90]}, index=["A", "A", "B"])
    >>> find_repeated_parts(islands).values.tolist()
    [['A', 'people', 2, 1400.0, 700.0]]
    """
    if code is not None and code not in polygons:
        raise SchemaError(
            f"polygons has no column {code!r}. Its columns are "
            f"{listed(polygons.columns, show=20)}."
        )
    keys = pd.Index(polygons.index if code is None else polygons[code])
    found = []
    for measure in [name for name in measures if name in polygons]:
        values = polygons[measure]
        if not pd.api.types.is_numeric_dtype(values):
            raise SchemaError(f"polygons: column {measure} is {values.dtype}, not a number")
        groups = values.groupby(keys.to_numpy())
        rows = groups.agg(["size", "count", "min", "max", "sum"])
        same = (rows["size"] > 1) & (rows["count"] == rows["size"]) & (rows["min"] == rows["max"])
        rows = rows[same & (rows["min"] != 0)]
        found.append(DataFrame({
            "id": rows.index.astype("str"), "measure": measure, "parts": rows["size"].to_numpy(),
            "summed": rows["sum"].to_numpy("float64"), "once": rows["min"].to_numpy("float64")}))
    if not found:
        found = [DataFrame({"id": [], "measure": [], "parts": [], "summed": [], "once": []})]
    repeated = pd.concat(found).sort_values(["id", "measure"], kind="stable")
    repeated.index = pd.RangeIndex(len(repeated), name="number")
    return repeated.astype({"id": "str", "measure": "str", "parts": np.int64})
