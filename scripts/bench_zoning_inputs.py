"""Seeded inputs of bench_zoning.py: meshes of units with households, towns and barriers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import geopandas
import numpy as np
import pandas as pd
import shapely
from geopandas import GeoDataFrame
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

import gridmap
from gridmap.zoning.graph import UnitGraph, build_graph, find_parts, keep_arcs

CRS = 32651
UNITS_PER_GRID = 30
HOUSEHOLDS = 400.0
MESHES = {"tiny": 300, "2k": 2_000, "20k": 20_000, "hard": 20_000, "200k": 200_000,
          "1m": 1_000_000}
#: Real territories: the least households of a grid, the target, and the most.
REAL = {"liechtenstein": (100, 125, 150), "ayrshire": (300, 400, 500), "chiayi": (300, 400, 500),
        "taichung": (300, 400, 500)}


class Mesh(NamedTuple):
    """Units as arrays: what every partitioner takes."""

    start: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    length: NDArray[np.float64]
    barrier: NDArray[np.float64]  # 1 on arcs along a barrier
    mass: NDArray[np.float64]
    area: NDArray[np.float64]
    outline: NDArray[np.float64]
    place: NDArray[np.float64]
    community: NDArray[np.int64]

    @property
    def grids(self) -> int:
        """How many grids the mesh is made for."""
        return round(len(self.mass) / UNITS_PER_GRID)

    @property
    def source(self) -> NDArray[np.int64]:
        """The unit that each arc starts from."""
        return np.repeat(np.arange(len(self.mass)), np.diff(self.start))


def save_mesh(mesh: Mesh, path: Path) -> None:
    np.savez(path, **mesh._asdict())


def load_mesh(path: Path) -> Mesh:
    table = np.load(path)
    return Mesh(**{name: table[name] for name in Mesh._fields})


def make_inputs(folder: Path, meshes: list[str], real: Path | None) -> None:
    """Write what is not there yet: meshes made from a seed, and real territories."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in meshes:
        if name not in REAL and not (folder / f"{name}.npz").exists():
            spread, empty, cap = (1.4, 0.6, 3.0) if name == "hard" else (0.9, 0.4, 0.5)
            units, mesh = make_units(MESHES[name], spread=spread, empty=empty, cap=cap)
            if name == "200k":
                units.to_parquet(folder / "200k.parquet")
            save_mesh(mesh, folder / f"{name}.npz")
    for name in REAL:
        if real and not (folder / f"{name}.npz").exists():
            save_mesh(mesh_of(load_real(real, name)), folder / f"{name}.npz")


def make_units(
    size: int, *, seed: int = 20261123, spread: float = 0.9, empty: float = 0.4, cap: float = 0.5
) -> tuple[GeoDataFrame, Mesh]:
    """Make Voronoi cells that crowd around towns, with log-normal households.

    ``empty`` of the cells hold nobody, and none holds more than ``cap`` grids.
    """
    rng = np.random.default_rng(seed + size)
    side = 76_000 * math.sqrt(size / 200_000)
    place = _scatter(size, side, rng)
    frame = shapely.box(0, 0, side, side)
    cells = shapely.voronoi_polygons(shapely.multipoints(place), extend_to=frame, ordered=True)
    cells = shapely.intersection(shapely.get_parts(cells), frame)
    mass = _households(size, spread, empty, cap, rng)
    codes = pd.Index([f"U{n:07}" for n in range(size)], name="unit", dtype="str")
    units = GeoDataFrame(
        {"territory": "T", "kind": "block", "households": mass, "people": 2.5 * mass},
        geometry=cells, index=codes, crs=CRS,
    ).astype({"territory": "str", "kind": "str"})
    graph = build_graph(units)
    community = _communities(place, graph, size, rng)
    barrier = _barriers(place, graph, size, side, rng)
    units["community"] = pd.Series([f"C{n:05}" for n in community], index=codes, dtype="str")
    return units, Mesh(graph.start, graph.neighbour, graph.length, barrier, mass, graph.area,
                       graph.outline, place, community)


def _scatter(size: int, side: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """Place two thirds of the points around towns, the rest anywhere."""
    towns = max(5, size // 1500)
    centre = rng.uniform(0, side, (towns, 2))
    radius = rng.lognormal(math.log(side / math.sqrt(towns) / 6), 0.5, towns)
    share = rng.dirichlet(np.ones(towns))
    kept = np.empty((0, 2))
    while len(kept) < size:
        town = rng.choice(towns, size, p=share)
        crowded = centre[town] + rng.normal(size=(size, 2)) * radius[town][:, None]
        anywhere = rng.uniform(0, side, (size, 2))
        drawn = np.where((rng.random(size) < 0.65)[:, None], crowded, anywhere)
        kept = np.concatenate([kept, drawn[((drawn > 0) & (drawn < side)).all(axis=1)]])
    return kept[:size]


def _households(
    size: int, spread: float, empty: float, cap: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    mass = rng.lognormal(0, spread, size) * (rng.random(size) >= empty)
    total = HOUSEHOLDS * size / UNITS_PER_GRID
    for _ in range(5):
        mass = np.minimum(mass / mass.sum() * total, cap * HOUSEHOLDS)
    rounded: NDArray[np.float64] = np.round(mass)
    return rounded


def _communities(
    place: NDArray[np.float64], graph: UnitGraph, size: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Divide the units into connected communities of about eight grids."""
    count = max(1, round(size / UNITS_PER_GRID / 8))
    seeds = place[rng.choice(size, count, replace=False)]
    home = cKDTree(seeds).query(place)[1].astype(np.int64)
    while True:  # give stray pieces to the neighbour they border longest, until there are none
        pieces, piece = find_parts(keep_arcs(graph, home[graph.source] == home[graph.neighbour]))
        owner = home[np.unique(piece, return_index=True)[1]]
        largest = np.zeros(count, np.int64)
        counts = np.bincount(piece)
        order = np.lexsort((-np.arange(pieces), counts))
        largest[owner[order]] = order
        stray = largest[owner] != np.arange(pieces)
        if not stray.any():
            return np.unique(home, return_inverse=True)[1].astype(np.int64)
        source, target = piece[graph.source], graph.neighbour
        out = stray[source] & (home[graph.source] != home[target])
        border = csr_array((graph.length[out], (source[out], home[target[out]])),
                           shape=(pieces, count))
        best = np.asarray(border.argmax(axis=1)).ravel()
        home = np.where(stray[piece], best[piece], home)


def _barriers(
    place: NDArray[np.float64], graph: UnitGraph, size: int, side: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Mark the arcs that cross one of some long straight lines."""
    count = max(4, int(6 * math.sqrt(size / 2000)))
    angle = rng.choice([0, math.pi / 2, 0.5], count) + rng.normal(0, 0.06, count)
    through = rng.uniform(0, side, (count, 2))
    crossed = np.zeros(len(graph.neighbour), bool)
    for turn, point in zip(angle, through, strict=True):
        normal = np.array([math.cos(turn), math.sin(turn)])
        left = place @ normal > point @ normal
        crossed |= left[graph.source] != left[graph.neighbour]
    return crossed.astype(np.float64)


def load_real(folder: Path, name: str) -> GeoDataFrame:
    """Return units of a real territory as UNITS: official ones, or blocks built from roads."""
    if name == "liechtenstein":
        return load_built(folder, name)
    if name == "ayrshire":
        frame = geopandas.read_file(folder / "gb_scotland_oa" / "S12000028_1001.gpkg")
        names, crs = ("code", "council", "HHcount", "Popcount"), 27700
    else:
        file = {"chiayi": "chiayi_city_1505", "taichung": "taichung_city_17218_s5m"}[name]
        frame = geopandas.read_parquet(folder / "tw_base_units" / f"{file}.parquet")
        names, crs = ("CODEBASE", "TOWN_ID", "H_CNT", "P_CNT"), 3826
    unit, territory, households, people = (frame[column].to_numpy() for column in names)
    units = GeoDataFrame(
        {"territory": territory.astype(str), "kind": "official", "households": households,
         "people": people},
        geometry=frame.geometry.to_crs(crs).to_numpy(), crs=crs,
        index=pd.Index(unit.astype(str), name="unit", dtype="str"),
    ).astype({"territory": "str", "kind": "str"})
    return units.sort_index()


def load_built(folder: Path, name: str) -> GeoDataFrame:
    """Return the units that the whole job builds, with people spread over buildings."""
    root = Path(__file__).resolve().parent.parent
    config = gridmap.load_config(root / "tests" / "real" / f"{name}.toml",
                                 environ={"GRIDMAP_REAL_DATA": str(folder)})
    units: GeoDataFrame = gridmap.run(config).units.sort_index()
    return units


def mesh_of(units: GeoDataFrame) -> Mesh:
    """Return real units as a mesh nested in their territories."""
    graph = build_graph(units)
    home = np.unique(units["territory"].to_numpy(str), return_inverse=True)[1]
    return Mesh(graph.start, graph.neighbour, graph.length, np.zeros(len(graph.neighbour)),
                units["households"].to_numpy(np.float64), graph.area, graph.outline, graph.place,
                home.astype(np.int64))


# ------------------------------------------------------------------------------- the score


def score(
    mesh: Mesh, label: NDArray[np.int64], *, low: float, high: float
) -> dict[str, float]:
    """Measure labels without any of the engine's own code."""
    grids, label = np.unique(label, return_inverse=True)
    count, source = len(grids), mesh.source
    same = label[source] == label[mesh.neighbour]
    piece = find_pieces(mesh, label)
    pieces = np.bincount(label[np.unique(piece, return_index=True)[1]], minlength=count)
    mass = np.bincount(label, mesh.mass, count)
    area = np.bincount(label, mesh.area, count)
    outline = np.bincount(label, mesh.outline, count)
    outline -= np.bincount(label[source[same]], mesh.length[same], count)
    round_ = 4 * np.pi * area / np.maximum(outline, 1e-9) ** 2
    wanted = mesh.length * mesh.barrier
    pairs = np.unique(label * np.int64(mesh.community.max() + 1) + mesh.community)
    homes = np.bincount(pairs // (mesh.community.max() + 1), minlength=count)
    inside = (mass >= low * (1 - 1e-9)) & (mass <= high * (1 + 1e-9))
    return {
        "grids": float(count),
        "contiguous": float((pieces == 1).mean()),
        "in_range": float(inside.mean()),
        "worst": float(np.abs(mass / mass.mean() - 1).max()),
        "pp": float(round_.mean()),
        "pp_5": float(np.quantile(round_, 0.05)),
        "followed": float(wanted[~same].sum() / wanted.sum()) if wanted.any() else math.nan,
        "crossing": float((homes > 1).sum()),
    }


def find_pieces(mesh: Mesh, label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the pieces that hang together inside each label."""
    source = mesh.source
    same = label[source] == label[mesh.neighbour]
    table = csr_array((np.ones(int(same.sum()), np.int8), (source[same], mesh.neighbour[same])),
                      shape=(len(label), len(label)))
    piece: NDArray[np.int64] = connected_components(table, directed=False)[1].astype(np.int64)
    return piece
