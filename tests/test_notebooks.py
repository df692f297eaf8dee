"""Notebooks run from top to bottom in a copy of the project, and are kept without output."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from gridmap import cli

ROOT = Path(__file__).resolve().parents[1]
NOT_MADE = shutil.ignore_patterns("out*", ".out*")  # what runs have left there
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_is_a_first_notebook():
    assert "01_first_look.ipynb" in [notebook.name for notebook in NOTEBOOKS]


@pytest.fixture
def copy(tmp_path):
    """Return a copy of notebooks and data, with nothing made from them."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=NOT_MADE)
    return tmp_path / "notebooks"


def execute(folder, name, *more):
    """Run a notebook with further cells at its end; return the text that the last one prints."""
    cells = nbformat.read(folder / name, as_version=4)
    cells.cells += [nbformat.v4.new_code_cell(source) for source in more]
    client = NotebookClient(cells, timeout=600, kernel_name="python3",
                            resources={"metadata": {"path": str(folder)}})
    client.execute()
    return "".join(output.get("text", "") for output in cells.cells[-1].get("outputs", []))


@pytest.mark.slow
@pytest.mark.parametrize("name", [n.name for n in NOTEBOOKS if n.stem != "01_first_look"])
def test_notebook_runs_in_a_copy(name, copy):
    execute(copy, name)


@pytest.mark.slow
def test_first_look_runs_and_says_the_same_as_the_command_line(copy, capsys):
    both = "assert filled.grids.equals(run.grids)"
    told = json.loads(execute(copy, "01_first_look.ipynb", both, "print(run.summary.to_json())"))
    assert cli.main(["run", str(copy.parent / "data" / "sample"), "--json"]) == 0
    assert told == pytest.approx(json.loads(capsys.readouterr().out)["summary"], nan_ok=True)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebook_is_kept_without_output(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    kept = [cell for cell in cells if cell.cell_type == "code"
            and (cell.outputs or cell.execution_count)]
    assert not kept, "clear the output before you commit: it holds the state of one machine"
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
