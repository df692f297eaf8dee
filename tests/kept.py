"""What a step gave, as a later run finds it, without a store."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from gridmap.pipeline import arrow


class Kept:
    """Frames and values as a step keeps them."""

    def __init__(self, made):
        self.made = made

    def __getitem__(self, name):
        made = self.made[name]
        return arrow.to_frame(made) if isinstance(made, pa.Table) else made

    def table(self, name):
        """Return a frame as a table."""
        made = self.made[name]
        return arrow.to_table(made) if isinstance(made, pd.DataFrame) else made
