"""Notebooks run from top to bottom in a copy of the project, and are kept without output."""

from __future__ import annotations

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOT_MADE = shutil.ignore_patterns("out", ".out*")  # what runs have left there
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_is_a_first_notebook():
    assert "01_first_look.ipynb" in [notebook.name for notebook in NOTEBOOKS]


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebook_runs_in_a_copy(notebook, tmp_path):
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=NOT_MADE)
    cells = nbformat.read(tmp_path / "notebooks" / notebook.name, as_version=4)
    client = NotebookClient(cells, timeout=600, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path / "notebooks")}})
    client.execute()


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.stem)
def test_notebook_is_kept_without_output(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    kept = [cell for cell in cells if cell.cell_type == "code"
            and (cell.outputs or cell.execution_count)]
    assert not kept, "clear the output before you commit: it holds the state of one machine"
    assert cells[0].cell_type == "markdown"
    assert cells[0].source.startswith("# ")
