"""Tables of Spark: the same batches, sent to wherever the rows are."""

from __future__ import annotations

from typing import Any

from ..errors import SchemaError
from ..executors import spark
from .locator import Locator
from .stream import Task, attach_task


def attach_table(
    table: Any, ready: Locator, *, x: str = "x", y: str = "y", geometry: str | None = None
) -> Any:
    """Give every row of a Spark table the code of the polygon that holds it.

    The work is done by ``mapInArrow`` where the rows are, by the function that
    `attach_batches` uses. The locator travels with the plan, some 6 kB for a grid.

    Parameters
    ----------
    table : pyspark.sql.DataFrame
        Of PySpark, Spark Connect or Sail: pip install "gridmap[spark]", here and on workers.
    ready : Locator
        As from `build_locator`, in the CRS of the points.
    x, y : str, default "x" and "y"
        The columns of coordinates.
    geometry : str, optional
        The column of WKB points, instead of ``x`` and ``y``.

    Returns
    -------
    pyspark.sql.DataFrame
        Same rows and two more columns of text, one with the name of the index that the locator
        was built from, and ``how``; see `attach_batch`. Nothing is computed before it is asked
        for, and Spark has its own order of rows.

    Raises
    ------
    SchemaError
        If a column is absent.

    Examples
    --------
    >>> from gridmap import build_locator, sketch_grids
    >>> ready = build_locator(sketch_grids("AB"), engine="numpy")
    >>> attach_table(spark.read.parquet("points"), ready)  # doctest: +SKIP
    DataFrame[element: string, x: double, y: double, grid: string, how: string]
    """
    asked = [x, y] if geometry is None else [geometry]
    absent = [name for name in asked if name not in table.columns]
    if absent:
        raise SchemaError(
            f"table: column {' and '.join(absent)} is absent. Name the columns of coordinates "
            "by x=… and y=…, or that of WKB by geometry=…"
        )
    added = [(str(ready.codes.name), "string"), ("how", "string")]
    schema = ", ".join(f"`{name.replace('`', '``')}` {kind}" for name, kind in
                       [*table.dtypes, *added])
    return spark.map_in_arrow(table, attach_task, Task(ready, x, y, geometry), schema)
