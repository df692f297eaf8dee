"""What a good drawing is worth: soft wishes with weights that a person can set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from ..errors import ProfileError, listed


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawingWeights:
    """How much each soft wish counts: 0 not at all, 1 as usual, 2 twice as much.

    Hard rules (whole units, contiguous, inside one territory, the range of sizes) hold
    whatever the weights are. Wishes trade with one another: what one gains, another pays.

    Parameters
    ----------
    compactness : float, default 1
        Grids as round as can be. With 0 a grid may have any shape.
    balance : float, default 0
        Grids of equal size. Inside the range all sizes are equally good unless this says
        otherwise.
    barriers : float, default 1
        Borders along roads, rivers and railways, as strongly as the barrier rule says for
        each kind.
    travel : float, default 0
        Short ways inside a grid: the mean squared distance of a household from the middle of
        its grid, or from the home of its worker where homes are given; 0 then counts as 1.
    likeness : mapping of str to float, default none
        Columns of numbers of units that should be alike inside a grid, such as the age of
        buildings, and how much each counts.

    Examples
    --------
    >>> DrawingWeights(barriers=2, likeness={"floors": 1}).barriers
    2
    """

    compactness: float = 1.0
    balance: float = 0.0
    barriers: float = 1.0
    travel: float = 0.0
    likeness: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "likeness"}
        odd = [name for name, weight in {**given, **self.likeness}.items() if not weight >= 0]
        if odd:
            raise ProfileError(f"drawing weights of {listed(odd)} are below 0 or no numbers")


def tame(weights: DrawingWeights) -> DrawingWeights:
    """Return weights in the same proportions, none above 1.

    What counts is how wishes stand to one another. Above 1 they would also stand against
    the price of being out of range, which holds whatever they are.

    Examples
    --------
    >>> tamed = tame(DrawingWeights(travel=4, likeness={"floors": 2}))
    >>> tamed.travel, tamed.compactness, tamed.likeness
    (1.0, 0.25, {'floors': 0.5})
    """
    most = max(weights.compactness, weights.balance, weights.barriers, weights.travel,
               *weights.likeness.values(), 1.0)
    return DrawingWeights(
        compactness=weights.compactness / most, balance=weights.balance / most,
        barriers=weights.barriers / most, travel=weights.travel / most,
        likeness={name: weight / most for name, weight in weights.likeness.items()},
    )
