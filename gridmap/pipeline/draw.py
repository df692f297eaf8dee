"""What a configuration asks of the drawing of grids, as the partition takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import coverage, zoning
from ..errors import ConfigError, listed
from ..rules import SizeRule
from ..workspace.config import Config
from ..workspace.drawing import DrawingRule, ProfileChoice
from .load import Inputs

Frame = TypeVar("Frame", bound=DataFrame)

#: Column of units with the name of the profile whose sizes hold.
PROFILE = "profile"

#: A measure whose last digits depend on where all units lie.
AREA = "area_m2"


def place_units(
    units: Frame, territories: DataFrame | None, within: str
) -> Frame:
    """Return units with their territory of the level that grids stay inside.

    A unit that names a lower territory goes to the one above it, step by step.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    territories : GeoDataFrame, schema TERRITORIES, optional
    within : str
        A level.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> place_units(sketch_units("A"), None, "community")["territory"].tolist()
    ['T']
    """
    if territories is None:
        return units
    level, parent = territories["level"], territories["parent"]
    home = units["territory"]
    for _ in range(level.nunique()):
        low = home.map(level).notna() & (home.map(level) != within)
        above = home.map(parent).where(low)
        home = home.where(above.isna() | ~above.isin(territories.index), above)
    return units.assign(territory=home.where(home.map(level) == within, units["territory"]))


def take_units(inputs: Inputs, config: Config) -> GeoDataFrame:
    """Return units with the territory they stay in, and the profile whose sizes hold there."""
    if inputs.units is None:
        raise TypeError("the configuration was checked to name units")
    units = place_units(inputs.units, inputs.territories, config.settings.within)
    return choose_profiles(units, inputs.territories, config) if config.profiles else units


def take_options(inputs: Inputs, units: GeoDataFrame, rule: DrawingRule) -> dict[str, Any]:
    """Return the options of `partition` that the table ``[drawing]`` asks for.

    Raises
    ------
    ConfigError
        If it names columns that units do not have, or a kind of asset that nobody gave.
    """
    named = [name for name in (*rule.workload, *rule.likeness, rule.locked, rule.linked)
             if name is not None and name not in units and name != AREA]
    if named:
        raise ConfigError(
            f"[drawing] names {listed(named)}, but units have no such column. Join it with "
            '[[tables]] joins = "units"'
        )
    return {
        "weights": zoning.DrawingWeights(
            compactness=rule.compactness, balance=rule.balance, barriers=rule.barriers,
            travel=rule.travel, likeness=rule.likeness,
        ),
        "workload": rule.workload or None,
        "counts": rule.counts or None,
        "homes": _homes(inputs, rule.homes),
        "locked": None if rule.locked is None else units[rule.locked].dropna().astype("str"),
        "links": None if rule.linked is None else _links(units[rule.linked]),
    }


def _homes(inputs: Inputs, kind: str | None) -> GeoDataFrame | None:
    if kind is None:
        return None
    assets = inputs.assets
    if assets is None or not (assets["kind"] == kind).any():
        raise ConfigError(f"[drawing] homes is {kind!r}, but no asset is of that kind")
    return assets[assets["kind"] == kind]


def _links(linked: Series) -> DataFrame:
    pairs = linked.dropna().astype("str")
    return DataFrame({"unit": pairs.index.to_numpy(), "linked": pairs.to_numpy()})


def list_rules(config: Config) -> dict[str, Any]:
    """Return everything of a configuration that a drawing follows, by name.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> list_rules(load_config(save_sketch(tempfile.mkdtemp())))["within"]
    'community'
    """
    settings, profile = config.settings, config.profile
    return {
        "size of the profile": list_sizes(config), "barriers of the profile": profile.barriers,
        "dedicated kinds of the profile": profile.dedicated,
        "codes of the profile": profile.code, "profiles": config.profiles,
        "drawing": config.drawing, "seed": settings.seed, "effort": settings.effort,
        "time limit": settings.time_limit_s, "within": settings.within,
        "name of the profile": profile.name if config.profiles else "",
    }


def looks_at_all(config: Config) -> bool:
    """Say whether a drawing depends on all territories together, not on each by itself.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> looks_at_all(load_config(save_sketch(tempfile.mkdtemp())))
    False
    """
    rule = config.drawing
    return bool(config.profiles or config.grids or rule.counts or rule.homes
                or rule.locked or rule.linked or AREA in list_columns(config))


def list_columns(config: Config) -> list[str]:
    """Return the columns of units that a drawing goes by, beside where they lie.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> list_columns(load_config(save_sketch(tempfile.mkdtemp())))
    ['kind', 'households']
    """
    rule, size = config.drawing, config.profile.size
    measured = [size.measure, *(limit.measure for limit in size.limits)]
    return list(dict.fromkeys(["kind", *measured, *rule.workload, *rule.likeness]))


def list_sizes(config: Config) -> SizeRule | dict[str, SizeRule]:
    """Return the size rule of the run, or one for each profile where there are several."""
    if not config.profiles:
        return config.profile.size
    chosen = {choice.profile: choice.size for choice in config.profiles}
    return {config.profile.name: config.profile.size, **chosen}


def choose_profiles(
    units: GeoDataFrame, territories: GeoDataFrame | None, config: Config
) -> GeoDataFrame:
    """Return units with the column ``profile``: the first of ``[[profiles]]`` that holds.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    territories : GeoDataFrame, schema TERRITORIES, optional
        Looked at for columns that units do not have.
    config : Config

    Raises
    ------
    ConfigError
        If a condition names a column that neither has.
    """
    chosen = Series(config.profile.name, index=units.index, dtype="str")
    for choice in reversed(config.profiles):
        chosen = chosen.mask(_holds(units, territories, choice), choice.profile)
    return units.assign(**{PROFILE: chosen})


def _holds(
    units: GeoDataFrame, territories: GeoDataFrame | None, choice: ProfileChoice
) -> Series:
    if choice.below_people_per_km2 is not None:
        return zoning.measure_density(units) < choice.below_people_per_km2
    holds = Series(True, index=units.index)
    for column, wanted in choice.where.items():
        values = wanted if isinstance(wanted, list) else [wanted]
        if column in units:
            held = units[column]
        elif territories is not None and column in territories:
            held = units["territory"].map(territories[column])
        else:
            raise ConfigError(
                f"[[profiles]] {choice.profile} looks at {column!r}, which neither units nor "
                "territories have. Join it with [[tables]]"
            )
        holds &= held.isin(values)
    return holds


def state_sizes(
    measured: coverage.Coverage, units: GeoDataFrame, assignment: Series, config: Config
) -> coverage.Coverage:
    """Say again which grids are in range, where it is not the profile of the run that says.

    Parameters
    ----------
    measured : Coverage
    units : GeoDataFrame, schema UNITS
        As the partition took them.
    assignment : Series
    config : Config

    Returns
    -------
    Coverage
        As it was, where one profile holds everywhere and no workload is asked for.
    """
    size = list_sizes(config)
    if not config.drawing.workload and isinstance(size, SizeRule):
        return measured
    states = zoning.measure_sizes(
        units, assignment, size, size_by=PROFILE if isinstance(size, Mapping) else None,
        workload=config.drawing.workload or None,
    )
    by_grid, old = measured.by_grid, measured.by_grid["size_state"]
    state = states.reindex(by_grid.index).where(old != "dedicated", old)
    ruled = state[state != "dedicated"]
    share = float((ruled == "in range").mean()) if len(ruled) else np.nan
    totals = measured.totals.copy()
    totals["in_size_range_share"] = share
    return measured._replace(by_grid=by_grid.assign(size_state=state), totals=totals)
