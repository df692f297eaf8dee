"""How many nets become one: who counts more, what is the same border, what is too little."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ProfileError, listed

WAYS = ("seniority", "cost")


@dataclass(frozen=True, kw_only=True, slots=True)
class NetRule:
    """How the schemes of several departments become one net.

    Parameters
    ----------
    seniority : tuple of str, default ()
        Schemes, the most senior first; those that are not named follow in order of their
        names. Borders are snapped to those of the more senior scheme.
    decide : {"seniority", "cost"}, default "seniority"
        What decides where schemes disagree: the most senior scheme that claims the place, or
        the fewest households against whose scheme it goes, every scheme counting the same.
    same_border_m : float, default 5
        Borders within so many metres of each other are the same border, and land thinner
        than that is no place of its own.
    remnant_share : float, default 0.25
        A piece with less than this share of its work grid does not become a grid.
    fallback_m2 : float, default 10,000
        Land that nobody claims becomes a grid of its community from this size on, or wherever
        somebody lives; smaller pieces join their neighbours.

    Raises
    ------
    ProfileError
        If a number is out of its range, a way is unknown, or a scheme is named twice.

    Examples
    --------
    >>> NetRule(seniority=("police", "civil")).decide
    'seniority'
    """

    seniority: tuple[str, ...] = ()
    decide: str = "seniority"
    same_border_m: float = 5.0
    remnant_share: float = 0.25
    fallback_m2: float = 10_000.0

    def __post_init__(self) -> None:
        if self.decide not in WAYS:
            raise ProfileError(f"decide is {self.decide!r}: {' or '.join(WAYS)} is needed")
        if not 0 < self.same_border_m < float("inf"):
            raise ProfileError(
                f"same_border_m is {self.same_border_m}: a distance above 0 in metres is needed"
            )
        if not 0 <= self.remnant_share <= 0.5 or not self.fallback_m2 >= 0:
            raise ProfileError(
                f"remnant_share is {self.remnant_share} and fallback_m2 {self.fallback_m2}: "
                "0 to 0.5, and 0 or more, are needed"
            )
        twice = sorted({s for s in self.seniority if self.seniority.count(s) > 1})
        if twice:
            raise ProfileError(f"seniority names {listed(twice)} more than once")
