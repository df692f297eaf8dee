"""A matplotlib figure that shows itself in a notebook without pyplot."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image


class Picture(Figure):
    """A figure drawn by Agg, unknown to pyplot.

    Examples
    --------
    >>> Picture(figsize=(1, 1))._repr_png_()[1:4]
    b'PNG'
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._agg = FigureCanvasAgg(self)

    def paint(self) -> Image.Image:
        """Return the picture as pixels."""
        self._agg.draw()
        return Image.fromarray(np.asarray(self._agg.buffer_rgba()))

    def _repr_png_(self) -> bytes:
        written = io.BytesIO()
        # No software and no date: the same picture gives the same bytes.
        self.savefig(written, format="png", metadata={"Software": None})
        return written.getvalue()
