"""The workspace of one net out of many: grids, conflicts, crosswalks, and the page."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import coverage, maps, nets, tiling
from ..maps import pages
from ..nets import Reconciliation
from ..rules import Publication
from ..workspace import Contents, Layer, save_workspace
from ..workspace.config import Config
from .load import Progress, silent
from .net import NetRun

#: Figures of atoms that name nobody; counts are suppressed before they are shown.
_ATOM_COLUMNS = ("against", "agreement", "decided", "claims", "grid", "territory", "households",
                 "people", "area_m2")
_GRID_COLUMNS = ("agreement", "kept_from")
_LABELS = {"against": ("Who disagrees", "谁与谁不一致"), "agreement": ("Agreement", "一致程度"),
           "decided": ("Decided by", "裁定依据"), "claims": ("Schemes claiming it", "主张部门数"),
           "grid": ("Grid", "网格")}
#: With more pairs of schemes than this, the page starts with the agreement.
_MOST_PAIRS = 7
_NOBODY = "nobody"
_SEVERAL = "several pairs"


def save_net(done: NetRun, config: Config, *, progress: Progress = silent) -> list[Path]:
    """Write the workspace of one net: beside that of the run, with ``_net`` after its name.

    The folder ``frames`` holds all in full. Packages, tables and the page follow the
    publication profile: small counts are suppressed, and crosswalks by households or people
    stay in ``frames``, since with a total they would tell small counts.

    Parameters
    ----------
    done : NetRun
    config : Config
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    WorkspaceError
        If the folder cannot be written, or holds something else.
    """
    net = done.net
    atoms, grids = publish_atoms(net, config.publication), _publish_grids(net, config)
    against = publish_against(net, config.publication)
    progress("save", 0, 2)
    page = draw_conflicts(done, config, atoms=atoms).get_root().render()
    ways = net.crosswalks[net.crosswalks["basis"].isin(["area", "buildings"])]
    plain = ["first", "second", "first_grid", "second_grid", "what", "atom", "grid", "decided",
             "area_m2", "geometry"]
    contents = Contents(
        frames={"grids": net.grids, "atoms": net.atoms, "conflicts": net.conflicts,
                "borders": net.borders, "crosswalks": net.crosswalks},
        packages={"net": {"grids": Layer(grids), "conflicts": Layer(net.conflicts[plain]),
                          "atoms": Layer(atoms), "borders": Layer(net.borders)}},
        tables={"grids": DataFrame(grids.drop(columns="geometry")), "against": against,
                "crosswalks": ways, "changes": done.changes, "rejects": done.rejects,
                "ledger": done.ledger},
        pages={"conflicts": page},
        facts={"name": config.settings.name, "publication": config.publication.name,
               "seniority": list(done.seniority), "grids": len(net.grids),
               "atoms": len(net.atoms), "conflicts": len(net.conflicts)},
    )
    folder = config.workspace.with_name(f"{config.workspace.name}-net")
    files = save_workspace(folder, contents)
    progress("save", 2, 2)
    return files


def _publish_grids(net: Reconciliation, config: Config) -> GeoDataFrame:
    allowed = replace(config.publication,
                      columns=(*config.publication.columns, *_GRID_COLUMNS))
    table = DataFrame(net.grids.drop(columns="geometry"))
    published = coverage.suppress_counts(table, allowed)
    return net.grids[["geometry"]].join(published.by_grid)


def publish_atoms(net: Reconciliation, publication: Publication) -> GeoDataFrame:
    """Return the atoms with who disagrees on each, small counts suppressed.

    Counts of atoms are kept from being worked out of those of their grids.
    """
    table = DataFrame(net.atoms.drop(columns="geometry")).assign(
        against=name_against(net.conflicts).reindex(net.atoms.index).fillna(_NOBODY))
    allowed = replace(publication, columns=_ATOM_COLUMNS)
    published = coverage.suppress_counts(table, allowed, parent="grid")
    return net.atoms[["geometry"]].join(published.by_grid)


def name_against(conflicts: DataFrame) -> Series:
    """Return for each contested atom who disagrees with whom, in words.

    Examples
    --------
    >>> two = DataFrame({"atom": ["a", "a"], "first": ["fire", "fire"],
    ...                  "second": ["police", "water"], "what": "drawn differently"})
    >>> name_against(two).tolist()
    ['fire / police, fire / water']
    """
    chosen = conflicts[conflicts["what"] == "drawn differently"]
    pairs = (chosen["first"] + " / " + chosen["second"]).groupby(chosen["atom"])
    return pairs.agg(lambda some: ", ".join(sorted(some))).astype("str")


def publish_against(net: Reconciliation, publication: Publication) -> DataFrame:
    """Return who disagrees with whom, of every kind, small counts left out."""
    kinds = sorted(net.conflicts["what"].unique())
    parts = [nets.measure_conflicts(net.conflicts, what=what).assign(what=what)
             for what in kinds]
    if not parts:
        return nets.measure_conflicts(net.conflicts).assign(what="")
    table = pd.concat(parts, ignore_index=True).rename_axis("number")
    small = (table[["households", "people"]] < publication.smallest).any(axis=1)
    counts = table[["households", "people"]].where(~small)
    return table.assign(households=counts["households"], people=counts["people"])


def draw_conflicts(
    done: NetRun, config: Config, *, atoms: GeoDataFrame | None = None
) -> maps.Map:
    """Compose the map of conflicts: who disagrees with whom, over the one net.

    Only places on which schemes disagree are coloured.

    Parameters
    ----------
    done : NetRun
    config : Config
    atoms : GeoDataFrame, optional
        As `publish_atoms` returns them.

    Returns
    -------
    Map
    """
    shown = publish_atoms(done.net, config.publication) if atoms is None else atoms
    shown = shown.rename_axis("grid").rename(columns={"grid": "in_grid"})
    contested = shown["against"] != _NOBODY
    shown = shown[contested] if contested.any() else shown
    several = shown["against"].str.contains(", ", regex=False)
    shown = shown.assign(against=shown["against"].where(~several, _SEVERAL))
    allowed = replace(config.publication, columns=tuple(
        "in_grid" if name == "grid" else name for name in _ATOM_COLUMNS))
    labels = {**_LABELS, "in_grid": _LABELS["grid"]}
    few = shown["against"].nunique() <= _MOST_PAIRS
    page = maps.Map(title=(f"{config.settings.name}: where schemes disagree",
                           f"{config.settings.name}:各部门网格不一致之处"),
                    publication=config.publication)
    borders = list(pages.draw_borders(done.territories))
    maps.draw_land(borders[-1]).add_to(page)
    places = maps.draw_grids(
        shown, "against" if few else "agreement", publication=allowed, labels=labels,
        territories=done.territories, name=("Contested places", "不一致之处"),
    )
    places.about["counted"] = "places"  # they are parts of grids, and the page says so
    places.add_to(page)
    for name in done.seniority:
        lines = done.schemes[done.schemes["scheme"] == name].rename_axis("territory")
        maps.draw_territories(lines[["geometry"]], name=name, weight=1.0, show=False
                              ).add_to(page)
    net = done.net.grids.rename_axis("territory")[["geometry"]]
    maps.draw_territories(net, name=("One net", "一张网"), weight=1.4).add_to(page)
    for layer in borders:
        layer.add_to(page)
    return page


def measure_net(done: NetRun) -> Series:
    """Return the net in a few figures.

    Returns
    -------
    Series
        grids, kept (as a scheme has them), atoms, contested (atoms), households and
        households_contested (missing where nobody counted), area_share_contested.
    """
    net = done.net
    contested = net.atoms["agreement"] < 1
    area = tiling.measure_area(net.atoms)
    return Series({
        "grids": len(net.grids), "kept": int(net.grids["kept_from"].notna().sum()),
        "atoms": len(net.atoms), "contested": int(contested.sum()),
        "households": net.atoms["households"].sum(min_count=1),
        "households_contested": net.atoms.loc[contested, "households"].sum(min_count=1),
        "area_share_contested": area[contested].sum() / area.sum(),
    })
