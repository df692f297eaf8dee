"""What a configuration says of drawing grids: the tables ``[drawing]`` and ``[[profiles]]``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ConfigError, listed
from ..rules import SizeRule


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawingRule:
    """The ``[drawing]`` table: weights of wishes, and what else grids are drawn by.

    The weights are those of `DrawingWeights`. ``workload`` weighs columns of units;
    ``homes`` is the kind of asset that a grid each should lie around; ``locked`` and
    ``linked`` are columns of units, joined by ``[[tables]]``, with the grid that a unit
    must stay in and the unit that it counts as a neighbour of.
    """

    compactness: float = 1.0
    balance: float = 0.0
    barriers: float = 1.0
    travel: float = 0.0
    likeness: Mapping[str, float] = field(default_factory=dict)
    workload: Mapping[str, float] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    homes: str | None = None
    locked: str | None = None
    linked: str | None = None

    def __post_init__(self) -> None:
        for name in ("likeness", "workload", "counts"):
            if not isinstance(getattr(self, name), Mapping):
                raise ConfigError(f"[drawing] {name} is a table: {name} = {{ name = number }}")
        weights = {name: getattr(self, name)
                   for name in ("compactness", "balance", "barriers", "travel")}
        weights |= {**self.likeness, **self.workload, **self.counts}
        odd = [name for name, weight in weights.items()
               if isinstance(weight, bool) or not isinstance(weight, int | float)
               or not weight >= 0]
        if odd:
            raise ConfigError(f"[drawing] {listed(odd)} are no numbers from 0 up")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProfileChoice:
    """One of ``[[profiles]]``: whose sizes hold in some territories, and in which."""

    profile: str
    size: SizeRule
    below_people_per_km2: float | None = None
    where: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.below_people_per_km2 is None) == (not self.where):
            raise ConfigError(
                f"[[profiles]] {self.profile} holds where? Give either below_people_per_km2 or "
                "where = { column = value }"
            )
