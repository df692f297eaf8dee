"""Blocks between lines: enclosed, made whole where a site lies, rid of shards."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame

from ..errors import TilingError, listed
from ..rules import TilingRule
from . import frames, knit, mesh
from .mesh import Borders
from .rings import Flags, Floats, Ints, Shapes

#: Faces of less mean width than a micrometre are rounding, not land.
CRUMB_M = 1e-6


class Blocks(NamedTuple):
    """Faces, then units: parallel arrays."""

    shapes: Shapes
    territory: Ints  # position of the territory
    site: Ints  # position of the site; -1 for none
    kind: np.ndarray
    joined: Floats  # square metres that came from blocks too small or too thin
    shards: Ints  # how many of those

    def take(self, rows: Ints) -> Blocks:
        """Return the blocks at these positions, in this order."""
        return Blocks._make(column[rows] for column in self)

    def merge(self, label: Ints, borders: Borders, *, told: bool) -> tuple[Blocks, Borders]:
        """Dissolve blocks by label; the largest one keeps its territory, site and kind.

        A site keeps both, however large what joins it. ``told`` says whether what joins
        counts as a sliver.
        """
        label, first = _renumber(label, shapely.area(self.shapes), self.site)
        extra = np.full(len(label), told)
        extra[first] = False
        size = len(first)
        area = np.where(extra, shapely.area(self.shapes), 0.0) + self.joined
        merged = self.take(first)._replace(
            shapes=mesh.dissolve(self.shapes, label).to_numpy(dtype=object),
            joined=np.bincount(label, area, size).astype("float64"),
            shards=np.bincount(label, extra + self.shards, size).astype("int64"),
        )
        apart = label[borders.face] != label[borders.other]
        return merged, mesh.sum_borders(
            label[borders.face[apart]], label[borders.other[apart]], borders.length[apart])


def enclose(
    territories: GeoDataFrame, *, barriers: GeoDataFrame | None, sites: GeoDataFrame | None,
    rule: TilingRule, exact: bool = False,
) -> Blocks:
    """Find the faces between all lines, and the territory and site that each lies in."""
    land = frames.shapes_of(territories)
    linework = [shapely.get_rings(shapely.get_parts(land))]
    plots, kinds = _plots(sites)
    linework.append(shapely.get_rings(shapely.get_parts(plots)))
    if barriers is not None:
        linework.append(frames.shapes_of(barriers.sort_index()))
    faces = mesh.build_faces(np.concatenate(linework), exact=exact)
    inner = shapely.point_on_surface(faces)
    face, owner = mesh.find_covers(inner, land)
    _check_apart(faces, face, owner, territories.index, rule)
    territory = mesh.lowest(len(faces), face, owner)
    site = mesh.lowest(len(faces), *_smallest_plot(inner, plots))
    inside = territory >= 0
    faces, territory, site = faces[inside], territory[inside], site[inside]
    kind = np.append(kinds, "block")[site]
    return Blocks(faces, territory, site, kind, np.zeros(len(faces)),
                   np.zeros(len(faces), dtype="int64"))


def _plots(sites: GeoDataFrame | None) -> tuple[Shapes, np.ndarray]:
    if sites is None or not len(sites):
        return np.empty(0, dtype=object), np.empty(0, dtype=object)
    sites = sites.sort_index()
    return knit.make_valid(frames.shapes_of(sites)), sites["kind"].to_numpy(dtype=object)


def _smallest_plot(inner: Shapes, plots: Shapes) -> tuple[Ints, Ints]:
    """Rows of (face, site), only the smallest site of each face; ties to the first code."""
    face, site = mesh.find_covers(inner, plots)
    order = np.lexsort((site, shapely.area(plots[site]).round(3), face))
    face, site = face[order], site[order]
    first = np.r_[True, face[1:] != face[:-1]][: len(face)]
    return face[first], site[first]


def _check_apart(
    faces: Shapes, face: Ints, owner: Ints, codes: pd.Index, rule: TilingRule
) -> None:
    twice = np.bincount(face, minlength=len(faces)) > 1
    twice &= frames.mean_width(faces) >= rule.snap_m
    if twice.any():
        rows = codes[np.unique(owner[twice[face]])]
        raise TilingError(
            f"territories overlap in {twice.sum():,} place{'s' if twice.sum() > 1 else ''}, "
            f"{shapely.area(faces[twice]).sum():,.1f} m² in all, between {listed(rows)}. Units "
            "need one territory each: mend them first with repair_tiling(territories).",
            rows=[str(code) for code in rows],
        )


def join_sites(blocks: Blocks) -> tuple[Blocks, Borders]:
    """Make sites whole: one in each territory, as far as it hangs together.

    Returns the blocks, and which of them touch inside one territory.
    """
    borders = mesh.find_borders(blocks.shapes)
    home = blocks.territory[borders.face] == blocks.territory[borders.other]
    borders = Borders(*(column[home] for column in borders))
    same = blocks.site * (blocks.territory.max(initial=0) + 1) + blocks.territory
    same = np.where(blocks.site < 0, -1 - np.arange(len(same)), same)
    return blocks.merge(mesh.count_groups(same, borders), borders, told=False)


def join_crumbs(blocks: Blocks, borders: Borders) -> tuple[Blocks, Borders]:
    """Join faces of no width to a neighbour in the same territory, without a word.

    Two borders that run along each other differ in the last digit here and there. What lies
    between is no land, and what divides the blocks further would lose it or count it twice.
    """
    crumb = frames.mean_width(blocks.shapes) < CRUMB_M
    if not crumb.any():
        return blocks, borders
    return blocks.merge(_choose_partners(blocks, borders, crumb), borders, told=False)


def join_small(
    blocks: Blocks, borders: Borders, *, smallest_m2: float, thinnest_m: float
) -> Blocks:
    """Join blocks that are too small or too thin to a neighbour in the same territory."""
    small = (shapely.area(blocks.shapes) < smallest_m2) | (
        frames.mean_width(blocks.shapes) < thinnest_m)
    # a sliver of a site beyond a border is no site; the site itself stays however small
    main = np.zeros(len(small), dtype=bool)
    order = np.lexsort((-shapely.area(blocks.shapes), blocks.site))
    main[order[np.r_[True, np.diff(blocks.site[order]) != 0]]] = True
    small &= (blocks.site < 0) | ~main
    label = _choose_partners(blocks, borders, small)
    blocks = blocks._replace(site=np.where(small, -1, blocks.site))
    return blocks.merge(label, borders, told=True)[0]


def _choose_partners(blocks: Blocks, borders: Borders, small: Flags) -> Ints:
    """Give each small block the label of a neighbour, from the large ones inwards.

    Blocks come before sites; small blocks among themselves join the largest of them.
    """
    label = np.where(small, -1, np.arange(len(small)))
    area = shapely.area(blocks.shapes)
    plain = blocks.site[borders.other] < 0
    while (label < 0).any():
        for allowed in (plain, np.ones(len(plain), dtype=bool)):
            chosen = mesh.longest_border(borders, label, label < 0, allowed)
            if (chosen >= 0).any():
                label[chosen >= 0] = chosen[chosen >= 0]
                break
        else:
            # only small ones are left together: the largest of each cluster stands for it
            left = np.flatnonzero(label < 0)
            together = np.where(label < 0, 0, -1 - np.arange(len(label)))
            cluster = mesh.count_groups(together, borders)
            order = left[np.lexsort((left, -area[left].round(3), cluster[left]))]
            heads = order[np.r_[True, np.diff(cluster[order]) != 0]]
            label[heads] = heads
    return label


def _renumber(label: Ints, area: Floats, site: Ints) -> tuple[Ints, Ints]:
    """Number labels from 0, and find the member that stands for each: a site, or the largest."""
    number = np.unique(label, return_inverse=True)[1].astype("int64")
    order = np.lexsort((np.arange(len(label)), -area.round(3), site < 0, number))
    return number, order[np.r_[True, np.diff(number[order]) != 0]]
