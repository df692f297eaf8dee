"""TopoJSON: shared arcs to geometry of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import SourceError, listed
from .limits import USUAL

Arcs = list[NDArray[np.float64]]


def features(whole: dict[str, Any], layer: str | None, path: Path) -> list[dict[str, Any]]:
    """Return the features of a topology as GeoJSON has them.

    Parameters
    ----------
    whole : dict
        The parsed topology.
    layer : str or None
        Object to read; needed where there are several.
    path : Path
        For messages.

    Returns
    -------
    list of dict
        A geometry whose arcs are damaged is missing.

    Raises
    ------
    SourceError
        If there is no such object, or none is named of several, or arcs are absent.

    References
    ----------
    M. Bostock and C. Metcalf, The TopoJSON Format Specification, version 1.0.

    Examples
    --------
    >>> whole = {"arcs": [[[0, 0], [1, 0], [0, 1]]], "objects": {"roads": {
    ...     "type": "LineString", "arcs": [0], "properties": {"kind": "street"}}},
    ...     "transform": {"scale": [10, 10], "translate": [100, 0]}}
    >>> features(whole, None, Path("roads.json"))[0]["geometry"]["coordinates"]
    [[100.0, 0.0], [110.0, 0.0], [110.0, 10.0]]
    """
    objects = whole.get("objects")
    if not isinstance(objects, dict) or not objects or not isinstance(whole.get("arcs"), list):
        raise SourceError(f"{path} is a topology without objects or arcs")
    if layer is None and len(objects) > 1:
        raise SourceError(
            f"{path} has {len(objects)} layers: name one with layer = \"…\". They are "
            f"{listed(objects, show=20)}"
        )
    name = layer or next(iter(objects))
    if name not in objects:
        names = listed(objects, show=20)
        raise SourceError(f"{path} has no layer {layer!r}. Its layers are {names}")
    arcs = _arcs(whole)
    members = objects[name]
    if isinstance(members, dict) and members.get("type") == "GeometryCollection":
        members = members.get("geometries", [])
    members = members if isinstance(members, list) else [members]
    return [_feature(member, arcs, whole.get("transform")) for member in members]


def _arcs(whole: dict[str, Any]) -> Arcs:
    """Decode the arcs: with a transform they are whole numbers, each the step from the last."""
    transform = whole.get("transform")
    decoded = []
    for arc in whole["arcs"]:
        try:
            places = np.array([position[:2] for position in arc], dtype="float64").reshape(-1, 2)
        except (TypeError, ValueError):
            places = np.empty((0, 2))
        if isinstance(transform, dict):
            places = np.cumsum(places, axis=0) * transform["scale"] + transform["translate"]
        decoded.append(places)
    return decoded


def _feature(member: Any, arcs: Arcs, transform: Any) -> dict[str, Any]:
    if not isinstance(member, dict):
        return {"type": "Feature", "properties": {}, "geometry": None}
    feature = {"type": "Feature", "properties": member.get("properties") or {}}
    if "id" in member:
        feature["id"] = member["id"]
    try:
        return {**feature, "geometry": _geometry(member, arcs, transform)}
    except (IndexError, TypeError, ValueError, KeyError):
        return {**feature, "geometry": None}


def _geometry(member: dict[str, Any], arcs: Arcs, transform: Any) -> dict[str, Any] | None:
    kind = member.get("type")
    if kind is None:
        return None
    if kind == "GeometryCollection":
        parts = [_geometry(part, arcs, transform) for part in member["geometries"]]
        return {"type": kind, "geometries": parts}
    if kind in ("Point", "MultiPoint"):
        places = np.array(member["coordinates"], dtype="float64")
        if isinstance(transform, dict):
            places = places * transform["scale"] + transform["translate"]
        return {"type": kind, "coordinates": places.tolist()}
    depth = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}[kind]
    return {"type": kind, "coordinates": _lines(member["arcs"], arcs, depth)}


def _lines(numbers: list[Any], arcs: Arcs, depth: int) -> list[Any]:
    if depth:
        return [_lines(part, arcs, depth - 1) for part in numbers]
    return _line(numbers, arcs).tolist()


def _line(numbers: list[int], arcs: Arcs) -> NDArray[np.float64]:
    """Join arcs end to end; a negative number is an arc walked backwards."""
    parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
    if sum(map(len, parts)) > USUAL.vertices:
        raise ValueError("more places than a shape may have")
    return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])
