"""What every loader returns."""

from __future__ import annotations

from typing import Any, NamedTuple

from pandas import DataFrame


class Loaded(NamedTuple):
    """A frame out of a file, and the account of every row of the file."""

    frame: Any  # GeoDataFrame, or DataFrame where the schema has no geometry
    rejects: DataFrame  # schema REJECTS, one row for each row that did not come through
    changes: DataFrame  # schema CHANGES: encoding, CRS, what was mended and left out
    rows_in: int  # rows asked for: len(frame) + len(rejects)
