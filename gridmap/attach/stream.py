"""Any number of points in constant memory: batches of rows in, batches of rows out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pandas import DataFrame

from ..errors import SchemaError
from ..executors.base import Executor
from . import locator, places
from .exact import Held
from .locator import Locator
from .places import NOWHERE

#: Layout of a point in WKB with the byte order of nearly all machines.
_WKB_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def attach_batch(
    batch: pa.RecordBatch,
    ready: Locator,
    *,
    x: str = "x",
    y: str = "y",
    geometry: str | None = None,
) -> pa.RecordBatch:
    """Give every row of a batch the code of the polygon that holds it.

    Parameters
    ----------
    batch : RecordBatch
        Points as two columns of numbers, or as one of WKB.
    ready : Locator
        As from `build_locator`, in the CRS of the points. For points in degrees bring the
        polygons to degrees once, not the points: ``build_locator(grids.to_crs(4326))``.
    x, y : str, default "x" and "y"
        The columns of coordinates.
    geometry : str, optional
        The column of WKB points, instead of ``x`` and ``y``.

    Returns
    -------
    RecordBatch
        Same rows, same order, and two more columns, both dictionaries of text: one with the
        name of the index that the locator was built from, and ``how``: "inside" or "border".
        Both are null where no polygon covers the point or it has no coordinates.

    Raises
    ------
    SchemaError
        If a column is absent, or the geometry is no WKB of points.

    See Also
    --------
    attach_points : The same for a frame, with counts and rejects.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> batch = pa.record_batch({"x": [0.5, 1.0, 9.0], "y": [0.5, 0.5, 0.5]})
    >>> ready = locator.build_locator(sketch_grids("AB"), engine="numpy")
    >>> attach_batch(batch, ready)["grid"].to_pylist()
    ['A', 'A', None]
    """
    return _with_holders(batch, ready, locator.locate_points(
        ready, *_take_places(batch, x, y, geometry)))


def _take_places(
    batch: pa.RecordBatch, x: str, y: str, geometry: str | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coordinates of a batch."""
    asked = [x, y] if geometry is None else [geometry]
    absent = [name for name in asked if name not in batch.schema.names]
    if absent:
        raise SchemaError(
            f"batch: column {' and '.join(absent)} is absent. Name the columns of coordinates "
            "by x=… and y=…, or that of WKB by geometry=…"
        )
    if geometry is None:
        return _numbers(batch[x]), _numbers(batch[y])
    return _read_points(batch[geometry])


def _with_holders(batch: pa.RecordBatch, ready: Locator, held: Held) -> pa.RecordBatch:
    """Return the batch with the codes of polygons, and how they hold the points."""
    nowhere = held.position == NOWHERE
    codes = pa.DictionaryArray.from_arrays(
        pa.array(held.position, mask=nowhere), pa.array(ready.codes.astype("str"))
    )
    how = pa.DictionaryArray.from_arrays(
        pa.array(held.border.astype(np.int8), mask=nowhere), pa.array(places.WAYS[:2])
    )
    return batch.append_column(str(ready.codes.name), codes).append_column("how", how)


def attach_batches(
    batches: Iterable[pa.RecordBatch],
    ready: Locator,
    *,
    x: str = "x",
    y: str = "y",
    geometry: str | None = None,
    executor: Executor | None = None,
) -> Iterator[pa.RecordBatch]:
    """Attach one batch after the other; see `attach_batch`.

    This is the shape that ``mapInArrow`` of Spark and its kin ask for, with the locator
    sent to every worker. With an executor batches are attached side by side, and come back
    in the order they went in; only a few are in memory at a time, and workers are sent the
    coordinates alone.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> batches = [pa.record_batch({"x": [0.5], "y": [0.5]})] * 2
    >>> ready = locator.build_locator(sketch_grids("AB"), engine="numpy")
    >>> [batch["grid"].to_pylist() for batch in attach_batches(batches, ready)]
    [['A'], ['A']]
    """
    if executor is not None:
        yield from _attach_elsewhere(batches, Task(ready, x, y, geometry), executor)
        return
    for batch in batches:
        yield attach_batch(batch, ready, x=x, y=y, geometry=geometry)


def _attach_elsewhere(
    batches: Iterable[pa.RecordBatch], task: Task, executor: Executor
) -> Iterator[pa.RecordBatch]:
    waiting: deque[pa.RecordBatch] = deque()

    def take_places() -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        for batch in batches:
            waiting.append(batch)
            yield _take_places(batch, *task[1:])

    shared = executor.broadcast(task.ready)
    for held in executor.map(_locate, take_places(), shared=shared):
        yield _with_holders(waiting.popleft(), task.ready, held)


def _locate(place: tuple[NDArray[np.float64], NDArray[np.float64]], ready: Locator) -> Held:
    return locator.locate_points(ready, *place)


class Task(NamedTuple):
    """What workers need beside the batch."""

    ready: Locator
    x: str
    y: str
    geometry: str | None


def attach_task(batch: pa.RecordBatch, task: Task) -> pa.RecordBatch:
    """As `attach_batch`, with all options in one value, as executors hand it out."""
    return attach_batch(batch, task.ready, x=task.x, y=task.y, geometry=task.geometry)


def count_batch(
    batch: pa.RecordBatch, ready: Locator, *, sums: Sequence[str] = ()
) -> DataFrame:
    """Count the rows of an attached batch in each polygon; add the answers of batches up.

    Parameters
    ----------
    batch : RecordBatch
        As from `attach_batch`.
    ready : Locator
        The one it was attached with.
    sums : sequence of str, optional
        Columns of numbers to sum as well; null counts as 0.

    Returns
    -------
    DataFrame
        One row for every polygon: ``rows`` and the sums, 0 where it holds none. Frames of
        several batches can be added: ``total = total + count_batch(…)``.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> batch = pa.record_batch({"x": [0.5, 9.0], "y": [0.5, 0.5], "people": [3, 4]})
    >>> ready = locator.build_locator(sketch_grids("AB"), engine="numpy")
    >>> count_batch(attach_batch(batch, ready), ready, sums=["people"]).values.tolist()
    [[1.0, 3.0], [0.0, 0.0]]
    """
    held = batch[str(ready.codes.name)].indices
    position = held.fill_null(len(ready.codes)).to_numpy(zero_copy_only=False)
    size = len(ready.codes) + 1  # the last counts what no polygon holds
    columns = {"rows": np.bincount(position, minlength=size)[:-1]}
    for name in sums:
        weights = np.nan_to_num(_numbers(batch[name]))
        columns[name] = np.bincount(position, weights=weights, minlength=size)[:-1]
    return DataFrame(columns, index=ready.codes)


def _numbers(column: pa.Array) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def _read_points(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Read coordinates out of WKB, without a geometry object where all are plain points."""
    if pa.types.is_binary(column.type) and column.null_count == 0 and len(column):
        offsets = np.frombuffer(column.buffers()[1], np.int32)
        offsets = offsets[column.offset : column.offset + len(column) + 1]
        if (np.diff(offsets) == _WKB_POINT.itemsize).all():
            raw = np.frombuffer(column.buffers()[2], _WKB_POINT, len(column), int(offsets[0]))
            if (raw["order"] == 1).all() and (raw["kind"] == 1).all():
                return np.ascontiguousarray(raw["x"]), np.ascontiguousarray(raw["y"])
    shapes = shapely.from_wkb(column.to_numpy(zero_copy_only=False), on_invalid="ignore")
    kinds = shapely.get_type_id(shapes)
    if (kinds > 0).any():
        raise SchemaError(
            f"batch: {int((kinds > 0).sum()):,} geometries are no points. Footprints go "
            "through attach_footprints."
        )
    xy = np.full((len(shapes), 2), np.nan)
    coordinates, row = shapely.get_coordinates(shapes, return_index=True)
    xy[row] = coordinates
    return xy[:, 0], xy[:, 1]
