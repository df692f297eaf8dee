"""Runs that do again what something touched: the same bytes as a whole run, and told why."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace

import geopandas
import pandas as pd
import pyarrow as pa
import pytest
import shapely

import gridmap as gm
from gridmap import errors, ledger
from gridmap.pipeline import (
    arrow,
    find_since,
    graph,
    grids_again,
    load_again,
    objects,
    run_again,
    shelf,
    units_again,
)
from gridmap.sketch import save_sketch
from gridmap.tiling import again
from gridmap.workspace import load_config, read_inputs
from gridmap.workspace.manifest import load_manifest


@pytest.fixture
def town(tmp_path):
    """Return the folder of the drawn town."""
    return save_sketch(tmp_path / "town")


def whole(config, name="whole"):
    """Return the hashes of a run without a store."""
    elsewhere = replace(config, settings=replace(
        config.settings, workspace=str(config.path.parent / name)))
    gm.save_run(gm.run(elsewhere), elsewhere)
    return load_manifest(elsewhere.workspace)["outputs"]


def did(outcome):
    """Return what became of each step."""
    return dict(zip(outcome.steps["step"], outcome.steps["did"], strict=True))


def test_nothing_changed_and_nothing_is_done(town):
    config = load_config(town)
    first, second = run_again(config), run_again(config)
    assert set(first.steps["did"]) == {"ran"}
    assert set(second.steps["did"]) == {"reused"}
    assert set(second.steps["why"]) == {"nothing it is made of changed"}
    assert load_manifest(config.workspace)["outputs"] == whole(config)
    assert second.summary.equals(first.summary)


def test_asked_for_everything_is_done_again_with_the_same_outcome(town):
    config = load_config(town)
    run_again(config)
    before = load_manifest(config.workspace)["outputs"]
    again = run_again(config, fresh=True)
    assert set(again.steps["did"]) == {"ran"}
    assert set(again.steps["why"]) == {"asked for"}
    assert load_manifest(config.workspace)["outputs"] == before


def test_another_seed_leaves_what_is_read_and_mended(town):
    config = load_config(town)
    run_again(config)
    other = replace(config, settings=replace(config.settings, seed=7))
    done = run_again(other)
    told = done.steps.set_index("step")
    assert told.loc["partition", "why"] == "changed: seed"
    assert set(told.loc[["load: units", "mend"], "did"]) == {"reused"}
    assert load_manifest(config.workspace)["outputs"] == whole(other)


def test_another_size_of_the_profile_draws_and_measures_anew(town):
    config = load_config(town)
    run_again(config)
    size = replace(config.profile.size, minimum=1, target=2, maximum=3)
    other = replace(config, profile=replace(config.profile, size=size))
    done = run_again(other)
    assert did(done)["partition"] == did(done)["measure"] == "ran"
    assert did(done)["mend"] == did(done)["load: units"] == "reused"
    assert load_manifest(config.workspace)["outputs"] == whole(other)


def test_a_damaged_store_is_made_again_and_said_so(town):
    config = load_config(town)
    run_again(config)
    store = config.workspace.with_name("out.versions") / "steps"
    for file in (store / "objects").iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    other = replace(config, settings=replace(config.settings, seed=7))
    run_again(other)
    assert load_manifest(config.workspace)["outputs"] == whole(other)


def test_a_store_that_is_gone_costs_a_whole_run_and_nothing_else(town):
    config = load_config(town)
    run_again(config)
    shelf.remove_shelf(config.workspace.with_name("out.versions") / "steps")
    assert set(run_again(config).steps["did"]) == {"ran"}


def test_what_was_read_of_a_changed_file_is_not_taken_for_the_file_as_it_was(town):
    config = load_config(town)
    right = whole(config)
    file = town / "homes.csv"
    before, reading = file.read_bytes(), read_inputs(config)
    file.write_bytes(b"".join(before.splitlines(keepends=True)[:-1]))  # after the look at it
    with pytest.raises(errors.SourceError, match=r"^homes\.csv changed while the run was at work"):
        run_again(config, reading=reading)
    file.write_bytes(before)
    done = run_again(config)
    assert "ran" in set(done.steps["did"])
    assert load_manifest(config.workspace)["outputs"] == right


def test_the_store_holds_what_two_versions_need_and_no_more(town):
    config = load_config(town)
    for seed in range(5):
        run_again(replace(config, settings=replace(config.settings, seed=seed)))
    store = config.workspace.with_name("out.versions") / "steps"
    records = [shelf.find_record(store, file.stem) for file in (store / "records").iterdir()]
    assert None not in records
    named = {name for record in records for name in record.outputs.values() if name}
    assert {file.stem for file in (store / "objects").iterdir()} == named
    assert sum(record.step == "partition" for record in records) <= shelf.KEPT_VERSIONS


@pytest.mark.parametrize("rows", [0, 3, 250])
def test_a_frame_of_notes_comes_back_as_it_was(rows):
    notes = ledger.note_changes([f"G{n}" for n in range(rows)], step="mend", what="gap filled")
    back = arrow.to_frame(arrow.unpack(arrow.pack(arrow.take_frame(notes))))
    pd.testing.assert_frame_equal(back, notes)


def test_what_changed_since_a_version_is_told(town):
    config = load_config(town)
    run_again(config)
    size = replace(config.profile.size, minimum=1, target=2, maximum=3)
    run_again(replace(config, profile=replace(config.profile, size=size)))
    since = find_since(config.workspace, "1")
    assert since.rules == ["profile"]
    assert since.inputs == []
    assert since.territories == ["T"]
    assert {"T-0001", "T-0003"} <= set(since.grids)
    assert "map.html" in since.files
    assert find_since(config.workspace, "7d")[1:] == since[1:]
    assert find_since(config.workspace, "2").grids == []


def test_since_nothing_that_is_a_version_or_a_time(town):
    config = load_config(town)
    with pytest.raises(errors.WorkspaceError,
                       match=r"out has no version yet\. Make one with: gridmap run"):
        find_since(config.workspace, "1")
    run_again(config)
    with pytest.raises(errors.WorkspaceError, match="out has no version 9, but 0001"):
        find_since(config.workspace, "9")
    with pytest.raises(errors.ConfigError, match="--since 'monday' is no version and no time: "
                       "write a number such as 2, a date such as 2026-03-01, 7d for days or 12h"):
        find_since(config.workspace, "monday")


def bend(folder, chance):
    """Move one corner of one community."""
    file = folder / "boundaries" / "communities.shp"
    layer = geopandas.read_file(file, encoding="GBK")
    row = chance.randrange(len(layer))
    corners = [xy[:2] for xy in layer.geometry[row].exterior.coords]
    at = chance.randrange(1, len(corners) - 1)
    corners[at] = tuple(value + chance.uniform(-15, 15) for value in corners[at])
    if shapely.Polygon(corners).is_valid:
        layer.loc[row, "geometry"] = shapely.Polygon(corners)
    layer.to_file(file, encoding="GBK")


def change_people(folder, chance):
    """Take one row of the population away, count another anew, and move a third."""
    file = folder / "elements" / "population.csv"
    rows = pd.read_csv(file, dtype=str, keep_default_na=False)
    rows = rows.drop(index=chance.randrange(len(rows))).reset_index(drop=True)
    rows.loc[chance.randrange(len(rows)), "people"] = "9"
    there = chance.randrange(len(rows))
    rows.loc[chance.randrange(len(rows)), ["x", "y"]] = rows.loc[there, ["x", "y"]].to_numpy()
    rows.to_csv(file, index=False)


def stems(config):
    """Return the names of all files of the store's tables."""
    return {file.name for file in
            (config.workspace.with_name("out.versions") / "steps" / "objects").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("edit", [bend, change_people])
@pytest.mark.parametrize("seed", range(3))
def test_an_edit_of_a_community_gives_the_bytes_of_a_whole_run(
    root, tmp_path, monkeypatch, edit, seed
):
    monkeypatch.setattr(units_again, "MOST", 1.1)  # the sample city is small
    monkeypatch.setattr(grids_again, "MOST", 1.1)
    monkeypatch.setattr(again, "MOST", 1.1)
    monkeypatch.setattr(graph.Job, "sizes", load_again.Sizes(0, 0, 4_000))
    monkeypatch.setattr(objects, "SIZES", {"least": 400, "likely": 200, "most": 4_000})
    folder = tmp_path / "city"
    shutil.copytree(root / "data" / "sample", folder)
    config = load_config(folder)
    run_again(config)
    chance = random.Random(seed)
    before = stems(config)
    for round_ in range(2):
        edit(folder, chance)
        run_again(config)
        assert load_manifest(config.workspace)["outputs"] == whole(config, f"whole{round_}")
    assert len(before) > 60
    assert len(before & stems(config)) > 40  # most pieces lie there once


@pytest.mark.slow
def test_layers_of_the_map_are_drawn_again_where_their_frame_changed(root, tmp_path):
    folder = tmp_path / "city"
    shutil.copytree(root / "data" / "sample", folder)
    config = load_config(folder)
    run_again(config)
    run_again(config)  # draws nothing, and what is drawn stays nevertheless
    change_people(folder, random.Random(1))
    done = did(run_again(config))
    kept = {"draw: map.html": "reused", "lay out: grids.gpkg": "reused"}
    assert {name: done[name] for name in kept} == kept
    assert load_manifest(config.workspace)["outputs"] == whole(config)
    table = folder / "assets" / "assets.csv"
    rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(rows[:1] + rows[2:]), encoding="utf-8")
    done = did(run_again(config))
    layers = [f"draw: {name}" for name in ("territories", "barriers", "sites", "assets")]
    assert [done[name] for name in layers] == ["reused", "reused", "reused", "ran"]
    assert {done[name] for name in kept} == {"ran"}
    assert load_manifest(config.workspace)["outputs"] == whole(config, "again")


def test_frames_that_could_not_be_kept_stop_no_later_run(town, monkeypatch):
    def refuse(shelf_, frame, add=shelf.add_frame):
        named = frame.column_names if isinstance(frame, pa.Table) else [frame.index.name]
        if "element" in named:
            raise arrow.Unfit("elements")
        return add(shelf_, frame)

    config = load_config(town)
    with monkeypatch.context() as patched:
        patched.setattr(shelf, "add_frame", refuse)
        run_again(config)
    file = town / "homes.csv"
    for line in ("", "E,150.0,60.0\n"):
        file.write_text(file.read_text("utf-8") + line, "utf-8")
        run_again(config)
        assert load_manifest(config.workspace)["outputs"] == whole(config, f"whole{len(line)}")
