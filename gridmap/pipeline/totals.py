"""Third step: tables of totals join their frames, and published totals are spread."""

from __future__ import annotations

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import attach, ledger
from ..errors import ConfigError
from ..workspace.config import Config, PopulationRule
from .load import Inputs, lowest_territories

MASSES = ("households", "people")


def join_totals(inputs: Inputs, config: Config) -> Inputs:
    """Join tables by code, and spread totals of territories over their elements.

    Parameters
    ----------
    inputs : Inputs
        Mended, in one CRS.
    config : Config
        Its ``[[tables]]`` say what joins what; ``[population]`` says whether totals of the
        lowest territories are spread, and over which kind of element.

    Returns
    -------
    Inputs
        Rows of a table that match no code are in ``rejects``, rows of a frame that no table
        knows in ``changes``, both by name; the ledger closes in people and households.

    Raises
    ------
    ConfigError
        If a table joins a frame that was not given, or there is nothing to spread.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> from gridmap.pipeline import load_inputs
    >>> inputs = load_inputs(config)
    >>> join_totals(inputs, config) is inputs  # the drawn town has no tables to join
    True
    """
    for source, table in zip(config.tables, inputs.tables, strict=True):
        inputs = join_table(inputs, table, joins=source.joins, name=source.path.name)
    if config.population is None:
        return inputs
    return spread_totals(inputs, config.population, within=config.settings.within)


def join_table(inputs: Inputs, table: DataFrame, *, joins: str, name: str) -> Inputs:
    """Fill the columns of a frame from a table with the same codes.

    Parameters
    ----------
    inputs : Inputs
    table : DataFrame
        Indexed by the codes of the frame; its columns replace those of the same name.
    joins : str
        Which frame of ``inputs``: territories, units or grids.
    name : str
        What the table is called in the ledger.

    Returns
    -------
    Inputs

    Raises
    ------
    ConfigError
        If the frame was not given.
    """
    frame = getattr(inputs, joins)
    if frame is None:
        raise ConfigError(f"[[tables]] {name} joins {joins}, but no {joins} were given")
    strangers = table.index[~table.index.isin(frame.index)]
    matched = table.drop(index=strangers)
    silent = _without_figures(frame, matched)
    filled = frame.assign(**{c: _filled(frame, matched[c], silent) for c in table.columns})
    rejects = ledger.note_changes(
        strangers, step="join", what="code not found",
        before=_told(table.loc[strangers]),
        note=f"{name} has a row for it, {joins} have none: correct the code or the layer",
    )
    changes = ledger.note_changes(
        silent, step="join", what="no figure given",
        note=f"{name} has no row for it: its figures are missing, not 0",
    )
    lines = [ledger.balance("join", name, came_in=len(table), went_on=len(matched),
                            left_over=len(strangers))]
    lines += [
        ledger.balance("join", name, measure=mass, came_in=table[mass].sum(),
                       went_on=filled.loc[matched.index, mass].sum(),
                       left_over=table.loc[strangers, mass].sum())
        for mass in MASSES if mass in table
    ]
    return inputs._replace(
        **{joins: filled},
        rejects=ledger.join_changes(inputs.rejects, rejects),
        changes=ledger.join_changes(inputs.changes, changes),
        ledger=ledger.join_ledger(inputs.ledger, *lines),
    )


def _filled(frame: DataFrame, values: pd.Series, silent: pd.Index) -> pd.Series:
    """Take the values of a table; rows that it does not speak of keep what they had.

    Figures of rows that it should know but does not are missing: those of two sources side
    by side in one column would not be comparable.
    """
    spread = values.reindex(frame.index)
    if values.name not in frame:
        return spread
    kept = spread.where(frame.index.isin(values.index), frame[values.name])
    return kept.mask(frame.index.isin(silent)) if pd.api.types.is_numeric_dtype(values) else kept


def _without_figures(frame: DataFrame, matched: DataFrame) -> pd.Index:
    """Return the codes that a table should know: of territories, those of its levels only."""
    silent = frame.index[~frame.index.isin(matched.index)]
    if "level" not in frame:
        return silent
    levels = set(frame.loc[matched.index, "level"])
    return silent[frame.loc[silent, "level"].isin(levels)]


def _told(rows: DataFrame) -> list[str]:
    """Say the masses of rows that do not go on: "people 1,203"."""
    masses = [c for c in MASSES if c in rows]
    return [
        ", ".join(f"{c} {value:,.0f}" for c, value in zip(masses, values, strict=True))
        for values in rows[masses].itertuples(index=False, name=None)
    ]


def spread_totals(inputs: Inputs, rule: PopulationRule, *, within: str) -> Inputs:
    """Spread the totals of the lowest territories over elements inside them.

    Parameters
    ----------
    inputs : Inputs
        Territories hold ``people`` and, unless the rule derives them, ``households``.
    rule : PopulationRule
        Over which kind of element, and how many people make a household where no
        households are published.
    within : str
        Level of the territories with the totals.

    Returns
    -------
    Inputs
        Elements with whole households and people that add up to the totals.

    Raises
    ------
    ConfigError
        If there are no totals or no elements of that kind.
    """
    if inputs.territories is None or "people" not in inputs.territories:
        raise ConfigError("[population] needs territories with people: join a table of totals")
    if inputs.elements is None or not (inputs.elements["kind"] == rule.over).any():
        raise ConfigError(f"[population] needs elements of the kind {rule.over!r}")
    totals, changes = _with_households(lowest_territories(inputs.territories, within), rule)
    chosen = inputs.elements["kind"] == rule.over
    spread = attach.attach_population(totals, inputs.elements[chosen])
    lines = [
        ledger.balance("spread", f"territories over {rule.over}", measure=mass,
                       came_in=totals[mass].sum(), went_on=spread.elements[mass].sum(),
                       left_over=spread.left_over[mass].sum())
        for mass in MASSES
    ]
    return inputs._replace(
        elements=_put_back(inputs.elements, spread.elements),
        changes=ledger.join_changes(inputs.changes, changes, spread.changes),
        ledger=ledger.join_ledger(inputs.ledger, *lines),
    )


def _with_households(
    totals: GeoDataFrame, rule: PopulationRule
) -> tuple[GeoDataFrame, DataFrame]:
    if rule.people_per_household is None:
        if "households" not in totals:
            raise ConfigError(
                "[population] has no households to spread: give them in a table, or say "
                "people_per_household"
            )
        return totals, ledger.note_changes([], step="spread", what="")
    households = (totals["people"] / rule.people_per_household).round()
    note = ledger.note_changes(
        totals.index, step="spread", what="households derived", after=households,
        note=f"{rule.people_per_household:g} people to a household, from [population]",
    )
    return totals.assign(households=households), note


def _put_back(elements: GeoDataFrame, filled: GeoDataFrame) -> GeoDataFrame:
    columns = {}
    for mass in MASSES:
        before = elements[mass] if mass in elements else pd.Series(float("nan"), elements.index)
        columns[mass] = filled[mass].reindex(elements.index).astype("float64").fillna(before)
    return elements.assign(**columns)
