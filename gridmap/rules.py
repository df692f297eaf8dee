"""The rules of a run: frozen values with limits of their own, read from TOML profiles.

Every size, code and publication rule is a profile that a user can copy and change; none
is a constant in the code. `list_profiles` and its kin name the shipped ones.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import ProfileError, listed

MEASURES = ("households", "people", "area_m2")


def _check_measure(measure: str, what: str) -> None:
    if measure not in MEASURES:
        raise ProfileError(f"{what} goes by {measure!r}: expected {listed(MEASURES)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """A further bound on a grid, beside the measure that sizes it.

    Parameters
    ----------
    measure : str
        households, people or area_m2.
    minimum, maximum : float, default 0 and no end
        The range, ends included.

    Raises
    ------
    ProfileError
        If the measure is unknown, or the minimum below 0 or above the maximum.

    Examples
    --------
    >>> Limit(measure="people", maximum=2500).minimum
    0.0
    """

    measure: str
    minimum: float = 0.0
    maximum: float = float("inf")

    def __post_init__(self) -> None:
        _check_measure(self.measure, "a limit")
        if not 0 <= self.minimum <= self.maximum:
            raise ProfileError(
                f"limit on {self.measure} runs from {self.minimum:,g} to {self.maximum:,g}: the "
                "first must not be below 0 or above the second"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeRule:
    """How large a grid may be.

    Parameters
    ----------
    measure : str, default "households"
        The column of UNITS that sizes a grid, or ``area_m2``.
    minimum, target, maximum : float
        The range in that measure, ends included, and the size to aim at inside it.
    limits : tuple of Limit, default ()
        Bounds on other measures, such as at most 2,500 people.

    Raises
    ------
    ProfileError
        If the measure is unknown or the sizes contradict each other.

    Examples
    --------
    >>> SizeRule(minimum=300, target=400, maximum=500).state(250.0)
    'small'
    """

    measure: str = "households"
    minimum: float
    target: float
    maximum: float
    limits: tuple[Limit, ...] = ()

    def __post_init__(self) -> None:
        _check_measure(self.measure, "a size rule")
        if not 0 < self.minimum <= self.target <= self.maximum:
            raise ProfileError(
                f"size rule asks for {self.minimum:,g} to {self.maximum:,g} {self.measure} around "
                f"{self.target:,g}: the minimum must be above 0, and the target between the two"
            )

    def state(self, size: float) -> str:
        """Say whether a size is "in range", "small" or "large"."""
        if size < self.minimum:
            return "small"
        return "large" if size > self.maximum else "in range"


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeRule:
    """How codes are laid out.

    Parameters
    ----------
    name : str
        What the rule is called.
    parts : tuple of int
        Lengths of the parts from left to right. The last is the sequence inside the
        community, numbered west to east, then north to south; the parts before it are the
        code of the territory.
    first : int, default 1
        Where sequences start; one that starts at 0 keeps 0 for territories not divided.
    merged_from : int, optional
        First community number of merged communities, where the layout has one.
    note : str, default ""
        What else there is to know.
    names : tuple of str, default ()
        What the parts are called, where that is known; the last is the sequence.
    lead : str, default ""
        What every code begins with and codes of territories lack.
    separator : str, default ""
        Text between the code of the territory and the sequence; a rule of one part has a
        hyphen where none is given.
    digits : bool, default False
        Whether the parts before the sequence hold nothing but digits.
    ranges : mapping, default none
        Part -> kind -> first and last number: the numbers of that part that have a meaning.
    patterns : tuple of str, default ()
        In place of parts: regular expressions with named groups, for codes that tell their
        place and cannot be issued.

    Raises
    ------
    ProfileError
        If there are no parts, or the entries contradict each other.

    Examples
    --------
    >>> rule = CodeRule(name="cn15", parts=(6, 3, 3, 3))
    >>> rule.length, rule.prefix, rule.capacity
    (15, 12, 999)
    """

    name: str
    parts: tuple[int, ...] = ()
    first: int = 1
    merged_from: int | None = None
    note: str = ""
    names: tuple[str, ...] = ()
    lead: str = ""
    separator: str = ""
    digits: bool = False
    ranges: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        fault = self._fault_of_patterns() if self.patterns else self._fault_of_parts()
        if fault:
            raise ProfileError(f"code rule {self.name!r} {fault}")

    def _fault_of_patterns(self) -> str | None:
        if self.parts:
            return "has parts and patterns: one of the two lays codes out"
        for pattern in self.patterns:
            try:
                named = re.compile(pattern).groupindex
            except re.error as error:
                return f"has the pattern {pattern!r}, which is no regular expression: {error}"
            if not named:
                return f"has the pattern {pattern!r} without a named group (?P<name>…)"
        return None

    def _fault_of_parts(self) -> str | None:
        if not self.parts or min(self.parts) < 1:
            return f"has parts {self.parts}: one or more lengths above 0"
        if not 0 <= self.first < 10 ** self.parts[-1]:
            return (f"starts its sequence at {self.first}, which does not fit into "
                    f"{self.parts[-1]} digits")
        if self.names and len(self.names) != len(self.parts):
            return f"has {len(self.parts)} parts and {len(self.names)} names for them"
        if len(set(self.names)) < len(self.names):
            return "calls two of its parts by the same name"
        whole = len(self.parts) == 2 and not self.lead  # the first part is the territory
        odd = set(self.names) & ({"number", "merged"} if whole else
                                 {"number", "merged", "territory"})
        if odd:
            return f"calls a part {listed(sorted(odd))}: that is what is read out of all parts"
        if len(self.lead) > self.prefix:
            return f"leads with {self.lead!r}, longer than the parts before the sequence"
        if self.merged_from is not None and len(self.parts) < 2:
            return "has numbers for merged communities, but no part for communities"
        unknown = [part for part in self.ranges if part not in self.names]
        if unknown:
            return f"has ranges of {listed(unknown)}, which none of its parts is called"
        return None

    @property
    def length(self) -> int:
        """Characters of a whole code, beside those of a territory of any length."""
        return sum(self.parts) + len(self.separator)

    @property
    def prefix(self) -> int:
        """Characters before the sequence: those of the lead and of the territory."""
        return sum(self.parts[:-1])

    @property
    def territory(self) -> int:
        """Characters of a territory's code; 0 where it may be of any length."""
        return self.prefix - len(self.lead)

    @property
    def mark(self) -> str:
        """Text between the code of the territory and the sequence."""
        return self.separator or ("" if self.prefix else "-")

    @property
    def capacity(self) -> int:
        """How many codes one territory can have; 0 where none are issued."""
        return 10 ** self.parts[-1] - self.first if self.parts else 0

    @property
    def merged_capacity(self) -> int:
        """How many merged communities one town can have."""
        return 0 if self.merged_from is None else 10 ** self.parts[-2] - self.merged_from


@dataclass(frozen=True, kw_only=True, slots=True)
class TilingRule:
    """When polygons count as a tiling, and how faults are mended.

    Parameters
    ----------
    snap_m : float, default 0.01
        Borders closer than this are the same border; thinner faults are let pass.
    sliver_m2 : float, default 1.0
        Parts smaller than this are slivers.
    overlaps : str, default "border"
        Who gets an overlap: ``border`` the polygon that shares most border with it,
        ``order`` the one whose code sorts first, ``compact`` the one that becomes most
        compact by it, ``seniority`` the one of the senior scheme.
    seniority : sequence of str, default none
        For overlaps by seniority: names of schemes, the senior first. Schemes that are not
        named come last; within a scheme the code that sorts first wins.
    lake_m2 : float, default 10,000
        Without a parent, a hole between polygons is a lake, and kept, from this size on.
    lake_width_m : float, default 20
        A lake is also this wide on average; a large but thin hole is a gap.

    Examples
    --------
    >>> TilingRule(overlaps="order").overlaps
    'order'
    """

    snap_m: float = 0.01
    sliver_m2: float = 1.0
    overlaps: str = "border"
    seniority: tuple[str, ...] = ()
    lake_m2: float = 10_000.0
    lake_width_m: float = 20.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "seniority", tuple(self.seniority))  # a list, out of TOML
        if self.overlaps not in ("border", "order", "compact", "seniority"):
            raise ProfileError(
                f"overlaps go by {self.overlaps!r}: expected border (longest shared border), "
                "order (the code that sorts first), compact (most compact result) or seniority "
                "(of the scheme)"
            )
        if (self.overlaps == "seniority") != bool(self.seniority):
            raise ProfileError(
                "overlaps go by seniority where seniority names the schemes, the senior first, "
                "and only there: give both or neither"
            )
        if min(self.snap_m, self.sliver_m2, self.lake_m2, self.lake_width_m) < 0:
            raise ProfileError(
                "snap_m, sliver_m2, lake_m2 and lake_width_m must not be below 0"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class BarrierRule:
    """How strongly grids follow each class of line.

    Parameters
    ----------
    weights : mapping, default none
        Kind of BARRIERS -> weight, from 0 (not at all) to 1 (as the strongest).

    Raises
    ------
    ProfileError
        If a weight is outside 0 to 1.

    Examples
    --------
    >>> BarrierRule(weights={"river": 1.0, "residential": 0.2}).weights["river"]
    1.0
    """

    weights: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        odd = [kind for kind, weight in self.weights.items() if not 0 <= weight <= 1]
        if odd:
            raise ProfileError(f"barrier weights of {listed(odd)} are outside 0 to 1")


#: What may decide where schemes disagree.
DECIDING = ("seniority", "cost")


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
        if self.decide not in DECIDING:
            raise ProfileError(f"decide is {self.decide!r}: {' or '.join(DECIDING)} is needed")
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """What an output may show.

    Parameters
    ----------
    name : str
        What the profile is called.
    smallest : int, default 10
        Counts of people and households below this are suppressed, and others with them
        where a total would give them away.
    columns : tuple of str, default ()
        The allow-list of figures per grid.
    rounding : int, default 0
        Counts that are shown are rounded to a multiple of this; 0 or 1 rounds nothing.
    elements : bool, default False
        Whether single elements may be shown.
    element_columns : tuple of str, default ()
        The allow-list of columns of single things: of assets and sites, and of elements and
        events where these are shown.
    note : str, default ""
        One line that stands on every output.

    Raises
    ------
    ProfileError
        If ``smallest`` or ``rounding`` is below 0.

    Examples
    --------
    >>> Publication(name="ours", columns=("households",)).smallest
    10
    """

    name: str
    smallest: int = 10
    columns: tuple[str, ...] = ()
    rounding: int = 0
    elements: bool = False
    element_columns: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.smallest < 0:
            raise ProfileError(
                f"publication {self.name!r} suppresses below {self.smallest}: 0 or more is needed"
            )
        if self.rounding < 0:
            raise ProfileError(
                f"publication {self.name!r} rounds to {self.rounding}: 0 or more is needed"
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """All rules of one kind of territory.

    Parameters
    ----------
    name, title : str
        Short name, and what it is for.
    size : SizeRule
        How large a grid may be.
    code : CodeRule
        How grids are numbered.
    dedicated : tuple of str, default ()
        Kinds of SITES that get a grid of their own.
    barriers : BarrierRule
        What grids follow; nothing by default.
    tiling : TilingRule
        When polygons count as seamless.
    source : str, default ""
        Where the sizes come from.

    Examples
    --------
    >>> load_profile("micro").size.target
    100
    """

    name: str
    title: str
    size: SizeRule
    code: CodeRule
    dedicated: tuple[str, ...] = ()
    barriers: BarrierRule = field(default_factory=BarrierRule)
    tiling: TilingRule = field(default_factory=TilingRule)
    source: str = ""


def _shipped(folder: str) -> tuple[str, ...]:
    files = resources.files(__package__).joinpath("profiles", folder).iterdir()
    return tuple(sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml")))


def list_profiles() -> tuple[str, ...]:
    """Return the names of the shipped profiles, sorted.

    Examples
    --------
    >>> "urban" in list_profiles()
    True
    """
    return _shipped("size")


def list_publications() -> tuple[str, ...]:
    """Return the names of the shipped publication profiles, sorted.

    Examples
    --------
    >>> list_publications()
    ('internal', 'public', 'shared')
    """
    return _shipped("publication")


def list_code_rules() -> tuple[str, ...]:
    """Return the names of the shipped code rules, sorted.

    Examples
    --------
    >>> list_code_rules()
    ('cn15', 'cn20', 'eu', 'plain', 'statistical')
    """
    return _shipped("code")


def load_profile(name_or_path: str | Path) -> Profile:
    """Read a profile: a shipped one by name, or a TOML file.

    Parameters
    ----------
    name_or_path : str or Path
        A name out of `list_profiles`, or a path that ends in ``.toml``.

    Returns
    -------
    Profile

    Raises
    ------
    ProfileError
        If there is no such profile, or it has unknown, absent or contradicting entries.

    Examples
    --------
    >>> load_profile("urban").size.maximum
    500
    """
    entries, where = _read_toml("size", name_or_path)
    size = dict(_table(entries, "size", where, needed=True))
    limits = tuple(_build(Limit, limit, where) for limit in size.pop("limits", []))
    return _build(
        Profile,
        {
            **entries,
            "name": Path(name_or_path).stem,
            "size": _build(SizeRule, {**size, "limits": limits}, where),
            "code": _code_of_profile(entries.get("code", "plain"), where),
            "dedicated": _several(entries, "dedicated", where),
            "barriers": _build(
                BarrierRule, {"weights": dict(_table(entries, "barriers", where))}, where
            ),
            "tiling": _build(TilingRule, _table(entries, "tiling", where), where),
        },
        where,
    )


def _code_of_profile(code: Any, where: str) -> CodeRule:
    """Read the code rule of a profile: by name, from a file beside it, or written out in it."""
    if not isinstance(code, str):
        return _code(code, where)
    return load_code_rule(Path(where).parent / code if code.endswith(".toml") else code)


def load_code_rule(name_or_path: str | Path) -> CodeRule:
    """Read a code rule: a shipped one by name, or a TOML file.

    Raises
    ------
    ProfileError
        If there is no such rule, or its entries are wrong.

    Examples
    --------
    >>> load_code_rule("cn15").parts
    (6, 3, 3, 3)
    """
    entries, where = _read_toml("code", name_or_path)
    return _code({**entries, "name": Path(name_or_path).stem}, where)


def load_publication(name_or_path: str | Path) -> Publication:
    """Read a publication profile: a shipped one by name, or a TOML file.

    Raises
    ------
    ProfileError
        If there is no such profile, or its entries are wrong.

    Examples
    --------
    >>> load_publication("shared").smallest
    10
    """
    entries, where = _read_toml("publication", name_or_path)
    lists = {key: _several(entries, key, where) for key in ("columns", "element_columns")}
    named = {**entries, "name": Path(name_or_path).stem, **lists}
    return _build(Publication, named, where)


def _read_toml(folder: str, name_or_path: str | Path) -> tuple[dict[str, Any], str]:
    where = str(name_or_path)
    if where.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise ProfileError(f"there is no profile file {where}")
        content = path.read_bytes()
    elif where in _shipped(folder):
        shipped = resources.files(__package__).joinpath("profiles", folder, f"{where}.toml")
        content = shipped.read_bytes()
    else:
        raise ProfileError(
            f"there is no {folder} profile {where!r}. Shipped are "
            f"{listed(_shipped(folder), show=20)}; a file of your own ends in .toml"
        )
    try:
        return tomllib.loads(content.decode("utf-8")), where
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"profile {where} is not valid TOML in UTF-8: {error}") from error


def _table(
    entries: Mapping[str, Any], key: str, where: str, *, needed: bool = False
) -> Mapping[str, Any]:
    if needed and key not in entries:
        raise ProfileError(f"profile {where} has no [{key}]")
    table = entries.get(key, {})
    if not isinstance(table, Mapping):
        raise ProfileError(
            f"profile {where} has {key} = {table!r}, where a table [{key}] is needed"
        )
    return table


def _several(entries: Mapping[str, Any], key: str, where: str) -> tuple[Any, ...]:
    values = entries.get(key, [])
    if not isinstance(values, list):
        raise ProfileError(f"profile {where} has {key} = {values!r}, where a list is needed")
    return tuple(values)


def _code(entries: Mapping[str, Any], where: str) -> CodeRule:
    told = {key: _several(entries, key, where) for key in ("parts", "names", "patterns")}
    ranges = {part: {kind: _ends(ends, kind, where) for kind, ends in
                     _table(_table(entries, "ranges", where), part, where).items()}
              for part in _table(entries, "ranges", where)}
    code: CodeRule = _build(
        CodeRule, {"name": where, **entries, **told, "ranges": ranges}, where)
    return code


def _ends(ends: Any, kind: str, where: str) -> tuple[int, int]:
    if not (isinstance(ends, list) and len(ends) == 2 and all(isinstance(n, int) for n in ends)
            and ends[0] <= ends[1]):
        raise ProfileError(
            f"profile {where} has the range {kind} = {ends!r}, where [first, last] is needed"
        )
    return ends[0], ends[1]


def _build(kind: type, entries: Mapping[str, Any], where: str) -> Any:
    """Make a rule from TOML entries; an unknown entry is an error, never ignored."""
    known = [f.name for f in fields(kind)]
    unknown = [key for key in entries if key not in known]
    if unknown:
        raise ProfileError(
            f"profile {where} has unknown entries {listed(unknown)} for {kind.__name__}. "
            f"Known are {listed(known, show=20)}"
        )
    needed = [f.name for f in fields(kind) if f.default is f.default_factory is MISSING]
    absent = [name for name in needed if name not in entries]
    if absent:
        raise ProfileError(f"profile {where} lacks {listed(absent)} for {kind.__name__}")
    try:
        return kind(**entries)
    except TypeError as error:
        raise ProfileError(
            f"profile {where} has an entry of the wrong type for {kind.__name__}: {error}"
        ) from error
