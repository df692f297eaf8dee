"""The published layers of a workspace as tables of PostGIS, all or none of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from .packages import Layer


class Saved(NamedTuple):
    """What was written into a database."""

    tables: dict[str, int]  # "schema.table" -> its rows
    notes: tuple[str, ...]  # what could not be done, such as styles where nobody may write them


def save_postgis(
    workspace: str | Path | Mapping[str, Layer], url: str, *, layers: Sequence[str] | None = None,
    schema: str = "gridmap",
) -> Saved:
    """Write the published layers of a workspace into a PostGIS database, all or none."""
    raise NotImplementedError
