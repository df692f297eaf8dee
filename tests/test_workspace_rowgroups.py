"""Frames written in row groups: what geopandas reads, and the same bytes copied or not."""

from __future__ import annotations

import io
from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from geopandas import GeoDataFrame
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

import gridmap as gm
from gridmap.pipeline import arrow, grouped, run_again
from gridmap.sketch import save_sketch
from gridmap.workspace import compact, load_config, rowgroups
from gridmap.workspace.manifest import load_manifest
from gridmap.workspace.rowgroups import cut_rows, read_footer

NAMES = ["kind", "count", "floors", "grid"]
POINT, SQUARE = shapely.Point(3.25, 7.5), shapely.box(0, 0, 1, 1)
SHAPES = {
    "points": [POINT, shapely.Point(-1, 2), shapely.Point(3, 4)],
    "points and polygons": [POINT, SQUARE, shapely.MultiPolygon([SQUARE])],
    "missing and empty": [None, POINT, shapely.Point(), shapely.Polygon(), SQUARE],
    "heights": [shapely.Point(1, 2, 3), POINT, shapely.LineString([(0, 0, 1), (1, 1, 2)])],
    "collections": [shapely.GeometryCollection([POINT, SQUARE]),
                    shapely.LineString([(0, 0), (1, 1)])],
    "none at all": [None, None],
    "no rows": [],
}


def elements(shapes, *, crs=4550, start=0):
    """Return elements of some shapes, every second kind and third floor missing."""
    rows = range(start, start + len(shapes))
    codes = pd.Index([f"e{n}" for n in rows], dtype="str", name="element")
    kinds = pd.array([None if n % 2 else "address" for n in rows], dtype="str")
    return GeoDataFrame(
        {"kind": kinds, "own": [f"left out {n}" for n in rows],
         "count": np.arange(start, start + len(shapes)),
         "floors": np.array([np.nan if n % 3 else n / 2 for n in rows], float)},
        geometry=geopandas.GeoSeries(shapes, index=codes, crs=crs), index=codes)


def attached(count, grid="G1"):
    """Return what attaching adds to some rows."""
    return pd.DataFrame({"grid": pd.array([None if n % 5 == 4 else grid for n in range(count)],
                                          dtype="str")})


def place(frame, added):
    return grouped.Placed(arrow.to_table(frame), arrow.to_table(added))


@pytest.mark.parametrize("crs", [4550, None])
@pytest.mark.parametrize("kind", SHAPES)
def test_geopandas_reads_the_frame_that_it_would_have_written(tmp_path, kind, crs):
    frame, added = elements(SHAPES[kind], crs=crs), attached(len(SHAPES[kind]))
    grouped.lay_out_rows(place(frame, added), NAMES).save(tmp_path / "ours.parquet")
    whole = frame.assign(grid=added["grid"].array)[[*NAMES, "geometry"]]
    whole.to_parquet(tmp_path / "theirs.parquet")
    ours, theirs = (geopandas.read_parquet(tmp_path / f"{who}.parquet")
                    for who in ("ours", "theirs"))
    assert_geodataframe_equal(ours, theirs, check_crs=True, check_like=False)
    assert ours.to_wkb()["geometry"].equals(theirs.to_wkb()["geometry"])
    assert parquet.read_schema(tmp_path / "ours.parquet").equals(
        parquet.read_schema(tmp_path / "theirs.parquet"), check_metadata=True)


def test_a_frame_of_other_kinds_is_written_as_a_whole():
    frame = elements([POINT])
    assert grouped.lay_out_rows(grouped.Placed(arrow.to_table(
        frame.assign(kind=pd.Categorical(["address"])))), NAMES) is None
    assert grouped.lay_out_rows(grouped.Placed(arrow.to_table(
        frame.reset_index(drop=True))), NAMES) is None


EDITS = st.lists(st.tuples(st.sampled_from(["put in", "take out", "other floors", "moved",
                                            "other grid"]),
                           st.integers(0, 299), st.integers(1, 12)), max_size=4)


def edit(frame, added, edits):
    """Return a frame and what is attached to it after some edits."""
    for number, (what, at, rows) in enumerate(edits):
        at, stop = min(at, len(frame)), min(at + rows, len(frame))
        floors, shapes, grids = (frame["floors"].to_numpy().copy(),
                                 frame.geometry.to_numpy().copy(),
                                 added["grid"].to_numpy(object).copy())
        if what == "put in":
            some = elements([shapely.Point(n + 0.125, number) for n in range(rows)],
                            start=1000 * (number + 1))
            frame = pd.concat([frame.iloc[:at], some, frame.iloc[at:]])
            added = pd.concat([added.iloc[:at], attached(rows), added.iloc[at:]],
                              ignore_index=True)
        elif what == "take out":
            frame = pd.concat([frame.iloc[:at], frame.iloc[stop:]])
            added = pd.concat([added.iloc[:at], added.iloc[stop:]], ignore_index=True)
        elif what == "other floors":
            floors[at:stop] = number + 0.5
            frame = frame.assign(floors=floors)
        elif what == "moved":
            shapes[at:stop] = [shapely.Point(number, n) for n in range(stop - at)]
            frame = frame.set_geometry(geopandas.GeoSeries(shapes, index=frame.index, crs=4550))
        else:
            grids[at:stop] = f"G{number + 2}"
            added = pd.DataFrame({"grid": pd.array(grids, dtype="str")})
    return frame, added


def town(seed):
    """Return 300 elements, some of them polygons, and what is attached to them."""
    dice = np.random.default_rng(seed)
    shapes = [shapely.Point(*xy) if xy[0] < 80 else shapely.box(*xy, 200, 200)
              for xy in dice.random((300, 2)) * 100]
    return elements(shapes), attached(300)


@settings(max_examples=30, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 5), edits=EDITS, least=st.integers(1, 40), likely=st.integers(2, 60))
def test_what_is_copied_after_an_edit_is_what_would_be_written(
    tmp_path, monkeypatch, seed, edits, least, likely
):
    def cut(words):
        return cut_rows(words, least=least, likely=likely, most=90)

    monkeypatch.setattr(rowgroups, "cut_rows", cut)
    before, after = town(seed), edit(*town(seed), edits)
    grouped.lay_out_rows(place(*before), NAMES).save(tmp_path / "before.parquet")
    grouped.lay_out_rows(place(*after), NAMES).save(tmp_path / "whole.parquet")
    rows = grouped.lay_out_rows(place(*after), NAMES,
                                grouped.Written(place(*before), tmp_path / "before.parquet"))
    rows.save(tmp_path / "copied.parquet")
    assert (tmp_path / "copied.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    anew = [n for n in range(len(rows.groups)) if n not in rows.kept]
    if not edits:
        assert anew == []


def test_a_small_edit_leaves_most_groups_to_be_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(rowgroups, "cut_rows",
                        lambda words: cut_rows(words, least=5, likely=10, most=90))
    before = town(1)
    after = edit(*before, [("put in", 150, 3)])
    grouped.lay_out_rows(place(*before), NAMES).save(tmp_path / "before.parquet")
    written = grouped.Written(place(*before), tmp_path / "before.parquet")
    rows = grouped.lay_out_rows(place(*after), NAMES, written)
    assert len(rows.kept) > len(rows.groups) * 0.6
    done = []
    for number, group in enumerate(rows.groups):
        rows.groups[number] = lambda n=number, make=group: done.append(n) or make()
    rows.save(tmp_path / "after.parquet")
    assert sorted({*done, *rows.kept}) == list(range(len(rows.groups)))
    assert not {*done} & {*rows.kept}
    assert len(geopandas.read_parquet(tmp_path / "after.parquet")) == 303
    if "Parquet" in pyogrio.list_drivers():
        assert len(pyogrio.read_dataframe(tmp_path / "after.parquet")) == 303


def test_other_readers_read_what_was_copied(tmp_path, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.setattr(rowgroups, "cut_rows",
                        lambda words: cut_rows(words, least=5, likely=10, most=90))
    before, after = town(2), edit(*town(2), [("take out", 20, 5)])
    grouped.lay_out_rows(place(*before), NAMES).save(tmp_path / "before.parquet")
    grouped.lay_out_rows(place(*after), NAMES, grouped.Written(
        place(*before), tmp_path / "before.parquet")).save(tmp_path / "after.parquet")
    asked = f"SELECT count(*), sum(count) FROM read_parquet('{tmp_path / 'after.parquet'}')"
    assert duckdb.sql(asked).fetchall() == [(295, int(after[0]["count"].sum()))]


def whole_file(**options):
    held = io.BytesIO()
    table = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})
    parquet.write_table(table, held, row_group_size=2, **options)
    return held.getvalue()


@pytest.mark.parametrize("options", [
    {"write_page_index": True}, {"sorting_columns": [parquet.SortingColumn(0)]}])
def test_a_footer_with_other_places_in_it_is_not_copied_from(options):
    assert read_footer(io.BytesIO(whole_file())) is not None
    assert read_footer(io.BytesIO(whole_file(**options))) is None


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(whole_file()) - 1), letter=st.integers(0, 255))
def test_a_damaged_footer_is_told_or_is_one_that_could_stand_there(at, letter):
    held = bytearray(whole_file())
    held[at] = letter
    footer = read_footer(io.BytesIO(bytes(held)))
    if footer is not None:
        size = int.from_bytes(held[-8:-4], "little")
        assert compact.write_struct(footer.said) == held[-8 - size:-8]
        assert footer.groups[0].at == 4


@settings(max_examples=100, deadline=None)
@given(words=st.lists(st.integers(0, 2**64 - 1), max_size=200), least=st.integers(1, 20),
       likely=st.integers(1, 20), more=st.integers(0, 50))
def test_groups_hold_all_rows_and_keep_their_sizes(words, least, likely, more):
    borders = cut_rows(np.array(words, np.uint64), least=least, likely=likely, most=least + more)
    assert (borders[0], borders[-1]) == (0, len(words))
    sizes = np.diff(borders)
    assert (sizes <= least + more).all()
    assert (sizes[:-1] >= least).all()


@pytest.fixture
def town_of_single_rows(tmp_path, monkeypatch):
    """Return the drawn town, each of whose elements is a group of its own, and what is copied."""
    monkeypatch.setattr(rowgroups, "cut_rows", lambda words: cut_rows(words, least=1, most=1))
    copied, real = [], rowgroups.RowGroups._copy

    def copy(self, file, before):
        done = real(self, file, before)
        copied.append(len(self.kept) if done else -1)
        return done

    monkeypatch.setattr(rowgroups.RowGroups, "_copy", copy)
    return load_config(save_sketch(tmp_path / "town")), copied


def put_last(config):
    """Put the second home behind all others."""
    file = config.path.parent / "homes.csv"
    head, first, second, *rest = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join([head, first, *rest, second]) + "\n", encoding="utf-8")


def whole_run(config):
    """Return the hash of the frame of elements of a run from Python, without a store."""
    elsewhere = replace(config, settings=replace(
        config.settings, workspace=str(config.path.parent / "whole")))
    gm.save_run(gm.run(elsewhere), elsewhere)
    return load_manifest(elsewhere.workspace)["outputs"]


def test_a_run_after_an_edit_copies_groups_and_writes_the_bytes_of_a_whole_run(
    town_of_single_rows
):
    config, copied = town_of_single_rows
    run_again(config)
    put_last(config)
    run_again(config)
    assert copied
    assert min(copied) >= 1
    assert load_manifest(config.workspace)["outputs"] == whole_run(config)


def test_nothing_is_copied_from_a_file_that_was_altered(town_of_single_rows):
    config, copied = town_of_single_rows
    run_again(config)
    file = (config.workspace / "frames" / "elements.parquet").resolve()
    file.chmod(0o644)
    held = bytearray(file.read_bytes())
    held[10] ^= 1
    file.write_bytes(held)
    put_last(config)
    run_again(config)
    assert copied == []
    assert load_manifest(config.workspace)["outputs"] == whole_run(config)
