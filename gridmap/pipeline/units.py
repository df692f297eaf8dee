"""Fourth step: basic spatial units with the households and people that live in them."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame

from .. import attach, ledger, tiling
from ..workspace.config import Config
from .load import Inputs, Progress, lowest_territories, silent
from .totals import MASSES


def make_units(inputs: Inputs, config: Config, *, progress: Progress = silent) -> Inputs:
    """Build the units where none were given, and count who lives in them.

    Parameters
    ----------
    inputs : Inputs
        Mended, with elements that hold households and people if units are to be built.
    config : Config
        Its profile says how large a grid is, and so how fine units must be.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Inputs
        With ``units``, unless an existing layer of grids was given.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> from gridmap.pipeline import load_inputs
    >>> inputs = load_inputs(config)
    >>> make_units(inputs, config) is inputs  # the drawn town has its units given
    True
    """
    if inputs.grids is not None or inputs.units is not None or inputs.territories is None:
        return inputs
    built = build(inputs, config, progress=progress)
    return inputs._replace(
        units=built["units"], changes=ledger.join_changes(inputs.changes, built["changes"]),
        ledger=ledger.join_ledger(inputs.ledger, built["ledger"]),
    )


def divide(
    inputs: Inputs, config: Config, territories: GeoDataFrame | None = None, *,
    someone: bool = False,
) -> tiling.Divided:
    """Divide territories into units, each ring of which begins at the same corner always.

    Parameters
    ----------
    inputs : Inputs
    config : Config
    territories : GeoDataFrame, optional
        Those to divide; all of the lowest level by default.
    someone : bool, default False
        As in `dwellings`.
    """
    if territories is None and inputs.territories is not None:
        territories = lowest_territories(inputs.territories, config.settings.within)
    if territories is None:
        raise TypeError("units are built for territories")
    built = tiling.divide_land(
        territories, barriers=inputs.barriers, sites=inputs.sites,
        elements=dwellings(inputs.elements, someone=someone), largest_households=finest(config),
        rule=config.profile.tiling,
    )
    shapes = shapely.normalize(built.units.geometry.to_numpy())
    return built._replace(units=built.units.set_geometry(shapes, crs=built.units.crs))


def tell(built: tiling.Divided) -> DataFrame:
    """Return the rows of changes about units that were built, in order of what and which."""
    told = tiling.tell_units(built).sort_values(["what", "id", "note"], kind="stable")
    return ledger.join_changes(told)


def build(inputs: Inputs, config: Config, *, progress: Progress = silent) -> dict[str, Any]:
    """Return what the step gives: units, changes, ledger, and the footprints that are cut."""
    progress("units", 0, 2)
    built = divide(inputs, config)
    progress("units", 1, 2)
    bare = inputs._replace(units=built.units, ledger=ledger.join_ledger())
    counted = count_residents(bare, snap_m=config.profile.tiling.snap_m)
    progress("units", 2, 2)
    return {"units": counted.units, "changes": tell(built), "ledger": counted.ledger,
            "cut": built.cut.rename("element").to_frame(index=False),
            "whole_numbers": are_whole(inputs.elements), "exact": built.exact}


def finest(config: Config) -> float | None:
    """A block above this is divided: a quarter of a grid lets sizes come out in range."""
    sizes = [config.profile.size, *(choice.size for choice in config.profiles)]
    targets = [size.target for size in sizes if size.measure == "households"]
    return min(targets) / 4 if targets else None


def residents(elements: GeoDataFrame | None) -> GeoDataFrame | None:
    """Return the elements that stand for households or people, or None without any."""
    if elements is None:
        return None
    living = _find_living(elements)
    return elements[living] if living.any() else None


def dwellings(
    elements: GeoDataFrame | None, *, someone: bool = False
) -> GeoDataFrame | None:
    """Return the residents, and the footprints of buildings, which no cell may cut.

    A footprint that stands for nobody counts nothing; without residents there is nothing to
    divide blocks by.

    Parameters
    ----------
    elements : GeoDataFrame, optional
    someone : bool, default False
        Whether somebody lives beyond these elements, which are then some of many.
    """
    if elements is None:
        return None
    living = _find_living(elements)
    if not (someone or living.any()):
        return None
    built = shapely.get_dimensions(elements.geometry.to_numpy()) == 2
    shown = elements[living | built]
    return shown.assign(count=np.where(living[living | built], shown["count"], 0))


def _find_living(elements: GeoDataFrame) -> NDArray[np.bool_]:
    """Say of each element whether it stands for households or people."""
    living = np.zeros(len(elements), dtype=bool)
    for mass in MASSES:
        if mass in elements:
            living |= np.nan_to_num(elements[mass].to_numpy(dtype="float64")) > 0
    return living


def are_whole(elements: DataFrame | None) -> bool:
    """Say whether households and people are whole numbers, none of them below 0.

    Examples
    --------
    >>> are_whole(DataFrame({"people": [1.0, None]})), are_whole(DataFrame({"people": [0.5]}))
    (True, False)
    """
    if elements is None:
        return True
    numbers = [np.nan_to_num(elements[mass].to_numpy(dtype="float64"))
               for mass in MASSES if mass in elements]
    return not any((np.floor(values) != values).any() or values.min(initial=0) < 0
                   for values in numbers)


def count_residents(inputs: Inputs, *, snap_m: float = 0.01) -> Inputs:
    """Give every unit the households and people of the elements inside it.

    Parameters
    ----------
    inputs : Inputs
        With units and elements in one CRS.
    snap_m : float, default 0.01
        As in `fill_grids`.

    Returns
    -------
    Inputs
        Units counted; elements outside every unit are left over in the ledger, and stay in
        ``elements``, to be named when grids are filled.
    """
    living = residents(inputs.elements)
    if living is None or inputs.units is None:
        return inputs
    attached = attach.attach_elements(living, inputs.units, nearest_m=snap_m)
    units = inputs.units.assign(**{
        mass: attached.by_grid[mass].reindex(inputs.units.index)
        for mass in MASSES if mass in attached.by_grid
    })
    missing = attached.elements["unit"].isna()
    lines = [
        ledger.balance("units", "residents", measure=mass, came_in=living[mass].sum(),
                       went_on=units[mass].sum(), left_over=living.loc[missing, mass].sum())
        for mass in MASSES if mass in living
    ]
    return inputs._replace(units=units, ledger=ledger.join_ledger(inputs.ledger, *lines))
