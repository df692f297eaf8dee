"""Small drawn frames, so that examples and tests can be checked by hand.

A drawing is rows of letters, north at the top, one letter for each square of one metre.
The same letter in several squares makes one polygon; a dot is left blank.
"""

from __future__ import annotations

from pathlib import Path

import geopandas
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

CRS = "EPSG:32651"


def sketch_polygons(*rows: str, side_m: float = 1.0) -> geopandas.GeoSeries:
    """Draw polygons from letters.

    Parameters
    ----------
    *rows : str
        The northernmost first; a shorter row is blank at its end. A letter is a square of
        the polygon with that letter, a dot or blank is nothing.
    side_m : float, default 1.0
        Side of a square in metres.

    Returns
    -------
    GeoSeries
        Polygons indexed by letter in sorted order, lower left corner at (0, 0), EPSG:32651.

    Examples
    --------
    >>> sketch_polygons("AAB", "ACB").area.to_dict()
    {'A': 3.0, 'B': 2.0, 'C': 1.0}
    """
    squares: dict[str, list[shapely.Polygon]] = {}
    for y, row in enumerate(reversed(rows)):
        for x, letter in enumerate(row):
            if letter not in ". ":
                box = shapely.box(x * side_m, y * side_m, (x + 1) * side_m, (y + 1) * side_m)
                squares.setdefault(letter, []).append(box)
    letters = pd.Index(sorted(squares), dtype="str")
    shapes = [shapely.normalize(shapely.coverage_union_all(squares[k])) for k in letters]
    return geopandas.GeoSeries(shapes, index=letters, crs=CRS)


def sketch_grids(*rows: str, side_m: float = 1.0, territory: str = "T") -> GeoDataFrame:
    """Draw grids, schema GRIDS, with one household and two people to a square.

    Parameters
    ----------
    *rows : str
        The drawing, as in `sketch_polygons`.
    side_m : float, default 1.0
        Side of a square in metres.
    territory : str, default "T"
        The territory of all grids.

    Returns
    -------
    GeoDataFrame, schema GRIDS

    Examples
    --------
    >>> sketch_grids("AAB")[["households", "area_m2"]].values.tolist()
    [[2.0, 2.0], [1.0, 1.0]]
    """
    units = sketch_units(*rows, side_m=side_m, territory=territory)
    units.index.name = "grid"
    return units.assign(kind="comprehensive", area_m2=units.area)


def sketch_units(*rows: str, side_m: float = 1.0, territory: str = "T") -> GeoDataFrame:
    """Draw units, schema UNITS, with one household and two people to a square.

    Parameters
    ----------
    *rows : str
        The drawing, as in `sketch_polygons`.
    side_m : float, default 1.0
        Side of a square in metres.
    territory : str, default "T"
        The territory of all units.

    Returns
    -------
    GeoDataFrame, schema UNITS

    Examples
    --------
    >>> sketch_units("AAB")["people"].to_dict()
    {'A': 4, 'B': 2}
    """
    shapes = sketch_polygons(*rows, side_m=side_m)
    squares = (shapes.area / side_m**2).round().astype("int64")
    units = GeoDataFrame(
        {"territory": territory, "kind": "block", "households": squares, "people": 2 * squares},
        geometry=shapes,
        crs=CRS,
    )
    units["territory"] = units["territory"].astype("str")
    units.index.name = "unit"
    return units


def sketch_points(*places: tuple[float, float], kind: str = "address") -> GeoDataFrame:
    """Draw elements at given places, schema ELEMENTS, called e0, e1, and so on.

    Parameters
    ----------
    *places : (float, float)
        x and y in metres.
    kind : str, default "address"
        The kind of all of them.

    Returns
    -------
    GeoDataFrame, schema ELEMENTS

    Examples
    --------
    >>> sketch_points((0.5, 0.5), (9.0, 9.0))["count"].to_dict()
    {'e0': 1, 'e1': 1}
    """
    names = pd.Index([f"e{i}" for i in range(len(places))], dtype="str", name="element")
    elements = GeoDataFrame(
        {"kind": pd.Series(kind, index=names, dtype="str"),
         "count": pd.Series(1, index=names, dtype="int64")},
        geometry=geopandas.GeoSeries([shapely.Point(*p) for p in places], index=names),
        crs=CRS,
    )
    return elements


def save_sketch(folder: str | Path, *rows: str) -> Path:
    """Write a drawn town as files and a ``gridmap.toml`` to run on them.

    Parameters
    ----------
    folder : str or Path
        Where to write; it is made if need be.
    *rows : str
        The units, as in `sketch_polygons`; by default four of two households each.

    Returns
    -------
    Path
        The folder, with units, an address in the middle of each, and a profile that asks
        for grids of three to five households.

    Examples
    --------
    >>> import tempfile
    >>> folder = save_sketch(tempfile.mkdtemp())
    >>> sorted(file.name for file in folder.iterdir())
    ['gridmap.toml', 'homes.csv', 'profile.toml', 'units.csv']
    """
    where = Path(folder)
    where.mkdir(parents=True, exist_ok=True)
    units = sketch_units(*(rows or ("AABB", "CCDD")), side_m=100.0)
    middles = units.representative_point()
    homes = DataFrame({"x": middles.x, "y": middles.y})
    flat = DataFrame(units.drop(columns="geometry")).assign(wkt=units.to_wkt()["geometry"])
    for name, table in (("units", flat), ("homes", homes)):
        table.to_csv(where / f"{name}.csv", lineterminator="\n")
    (where / "profile.toml").write_text(_PROFILE, encoding="utf-8")
    (where / "gridmap.toml").write_text(_PROJECT, encoding="utf-8")
    return where


_PROFILE = """title = "Drawn town"
[size]
minimum = 3
target = 4
maximum = 5
"""

_PROJECT = """[run]
name = "Drawn town"
profile = "profile.toml"
[units]
path = "units.csv"
columns = { unit = "unit", territory = "territory", households = "households", people = "people", \
wkt = "wkt" }
crs = "EPSG:32651"
territories = true
[[elements]]
path = "homes.csv"
columns = { element = "unit", x = "x", y = "y" }
constants = { kind = "address", count = 1 }
crs = "EPSG:32651"
"""
