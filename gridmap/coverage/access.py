"""How far the capacity of assets goes, shared among all whom they reach."""

from __future__ import annotations

import numpy as np
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from pandas import Series

from .. import schema
from ..errors import SchemaError
from . import network, pairs
from .network import Network
from .pairs import Roads
from .walking import Pairs

Floats = NDArray[np.float64]


def measure_access(
    elements: GeoDataFrame, assets: GeoDataFrame, *, along: Network | None = None
) -> Series:
    """Measure how much capacity there is for each household of every element.

    The two-step floating catchment area: an asset shares its capacity among all households
    in its reach, and a household adds up the shares of all assets that reach it. At 1 the
    capacity suffices for everybody there.

    Parameters
    ----------
    elements : GeoDataFrame, schema ELEMENTS
        With ``households``, in a CRS in metres; footprints count at their centre.
    assets : GeoDataFrame, schema ASSETS
        One kind, in the same CRS, with ``capacity``; those without one give nothing.
    along : Network, optional
        Measure reach along its roads; by default in a straight line.

    Returns
    -------
    Series
        ``capacity_each``, one value for every element; 0 where no asset reaches it, missing
        where it has no place.

    Raises
    ------
    SchemaError
        If a column is absent.
    CRSError
        If the CRS differ or are not in metres.

    References
    ----------
    W. Luo and F. Wang (2003), "Measures of spatial accessibility to health care in a GIS
    environment".

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> homes = sketch_points((0, 0), (2, 0), (9, 0)).assign(households=[30, 10, 10])
    >>> clinics = sketch_points((1, 0), kind="clinic").assign(radius_m=3.0, capacity=20)
    >>> measure_access(homes, clinics.rename_axis("asset")).tolist()
    [0.5, 0.5, 0.0]
    """
    schema.check_frame(assets, schema.ASSETS, argument="assets")
    schema.check_metric_crs(elements=elements, assets=assets)
    absent = [f"{name}: column {column} is absent" for name, frame, column in
              (("elements", elements, "households"), ("assets", assets, "capacity"))
              if column not in frame]
    if absent:
        raise SchemaError(f"{'; '.join(absent)}. Access is capacity for each household.")
    centres = elements.geometry.centroid
    placed = ~(centres.isna() | centres.is_empty).to_numpy()
    xy = np.column_stack([centres.x, centres.y])[placed]
    roads = None if along is None else Roads(along, network.find_spots(along, xy))
    places = assets[~assets.geometry.isna() & ~assets.geometry.is_empty].sort_index()
    found = pairs.find_pairs(xy, places, roads)
    households = elements["households"].fillna(0).to_numpy(dtype="float64")[placed]
    supply = np.full(len(elements), np.nan)
    supply[placed] = sum_supply(households, places, found)
    return Series(supply, index=elements.index, name="capacity_each")


def sum_supply(households: Floats, assets: GeoDataFrame, found: Pairs) -> Floats:
    """Share the capacity of assets among the households that each reaches.

    Parameters
    ----------
    households : array of float
        At each place.
    assets : GeoDataFrame
        With ``capacity``.
    found : Pairs
        Which of them reach which places.

    Returns
    -------
    array of float
        Capacity for each household of every place; an asset that reaches nobody gives none.

    Examples
    --------
    >>> from gridmap.sketch import sketch_points
    >>> clinics = sketch_points((0, 0)).assign(capacity=20.0)
    >>> found = Pairs(np.array([0]), np.array([0]), np.array([1.0]))
    >>> sum_supply(np.array([40.0, 9.0]), clinics, found).tolist()
    [0.5, 0.0]
    """
    capacity = assets["capacity"].fillna(0).to_numpy(dtype="float64")
    asked = np.bincount(found.source, weights=households[found.place], minlength=len(assets))
    each = np.divide(capacity, asked, out=np.zeros(len(assets)), where=asked > 0)
    supply: Floats = np.bincount(
        found.place, weights=each[found.source], minlength=len(households)).astype("float64")
    return supply
