"""What every loader returns."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame


class Loaded(NamedTuple):
    """A frame out of a file, and the account of every row of the file."""

    frame: Any  # GeoDataFrame, or DataFrame where the schema has no geometry
    rejects: DataFrame  # schema REJECTS, one row for each row that did not come through
    changes: DataFrame  # schema CHANGES: encoding, CRS, what was mended and left out
    rows_in: int  # rows asked for: len(frame) + len(rejects)


class Traced(NamedTuple):
    """What a loader returns, and which rows of the file the account of it is about."""

    loaded: Loaded
    rejected: NDArray[np.int64]  # number in the file of each reject
    changed: NDArray[np.int64]  # number in the file of each change, 0 for all of the file
    told: bool  # every reject and change bears its code, or the number of its row where hidden
    personal: bool  # some cell looks like a phone or ID number
