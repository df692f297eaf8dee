"""Elements without a place, given the grid of the building or address that theirs matches."""

from __future__ import annotations

import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame, Series

from .. import ledger
from ..errors import SchemaError
from . import addresses as chinese
from .places import Attachment


def attach_addresses(
    attached: Attachment,
    known: GeoDataFrame,
    *,
    text: str = "address",
    lowest_score: float = 0.6,
) -> Attachment:
    """Give elements that no grid holds the grid of what their address matches.

    Parameters
    ----------
    attached : Attachment
        As from `attach_points` or `attach_elements`; its elements have a column of addresses.
    known : GeoDataFrame, schema ELEMENTS
        Buildings or addresses with a column of addresses, attached to the same grids.
    text : str, default "address"
        The column of addresses in both.
    lowest_score : float, default 0.6
        A match below this is none: 0.5 is no more than the same estate.

    Returns
    -------
    Attachment
        ``elements``: a row that a match was found for has its grid, ``how`` "address", and in
        ``match`` and ``score`` what it is (missing in all other rows). ``rejects``: the rest,
        those without a match noted as such. ``by_grid`` stays as it is: it counts what is on
        the map.

    Raises
    ------
    SchemaError
        If a column is absent.

    See Also
    --------
    match_addresses : The matching itself.
    measure_collected : The share of elements that is on the map.

    Examples
    --------
    >>> from gridmap.attach.points import attach_points
    >>> from gridmap.sketch import sketch_grids, sketch_points
    >>> homes = sketch_points((0.5, 0.5), (9, 9)).assign(address=["甲路1号", "甲路1号2单元"])
    >>> found = attach_points(homes, sketch_grids("AB"))
    >>> told = attach_addresses(found, found.elements)
    >>> told.elements[["grid", "how", "score"]].values.tolist()
    [['A', 'inside', nan], ['A', 'address', 0.85]]
    """
    elements = attached.elements
    link = _check(elements, known, text)
    left = elements.index[elements[link].isna() & elements[text].notna()]
    placed = known[known[link].notna() & known[text].notna()]
    asked = chinese.parse_addresses(elements.loc[left, text])
    found = chinese.match_addresses(asked, chinese.parse_addresses(placed[text]))
    found = found[found["match"].notna() & (found["score"] >= lowest_score)]
    grid = Series(placed[link].reindex(found["match"]).array, found.index)
    told = elements.assign(**{
        link: grid.reindex(elements.index).fillna(elements[link]),
        "how": elements["how"].where(~elements.index.isin(found.index), "address"),
        "match": found["match"].reindex(elements.index),
        "score": found["score"].reindex(elements.index),
    })
    return Attachment(told, attached.by_grid, _rest(attached.rejects, found, left))


def _check(elements: DataFrame, known: DataFrame, text: str) -> str:
    """Return the name of the column of grids."""
    for name, frame in (("attached.elements", elements), ("known", known)):
        if text not in frame:
            raise SchemaError(f"{name}: column {text} is absent. Name it by text=…")
    links = [c for c in ("grid", "unit", "work_grid", "territory") if c in elements]
    if not links or "how" not in elements or links[0] not in known:
        raise SchemaError(
            "attached.elements and known must both be attached to the same polygons: "
            "use attach_elements first"
        )
    return links[0]


def _rest(rejects: DataFrame, found: DataFrame, asked: pd.Index) -> DataFrame:
    """Return the rejects that no address helped, and say so of those that have one."""
    rest = rejects[~rejects["id"].isin(found.index)]
    note = rest["note"].where(~rest["id"].isin(asked),
                              rest["note"] + ", and its address matches none")
    return ledger.join_changes(rest.assign(note=note))
