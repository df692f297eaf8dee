"""The Spark API: a function of batches over the rows of a table, on Spark or on Sail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa


def map_in_arrow(
    frame: Any, function: Callable[..., pa.RecordBatch], shared: Any, schema: str
) -> Any:
    """Return a table of Spark with ``function(batch, shared)`` of every batch of another.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Of PySpark or of Sail: pip install "gridmap[spark]".
    function : callable
        From a RecordBatch and the shared value to a RecordBatch; importable by workers.
    shared : object
        Sent to every worker with the function.
    schema : str
        Of the answer, as Spark writes it: "x double, y double, grid string".

    Returns
    -------
    pyspark.sql.DataFrame
        Nothing is computed before it is asked for.
    """
    return frame.mapInArrow(partial(_each, function=function, shared=shared), schema)


def _each(
    batches: Iterable[pa.RecordBatch], *, function: Callable[..., pa.RecordBatch], shared: Any
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield plain(function(batch, shared))


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch with dictionaries of text as text, which Spark has no other way for.

    Examples
    --------
    >>> batch = pa.record_batch({"a": pa.array(["x", "x"]).dictionary_encode()})
    >>> plain(batch).schema.field("a").type
    DataType(string)
    """
    columns = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
               for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)
