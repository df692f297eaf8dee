"""The table of faults in short, and the same bytes from any number of workers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from gridmap import cli
from gridmap.workspace import manifest

pytestmark = pytest.mark.slow


def read(folder):
    return {name: manifest.hash_file(folder / name) for name in manifest.list_files(folder)}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_nothing_is_lost_in_a_short_table_of_faults(root, tmp_path):
    tried = ["kills", "size", "folder", "names", "two", "input", "steps"]
    done = subprocess.run(
        [sys.executable, str(root / "scripts" / "fault_table.py"), "--towns", "drawn", "--kills",
         "8", "--json", str(tmp_path / "faults.json"), "--only", *tried],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "faults.json").read_text(encoding="utf-8"))
    assert {row["work"] for row in rows} >= {
        "kill -9 at any moment (drawn town)", "two runs at once (drawn town)",
        "input changed while it is read (drawn town)", "vanished folder (drawn town)"}
    assert all(row["ok"] and row["value"] == row["target"] for row in rows)


def test_the_sample_city_is_the_same_bytes_whoever_draws_it(root, tmp_path):
    city = shutil.copytree(root / "data" / "sample", tmp_path / "city",
                           ignore=shutil.ignore_patterns("out*"))
    for name, workers in (("one", "1"), ("two", "2")):
        assert cli.main(["run", str(city), "--workspace", str(tmp_path / name), "--workers",
                         workers, "--quiet"]) == 0
    one = read(tmp_path / "one")
    assert {"grids.gpkg", "map.html", "frames/elements.parquet", "manifest.json"} <= set(one)
    assert read(tmp_path / "two") == one
