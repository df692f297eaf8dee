"""The command line as a user meets it."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

import pytest

from gridmap import cli, pipeline
from gridmap.sketch import save_sketch


def gridmap(*words):
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gridmap", *map(str, words)], capture_output=True, text=True,
        check=False,
    )


def test_help_needs_no_heavy_import():
    heavy = ["numpy", "pandas", "geopandas", "shapely", "numba", "folium", "rich", "matplotlib"]
    code = (
        "import sys, gridmap.cli\n"
        "try: gridmap.cli.main(['--help'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stderr.strip() == "[]"


def test_a_wrong_usage_ends_with_code_2():
    assert gridmap("paint").returncode == 2


def test_a_wrong_input_ends_with_code_1_and_one_message(tmp_path):
    ended = gridmap("run", tmp_path / "nowhere.toml")
    assert ended.returncode == 1
    assert ended.stderr.startswith("ConfigError: there is no configuration")
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_script_gets_the_error_as_json(tmp_path, capsys):
    assert cli.main(["run", str(tmp_path / "nowhere.toml"), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "ConfigError"


def test_new_writes_a_configuration_and_says_how_to_go_on(tmp_path, capsys):
    assert cli.main(["new", str(tmp_path / "city")]) == 0
    assert "gridmap check" in capsys.readouterr().out
    assert (tmp_path / "city" / "gridmap.toml").is_file()


def test_profiles_are_listed_with_their_range(capsys):
    assert cli.main(["profiles"]) == 0
    assert "Urban comprehensive grid: 300 to 500 households" in capsys.readouterr().out


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert capsys.readouterr().out.startswith("gridmap ")


def test_a_run_looks_for_cycles_seldom_and_leaves_that_as_it_was(tmp_path, monkeypatch):
    seen = []

    def watched(*words, do=pipeline.run_again, **options):
        seen.append((gc.get_threshold()[0], gc.get_freeze_count() > 0))
        return do(*words, **options)

    monkeypatch.setattr(pipeline, "run_again", watched)
    before = gc.get_threshold()
    assert cli.main(["run", str(save_sketch(tmp_path)), "--quiet"]) == 0
    assert seen[0][0] > before[0] and seen[0][1]
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)
