"""Tables of the store in pieces: they come back, share what is the same, and prove every byte."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from geopandas import GeoDataFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from gridmap.pipeline import arrow, changed, memory, objects, pieces

SMALL = {"least": 40, "likely": 20, "most": 120}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(objects, "SIZES", SMALL)
    monkeypatch.setattr(arrow, "_MANY_ROWS", 30)


def make(rows=1_000, *, seed=1, words=3):
    """Return elements of which some are areas and some have no place."""
    rng = np.random.default_rng(seed)
    shapes = shapely.points(rng.random((rows, 2)))
    shapes[::7] = shapely.box(0, 0, 1, rng.random(len(shapes[::7])))
    shapes[::50] = None
    return GeoDataFrame(
        {"people": rng.integers(0, 9, rows), "kind": rng.integers(0, words, rows).astype(str)},
        geometry=shapes, crs=4550, index=pd.Index([f"e{n}" for n in range(rows)], name="element"))


def edit(frame, chance):
    """Count a row anew, move one, take one out and put one in."""
    frame = frame.copy()
    code = chance.choice(frame.index)
    frame.loc[code, "people"] += 1
    frame.loc[chance.choice(frame.index), "geometry"] = shapely.Point(chance.random(), 2)
    frame = frame.drop(chance.choice(frame.index))
    new = frame.iloc[[0]].rename({frame.index[0]: f"new{chance.random()}"})
    at = chance.randrange(len(frame))
    return GeoDataFrame(pd.concat([frame.iloc[:at], new, frame.iloc[at:]]), crs=frame.crs)


def splice(table, frame):
    """Return the table of a frame that takes over what it can of a table."""
    codes = arrow.codes_of(table).to_pylist()
    place = dict(zip(codes, range(len(codes)), strict=True))
    rows = changed.compare_tables(table, arrow.to_table(frame))
    parts, at = [], 0
    while at < len(frame):
        end = at + 1
        while end < len(frame) and rows.same[at] == rows.same[end] and (
                not rows.same[at] or rows.was[end] == rows.was[end - 1] + 1):
            end += 1
        parts.append(table.slice(place[frame.index[at]], end - at) if rows.same[at]
                     else arrow.to_table(frame.iloc[at:end]))
        at = end
    return pa.concat_tables([part.cast(table.schema) for part in parts])


def stems(folder):
    return {file.name for file in folder.iterdir()}


@pytest.mark.parametrize("words", [1, 3, 900])
def test_a_table_in_pieces_comes_back_as_it_was(tmp_path, words):
    frame = make(words=words)
    name = objects.add(tmp_path, arrow.to_table(frame))
    assert len(list(objects.list_pieces(tmp_path, name))) > 8
    back = objects.read(tmp_path, name)
    pd.testing.assert_frame_equal(arrow.to_frame(back), frame)
    assert set(objects.read_schema(tmp_path, name).names) == set(back.column_names)


def test_texts_that_repeat_in_some_pieces_alone_come_back_as_they_were(tmp_path):
    frame = make()
    frame.loc[frame.index[:300], "kind"] = [f"of its own {n}" for n in range(300)]
    name = objects.add(tmp_path, arrow.to_table(frame))
    back = objects.read(tmp_path, name)
    assert pa.types.is_dictionary(back["kind"].type)
    pd.testing.assert_frame_equal(arrow.to_frame(back), frame)
    assert objects.add(tmp_path, back) == name


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 3))
def test_an_edit_gives_the_names_of_the_whole_and_few_new_pieces(
    tmp_path_factory, seed, edits
):
    folder, other = tmp_path_factory.mktemp("parts"), tmp_path_factory.mktemp("whole")
    frame, chance = make(seed=seed), random.Random(seed)
    table = objects.read(folder, objects.add(folder, arrow.to_table(frame)))
    before = stems(folder)
    for _ in range(edits):
        frame = edit(frame, chance)
    name = objects.add(folder, splice(table, frame))
    new = objects.read(folder, name)
    assert name == objects.add(other, arrow.to_table(frame))
    assert len(stems(folder) - before) <= 1 + 8 * edits
    pd.testing.assert_frame_equal(arrow.to_frame(new), frame)
    rows, plain = (changed.compare_tables(*some) for some in
                   ((table, new), (table.combine_chunks(), new.combine_chunks())))
    for one, two in zip(rows, plain, strict=True):
        assert one.tolist() == two.tolist()


def test_what_did_not_change_is_one_memory(tmp_path):
    frame = make()
    table = objects.read(tmp_path, objects.add(tmp_path, arrow.to_table(frame)))
    frame.loc["e500", "people"] = 77
    new = objects.read(tmp_path, objects.add(tmp_path, splice(table, frame)))
    shared = pieces.find_shared(table, new)
    assert 0 < sum(one.rows for one in shared) < len(frame)
    assert all(one.before == one.start for one in shared)
    assert changed.compare_tables(table, new).gone.tolist() == [500]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-1, 2), st.floats(-1, 3), st.floats(0, 0.2)), min_size=1,
                max_size=3))
def test_rows_of_pieces_that_meet_boxes_are_those_of_the_whole(tmp_path_factory, boxes):
    folder, frame = tmp_path_factory.mktemp("store"), make()
    frame = frame.iloc[np.argsort(frame.bounds["minx"].fillna(5).to_numpy(), kind="stable")]
    table = objects.read(folder, objects.add(folder, arrow.to_table(frame)))
    asked = np.array([[x, y, x + size, y + size] for x, y, size in boxes])
    found = arrow.find_rows(table, asked)
    assert found.tolist() == arrow.find_rows(arrow.to_table(frame), asked).tolist()
    assert len(list(memory.find_near(table["__x"], np.array([[8.0, 8, 9, 9]])))) == 0


@pytest.mark.parametrize("which", ["list", "piece"])
@pytest.mark.parametrize("fault", ["altered", "gone", "empty"])
def test_what_is_damaged_is_never_read(tmp_path, which, fault):
    name = objects.add(tmp_path, arrow.to_table(make()))
    piece = next(objects.list_pieces(tmp_path, name))
    file = tmp_path / (f"{name}.json" if which == "list" else f"{piece}.arrow")
    held = bytearray(file.read_bytes())
    held[len(held) // 2] ^= 1
    objects.forget()
    if fault == "gone":
        file.unlink()
    else:
        file.write_bytes(held if fault == "altered" else b"")
    with pytest.raises(objects.Lost):
        objects.read(tmp_path, name)
    assert not objects.is_there(tmp_path, name)
    assert objects.add(tmp_path, arrow.to_table(make())) == name
    pd.testing.assert_frame_equal(arrow.to_frame(objects.read(tmp_path, name)), make())


@pytest.mark.parametrize("rows", [10, 1_000])
def test_a_table_of_the_store_is_not_written_again(tmp_path, rows):
    name = objects.add(tmp_path, arrow.to_table(make(rows)))
    table = objects.read(tmp_path, name)
    times = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    assert objects.add(tmp_path, table) == name
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == times


def test_a_list_of_another_version_is_made_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(objects, "_FORM", 0)
        name = objects.add(tmp_path, arrow.to_table(make()))
    objects.forget()
    assert list(objects.list_pieces(tmp_path, name)) == []
    with pytest.raises(objects.Lost):
        objects.read(tmp_path, name)
    assert not objects.is_there(tmp_path, name)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 99), max_size=30), st.lists(st.integers(1, 60), max_size=5))
def test_rows_taken_of_chunks_are_those_of_the_whole(rows, ends):
    table = arrow.to_table(make(100))
    borders = [0, *sorted({*ends}), 100]
    cut = pa.concat_tables([table.slice(a, b - a) for a, b in itertools.pairwise(borders)])
    some = np.array(rows, dtype=np.intp)
    assert arrow.pack(arrow.take(cut, some)).equals(arrow.pack(table.take(pa.array(some))))
