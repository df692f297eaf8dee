"""What several releases together give away: slices between their zones with few people.

Two releases of overlapping zones, such as old and new grids, can be subtracted: what lies in
an old grid and in no part of a new one is a *slice*, and the difference of two harmless
counts is the count of the slice. Whoever has all releases knows for every slice at most so
many people as the published counts leave room for; a slice is exposed when that is fewer
than the smallest count to show.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas import DataFrame, Series
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse import csgraph

from ..errors import PublicationError, listed
from ..rules import Publication


def find_disclosures(
    elements: DataFrame,
    releases: Mapping[str, Series],
    publication: Publication,
    *,
    measure: str = "people",
) -> DataFrame:
    """Return the slices between zones of several releases that their counts expose.

    Parameters
    ----------
    elements : DataFrame
        Where people are: ``measure``, and a column for each release that names the zone of
        the row; missing where it lies in none.
    releases : mapping of str to Series
        For each of these columns the counts as they are or will be published, by zone. A
        missing count, or that of a zone that is not listed, is not known to anybody.
    publication : Publication
        Counts above 0 and below its ``smallest`` must not come out.
    measure : str, default "people"
        What is counted.

    Returns
    -------
    DataFrame
        Index ``number``, one row for each exposed slice, fewest people first: the zones of
        the slice, a column for each release, and ``at_most``, how many people who knows the
        releases can tell to be there at most. A slice that is a zone of a release, whole and
        published, is exposed by nobody's skill and is not listed.

    Raises
    ------
    PublicationError
        If a column is absent, or published counts contradict the elements.

    References
    ----------
    Differencing: S. Openshaw and others in ONS (2001), "Disclosure by differencing"; the
    bounds are those of a linear program over the slices.

    Examples
    --------
    >>> homes = DataFrame({"old": ["A", "A", "B"], "new": ["P", "Q", "Q"], "people": [40, 3, 50]})
    >>> counts = {"old": Series({"A": 43, "B": 50}), "new": Series({"P": 40, "Q": 53})}
    >>> find_disclosures(homes, counts, Publication(name="shared"))[["old", "new"]].values.tolist()
    [['A', 'Q']]
    """
    names = list(releases)
    absent = [name for name in [*names, measure] if name not in elements]
    if absent:
        raise PublicationError(f"elements: column {listed(absent)} is absent")
    slices = _find_slices(elements, names, measure)
    members, counts, shown = _known_sums(slices, releases, measure)
    small = (slices[measure] > 0) & (slices[measure] < publication.smallest) & ~shown
    most = np.full(len(slices), np.inf)
    # One group of zones that overlap each other after the other: each is a small program.
    group = csgraph.connected_components(_share_zones(members))[1]
    for number in np.unique(group[small]):
        inside = np.flatnonzero(group == number)
        sums = np.flatnonzero(members[:, inside].sum(axis=1) > 0)
        asked = np.flatnonzero(small[inside])
        most[inside[asked]] = _most_in(members[sums][:, inside], counts[sums], asked)
    exposed = slices[most < publication.smallest].assign(
        at_most=np.ceil(most[most < publication.smallest] - 1e-6))
    told = exposed.sort_values([measure, *names], kind="stable")[[*names, "at_most"]]
    return told.reset_index(drop=True).rename_axis("number")


def _find_slices(elements: DataFrame, names: list[str], measure: str) -> DataFrame:
    sums = elements.groupby(names, dropna=False, sort=True)[measure].sum()
    return sums.reset_index()


def _known_sums(
    slices: DataFrame, releases: Mapping[str, Series], measure: str
) -> tuple[sparse.csr_array, NDArray[np.float64], NDArray[np.bool_]]:
    """Return which slices make up each published zone, its count, and which are a whole one."""
    rows, columns, counts = [], [], []
    shown = np.zeros(len(slices), dtype=bool)
    size = 0
    for name, published in releases.items():
        zone = slices[name]
        known = published.dropna()
        at = Series(np.arange(len(known)), index=known.index).reindex(zone).to_numpy()
        inside = np.flatnonzero(~np.isnan(at))
        number = at[inside].astype(np.intp)
        people = slices[measure].to_numpy(dtype="float64")[inside]
        told = np.bincount(number, weights=people, minlength=len(known)).astype("float64")
        _check_sums(name, known, told)
        parts = np.bincount(number, minlength=len(known))
        shown[inside] |= parts[number] == 1
        rows.append(number + size)
        columns.append(inside)
        counts.append(told)
        size += len(known)
    place = (np.concatenate(rows), np.concatenate(columns))
    ones = np.ones(len(place[0]))
    members = sparse.csr_array((ones, place), shape=(size, len(slices)))
    return members, np.concatenate(counts), shown


def _check_sums(name: str, known: Series, told: NDArray[np.float64]) -> None:
    off = np.abs(told - known.to_numpy(dtype="float64")) > 0.5
    if off.any():
        zones = known.index[off]
        raise PublicationError(
            f"releases: the counts of {name} differ from the elements in {listed(zones)}. A "
            "release can only be checked against the elements it was counted from.",
            rows=[str(zone) for zone in zones],
        )


def _share_zones(members: sparse.csr_array) -> sparse.csr_array:
    """Return which slices lie in a published zone together."""
    return members.T @ members


def _most_in(
    members: sparse.csr_array, counts: NDArray[np.float64], asked: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the most that each asked slice can hold, given the sums it is part of."""
    most = np.empty(len(asked))
    for k, number in enumerate(asked):
        aim = np.zeros(members.shape[1])
        aim[number] = -1.0
        answer = linprog(aim, A_eq=members, b_eq=counts, bounds=(0, None), method="highs")
        most[k] = np.inf if answer.status == 3 else -answer.fun
    return most


def check_disclosure(
    elements: DataFrame,
    releases: Mapping[str, Series],
    publication: Publication,
    *,
    measure: str = "people",
) -> None:
    """Raise if several releases together expose a slice with few people.

    Parameters
    ----------
    elements, releases, publication, measure
        As for `find_disclosures`; the last release is the new one.

    Raises
    ------
    PublicationError
        If a slice is exposed: the message names the first ones by their zones, and which
        zones of the new release to merge.

    Examples
    --------
    >>> homes = DataFrame({"old": ["A", "A", "B"], "new": ["P", "Q", "Q"], "people": [40, 3, 50]})
    >>> counts = {"old": Series({"A": 43, "B": 50}), "new": Series({"P": 40, "Q": 53})}
    >>> check_disclosure(homes, counts, Publication(name="shared"))
    Traceback (most recent call last):
    gridmap.errors.PublicationError: the releases old and new together expose 1 slices with \
fewer than 10 people: A/Q. Publish new with P+Q merged instead, as merge_zones proposes.
    """
    exposed = find_disclosures(elements, releases, publication, measure=measure)
    if not len(exposed):
        return
    names = list(releases)
    slices = exposed[names].fillna("outside").agg("/".join, axis=1)
    coarser = merge_zones(elements, releases, publication, measure=measure)
    merged = coarser.groupby(coarser).agg(lambda zones: "+".join(zones.index))
    merged = merged[merged.str.contains("+", regex=False)]
    way = (f"Publish {names[-1]} with {listed(merged)} merged instead, as merge_zones proposes."
           if len(merged) else f"Do not publish {names[-1]}: no merging of its zones helps.")
    raise PublicationError(
        f"the releases {' and '.join(names)} together expose {len(exposed):,} slices with fewer "
        f"than {publication.smallest} {measure}: {listed(slices)}. {way}",
        rows=list(slices),
    )


def merge_zones(
    elements: DataFrame,
    releases: Mapping[str, Series],
    publication: Publication,
    *,
    measure: str = "people",
) -> Series:
    """Propose a coarser new release that exposes no slice beside the others.

    Parameters
    ----------
    elements, releases, publication, measure
        As for `find_disclosures`; the last release is the new one.

    Returns
    -------
    Series
        Zone of the new release -> code of the merged zone, the first of its zones. Zones that
        share an exposed old zone are merged, and again until nothing is exposed or nothing
        is left to merge.

    Raises
    ------
    PublicationError
        If a column is absent, or published counts contradict the elements.

    Examples
    --------
    >>> homes = DataFrame({"old": ["A", "A", "B"], "new": ["P", "Q", "Q"], "people": [40, 3, 50]})
    >>> counts = {"old": Series({"A": 43, "B": 50}), "new": Series({"P": 40, "Q": 53})}
    >>> merge_zones(homes, counts, Publication(name="shared")).to_dict()
    {'P': 'P', 'Q': 'P'}
    """
    *others, new = releases
    merged = Series(releases[new].index, index=releases[new].index, dtype="str")
    while True:
        moved = elements.assign(**{new: elements[new].map(merged)})
        counts = _count_anew(moved, releases[new].rename_axis(new), merged, measure)
        trial = {**{name: releases[name] for name in others}, new: counts}
        exposed = find_disclosures(moved, trial, publication, measure=measure)
        joined = _join_zones(moved, exposed, others, new)
        if not len(joined):
            return merged
        merged = merged.replace(joined)


def _count_anew(elements: DataFrame, published: Series, merged: Series, measure: str) -> Series:
    """Return the counts of merged zones; a zone that stayed as it was keeps its own."""
    sizes = merged.value_counts()
    told = elements.groupby(str(published.index.name))[measure].sum()
    alone = published[merged.map(sizes) == 1]
    return pd.concat([alone, told.reindex(sizes.index[sizes > 1]).fillna(0)])


def _join_zones(
    elements: DataFrame, exposed: DataFrame, others: list[str], new: str
) -> dict[str, str]:
    """Join the new zones around each exposed slice; say which zone becomes which.

    A slice that is all of an old zone, in one new zone, is told by what lies beside it there:
    that zone is joined with the next one by code.
    """
    root: dict[str, str] = {}
    zones = np.unique(elements[new].dropna().to_numpy(str))
    for name in others:
        held = elements[[name, new]].dropna().drop_duplicates().groupby(name)[new].agg(list)
        for old, zone in exposed[[name, new]].dropna().itertuples(index=False):
            around = held[old]
            if len(around) == 1 and len(zones) > 1:
                at = int(np.searchsorted(zones, zone))
                around = [str(zones[at + 1 if at + 1 < len(zones) else at - 1])]
            for other in around:
                first, second = sorted((_root(root, zone), _root(root, other)))
                root[second] = first
    return {zone: _root(root, zone) for zone in root if _root(root, zone) != zone}


def _root(root: dict[str, str], zone: str) -> str:
    while root.get(zone, zone) != zone:
        zone = root[zone]
    return zone
