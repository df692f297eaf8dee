"""Crosswalks: how the grids of one layer are spread over those of another."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import DataFrame, Index, Series

from .. import schema
from ..attach import cutting, locator, places
from ..errors import SchemaError, listed
from . import masses, weights
from .weights import NOBODY, Weights

Ints = NDArray[np.int64]


def build_crosswalk(
    source: GeoDataFrame,
    target: GeoDataFrame,
    *,
    basis: str = "area",
    elements: GeoDataFrame | None = None,
) -> DataFrame:
    """Return the weights by which each source polygon is spread over the target polygons.

    Parameters
    ----------
    source, target : GeoDataFrame
        Valid polygons whose index is called grid, unit, territory or work_grid, in one CRS in
        metres. Either may have gaps and overlaps. Old grids and new ones, for example.
    basis : {"area", "households", "people", "buildings"}, default "area"
        What is spread: land, or what ``elements`` count. Buildings are elements of that kind,
        by their ``count``.
    elements : GeoDataFrame, schema ELEMENTS, optional
        Points, or footprints, which count at a point inside them. Needed unless by area.

    Returns
    -------
    DataFrame, schema CROSSWALK
        Sorted by source and target. The weights of a source add up to exactly 1. What no
        target takes is a row of its own with a missing target, the last of its source.
        ``measured`` says by what: a source in which ``basis`` finds nothing is spread by area.
        A place that several targets cover counts for the one whose code sorts first. One that
        several sources cover counts in each of them; on a mere border, in the first.

    Raises
    ------
    SchemaError
        If a frame does not follow its schema, ``basis`` is unknown or elements are needed.
    CRSError
        If the CRS differ or are not in metres.
    TilingError
        If a polygon is not valid.

    See Also
    --------
    convert : Carry a table over.
    chain_crosswalks : Go on to a third layer.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> old, new = sketch_grids("AAAB"), sketch_grids("PPQ.")
    >>> build_crosswalk(old, new)[["source", "target", "weight"]].round(3).values.tolist()
    [['A', 'P', 0.667], ['A', 'Q', 0.333], ['B', nan, 1.0]]
    >>> homes = sketch_points((0.5, 0.5), (2.2, 0.5), (2.8, 0.5)).assign(households=[2, 1, 1])
    >>> build_crosswalk(old, new, basis="households", elements=homes)["weight"].tolist()
    [0.5, 0.5, 1.0]
    """
    _check(source, target, basis, elements)
    source, target = source.sort_index(), target.sort_index()
    found = _by_area(source, target)
    measured = np.full(len(found.source), "area", dtype=object)
    if basis != "area" and elements is not None:
        lived = _by_mass(source, target, elements, basis)
        bare = ~np.isin(found.source, lived.source)
        found, measured = _put_together(lived, found, bare, basis)
    return write_crosswalk(found, source.index, target.index, basis=basis, measured=measured)


def _check(
    source: GeoDataFrame, target: GeoDataFrame, basis: str, elements: GeoDataFrame | None
) -> None:
    if basis not in masses.BASES:
        raise SchemaError(f"basis is {basis!r}: {' or '.join(masses.BASES)} is needed")
    places.check_holders(source)
    places.check_holders(target)
    schema.check_metric_crs(source=source, target=target)
    if basis == "area":
        return
    if elements is None:
        raise SchemaError(f"a crosswalk by {basis} needs elements that count them")
    masses.check_elements(elements, (basis,))
    schema.check_metric_crs(source=source, elements=elements)


def _by_area(source: GeoDataFrame, target: GeoDataFrame) -> Weights:
    shapes, others = source.geometry.to_numpy(), target.geometry.to_numpy()
    row, position = shapely.STRtree(others).query(shapes, predicate="intersects")
    area = shapely.area(shapely.intersection(shapes[row], others[position]))
    whole = shapely.area(shapes)
    taken = np.bincount(row, area, minlength=len(shapes))
    lapped = np.flatnonzero(taken > whole * (1 + cutting.QUANTUM))
    if len(lapped):  # where targets overlap, the first of them has the common part
        kept = ~np.isin(row, lapped)
        ready = locator.build_locator(target, engine="geos")
        pieces = cutting.cut_footprints(shapes[lapped], ready)
        share = pieces.share * whole[lapped[pieces.row]]
        row = np.r_[row[kept], lapped[pieces.row]]
        position = np.r_[position[kept], pieces.position]
        area = np.r_[area[kept], share]
        taken[lapped] = whole[lapped]
    left = whole - taken
    left[left < whole * cutting.QUANTUM] = 0  # the rounding of areas
    every = np.arange(len(shapes))
    return weights.share_masses(
        np.r_[row, every].astype(np.int64),
        np.r_[position, np.full(len(every), NOBODY)].astype(np.int64), np.r_[area, left])


def _by_mass(
    source: GeoDataFrame, target: GeoDataFrame, elements: GeoDataFrame, basis: str
) -> Weights:
    counted = masses.count_places(elements, (basis,))
    taken = masses.find_holder(target, counted)
    row, held = find_all_holders(source, counted)
    return weights.share_masses(held, taken[row], counted.mass[basis][row])


def find_all_holders(source: GeoDataFrame, counted: masses.Counted) -> tuple[Ints, Ints]:
    """Return each place with every polygon it lies in; on a border, with the first one.

    Parameters
    ----------
    source : GeoDataFrame
        Polygons in order of their codes; they may overlap.
    counted : masses.Counted

    Returns
    -------
    row, position : array of int
        Pairs of a place and a polygon, each once.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> grids = sketch_grids("AB")
    >>> wider = grids.set_geometry(grids.buffer([0.25, 0.0], join_style="mitre"))
    >>> homes = masses.count_places(sketch_points((1.1, 0.5), (1.25, 0.5)), ())
    >>> [part.tolist() for part in find_all_holders(wider, homes)]
    [[0, 0, 1], [0, 1, 1]]
    """
    first = masses.find_holder(source, counted)
    shapes = source.geometry.to_numpy()
    row = np.flatnonzero(first != NOBODY)
    position = first[row]
    if shapely.coverage_is_valid(shapes):
        return row, position
    points = shapely.points(counted.x, counted.y)
    inner, holder = shapely.STRtree(shapes).query(points, predicate="within")
    # a place in the interior of some polygon is not also held by one whose border it is on
    loose = ~np.isin(row, inner)
    return np.r_[inner, row[loose]], np.r_[holder, position[loose]].astype(np.int64)


def _put_together(
    lived: Weights, land: Weights, bare: NDArray[np.bool_], basis: str
) -> tuple[Weights, NDArray[np.object_]]:
    """Let sources in which nothing was counted be spread by area."""
    parts = [np.r_[one, other[bare]] for one, other in zip(lived, land, strict=True)]
    order = np.argsort(parts[0], kind="stable")
    measured = np.r_[np.full(len(lived.source), basis, dtype=object),
                     np.full(bare.sum(), "area", dtype=object)]
    return Weights(*(part[order] for part in parts)), measured[order]


def write_crosswalk(
    found: Weights, sources: Index, targets: Index, *, basis: str, measured: NDArray[np.object_]
) -> DataFrame:
    """Return weights as a frame with codes.

    Examples
    --------
    >>> one = np.zeros(1, dtype=np.int64)
    >>> found = Weights(one, one, np.ones(1))
    >>> codes = Index(["A"])
    >>> write_crosswalk(found, codes, codes, basis="area",
    ...                 measured=np.array(["area"])).values.tolist()
    [['A', 'A', 1.0, 'area', 'area']]
    """
    number = pd.RangeIndex(len(found.source), name=schema.CROSSWALK.index)
    taken = pd.api.extensions.take(targets.astype("str").array, found.target, allow_fill=True)
    columns = {"source": sources.astype("str").array.take(found.source), "target": taken,
               "weight": found.weight}
    return DataFrame(columns, index=number).assign(
        basis=Series(basis, number, dtype="str"),
        measured=Series(measured, number, dtype="str"),
    )


def chain_crosswalks(first: DataFrame, *others: DataFrame) -> DataFrame:
    """Return the crosswalk from the sources of the first to the targets of the last.

    Parameters
    ----------
    first, *others : DataFrame, schema CROSSWALK
        Each of one basis; the sources of each are the targets of the one before, as when the
        grids of three years follow each other.

    Returns
    -------
    DataFrame, schema CROSSWALK
        With the basis of the first. What is left over on the way is left over in the end.

    Raises
    ------
    SchemaError
        If a crosswalk does not follow its schema, or knows nothing of a target before it.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> one, two, three = sketch_grids("AB"), sketch_grids("PQ"), sketch_grids("XX")
    >>> chain_crosswalks(build_crosswalk(one, two),
    ...                  build_crosswalk(two, three))[["source", "target"]].values.tolist()
    [['A', 'X'], ['B', 'X']]
    """
    check_crosswalk(first)
    whole = first
    for nth, step in enumerate(others, start=2):
        check_crosswalk(step)
        strangers = whole["target"][~whole["target"].isin(step["source"])].dropna().unique()
        if len(strangers):
            raise SchemaError(
                f"crosswalk {nth} knows nothing of {listed(sorted(strangers))}, to which the one "
                "before it leads. Chain crosswalks in the order of the layers.",
                rows=[str(code) for code in strangers],
            )
        whole = _chain(whole, step)
    return whole


def _chain(first: DataFrame, second: DataFrame) -> DataFrame:
    kept = first[first["target"].notna()]
    ways = kept.merge(second[["source", "target", "weight"]], left_on="target",
                      right_on="source", suffixes=("", "_then"))
    lost = first[first["target"].isna()]
    codes = Index(sorted(first["source"].unique()), dtype="str")
    targets = Index(sorted(second["target"].dropna().unique()), dtype="str")
    begin = np.r_[codes.get_indexer(ways["source"]), codes.get_indexer(lost["source"])]
    end = np.r_[targets.get_indexer(ways["target_then"]), np.full(len(lost), NOBODY)]
    mass = np.r_[ways["weight"] * ways["weight_then"], lost["weight"]]
    found = weights.share_masses(begin.astype(np.int64), end.astype(np.int64), mass)
    by = first.get("measured", first["basis"]).groupby(first["source"]).first()
    return write_crosswalk(found, codes, targets, basis=str(first["basis"].iloc[0]),
                           measured=by.reindex(codes).to_numpy(dtype=object)[found.source])


def check_crosswalk(crosswalk: DataFrame) -> None:
    """Raise unless the weights of every source add up to 1, by a single basis.

    Raises
    ------
    SchemaError
        If not, or if it does not follow its schema.

    Examples
    --------
    >>> from gridmap.sketch import sketch_grids
    >>> good = build_crosswalk(sketch_grids("AB"), sketch_grids("PP"))
    >>> check_crosswalk(good)
    >>> check_crosswalk(good.assign(weight=0.5))
    Traceback (most recent call last):
    gridmap.errors.SchemaError: crosswalk: weights do not add up to 1 for A, B
    """
    schema.check_frame(crosswalk, schema.CROSSWALK, argument="crosswalk")
    bases = sorted(crosswalk["basis"].unique())
    if len(bases) > 1:
        raise SchemaError(
            f"crosswalk: it goes by {listed(bases)} at once. Choose one: "
            f"crosswalk[crosswalk['basis'] == {bases[0]!r}]"
        )
    total = crosswalk.groupby("source")["weight"].sum()
    off = total.index[(total - 1).abs() > 1e-6]
    if len(off):
        raise SchemaError(f"crosswalk: weights do not add up to 1 for {listed(off)}",
                          rows=[str(code) for code in off])
