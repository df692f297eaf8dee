"""How long the search looks for better grids."""

from __future__ import annotations

from typing import NamedTuple


class Effort(NamedTuple):
    """Rounds of the first drawing, sweeps over all units, and rounds of mending."""

    relaxing: int
    sweeps: int
    mending: int


EFFORTS = {
    "draft": Effort(60, 40, 2),
    "normal": Effort(150, 700, 6),
    "best": Effort(300, 3_600, 10),
}
