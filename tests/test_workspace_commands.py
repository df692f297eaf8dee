"""gridmap log, restore and prune as a night by cron meets them."""

from __future__ import annotations

import json
import re

import pytest

from gridmap import cli
from gridmap.sketch import save_sketch, sketch_grids
from gridmap.workspace import Contents, save_workspace, store


@pytest.fixture
def place(tmp_path):
    """Return a workspace with three versions."""
    place = tmp_path / "out"
    for page in ("one", "two", "three"):
        grids = sketch_grids("AABB" if page == "one" else "AAAB", side_m=100)
        counts = {"grids": 2, "households": 4 + len(page)}
        save_workspace(place, Contents({"grids": grids}, {}, {}, {"map": page},
                                       {"summary": counts}))
    return place


def lines(capsys):
    """Return what was printed, line by line, without times and durations."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+\+00:00", "TIME", capsys.readouterr().out)
    return re.sub(r"[\d.]+ s\b", "S", text).splitlines()


def test_the_log_has_a_line_for_each_version_and_a_star_for_the_current(place, capsys):
    assert cli.main(["log", str(place)]) == 0
    assert lines(capsys) == [
        "TIME  0001  made       2 files changed (frames/grids.parquet, map.html)  2 grids  "
        "7 households  S",
        "TIME  0002  made       2 files changed (frames/grids.parquet, map.html)  2 grids  "
        "7 households  S",
        "TIME  0003* made       1 files changed (map.html)  2 grids  9 households (+2)  S",
    ]
    assert cli.main(["log", str(place), "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_the_log_for_scripts_has_all_that_is_known(place, capsys):
    assert cli.main(["restore", str(place), "1"]) == 0
    assert lines(capsys) == [f"{place} is version 0001. Later versions stay; the next run makes "
                             "a new one."]
    assert cli.main(["log", str(place), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["events"]
    assert [event["event"] for event in told] == ["made", "made", "made", "restored"]
    assert [event["current"] for event in told] == [True, False, False, True]
    assert told[2]["files_changed"] == ["map.html"]
    assert told[2]["counts"] == {"grids": 2, "households": 9}
    assert told[3]["note"] == "before it was version 0003"
    assert cli.main(["log", str(place), "--since", "2999-01-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == []
    assert cli.main(["log", str(place), "--since", "soon"]) == 1
    assert capsys.readouterr().err == (
        "ConfigError: 'soon' is no time: write a date such as 2026-03-01, 7d for days or 12h for "
        "hours\n")


def test_restoring_takes_a_number_or_the_name_of_a_version(place, capsys):
    for words in ([f"{place}@2"], [str(place), "0002"], [str(place), "2"]):
        assert cli.main(["restore", *words, "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == {"workspace": str(place), "version": "0002"}
    assert (place / "map.html").read_text() == "two"
    assert cli.main(["restore", str(place), "nine"]) == 1
    assert "out has no version nine, but 0001, 0002, 0003." in capsys.readouterr().err


def test_pruning_only_tells_until_it_is_told_to(place, capsys):
    assert cli.main(["prune", str(place), "--keep", "1"]) == 0
    told = lines(capsys)
    assert [line.split()[0] for line in told] == ["0001", "0002", "2"]
    assert told[-1].endswith("would go: say --yes to remove them")
    assert store.list_numbers(place) == ["0001", "0002", "0003"]
    assert cli.main(["prune", str(place), "--keep", "1", "--yes", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["removed"], told["versions"]) == (True, ["0001", "0002"])
    assert store.list_numbers(place) == ["0003"]
    assert cli.main(["log", str(place)]) == 0
    assert [line.endswith("pruned since") for line in lines(capsys)] == [
        True, True, False, False, False]
    assert cli.main(["prune", str(place)]) == 1
    assert capsys.readouterr().err == (
        "ConfigError: say what may go: --keep N, --older-than DAYS, or both\n")


def test_the_store_of_steps_is_forgotten_when_asked(tmp_path, capsys):
    home = save_sketch(tmp_path / "town")
    assert cli.main(["run", str(home), "--quiet"]) == 0
    steps = store.store_of(home / "out") / store.STEPS
    assert cli.main(["prune", str(home), "--steps", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["versions"] == []
    assert told["steps_bytes"] > 0
    assert steps.is_dir()
    assert cli.main(["prune", str(home), "--steps", "--yes"]) == 0
    assert not steps.exists()
    assert cli.main(["run", str(home)]) == 0
    assert "version 0001 stands, nothing changed" in capsys.readouterr().out


def test_commands_find_the_workspace_from_the_folder_of_the_configuration(
        tmp_path, capsys, monkeypatch):
    home = save_sketch(tmp_path / "town")
    assert cli.main(["run", str(home), "--quiet"]) == 0
    monkeypatch.chdir(home)
    for words in (["verify"], ["log"], ["restore", "1"], ["prune", "--keep", "1"],
                  ["verify", "gridmap.toml", "all"]):
        assert cli.main(words) == 0, words
    assert "out@0001: holds; " in capsys.readouterr().out
