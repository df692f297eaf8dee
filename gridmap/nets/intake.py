"""What comes in: the schemes of all departments, in one CRS, senior first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index

from .. import ledger, schema
from ..errors import SchemaError, listed
from ..rules import NetRule
from ..tiling import frames, knit
from ..tiling.rings import Ints, Shapes

#: Columns of ATOMS, which no scheme may be called.
RESERVED = (*(c.name for c in schema.ATOMS.columns), schema.ATOMS.index, "geometry")


class Given(NamedTuple):
    """Work grids in order of their codes, and the territories they are cut by."""

    shapes: Shapes  # valid
    codes: Index  # work_grid
    rank: Ints  # work grid -> position of its scheme, 0 the most senior
    names: tuple[str, ...]  # of the schemes, the most senior first
    lands: Shapes  # of the territories
    territories: Index
    crs: object

    def layer(self, rank: int) -> Shapes:
        """Return the work grids of one scheme."""
        return self.shapes[self.rank == rank]


def take_in(
    schemes: GeoDataFrame | Iterable[GeoDataFrame], territories: GeoDataFrame, rule: NetRule
) -> tuple[Given, DataFrame]:
    """Check schemes and territories and bring them into one order.

    Parameters
    ----------
    schemes : GeoDataFrame or several, schema SCHEMES
        In any CRS; all but that of the territories is changed, with a row of changes.
    territories : GeoDataFrame, schema TERRITORIES
        Of the lowest level, in a CRS in metres.
    rule : NetRule

    Returns
    -------
    given : Given
    changes : DataFrame, schema CHANGES

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> beats = sketch_grids("AB").rename_axis("work_grid").assign(scheme="police")
    >>> land = sketch_grids("TT").rename_axis("territory").assign(level="community", parent=None)
    >>> take_in(beats, land, NetRule())[0].names
    ('police',)
    """
    schema.check_frame(territories, schema.TERRITORIES, argument="territories")
    schema.check_metric_crs(territories=territories)
    parts = [schemes] if isinstance(schemes, GeoDataFrame) else list(schemes)
    notes: list[DataFrame] = []
    moved = [_move(part, nth, territories, notes) for nth, part in enumerate(parts)]
    if not moved:
        raise SchemaError("schemes: there are none to reconcile")
    joined = pd.concat(moved).sort_index()
    schema.check_frame(joined, schema.SCHEMES, argument="schemes")
    names = _order_names(joined, rule, notes)
    lands = territories.sort_index()
    given = Given(
        shapes=_mend(joined, notes), codes=joined.index,
        rank=Index(names).get_indexer(Index(joined["scheme"])).astype(np.int64), names=names,
        lands=_mend(lands, notes), territories=lands.index, crs=territories.crs,
    )
    return given, ledger.join_changes(*notes)


def _move(
    part: GeoDataFrame, nth: int, territories: GeoDataFrame, notes: list[DataFrame]
) -> GeoDataFrame:
    schema.check_frame(part, schema.SCHEMES, argument="schemes")
    if part.crs is None:
        schema.check_metric_crs(schemes=part)
    if part.crs == territories.crs:
        return part[["scheme", "geometry"]]
    told = ", ".join(sorted(part["scheme"].unique()))
    notes.append(note(
        [told or f"frame {nth + 1}"], "CRS changed", before=schema.crs_name(part),
        after=schema.crs_name(territories)))
    return part[["scheme", "geometry"]].to_crs(territories.crs)


def _order_names(
    joined: GeoDataFrame, rule: NetRule, notes: list[DataFrame]
) -> tuple[str, ...]:
    names = sorted(joined["scheme"].unique())
    if not names:
        raise SchemaError("schemes: there are none to reconcile")
    strangers = [name for name in rule.seniority if name not in names]
    taken = [name for name in names if name in RESERVED]
    if strangers or taken:
        raise SchemaError(
            f"schemes: seniority names {listed(strangers)}, but they are {listed(names, show=20)}"
            if strangers else f"schemes: {listed(taken)} is the name of a column of atoms"
        )
    rest = tuple(name for name in names if name not in rule.seniority)
    if rest and len(names) > 1:
        notes.append(note([None], "order of schemes", after=" > ".join((*rule.seniority, *rest)),
                          note="those that seniority does not name follow by name"))
    return (*rule.seniority, *rest)


def _mend(frame: GeoDataFrame, notes: list[DataFrame]) -> Shapes:
    shapes = frames.shapes_of(frame)
    broken = np.flatnonzero(~shapely.is_valid(shapes))
    if len(broken):
        before = shapely.area(shapes[broken])
        shapes[broken] = knit.make_valid(shapes[broken])
        after = shapely.area(shapes[broken])
        notes.append(note(frame.index[broken], "made valid", before=square_metres(before),
                          after=square_metres(after), area_m2=np.abs(after - before)))
    return shapes


def square_metres(areas: NDArray[np.float64]) -> list[str]:
    """Write areas as text.

    Examples
    --------
    >>> square_metres(np.array([1.25]))
    ['1.2 m²']
    """
    return [f"{area:,.1f} m²" for area in areas]


def note(ids: Iterable[object], what: str, **columns: object) -> DataFrame:
    """Write rows of CHANGES of this step.

    Examples
    --------
    >>> note(["A"], "made valid")["step"].tolist()
    ['reconcile']
    """
    return ledger.note_changes(ids, step="reconcile", what=what, **columns)
