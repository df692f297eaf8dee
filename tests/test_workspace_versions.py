"""Versions of a workspace: made beside, turned to in one step, restored and pruned."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest

from gridmap import cli, errors
from gridmap.sketch import save_sketch, sketch_grids
from gridmap.workspace import (
    Contents,
    find_prunable,
    hold_workspace,
    load_history,
    load_manifest,
    load_version,
    lock,
    manifest,
    prune_versions,
    restore_version,
    save_workspace,
    store,
    swap,
)


def contents(page, *rows):
    """Return what a run leaves: grids, and a page that says which run it was."""
    frames = {"grids": sketch_grids(*(rows or ("AABB",)), side_m=100)}
    return Contents(frames, {}, {}, {"map": page}, {"name": "Test"})


@pytest.fixture
def three(tmp_path):
    """Return a workspace with three versions, of which the last two share their frame."""
    place = tmp_path / "out"
    for page, row in (("one", "AAAB"), ("two", "AABB"), ("three", "AABB")):
        save_workspace(place, contents(page, row))
    return place


def events(place):
    """Return what the log of a workspace tells, as (event, version)."""
    return [tuple(pair) for pair in load_history(place)[["event", "version"]].values.tolist()]


# -- made --------------------------------------------------------------------------------------


def test_a_workspace_is_a_link_to_its_last_version(three):
    assert os.readlink(three) == os.path.join("out.versions", "0003")
    assert store.list_numbers(three) == ["0001", "0002", "0003"]
    assert (three / "map.html").read_text() == "three"
    assert (store.store_of(three) / "0001" / "map.html").read_text() == "one"


def test_the_same_contents_make_no_new_version(three):
    before = (three / "map.html").stat().st_mtime_ns
    save_workspace(three, contents("three"))
    assert store.list_numbers(three) == ["0001", "0002", "0003"]
    assert (three / "map.html").stat().st_mtime_ns == before
    assert events(three)[-1] == ("same", "0003")


def test_files_that_are_the_same_share_their_place_on_the_disk(three):
    first, second, third = (store.store_of(three) / f"000{n}/frames/grids.parquet"
                            for n in (1, 2, 3))
    assert second.samefile(third)
    assert not first.samefile(second)


def test_files_of_a_version_may_not_be_written(three):
    assert all((three / name).stat().st_mode & 0o222 == 0
               for name in load_manifest(three)["outputs"])


def test_a_manifest_tells_no_time_no_machine_and_no_folder(tmp_path):
    home = save_sketch(tmp_path / "town")
    assert cli.main(["run", str(home), "--quiet"]) == 0
    said = load_manifest(home / "out")
    assert {"name", "profile", "publication", "seed", "hashes", "inputs", "outputs", "versions",
            "ledger", "summary", "changes", "rejects", "seal"} <= set(said)
    assert set(said["inputs"]) == {"homes.csv", "units.csv"}
    assert {"gridmap", "shapely", "GEOS", "GDAL"} <= set(said["versions"])
    text = (home / "out" / "manifest.json").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert not re.search(r"\d\d:\d\d:\d\d", text)


def test_a_run_on_an_unchanged_input_says_that_nothing_changed(tmp_path, capsys):
    home = save_sketch(tmp_path / "town")
    told = []
    for _ in range(2):
        assert cli.main(["run", str(home)]) == 0
        told.append(capsys.readouterr().out)
    assert told[0].startswith("Drawn town: version 0001, ")
    assert told[1].startswith("Drawn town: version 0001 stands, nothing changed; 2 grids, ")
    assert len(told[1].splitlines()) == 1
    assert store.list_numbers(home / "out") == ["0001"]


def test_a_file_altered_since_is_mended_by_the_next_run(three):
    file = three / "map.html"
    file.chmod(0o644)
    file.write_text("scribbled")
    save_workspace(three, contents("three"))
    assert store.current_number(three) == "0004"
    assert (three / "map.html").read_text() == "three"


def test_a_manifest_that_is_no_json_any_more_stops_no_run(three):
    file = three / manifest.MANIFEST
    file.chmod(0o644)
    file.write_text("{")
    kept = {"map.html": three.resolve() / "map.html"}
    save_workspace(three, contents("never")._replace(pages={}, kept=kept))
    assert store.current_number(three) == "0004"
    assert (three / "map.html").read_text() == "three"
    assert manifest.load_manifest(three)["outputs"].keys() == {"frames/grids.parquet", "map.html"}


def test_a_kept_file_is_taken_over_and_proven(three):
    kept = {"map.html": store.store_of(three) / "0001" / "map.html"}
    plain = contents("never")._replace(pages={}, kept=kept)
    save_workspace(three, plain)
    assert (three / "map.html").samefile(kept["map.html"])
    save_workspace(three, plain._replace(facts={"name": "Test", "seed": 2}, kept={
        "map.html": three.resolve() / "map.html"}))
    assert manifest.list_files(three) == ["frames/grids.parquet", "manifest.json", "map.html"]
    kept["map.html"].chmod(0o644)
    kept["map.html"].write_text("scribbled")
    with pytest.raises(errors.WorkspaceError,
                       match=r"map\.html of out@0001 was altered since it was written, so it is "
                             r"not taken over"):
        save_workspace(three, plain)


def test_a_folder_of_an_older_gridmap_becomes_a_version(three):
    old = three.with_name("old")
    shutil.copytree(three, old)
    save_workspace(old, contents("new"))
    assert old.is_symlink()
    assert (store.store_of(old) / "0001" / "map.html").read_text() == "three"
    assert (old / "map.html").read_text() == "new"
    assert [event for event, _ in events(old)] == ["recovered", "made"]


def test_where_links_cannot_be_made_the_workspace_is_a_folder(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no links here")

    monkeypatch.setattr(os, "symlink", refuse)
    place = tmp_path / "out"
    for page in ("one", "two", "two"):
        save_workspace(place, contents(page))
    assert place.is_dir()
    assert not place.is_symlink()
    assert store.current_number(place) == "0002"
    assert (place / "map.html").read_text() == "two"
    restore_version(place, "1")
    assert (place / "map.html").read_text() == "one"
    assert cli.main(["verify", str(place), "--quiet"]) == 0


def test_two_names_are_exchanged_by_two_renames_where_the_system_has_no_better(
        tmp_path, monkeypatch):
    monkeypatch.setattr(swap, "_exchange_names", lambda first, second: False)
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    swap.replace_name(tmp_path / "new", tmp_path / "old", tmp_path / "aside")
    assert [p.name for p in tmp_path.rglob("*")] == ["old", "new"]


def test_a_link_of_somebody_else_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "here").symlink_to("disk", target_is_directory=True)
    save_workspace(tmp_path / "here", contents("one"))
    assert (tmp_path / "here").resolve() == tmp_path / "disk.versions" / "0001"
    assert os.readlink(tmp_path / "here") == "disk"


# -- put right ---------------------------------------------------------------------------------


def test_a_lost_link_is_made_again_by_the_next_run(three):
    three.unlink()
    save_workspace(three, contents("three"))
    assert events(three)[-2:] == [("recovered", "0003"), ("same", "0003")]
    assert (three / "map.html").read_text() == "three"


def test_a_link_to_versions_that_are_all_gone_is_begun_anew(three):
    shutil.rmtree(store.store_of(three))
    save_workspace(three, contents("four"))
    assert (three / "map.html").read_text() == "four"
    assert store.list_numbers(three) == ["0001"]


def test_a_version_that_was_not_turned_to_becomes_current(three):
    building = store.start_building(three)
    swap.share_tree(store.store_of(three) / "0001", building.with_name("whole"))
    building.rmdir()
    building.with_name("whole").rename(building)
    assert store.add_version(three, building) == "0004"  # and here the run is killed
    with hold_workspace(three):
        assert store.current_number(three) == "0004"
    assert events(three)[-1] == ("recovered", "0004")
    restore_version(three, "2")
    with hold_workspace(three):
        assert store.current_number(three) == "0002"  # which was wanted, and stays


def test_a_log_that_was_cut_short_or_lost_is_gone_on_with(three):
    log = store.store_of(three) / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-9])
    save_workspace(three, contents("four"))
    assert events(three)[-1] == ("made", "0004")
    restore_version(three, "1")
    log.unlink()
    assert events(three) == [("made", f"000{n}") for n in (1, 2, 3, 4)]
    with hold_workspace(three):
        assert store.current_number(three) == "0001"


def test_an_error_and_an_interrupt_of_a_run_are_in_the_log(three):
    with pytest.raises(errors.SourceError, match="no such file"), hold_workspace(three):
        raise errors.SourceError("no such file")
    with pytest.raises(KeyboardInterrupt), hold_workspace(three):
        raise KeyboardInterrupt
    assert load_history(three)["note"].tolist()[-2:] == ["SourceError: no such file",
                                                         "KeyboardInterrupt"]


def test_a_disk_that_takes_no_more_while_steps_are_kept_is_told(three):
    with pytest.raises(errors.WorkspaceError, match=(
            r"out cannot be written: Read-only file system\. What was there before is still "
            r"there")), hold_workspace(three):
        raise OSError(30, "Read-only file system")
    with pytest.raises(OSError, match="Permission denied"), hold_workspace(three):
        raise PermissionError(13, "Permission denied")  # of something else than the workspace


def test_a_folder_of_versions_that_vanishes_stops_the_run(three):
    gone = (r"out\.versions vanished while the run was at work\. Nothing was written: bring it "
            r"back, or run again to start anew")
    with pytest.raises(errors.WorkspaceError, match=gone), hold_workspace(three):
        shutil.rmtree(store.store_of(three))
        save_workspace(three, contents("four"))
    assert not store.store_of(three).exists()


def test_a_folder_that_another_run_made_anew_is_not_written(three):
    gone = "vanished while the run was at work"
    with pytest.raises(errors.WorkspaceError, match=gone), hold_workspace(three):
        store.store_of(three).rename(three.with_name("away"))
        store.store_of(three).mkdir()
        (store.store_of(three) / lock.LOCK).touch()
        save_workspace(three, contents("four"))
    assert store.list_numbers(three) == []


# -- restored and pruned -----------------------------------------------------------------------


def test_a_restored_version_stays_until_the_next_run_makes_a_new_one(three):
    assert restore_version(three, "1") == "0001"
    assert (three / "map.html").read_text() == "one"
    assert store.list_numbers(three) == ["0001", "0002", "0003"]
    save_workspace(three, contents("four"))
    assert store.current_number(three) == "0004"
    assert events(three)[-2:] == [("restored", "0001"), ("made", "0004")]


def test_a_version_that_is_damaged_or_absent_is_not_restored(three):
    file = store.store_of(three) / "0002" / "map.html"
    file.chmod(0o644)
    file.write_text("scribbled")
    with pytest.raises(errors.WorkspaceError,
                       match=r"version 0002 is not what it was when it was written: map\.html is "
                             r"gone or altered\. Nothing was changed; see more with: gridmap "
                             r"verify out@0002"):
        restore_version(three, "2")
    with pytest.raises(errors.WorkspaceError,
                       match=r"out has no version 7, but 0001, 0002, 0003\. See them with: "
                             r"gridmap log out"):
        restore_version(three, "7")
    assert store.current_number(three) == "0003"


def test_the_current_version_is_never_pruned_and_numbers_are_given_once(three):
    restore_version(three, "1")
    assert find_prunable(three, keep=0).index.tolist() == ["0002", "0003"]
    assert prune_versions(three, keep=0).index.tolist() == ["0002", "0003"]
    save_workspace(three, contents("four"))
    assert store.list_numbers(three) == ["0001", "0004"]


def test_pruning_counts_the_room_that_comes_free(three):
    going = find_prunable(three, keep=1)["bytes"]
    size = {n: (store.store_of(three) / n / "frames/grids.parquet").stat().st_size
            for n in ("0001", "0002")}
    assert going["0001"] > size["0001"]
    assert going["0002"] < size["0002"]  # its frame stays, with the version after it


def test_young_versions_are_spared(three):
    old = store.store_of(three) / "0001" / "manifest.json"
    os.utime(old, (0, 0))
    assert find_prunable(three, older_than_days=1).index.tolist() == ["0001"]
    assert find_prunable(three, keep=3, older_than_days=1).empty
    with pytest.raises(errors.ConfigError, match="say what may go: --keep N, --older-than DAYS"):
        find_prunable(three)
    with pytest.raises(errors.ConfigError, match="need numbers of 0 or more"):
        find_prunable(three, keep=-1)


def test_versions_are_named_in_all_commands_that_read_one(three, capsys):
    assert load_version(f"{three}@1").name == "out@0001"
    assert cli.main(["diff", f"{three}@0001", str(three), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["old"], told["new"]) == ("out@0001", "out")
    assert {row["kind"] for row in told["lineage"]} == {"changed", "moved"}
    assert cli.main(["trace", "A", f"{three}@0001", f"{three}@2", str(three), "--json"]) == 0
    ways = json.loads(capsys.readouterr().out)["ways"]
    assert {way["old_version"] for way in ways} == {"out@0001", "out@0002"}
    assert cli.main(["diff", f"{three}@9", str(three)]) == 1
    assert capsys.readouterr().err == (
        "WorkspaceError: out has no version 9, but 0001, 0002, 0003. See them with: gridmap log "
        "out\n")


def test_a_version_itself_is_never_written(three):
    version = store.store_of(three) / "0002"
    with pytest.raises(errors.WorkspaceError, match=r"is a version, and versions are never "
                                                    r"changed: name the workspace, .*out"):
        save_workspace(version, contents("four"))
