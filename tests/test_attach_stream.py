"""Batches of rows: the same answer as for a frame, in constant memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely

from gridmap import (
    attach_batch,
    attach_batches,
    attach_points,
    build_locator,
    count_batch,
    sketch_grids,
    sketch_points,
)
from gridmap.errors import SchemaError

PLACES = [(0.5, 0.5), (1.0, 0.5), (1.5, 0.5), (9.0, 9.0)]


def numbers(**columns):
    x, y = zip(*PLACES, strict=True)
    return pa.record_batch({"x": x, "y": y, **columns})


def test_batches_agree_with_frames():
    grids = sketch_grids("AB")
    framed = attach_points(sketch_points(*PLACES), grids).elements
    batch = attach_batch(numbers(), build_locator(grids))
    assert batch["grid"].to_pylist() == ["A", "A", "B", None]
    assert batch["grid"].to_pylist()[:3] == framed["grid"].tolist()[:3]
    assert batch["how"].to_pylist() == ["inside", "border", "inside", None]
    assert batch.schema.names == ["x", "y", "grid", "how"]


def test_wkb_serves_as_well_whole_or_sliced_or_with_holes():
    shapes = shapely.points(PLACES)
    ready = build_locator(sketch_grids("AB"))
    plain = pa.record_batch({"place": pa.array(shapely.to_wkb(shapes), pa.binary())})
    for batch, expected in ((plain, ["A", "A", "B", None]), (plain.slice(1, 2), ["A", "B"])):
        assert attach_batch(batch, ready, geometry="place")["grid"].to_pylist() == expected
    holes = [shapely.to_wkb(shapes[0]), None, shapely.to_wkb(shapely.Point()), b"nonsense"]
    odd = pa.record_batch({"place": pa.array(holes, pa.binary())})
    assert attach_batch(odd, ready, geometry="place")["grid"].to_pylist() == [
        "A", None, None, None]


def test_nulls_are_nowhere():
    batch = pa.record_batch({"x": [0.5, None], "y": [None, 0.5]})
    assert attach_batch(batch, build_locator(sketch_grids("A")))["grid"].to_pylist() == [
        None, None]


def test_counts_of_batches_add_up():
    ready = build_locator(sketch_grids("AB"))
    batches = [numbers(people=[1, 2, 3, 4])] * 3
    attached = list(attach_batches(batches, ready))
    total = sum(count_batch(batch, ready, sums=["people"]) for batch in attached)
    assert total["rows"].tolist() == [6, 3]
    assert total["people"].tolist() == [9, 9]


def test_an_empty_batch_stays_empty():
    ready = build_locator(sketch_grids("AB"))
    batch = attach_batch(numbers().slice(0, 0), ready)
    assert batch.num_rows == 0
    assert count_batch(batch, ready)["rows"].tolist() == [0, 0]
    wkb = pa.record_batch({"place": pa.array([], pa.binary())})
    assert attach_batch(wkb, ready, geometry="place").num_rows == 0


def test_wrong_columns_are_named():
    ready = build_locator(sketch_grids("A"))
    with pytest.raises(SchemaError, match="column lon and lat is absent"):
        attach_batch(numbers(), ready, x="lon", y="lat")
    box = pa.record_batch({"place": pa.array([shapely.to_wkb(shapely.box(0, 0, 1, 1))])})
    with pytest.raises(SchemaError, match="1 geometries are no points"):
        attach_batch(box, ready, geometry="place")


def test_many_points_agree_with_the_frame_of_them():
    rng = np.random.default_rng(4)
    xy = rng.uniform(-0.5, 3.5, (60_000, 2)).round(2)
    grids = sketch_grids("ABC", "ADC", "EEF")
    framed = attach_points(sketch_points(*map(tuple, xy)), grids)
    ready = build_locator(grids)
    batch = attach_batch(pa.record_batch({"x": xy[:, 0], "y": xy[:, 1]}), ready)
    assert batch["grid"].to_pandas().astype("str").equals(
        framed.elements["grid"].reset_index(drop=True))
    assert count_batch(batch, ready)["rows"].tolist() == framed.by_grid["rows"].tolist()
