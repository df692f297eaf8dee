"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pages import browser, opened, page_file  # noqa: F401  fixtures of the page tests

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the top folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real territories, or skip where it is absent."""
    folder = Path(os.environ.get("GRIDMAP_REAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real territories at {folder}: set GRIDMAP_REAL_DATA to their folder")
    return folder
