"""Many nets into one: the schemes of several departments become one layer of grids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from .. import ledger, schema, zoning
from ..errors import TilingError
from ..rules import CodeRule, NetRule, SizeRule
from ..tiling.rings import Floats
from . import choose, conflicts, frames, ground, intake, masses, notes
from .choose import Weighed
from .ground import Ground
from .weights import NOBODY


class Reconciliation(NamedTuple):
    """One net out of many."""

    grids: GeoDataFrame  # schema GRIDS, with agreement and kept_from
    atoms: GeoDataFrame  # schema ATOMS, and a column for each scheme
    conflicts: GeoDataFrame  # schema CONFLICTS
    crosswalks: DataFrame  # schema CROSSWALK, with source_layer and target_layer
    changes: DataFrame  # schema CHANGES
    borders: GeoDataFrame  # schema NET_BORDERS
    ledger: DataFrame  # schema LEDGER


def reconcile(
    schemes: GeoDataFrame | Iterable[GeoDataFrame],
    territories: GeoDataFrame,
    *,
    elements: GeoDataFrame | None = None,
    rule: NetRule | None = None,
    size: SizeRule | None = None,
    code: CodeRule | None = None,
) -> Reconciliation:
    """Make one net out of the schemes of several departments (多网合一).

    All schemes are laid over each other and over the territories. Borders within
    ``rule.same_border_m`` of each other are the same border: the junior one moves to the
    senior one, and all move to those of territories. What is left between the borders are
    atoms, land that every scheme claims as a whole.

    The one net is made of whole atoms. Where schemes agree it is kept. Where they do not,
    the most senior scheme that claims the place decides, or the fewest households moved
    (``rule.decide``). Grids out of ``size`` are divided along borders that some scheme draws
    and united over borders that some scheme does not; a border on which all agree stays.
    A piece with too little of its work grid joins a neighbour. Land that nobody claims falls
    to its territory. Grids stay inside territories and are one piece each.

    Parameters
    ----------
    schemes : GeoDataFrame or several, schema SCHEMES
        Work grids in any CRS, with gaps and overlaps; their codes are unique over all schemes.
    territories : GeoDataFrame, schema TERRITORIES
        Of the lowest level, seamless, in a CRS in metres.
    elements : GeoDataFrame, schema ELEMENTS, optional
        What is counted: ``households`` and ``people`` where these columns are there, and
        buildings. Without it disagreements are measured by area, and counts are missing.
    rule : NetRule, optional
        Seniority, what decides, and what is too little.
    size : SizeRule, optional
        How large grids should be.
    code : CodeRule, optional
        How grids are numbered. By default they keep the codes of the work grids they come
        from: the largest one the code itself, others with a number after a dot; land that
        nobody claims gets that of its territory and ``.0``.

    Returns
    -------
    Reconciliation
        ``grids`` tile the territories. ``atoms`` say where each piece went and why.
        ``conflicts`` say who disagrees with whom over how many households: work grids of two
        schemes cross there, while a finer division of the same ground is none.
        ``crosswalks`` lead from every scheme to the net ("grids") and back, by area and, with
        elements, by households, people and buildings; choose one by ``source_layer``,
        ``target_layer`` and ``basis``. ``changes`` has a row for every decision. ``borders``
        have the agreement on each border between atoms. ``ledger`` closes.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, codes repeat, seniority names a scheme that is
        not there, or ``size`` goes by a count and nobody counted.
    CRSError
        If territories are not in metres, a scheme has no CRS, or elements are in another one.

    See Also
    --------
    convert : Carry a table of a department over to the net.
    measure_conflicts : Who disagrees with whom.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> land = sketch_grids("TTTTTT", "TTTTTT", side_m=100).rename_axis("territory")
    >>> land = land.assign(level="community", parent=None)
    >>> fire = sketch_grids("AABBBB", "AABBBB", side_m=100).rename_axis("work_grid")
    >>> police = sketch_grids("PPPQQQ", "PPPQQQ", side_m=100).rename_axis("work_grid")
    >>> net = reconcile([fire.assign(scheme="fire"), police.assign(scheme="police")], land,
    ...                 rule=NetRule(seniority=("police",)))
    >>> net.grids["kept_from"].to_dict()
    {'P': 'police', 'Q': 'police'}
    >>> net.atoms[["fire", "police", "grid", "decided"]].values.tolist()
    [['A', 'P', 'P', 'agreed'], ['B', 'P', 'P', 'seniority'], ['B', 'Q', 'Q', 'agreed']]
    """
    rule = rule or NetRule()
    given, changes = intake.take_in(schemes, territories, rule)
    _check_counted(territories, elements)
    land, thin = ground.build_ground(given, rule)
    weighed, bases, line = _weigh(land, elements)
    splits, agreement = conflicts.find_splits(land, given, weighed.mass)
    chosen = choose.choose_grids(land, given, rule, weighed, agreement, size=size)
    atoms = frames.write_atoms(land, given, frames.name_atoms(land, given), weighed, agreement)
    grids, label = frames.write_grids(atoms, land, given, chosen, weighed)
    grids, issued = _number(grids, code)
    order = np.argsort(grids.index.to_numpy(dtype=object), kind="stable")
    atoms = _tell_grids(atoms, grids, label, chosen)
    told = notes.tell_all(land, given, atoms, chosen, label, grids)
    account = ledger.join_ledger(_balance_area(given, grids, land), line)
    ledger.check_balance(account)
    _check_seamless(grids)
    return Reconciliation(
        grids.iloc[order], atoms, conflicts.write_conflicts(splits, given, atoms),
        frames.write_crosswalks(land, given, grids, label, bases),
        ledger.join_changes(changes, thin, told, issued),
        frames.write_borders(land, atoms, label), account,
    )


def _check_counted(territories: GeoDataFrame, elements: GeoDataFrame | None) -> None:
    if elements is not None:
        masses.check_elements(elements, ())
        schema.check_metric_crs(territories=territories, elements=elements)


def _weigh(
    land: Ground, elements: GeoDataFrame | None
) -> tuple[Weighed, dict[str, Floats], DataFrame]:
    """Return what every piece weighs, the masses of crosswalks, and the account of counts."""
    area = np.asarray(shapely.area(land.shapes))
    counts: dict[str, Floats | None] = {"households": None, "people": None}
    bases: dict[str, Floats] = {"area": area}
    lines = []
    if elements is not None:
        wanted = [b for b in ("households", "people") if b in elements] + ["buildings"]
        counted = masses.count_places(elements, wanted)
        pieces = GeoDataFrame(geometry=land.shapes, crs=elements.crs, index=Index(
            [f"{i:09d}" for i in range(len(area))], dtype="str", name="unit"))
        at = masses.find_holder(pieces, counted)
        held = at != NOBODY
        for basis in wanted:
            mass = counted.mass[basis]
            bases[basis] = np.bincount(
                at[held], mass[held], minlength=len(area)).astype("float64")
            counts[basis] = bases[basis]
            inside = bases[basis][land.inside].sum()
            whole = _whole_mass(elements, basis)
            lines.append(ledger.balance("reconcile", "elements", measure=basis, came_in=whole,
                                        went_on=inside, left_over=whole - inside))
    households = counts["households"]
    # a little of the land, so that ground where nobody lives has partners as well
    mass = area if households is None else households + area * 1e-6
    kept = {name: counts[name] for name in ("households", "people")}
    return Weighed(mass, area, kept), bases, ledger.join_ledger(*lines)


def _whole_mass(elements: GeoDataFrame, basis: str) -> float:
    if basis == "buildings":
        return float(elements["count"].where(elements["kind"] == "building", 0).sum())
    return float(elements[basis].sum())


def _number(grids: GeoDataFrame, code: CodeRule | None) -> tuple[GeoDataFrame, DataFrame]:
    if code is None:
        return grids, ledger.join_changes()
    codes = zoning.issue_codes(grids, code)
    issued = intake.note(codes, "code issued", before=grids.index, after=codes)
    return grids.set_axis(Index(codes, dtype="str", name=grids.index.name)), issued


def _tell_grids(
    atoms: GeoDataFrame, grids: GeoDataFrame, label: np.ndarray, chosen: choose.Chosen
) -> GeoDataFrame:
    """Return atoms with their grid and the reason, columns in the order of the schema."""
    told = atoms.assign(grid=grids.index.array.take(label), decided=chosen.why)
    told = told.astype({"decided": "str"})
    first = [c.name for c in schema.ATOMS.columns]
    return told[[*first, *(c for c in told.columns if c not in first)]]


def _balance_area(given: intake.Given, grids: GeoDataFrame, land: Ground) -> DataFrame:
    """Prove that grids are the land of the territories, and account for every scheme."""
    came = float(shapely.area(given.lands).sum())
    return ledger.balance("reconcile", "territories", measure="area_m2", came_in=came,
                          went_on=float(grids.area.sum()))


def _check_seamless(grids: GeoDataFrame) -> None:
    shapes = grids.geometry.to_numpy()
    if not shapely.coverage_is_valid(shapes) or not shapely.is_valid(shapes).all():
        raise TilingError(
            "the grids of the one net do not fit each other. Please report this; as a way out, "
            "mend the territories first with repair_tiling(territories)."
        )
