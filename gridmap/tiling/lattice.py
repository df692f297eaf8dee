"""Regular squares and hexagons, clipped to territories, with codes that tell their place."""

from __future__ import annotations

import re
from collections.abc import Iterable

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from pandas import Series

from .. import schema
from ..errors import CodeError, TilingError, listed
from . import frames, mesh
from .rings import Floats, Ints, Shapes

#: The CRS of the European reference grid, in which its codes count metres.
EUROPE = "EPSG:3035"
SHAPES = ("square", "hexagon")
ORDERS = ("NE", "EN", "long")

_SHORT = re.compile(r"(\d+)(km|m)(?:N(-?\d+)E(-?\d+)|E(-?\d+)N(-?\d+))")
_LONG = re.compile(r"CRS3035RES(\d+)mN(-?\d+)E(-?\d+)")


def build_lattice(
    territories: GeoDataFrame,
    size_m: float,
    *,
    shape: str = "square",
    order: str = "NE",
    origin: tuple[float, float] = (0.0, 0.0),
) -> GeoDataFrame:
    """Lay regular cells over territories, cut at their borders.

    Codes are laid out like those of the European reference grid, and are such where the
    territories are in EPSG:3035 and the cells are squares from the origin (0, 0):
    ``1kmN2599E4695`` is the square of 1 km whose lower left corner is 2,599 km north and
    4,695 km east. A hexagon is called by its row and column, as ``hex1kmN12E7``.

    Parameters
    ----------
    territories : GeoDataFrame, schema TERRITORIES
        A tiling, in a CRS in metres.
    size_m : float
        Side of a square, or width of a hexagon from side to side; whole metres.
    shape : {"square", "hexagon"}, default "square"
        Hexagons stand on a corner, in rows of equal northing.
    order : {"NE", "EN", "long"}, default "NE"
        Whether a code names the northing or the easting first, or is written out as
        ``CRS3035RES1000mN2599000E4695000``, which stands for squares in EPSG:3035 only.
    origin : (float, float), default (0, 0)
        Easting and northing where the first cell begins.

    Returns
    -------
    GeoDataFrame, schema UNITS
        One row for each piece of a cell in one territory, sorted by code: ``territory``,
        ``kind`` ("lattice"), ``cell`` (the code of the whole cell), ``households`` and
        ``people`` (both 0). The index is the code of the territory, a dash and that of
        the cell. A piece may have several parts. The pieces of a territory tile it.

    Raises
    ------
    SchemaError, CRSError
        If territories do not follow their schema, or are not in metres.
    CodeError
        If ``size_m`` is not a whole number of metres, so that no code can tell it, or long
        codes are asked for elsewhere than in the European reference grid.

    See Also
    --------
    build_h3_lattice : Cells of H3.
    build_lattice_cells : Whole cells, from codes.

    References
    ----------
    INSPIRE Thematic Working Group, D2.8.I.2 Data Specification on Geographical Grid
    Systems, 2014, for the codes.

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> shapes = sketch_polygons("TTU", side_m=1000.0)
    >>> towns = shapes.to_frame("geometry").rename_axis("territory")
    >>> lattice = build_lattice(towns.assign(level="town", parent=None), 2000)
    >>> lattice["cell"].to_dict()
    {'T-2kmN0E0': '2kmN0E0', 'U-2kmN0E1': '2kmN0E1'}
    """
    _check_choice("shape", shape, SHAPES)
    _check_choice("order", order, ORDERS)
    if size_m <= 0 or size_m != int(size_m):
        raise CodeError(f"size_m is {size_m:,g}: whole metres above 0 are needed for the codes")
    schema.check_frame(territories, schema.TERRITORIES, argument="territories")
    schema.check_metric_crs(territories=territories)
    _check_long(territories, order, shape, origin)
    territories = territories.sort_index()
    land = frames.shapes_of(territories)
    local = shapely.bounds(land)
    box = np.r_[local[:, :2].min(axis=0), local[:, 2:].max(axis=0)] - np.tile(origin, 2)
    edges = _square_edges(box, size_m) if shape == "square" else _hexagon_edges(box, size_m)
    edges = shapely.transform(edges, lambda xy: xy + origin)
    faces, inner, owner = cut_land(land, edges)
    xy = inner - origin
    row, column = _square_of(xy, size_m) if shape == "square" else _hexagon_of(xy, size_m)
    cell = _codes(row, column, int(size_m), order, prefix="" if shape == "square" else "hex")
    return join_pieces(faces, owner, cell, territories)


def build_lattice_cells(codes: Iterable[str]) -> GeoDataFrame:
    """Make the squares that codes of the European reference grid stand for.

    Both orders are read, ``1kmN2599E4695`` and ``1kmE4695N2599``, and the long form
    ``CRS3035RES1000mN2599000E4695000``.

    Parameters
    ----------
    codes : iterable of str
        Codes, each once.

    Returns
    -------
    GeoDataFrame
        In the order of the codes, indexed by them (``cell``): ``size_m``, ``northing`` and
        ``easting`` (of the lower left corner, in metres) and the square, in EPSG:3035.

    Raises
    ------
    CodeError
        If codes are in none of these forms; ``rows`` has them all.

    Examples
    --------
    >>> cells = build_lattice_cells(["1kmN2599E4695", "1kmE4695N2599", "100mN25990E46950"])
    >>> cells[["size_m", "northing", "easting"]].values.tolist()
    [[1000, 2599000, 4695000], [1000, 2599000, 4695000], [100, 2599000, 4695000]]
    """
    names = [str(code) for code in codes]
    corners = [_corner(name) for name in names]
    odd = [name for name, corner in zip(names, corners, strict=True) if corner is None]
    if odd:
        raise CodeError(
            f"codes of lattice cells are not readable: {listed(odd)}. Expected are forms like "
            "1kmN2599E4695, 1kmE4695N2599 or CRS3035RES1000mN2599000E4695000.",
            rows=odd,
        )
    index = pd.Index(names, dtype="str", name="cell")
    numbers = np.array(corners, dtype="int64").reshape(-1, 3)
    size, north, east = numbers.T
    squares = shapely.box(east, north, east + size, north + size)
    return GeoDataFrame({"size_m": size, "northing": north, "easting": east}, index=index,
                        geometry=geopandas.GeoSeries(squares, index=index, crs=EUROPE))


def _check_long(
    territories: GeoDataFrame, order: str, shape: str, origin: tuple[float, float]
) -> None:
    europe = territories.crs.to_epsg() == 3035 and shape == "square" and not any(origin)
    if order == "long" and not europe:
        raise CodeError(
            'order is "long": such codes stand for squares from (0, 0) in EPSG:3035. Bring '
            'territories there with to_crs(3035), or choose "NE" or "EN"'
        )


def _check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise TilingError(f"{name} is {value!r}: expected {' or '.join(known)}")


def _corner(code: str) -> tuple[int, int, int] | None:
    """Size, northing and easting in metres; None where the code is in no known form."""
    long = _LONG.fullmatch(code)
    if long:
        size, north, east = map(int, long.groups())
        return size, north, east
    short = _SHORT.fullmatch(code)
    if not short or not int(short[1]):
        return None
    size = int(short[1]) * (1000 if short[2] == "km" else 1)
    rows, columns = (short[3], short[4]) if short[3] else (short[6], short[5])
    return size, int(rows) * size, int(columns) * size


def cut_land(land: Shapes, edges: Shapes) -> tuple[Shapes, Floats, Ints]:
    """Cut polygons by lines; return the pieces, a point in each, and whose they are.

    Examples
    --------
    >>> square = np.array([shapely.box(0, 0, 2, 2)])
    >>> cut = np.array([shapely.LineString([(1, -1), (1, 3)])])
    >>> pieces, inner, owner = cut_land(square, cut)
    >>> shapely.area(pieces).tolist(), inner[:, 0].tolist(), owner.tolist()
    ([2.0, 2.0], [0.5, 1.5], [0, 0])
    """
    walls = shapely.get_rings(shapely.get_parts(land))
    faces = mesh.build_faces(np.concatenate([walls, edges]))
    inner = shapely.point_on_surface(faces)
    owner = mesh.lowest(len(faces), *shapely.STRtree(land).query(inner, predicate="intersects"))
    mine = owner >= 0
    return faces[mine], shapely.get_coordinates(inner[mine]), owner[mine]


def _codes(row: Ints, column: Ints, size: int, order: str, *, prefix: str) -> list[str]:
    if order == "long":
        return [f"CRS3035RES{size}mN{n * size}E{e * size}"
                for n, e in zip(row, column, strict=True)]
    label = prefix + (f"{size // 1000}km" if size % 1000 == 0 else f"{size}m")
    if order == "NE":
        return [f"{label}N{n}E{e}" for n, e in zip(row, column, strict=True)]
    return [f"{label}E{e}N{n}" for n, e in zip(row, column, strict=True)]


def _square_edges(box: Floats, size: float) -> Shapes:
    """Lines of a square lattice, with a vertex at every crossing."""
    west, south = np.floor(box[:2] / size).astype("int64")
    east, north = np.ceil(box[2:] / size).astype("int64")
    xs, ys = np.arange(west, east + 1) * size, np.arange(south, north + 1) * size
    up = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1)
    across = up.swapaxes(0, 1)
    return np.concatenate([shapely.linestrings(up), shapely.linestrings(across)])


def _square_of(xy: Floats, size: float) -> tuple[Ints, Ints]:
    column, row = np.floor(xy / size).astype("int64").T
    return row, column


def _hexagon_edges(box: Floats, size: float) -> Shapes:
    """Edges of hexagons that stand on a corner; all vertices lie on one fine lattice.

    Counted in half widths and quarters of the height, every vertex has whole numbers, so
    that hexagons share it to the last bit.
    """
    half, quarter = size / 2, size / np.sqrt(3) / 2
    columns = np.arange(np.floor(box[0] / size) - 1, np.ceil(box[2] / size) + 2)
    rows = np.arange(np.floor(box[1] / quarter / 3) - 1, np.ceil(box[3] / quarter / 3) + 2)
    row, column = (some.ravel().astype("int64") for some in np.meshgrid(rows, columns))
    x, y = 2 * column + row % 2, 3 * row
    # three of the six edges: the neighbours have the others
    corners = np.array([[0, 2], [1, 1], [1, -1], [0, -2]])
    ring = np.stack([x, y], axis=1)[:, None, :] + corners
    return np.asarray(shapely.linestrings(ring * (half, quarter)))


def _hexagon_of(xy: Floats, size: float) -> tuple[Ints, Ints]:
    """Row and column of the hexagon whose middle is nearest."""
    quarter = size / np.sqrt(3) / 2
    near = np.floor(xy[:, 1] / (3 * quarter)).astype("int64")
    rows = near[:, None] + (0, 1)
    shift = (rows % 2) / 2
    columns = np.round(xy[:, :1] / size - shift).astype("int64")
    dx = xy[:, :1] - (columns + shift) * size
    dy = xy[:, 1:] - rows * 3 * quarter
    best = np.argmin(dx**2 + dy**2, axis=1)[:, None]
    return (np.take_along_axis(rows, best, 1)[:, 0],
            np.take_along_axis(columns, best, 1)[:, 0])


def join_pieces(
    faces: Shapes, owner: Ints, cell: list[str], territories: GeoDataFrame
) -> GeoDataFrame:
    """Put the pieces of each cell in each territory together, as units.

    Examples
    --------
    >>> from gridmap.sketch import sketch_polygons
    >>> shapes = sketch_polygons("T")
    >>> towns = shapes.to_frame("geometry").rename_axis("territory")
    >>> join_pieces(shapes.to_numpy(), np.array([0]), ["c"], towns).index.tolist()
    ['T-c']
    """
    codes = territories.index.to_numpy()[owner]
    names = pd.Index([f"{code}-{name}" for code, name in zip(codes, cell, strict=True)])
    label, unique = pd.factorize(names, sort=True)
    first = np.unique(label, return_index=True)[1]
    shapes = mesh.dissolve(faces, label.astype("int64")).to_numpy(dtype=object)
    index = pd.Index(unique, dtype="str", name="unit")
    return GeoDataFrame(
        {"territory": Series(codes[first], index=index, dtype="str"),
         "kind": Series("lattice", index=index, dtype="str"),
         "cell": Series(np.array(cell, dtype=object)[first], index=index, dtype="str"),
         "households": Series(0, index=index, dtype="int64"),
         "people": Series(0, index=index, dtype="int64")},
        geometry=geopandas.GeoSeries(shapes, index=index, crs=territories.crs),
    )
