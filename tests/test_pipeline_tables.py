"""Tables of a step: the same rows give the same bytes, and what differs is found."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.pipeline import arrow, changed

NUMBERS = [0.0, -0.0, 1.5, float("nan")]
TEXTS = ["a", "b", None]


def shape(number):
    """Return a point, a polygon, nothing, or an empty one."""
    made = (shapely.Point(number, 1), shapely.box(number, 0, number + 1, 1), None,
            shapely.Point())
    return made[number % 4]


ROW = st.tuples(st.integers(0, 8), st.sampled_from(NUMBERS), st.sampled_from(TEXTS),
                st.sampled_from([None, 3]))
FRAME = st.dictionaries(st.integers(0, 30).map("e{}".format), ROW, max_size=20)


def make(rows, *, order=None):
    """Return a frame of rows by code."""
    codes = sorted(rows) if order is None else order
    values = [rows[code] for code in codes]
    frame = pd.DataFrame({
        "people": pd.array([v[1] for v in values], dtype="float64"),
        "kind": pd.array([v[2] for v in values], dtype="str"),
        "floors": pd.array([v[3] for v in values], dtype="Int64")},
        index=pd.Index(codes, dtype="str", name="element"))
    return GeoDataFrame(frame, geometry=[shape(v[0]) for v in values], crs=4550)


def bits(row):
    """Return a row as something that is equal where it is the same to the last bit."""
    return shapely.to_wkb(shape(row[0])), np.float64(row[1]).tobytes(), row[2], row[3]


@settings(max_examples=150, deadline=None)
@given(FRAME, FRAME, st.randoms(use_true_random=False))
def test_rows_that_differ_are_found(old, new, chance):
    order = [sorted(some) for some in (old, new)]
    for some in order:
        chance.shuffle(some)
    before, now = (arrow.to_table(make(rows, order=codes))
                   for rows, codes in ((old, order[0]), (new, order[1])))
    rows = changed.compare_tables(before, now)
    assert rows.was.tolist() == [
        order[0].index(code) if code in old else -1 for code in order[1]]
    same = {code for code in old.keys() & new.keys() if bits(old[code]) == bits(new[code])}
    assert rows.same.tolist() == [code in same for code in order[1]]
    assert [order[0][at] for at in rows.gone] == [c for c in order[0] if c not in same]


@settings(max_examples=60, deadline=None)
@given(FRAME, st.integers(1, 20))
def test_only_the_columns_that_are_asked_for_count(rows, people):
    before = make(rows)
    now = before.assign(kind="c", people=float(people))
    told = changed.compare_tables(arrow.to_table(before), arrow.to_table(now), ["floors"])
    assert told.same.all() and not len(told.gone)
    told = changed.compare_tables(arrow.to_table(before), arrow.to_table(now), ["people"])
    assert told.same.tolist() == (before["people"] == people).tolist()


@pytest.mark.parametrize("change", [
    lambda f: f.assign(more=1), lambda f: f.drop(columns="kind"), lambda f: f.set_crs(4549,
    allow_override=True), lambda f: f.astype({"floors": "float64"})])
def test_a_table_of_other_columns_is_another_one_throughout(change):
    frame = make({"a": (0, 1.5, "a", 3), "b": (1, 1.5, "a", 3)})
    rows = changed.compare_tables(arrow.to_table(frame), arrow.to_table(change(frame)))
    assert not rows.same.any() and rows.was.tolist() == [0, 1]


def test_long_stretches_with_rows_put_in_taken_out_and_altered():
    rng = np.random.default_rng(1)
    old = pd.DataFrame({"people": rng.integers(0, 5, 9_000), "kind": "home"},
                       index=pd.Index([f"e{n}" for n in range(9_000)], dtype="str"))
    old = GeoDataFrame(old, geometry=shapely.points(rng.random((9_000, 2))), crs=4550)
    new = pd.concat([old.iloc[:2_000], old.iloc[:3].rename("new-{}".format), old.iloc[2_100:]])
    new.loc["e5000", "people"] = 77
    rows = changed.compare_tables(arrow.to_table(old), arrow.to_table(new))
    assert np.flatnonzero(rows.was < 0).tolist() == [2_000, 2_001, 2_002]
    assert np.flatnonzero(~rows.same).tolist() == [2_000, 2_001, 2_002, 4_903]
    assert rows.gone.tolist() == [*range(2_000, 2_100), 5_000]


@pytest.mark.parametrize("parts", [[12_000], [5_000, 7_000], [1, 11_999]])
def test_a_table_has_the_same_bytes_however_it_was_put_together(parts):
    kinds = ["home"] * 6_000 + ["shop"] * 5_999 + ["mill"]
    frame = pd.DataFrame({"kind": kinds, "name": [f"n{n}" for n in range(12_000)]})
    whole = arrow.to_table(frame)
    ends = np.cumsum([0, *parts])
    some = [whole.slice(a, b - a) for a, b in itertools.pairwise(ends)]
    kind = pa.chunked_array([s["kind"].combine_chunks().dictionary_encode() for s in some[::-1]])
    mixed = pa.concat_tables(some[::-1]).set_column(0, "kind", kind)
    turned = pa.concat_tables(
        [mixed.slice(12_000 - e, e - s) for s, e in itertools.pairwise(ends)])
    assert arrow.pack(whole).equals(arrow.pack(turned))
    pd.testing.assert_frame_equal(arrow.to_frame(arrow.unpack(arrow.pack(turned))), frame)


SIDES = st.tuples(*[st.integers(-5, 5) | st.floats(-5, 5, width=32)] * 4).map(
    lambda s: (min(s[0], s[2]), min(s[1], s[3]), max(s[0], s[2]), max(s[1], s[3])))


@settings(max_examples=150, deadline=None)
@given(st.lists(SIDES, max_size=25), st.lists(SIDES, min_size=1, max_size=5),
       st.randoms(use_true_random=False))
def test_rows_in_boxes_are_those_whose_boxes_meet_them(rows, boxes, chance):
    shapes = [chance.choice([shapely.box(*s), shapely.Point(s[:2]), shapely.Point(s[2:])])
              for s in rows]
    frame = GeoDataFrame({"n": range(len(shapes))}, geometry=shapes, crs=4550,
                         index=pd.Index([f"e{n}" for n in range(len(shapes))], dtype="str"))
    table, near = arrow.to_table(frame), np.array(boxes, dtype=float)
    at, found = arrow.find_rows(table, near), arrow.take_rows(table, near)
    asked = [shapely.box(*box) for box in boxes]
    meet = [any(shapely.box(*shape.bounds).intersects(box) for box in asked) for shape in shapes]
    assert at.tolist() == np.flatnonzero(meet).tolist()
    assert found.index.tolist() == frame.index[meet].tolist()


@settings(max_examples=100, deadline=None)
@given(FRAME, st.booleans(), st.booleans())
def test_a_frame_comes_back_as_it_was(rows, plain, numbered):
    frame = make(rows)
    if plain:
        frame = frame.drop(columns="floors")
    if numbered:
        frame = GeoDataFrame(frame.reset_index(drop=True), crs=4550)
    back = arrow.to_frame(arrow.unpack(arrow.pack(arrow.take_frame(frame))))
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(back))
    assert back.crs == frame.crs


@pytest.mark.parametrize("columns", [[0], pd.MultiIndex.from_tuples([("a", "b")]), ["a"]])
def test_a_frame_that_would_not_come_back_is_not_taken(columns):
    odd = pd.DataFrame([[object()]], columns=columns)
    with pytest.raises(arrow.Unfit):
        arrow.take_frame(odd)
