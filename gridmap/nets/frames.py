"""The answer as frames: atoms, borders, grids, and crosswalks between schemes and the net."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame, Index

from .. import schema, tiling
from ..tiling import mesh, rings
from ..tiling.rings import Floats, Ints
from ..zoning import dissolve
from . import crosswalk, votes, weights
from .choose import FALLBACK, Chosen, Weighed
from .ground import NONE, Ground
from .intake import Given
from .weights import NOBODY, Weights

#: The name of the one net in crosswalks.
NET = "grids"


def name_atoms(ground: Ground, given: Given) -> Index:
    """Return a code for each atom: that of its territory and a number from west to east."""
    home = ground.territory[ground.inside]
    first = np.flatnonzero(np.diff(home, prepend=-1))
    count = np.diff(np.append(first, len(home)))
    number = np.arange(len(home)) - np.repeat(first, count) + 1
    digits = max(3, len(str(count.max(initial=1))))
    codes = given.territories.astype("str").array.take(home)
    return Index([f"{code}-{n:0{digits}d}" for code, n in zip(codes, number, strict=True)],
                 dtype="str", name=schema.ATOMS.index)


def write_atoms(
    ground: Ground, given: Given, names: Index, weighed: Weighed, agreement: Floats
) -> GeoDataFrame:
    """Return the atoms with what is known of them before anything is decided."""
    size = len(names)
    atoms = GeoDataFrame(
        {"territory": given.territories.astype("str").array.take(ground.territory[:size]),
         "claims": (ground.claims[:size] != NONE).sum(axis=1), "agreement": agreement[:size],
         **{name: np.full(size, np.nan) if some is None else some[:size]
            for name, some in weighed.counts.items()}},
        geometry=geopandas.GeoSeries(ground.shapes[:size], index=names, crs=given.crs),
        index=names,
    )
    codes = given.codes.astype("str").array
    schemes = {name: pd.api.extensions.take(codes, ground.claims[:size, rank], allow_fill=True)
               for rank, name in enumerate(given.names)}
    return atoms.assign(area_m2=tiling.measure_area(atoms), **schemes)


def write_grids(
    atoms: GeoDataFrame, ground: Ground, given: Given, chosen: Chosen, weighed: Weighed
) -> tuple[GeoDataFrame, Ints]:
    """Return the grids under the codes of the work grids they come from, and each atom's grid.

    A grid is called like the work grid of the most senior scheme that has most of it; where
    several grids come from one, the largest bears its code and the others a number after it.
    """
    heads, label = np.unique(chosen.label, return_inverse=True)
    label = label.ravel()
    size, count = len(atoms), len(heads)
    codes = _name_grids(ground, given, label, weighed, count)
    mass = weighed.mass[:size]
    kind = np.full(count, "comprehensive", dtype=object)
    claimed = np.bincount(label, atoms["claims"] > 0, minlength=count) > 0
    kind[~claimed] = FALLBACK
    grids = GeoDataFrame(
        {"territory": atoms["territory"].array.take(heads), "kind": kind,
         **{name: np.bincount(label, atoms[name], minlength=count)
            for name in ("households", "people")},
         "agreement": np.bincount(label, mass * atoms["agreement"], minlength=count)
         / np.bincount(label, mass, minlength=count),
         "kept_from": _find_kept(ground, given, label, count)},
        geometry=dissolve.dissolve(ground.shapes[:size], label, count), index=codes,
        crs=given.crs,
    ).astype({"kind": "str", "kept_from": "str"})
    grids.insert(4, "area_m2", tiling.measure_area(grids))
    return grids, label


def _name_grids(
    ground: Ground, given: Given, label: Ints, weighed: Weighed, count: int
) -> Index:
    size = len(label)
    claims = ground.claims[:size]
    claimed = (claims != NONE).any(axis=1)
    senior = np.where(claimed, (claims != NONE).argmax(axis=1), len(given.names))
    first = np.where(claimed, claims[np.arange(size), np.minimum(senior, len(given.names) - 1)],
                     len(given.codes) + ground.territory[:size])
    rows = DataFrame({"grid": label, "senior": senior, "first": first,
                      "mass": weighed.mass[:size]})
    sums = rows.groupby(["grid", "senior", "first"])["mass"].sum().reset_index()
    # land that nobody claims gives its name only where there is nothing else
    sums["free"] = sums["senior"] == len(given.names)
    best = sums.sort_values(["grid", "free", "mass", "senior", "first"],
                            ascending=[True, True, False, True, True], kind="stable")
    best = DataFrame(best.drop_duplicates("grid")).sort_values(
        ["first", "mass", "grid"], ascending=[True, False, True])
    number = best.groupby("first").cumcount() + 1
    known = [*given.codes, *(f"{code}.0" for code in given.territories)]
    taken: set[str] = set(given.codes)
    names = np.full(count, None, dtype=object)
    for grid, at, nth in zip(best["grid"], best["first"], number, strict=True):  # names once
        name = known[at] if nth == 1 else f"{known[at]}.{nth}"
        while name in taken and not (nth == 1 and at < len(given.codes)):
            nth += 1
            name = f"{known[at]}.{nth}"
        taken.add(name)
        names[grid] = name
    return Index(names, dtype="str", name=schema.GRIDS.index)


def _find_kept(ground: Ground, given: Given, label: Ints, count: int) -> list[str | None]:
    """Say for each grid which schemes have it as a work grid, to the last atom."""
    piece, work_grid = ground.piece, ground.work_grid
    inside = ground.inside[piece]
    atoms = np.bincount(label, minlength=count)
    whole = np.bincount(work_grid, minlength=len(given.codes))
    pairs, common = np.unique(
        np.stack([label[piece[inside]], work_grid[inside]], axis=1), axis=0, return_counts=True)
    same = (common == atoms[pairs[:, 0]]) & (common == whole[pairs[:, 1]])
    kept: list[list[str]] = [[] for _ in range(count)]
    for grid, rank in sorted(zip(pairs[same, 0], given.rank[pairs[same, 1]], strict=True)):
        kept[grid].append(given.names[rank])
    return [", ".join(names) or None for names in kept]


def write_borders(ground: Ground, atoms: GeoDataFrame, label: Ints) -> GeoDataFrame:
    """Return the borders between atoms of one territory, and how many schemes draw them."""
    asked = votes.count_votes(ground)
    number = pd.RangeIndex(len(asked.first), name=schema.NET_BORDERS.index)
    names = atoms.index.array
    share = np.divide(asked.drawn, asked.asked, out=np.full(len(number), np.nan),
                      where=asked.asked > 0)
    lines = _common_lines(ground.shapes[: len(atoms)], asked)
    return GeoDataFrame(
        {"first": names.take(asked.first), "second": names.take(asked.second),
         "length_m": asked.length, "drawn": asked.drawn, "asked": asked.asked,
         "agreement": share, "kept": label[asked.first] != label[asked.second]},
        geometry=geopandas.GeoSeries(lines, index=number, crs=atoms.crs), index=number,
    )


def _common_lines(shapes: np.ndarray, asked: votes.Votes) -> np.ndarray:
    """Return the line that each pair of atoms has in common."""
    flat = rings.flatten(shapes)
    pieces = rings.segments(flat, rings.place_ids(flat.xy))
    other = mesh.across(pieces)
    width = np.int64(len(shapes))
    mine = pieces.owner < other
    key = pieces.owner[mine] * width + other[mine]
    pairs = asked.first * width + asked.second
    at = np.searchsorted(pairs, key)
    real = at < len(pairs)
    real[real] = pairs[at[real]] == key[real]
    order = np.argsort(at[real], kind="stable")
    lines = rings.lines(flat, pieces.start[mine][real][order])
    joined = shapely.line_merge(shapely.multilinestrings(lines, indices=at[real][order]))
    return np.asarray(joined)


def write_crosswalks(
    ground: Ground, given: Given, grids: GeoDataFrame, label: Ints, masses: Mapping[str, Floats]
) -> DataFrame:
    """Return the crosswalks of every scheme to the net and back, by each basis.

    Parameters
    ----------
    ground : Ground
    given : Given
    grids : GeoDataFrame, schema GRIDS
    label : array of int
        Position of the grid of each atom.
    masses : mapping
        Basis to the mass of each piece; area is among them.

    Returns
    -------
    DataFrame, schema CROSSWALK
        By scheme, direction and basis; each part is a crosswalk of its own.
    """
    net = np.full(len(ground.shapes), NOBODY, dtype=np.int64)
    net[: len(label)] = label
    by_code = np.argsort(np.argsort(grids.index.to_numpy(dtype=object), kind="stable"))
    net[: len(label)] = by_code[label]
    codes = grids.index.sort_values()
    parts = []
    area = masses["area"]
    for rank, name in enumerate(given.names):
        mine = given.rank[ground.work_grid] == rank
        out = _with_swallowed(ground, given, rank, net, mine)
        inner = np.flatnonzero(ground.inside)
        back = (net[inner], ground.claims[inner, rank], inner)
        for (source, target, piece), layers in ((out, (name, NET)), (back, (NET, name))):
            ends = (given.codes, codes) if layers[1] == NET else (codes, given.codes)
            for basis, mass in masses.items():
                some, land = (np.where(piece == NONE, 0, m[piece]) for m in (mass, area))
                # a work grid that was swallowed has no mass of its own
                part = _weigh(source, target, some, np.where(piece == NONE, 1, land), basis, ends)
                parts.append(part.assign(source_layer=layers[0], target_layer=layers[1]))
    joined = pd.concat(parts, ignore_index=True).astype(
        {"source_layer": "str", "target_layer": "str"})
    joined.index.name = schema.CROSSWALK.index
    return joined


def _with_swallowed(
    ground: Ground, given: Given, rank: int, net: Ints, mine: np.ndarray
) -> tuple[Ints, Ints, Ints]:
    """Return work grids of a scheme, their grids and pieces; those swallowed have no piece."""
    lost = given.rank[ground.swallowed] == rank
    inside = ground.swallowed_by[lost]
    there = np.where(inside == NONE, NOBODY, net[inside])
    return (np.r_[ground.work_grid[mine], ground.swallowed[lost]],
            np.r_[net[ground.piece[mine]], there],
            np.r_[ground.piece[mine], np.full(len(inside), NONE)])


def _weigh(
    source: Ints, target: Ints, mass: Floats, area: Floats, basis: str,
    ends: tuple[Index, Index],
) -> DataFrame:
    found = weights.share_masses(source, target, mass)
    measured = np.full(len(found.source), basis, dtype=object)
    bare = ~np.isin(source, found.source)
    if bare.any():
        land = weights.share_masses(source[bare], target[bare], area[bare])
        every = [np.r_[one, two] for one, two in zip(found, land, strict=True)]
        measured = np.r_[measured, np.full(len(land.source), "area", dtype=object)]
        order = np.argsort(every[0], kind="stable")
        found, measured = Weights(*(part[order] for part in every)), measured[order]
    return crosswalk.write_crosswalk(found, *ends, basis=basis, measured=measured)
