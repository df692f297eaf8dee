"""How much a redraw may cost."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ProfileError


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """How much a redraw may cost at most.

    Parameters
    ----------
    households : int, optional
        Households that may get another grid; no end by default.
    grids : int, optional
        Grids, old and new ones, that may gain or lose a unit; no end by default.

    Raises
    ------
    ProfileError
        If a number is below 0.

    Examples
    --------
    >>> Budget(households=500).allows(500, 90)
    True
    """

    households: int | None = None
    grids: int | None = None

    def __post_init__(self) -> None:
        if min(self.households or 0, self.grids or 0) < 0:
            raise ProfileError("a budget must not be below 0 households or 0 grids")

    def allows(self, households: float, grids: int) -> bool:
        """Say whether so many households moved and grids touched are within the budget."""
        return (self.households is None or households <= self.households + 1e-9) and (
            self.grids is None or grids <= self.grids
        )
