"""The schemes of a configuration, reconciled to one net."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from .. import ledger, nets
from ..errors import ConfigError
from ..nets import Reconciliation
from ..rules import NetRule, SizeRule
from ..workspace.config import Config
from .load import Inputs, Progress, load_inputs, lowest_territories, silent
from .mend import mend_inputs


class NetRun(NamedTuple):
    """What reconciling the schemes of a configuration made, in one CRS in metres."""

    net: Reconciliation
    territories: GeoDataFrame
    schemes: GeoDataFrame
    seniority: tuple[str, ...]
    changes: DataFrame  # schema CHANGES, from loading on
    rejects: DataFrame
    ledger: DataFrame


def reconcile_schemes(
    config: Config, *, sized: bool = True, coded: bool = False, progress: Progress = silent
) -> NetRun:
    """Read the schemes, territories and elements of a configuration and make one net.

    Without ``[net] seniority`` the schemes are senior in the order of their ``[[schemes]]``.
    Where no elements are given and units have counts, these are scattered over ten places in
    each unit, drawn by the seed of the run.

    Parameters
    ----------
    config : Config
        With ``[[schemes]]``.
    sized : bool, default True
        Whether grids are brought to the size of the profile where schemes disagree; only if
        what it goes by is counted.
    coded : bool, default False
        Whether grids get codes by the rule of the profile; otherwise they keep those of the
        work grids they come from.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    NetRun

    Raises
    ------
    ConfigError
        If there are no schemes, or a scheme is unknown.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> reconcile_schemes(load_config(save_sketch(tempfile.mkdtemp())))
    Traceback (most recent call last):
    gridmap.errors.ConfigError: gridmap.toml names no [[schemes]]: there is nothing to reconcile
    """
    if not config.schemes:
        raise ConfigError(
            f"{config.path.name} names no [[schemes]]: there is nothing to reconcile")
    inputs = mend_inputs(load_inputs(config, progress=progress), config, progress=progress)
    schemes, territories = inputs.schemes, inputs.territories
    if schemes is None or territories is None:
        raise ConfigError("the files of [[schemes]] or [[territories]] hold no rows")
    elements = _choose_counted(inputs, config.settings.seed)
    rule = _order_schemes(config.net, schemes)
    progress("reconcile", 0, 1)
    net = nets.reconcile(
        schemes, lowest_territories(territories, config.settings.within), elements=elements,
        rule=rule, size=_choose_size(config, elements) if sized else None,
        code=config.profile.code if coded else None,
    )
    progress("reconcile", 1, 1)
    return NetRun(
        net, territories, schemes, rule.seniority,
        ledger.join_changes(inputs.changes, net.changes), inputs.rejects,
        ledger.join_ledger(inputs.ledger, net.ledger),
    )


def _order_schemes(rule: NetRule, schemes: GeoDataFrame) -> NetRule:
    """Let schemes that are not named follow in the order of their files."""
    rest = [name for name in schemes["scheme"].unique() if name not in rule.seniority]
    return replace(rule, seniority=(*rule.seniority, *rest))


def _choose_counted(inputs: Inputs, seed: int) -> GeoDataFrame | None:
    """Return what is counted: elements, or places in units that have counts, or nothing."""
    elements, units = inputs.elements, inputs.units
    if elements is not None or units is None or "households" not in units:
        return elements
    return scatter_units(units, seed=seed)


def scatter_units(units: GeoDataFrame, *, seed: int, places: int = 10) -> GeoDataFrame:
    """Return places drawn in each unit that share its households and people alike.

    Parameters
    ----------
    units : GeoDataFrame, schema UNITS
    seed : int
    places : int, default 10
        How many in each unit.

    Returns
    -------
    GeoDataFrame, schema ELEMENTS
        Of kind "unit", called like their unit, a colon and a number.

    Examples
    --------
    >>> from gridmap.sketch import sketch_units
    >>> scatter_units(sketch_units("AAB"), seed=1, places=2)["households"].to_dict()
    {'A:0': 1.0, 'A:1': 1.0, 'B:0': 0.5, 'B:1': 0.5}
    """
    units = units.sort_index()
    spots = units.geometry.sample_points(places, rng=np.random.default_rng(seed)).explode()
    number = np.tile(np.arange(places), len(units))
    names = Index(spots.index.astype("str") + ":" + number.astype("str"), name="element")
    shares = {name: units[name].reindex(spots.index).to_numpy() / places
              for name in ("households", "people")}
    return GeoDataFrame({"kind": "unit", "count": 1, **shares}, geometry=spots.array,
                        index=names.astype("str"), crs=units.crs).astype({"kind": "str"})


def _choose_size(config: Config, elements: GeoDataFrame | None) -> SizeRule | None:
    size = config.profile.size
    counted = elements is not None and size.measure in elements
    if counted and elements is not None and not elements[size.measure].sum() > 0:
        counted = False
    return size if counted or size.measure == "area_m2" else None
