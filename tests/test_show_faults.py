"""Every difficult file and every planted defect: nothing lost, nothing missed."""

from __future__ import annotations

import importlib.util
import re

import pytest

import gridmap as gm
from gridmap.pipeline import FileReading

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def script(root):
    spec = importlib.util.spec_from_file_location("show_faults", root / "scripts/show_faults.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.real
def test_rows_in_are_rows_on_and_rejects_in_every_difficult_file(script, real_data, root):
    lines = script.list_outcomes(real_data / "nasty")
    for line in lines:
        assert line["rows"] == line["on"] + line["rejected"], line
        assert line["why"] or line["kind"] == "read", line
    page = (root / "docs" / "faults.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| (\S.*?) \| (read|mended|rejected|refused) \| \d", re.MULTILINE)
    written = row.findall(page)
    assert written == [(script._cell(line["file"]), line["kind"]) for line in lines]


@pytest.mark.real
def test_a_check_of_difficult_files_ends_in_a_table_and_never_in_a_traceback(real_data):
    folder = real_data / "nasty"
    some = [file for file in sorted(folder.rglob("*")) if file.suffix in (
        ".geojson", ".shp", ".csv", ".kml", ".gpkg", ".parquet", ".fgb") and file.is_file()]
    for file in some[::6]:
        diagnosis = gm.diagnose_files([file], reading=FileReading())
        assert diagnosis.findings["note"].notna().all(), file
        assert set(diagnosis.findings["severity"]) <= {"blocks the run", "mended", "look at this"}


def test_every_planted_defect_is_found(script, root):
    lines = script.list_planted(gm.diagnose_inputs(gm.load_config(root / "data" / "sample")))
    assert len(lines) > 25
    assert [line for line in lines if line["found"] != line["planted"]] == []
