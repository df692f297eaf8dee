"""What stands in the blocks: compounds, old quarters, villages, dedicated sites, buildings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pandas import DataFrame
from shapely import STRtree

from .land import Land
from .plan import Floats, Plan, share_out
from .streets import Network, Shapes, bend

#: use: length and depth of a building, spacing along and across, floors from and to,
#: dwellings on a floor, stairs.
STYLES: dict[str, tuple[float, float, float, float, int, int, int, int]] = {
    "high-rise": (30.0, 16.0, 58.0, 62.0, 11, 26, 3, 1),
    "slabs": (40.0, 11.0, 52.0, 31.0, 5, 6, 4, 2),
    "old town": (13.0, 9.0, 18.0, 18.5, 1, 3, 2, 1),
    "village": (12.0, 9.0, 18.5, 24.0, 1, 2, 1, 1),
    "shops": (26.0, 14.0, 36.0, 30.0, 2, 5, 0, 1),
    "school": (52.0, 14.0, 74.0, 48.0, 3, 5, 0, 1),
    "hospital": (48.0, 18.0, 66.0, 46.0, 4, 12, 0, 1),
    "mall": (84.0, 52.0, 110.0, 84.0, 3, 5, 0, 1),
    "office": (36.0, 24.0, 66.0, 62.0, 9, 28, 0, 1),
    "estate": (66.0, 28.0, 86.0, 50.0, 1, 3, 0, 1),
    "park": (14.0, 9.0, 190.0, 170.0, 1, 1, 0, 1),
}
COMPOUNDS = ("high-rise", "slabs")
DEDICATED = ("school", "hospital", "park", "mall", "office", "estate")
#: Half the ground that a line takes, in metres.
VERGES = {"coast": 16.0, "border": 4.0, "river": 34.0, "railway": 18.0, "motorway": 30.0,
          "primary": 17.0, "secondary": 12.0, "tertiary": 8.5, "residential": 6.5, "edge": 4.0}


@dataclass(frozen=True)
class Homes:
    """Uses of the blocks, the sites, and every building."""

    uses: NDArray[np.str_]  # of each block
    sites: DataFrame  # kind, block, geometry
    buildings: DataFrame  # block, use, floors, dwellings, stairs, x, y, angle, length, depth
    footprints: Shapes


def build_homes(plan: Plan, land: Land, network: Network) -> Homes:
    """Choose the use of every block, then set the buildings."""
    plots = _plots(network)
    uses = _choose_uses(plan, land, network, plots)
    rows = _lattices(plan, plots, uses)
    rows = pd.concat([rows, _villages(plan, land, network)], ignore_index=True)
    footprints = _rectangles(rows)
    hills = bend(plan, land, np.array(land.hills))
    rows, footprints = _drop_misfits(rows, footprints, plots, uses, hills)
    kept = _thin(plan, rows)
    rows, footprints = rows[kept].reset_index(drop=True), footprints[kept]
    rows = rows.assign(households=_settle(plan, rows))
    sites = _sites(plots, uses, rows)
    return Homes(uses=uses, sites=sites, buildings=rows, footprints=footprints)


def _plots(network: Network) -> Shapes:
    """Return each block without the verges of the lines around it."""
    widths = np.array([VERGES[k] for k in network.classes])
    strips = shapely.buffer(network.lines, widths, quad_segs=2)
    block, line = STRtree(strips).query(network.blocks, predicate="intersects")
    block, line = (a[np.lexsort((line, block))] for a in (block, line))
    first = np.searchsorted(block, np.arange(len(network.blocks)))
    turn = np.arange(len(block)) - first[block]
    plots = network.blocks.copy()
    for number in range(int(turn.max(initial=-1)) + 1):  # a round cuts a strip off each block
        now = turn == number
        plots[block[now]] = shapely.difference(plots[block[now]], strips[line[now]])
    return _largest(plots)


def _largest(shapes: Shapes) -> Shapes:
    """Return the largest polygon of each shape, corners rounded off."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts = np.concatenate([parts, np.full(len(shapes), shapely.Polygon())])
    owner = np.concatenate([owner, np.arange(len(shapes))])
    order = np.lexsort((-shapely.area(parts), owner))
    first = np.unique(owner[order], return_index=True)[1]
    return shapely.simplify(parts[order][first], 0.5)


def _choose_uses(plan: Plan, land: Land, network: Network, plots: Shapes) -> NDArray[np.str_]:
    rng = plan.random("uses")
    hectares = shapely.area(plots) / 1e4
    density = network.density
    middle = shapely.get_coordinates(shapely.centroid(network.blocks))
    hilly = land.at(land.height, middle[:, 0], middle[:, 1]) > 0.42
    width = 4 * shapely.area(plots) / np.maximum(shapely.length(plots), 1.0)
    uses = np.full(len(plots), "open", dtype="<U12")
    town = (density > 2.0) & (hectares > 0.25) & (width > 38.0) & ~hilly
    dice = rng.random(len(plots))
    high = 0.17 + 0.004 * density
    old, hamlet = (0.12, 0.30) if plan.growth < 3 else (0.08, 0.15)  # newer the larger
    uses[town] = np.select(
        [dice < high, dice < high + 0.38, dice < high + 0.38 + old, dice < high + 0.64],
        ["high-rise", "slabs", "old town", "shops"], "open")[town]
    low = town & (density < 9.0)
    uses[low] = np.select([dice < hamlet, dice < 0.48, dice < 0.55],
                          ["village", "slabs", "estate"], "open")[low]
    urban = plan.households * 0.72
    wanted = {"estate": (2200, 1.5, 9.0, 4.0, 40.0), "hospital": (4200, 14, 60, 1.6, 5.0),
              "mall": (4200, 26, 60, 1.4, 4.0), "office": (2800, 30, 60, 0.9, 3.5),
              "school": (1300, 10, 60, 1.4, 4.5), "park": (2100, 6, 60, 1.0, 6.0)}
    for kind, (each, thin, thick, small, large) in wanted.items():
        fits = town & (density > thin) & (density < thick) & (hectares > small)
        fits &= (hectares < large) & ~np.isin(uses, DEDICATED)
        found = np.flatnonzero(fits)
        count = min(len(found), max(1, round(urban / each)))
        uses[rng.permutation(found)[:count]] = kind
    return uses


def _lattices(plan: Plan, plots: Shapes, uses: NDArray[np.str_]) -> DataFrame:
    """Return candidate buildings on a lattice over each plot, long sides facing south."""
    rng = plan.random("buildings")
    parts = []
    for use, (length, depth, along, across, low, top, flats, stairs) in STYLES.items():
        block = np.flatnonzero((uses == use) & ~shapely.is_empty(plots))
        if not len(block):
            continue
        angle, corner, wide, deep = _frames(plots[block])
        columns = np.maximum(1, np.floor((wide - length - 4.0) / along).astype(int) + 1)
        rows = np.maximum(1, np.floor((deep - depth - 4.0) / across).astype(int) + 1)
        count = columns * rows
        owner = np.repeat(np.arange(len(block)), count)
        number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        column, row = number % columns[owner], number // columns[owner]
        slack_x = (wide - (columns - 1) * along)[owner] / 2
        slack_y = (deep - (rows - 1) * across)[owner] / 2
        at_x = slack_x + column * along + rng.normal(0, 0.035 * along, len(owner))
        at_y = slack_y + row * across + rng.normal(0, 0.02 * across, len(owner))
        turn = angle[owner]
        tall = rng.integers(low, top + 1, len(block))[owner]
        parts.append(DataFrame({
            "block": block[owner], "use": use, "stairs": stairs, "flats": flats,
            "floors": np.clip(tall + rng.integers(-1, 2, len(owner)), low, top),
            "x": corner[owner, 0] + at_x * np.cos(turn) - at_y * np.sin(turn),
            "y": corner[owner, 1] + at_x * np.sin(turn) + at_y * np.cos(turn),
            "angle": turn, "length": length * rng.uniform(0.85, 1.1, len(owner)),
            "depth": depth * rng.uniform(0.95, 1.05, len(owner)),
        })[rng.random(len(owner)) < 0.96])
    return pd.concat(parts, ignore_index=True)


def _frames(plots: Shapes) -> tuple[Floats, Floats, Floats, Floats]:
    """Return angle, corner, width and depth of each plot's envelope, width west to east."""
    ring = shapely.get_coordinates(shapely.oriented_envelope(plots)).reshape(-1, 5, 2)[:, :4]
    side = np.roll(ring, -1, axis=1) - ring
    turn = np.arctan2(side[..., 1], side[..., 0])
    best = np.argmin(np.round(np.abs(turn), 6), axis=1)
    pick = np.arange(len(ring))
    angle = turn[pick, best]
    along = np.column_stack([np.cos(angle), np.sin(angle)])
    up = np.column_stack([-np.sin(angle), np.cos(angle)])
    s, t = (ring * along[:, None]).sum(-1), (ring * up[:, None]).sum(-1)
    low_s, low_t = s.min(axis=1), t.min(axis=1)
    corner = low_s[:, None] * along + low_t[:, None] * up
    return angle, corner, s.max(axis=1) - low_s, t.max(axis=1) - low_t


def _villages(plan: Plan, land: Land, network: Network) -> DataFrame:
    """Return the houses of the villages: rows along a country road."""
    rng = plan.random("villages")
    seats = _village_seats(plan, land, network, rng)
    wanted = 1.04 * plan.rural_share * plan.households
    size = rng.lognormal(np.log(95.0), 0.45, len(seats))
    count = np.maximum(14, share_out(round(wanted), size))
    length, depth, along, across, low, top, flats, stairs = STYLES["village"]
    reach = np.sqrt(count * along * across / np.pi) * 1.25
    lean = (0.62 * reach * rng.choice([-1.0, 1.0], len(reach)))[:, None]
    seats[:, :2] += lean * np.column_stack([-seats[:, 4], seats[:, 3]])  # to one side of the road
    side = np.ceil(2 * reach / along).astype(int)
    cells = side * side
    owner = np.repeat(np.arange(len(seats)), cells)
    number = np.arange(cells.sum()) - np.repeat(np.cumsum(cells) - cells, cells)
    s = (number % side[owner] - (side[owner] - 1) / 2) * along
    t = (number // side[owner] - (side[owner] - 1) / 2) * across
    lane = np.floor((s + 4.5 * along) / (9 * along)) * 7.0  # a lane after every ninth house
    s = s + lane + rng.normal(0, 0.7, len(s))
    t = t + rng.normal(0, 0.7, len(t))
    shape = 1.0 + 0.22 * np.sin(3 * np.arctan2(t, s) + seats[owner, 2] * 7) + rng.normal(
        0, 0.06, len(s))
    inside = np.hypot(s * 0.85, t * 1.1) < reach[owner] * shape
    turn = seats[owner, 2]
    rows = DataFrame({
        "block": -1, "use": "village", "stairs": stairs, "flats": flats,
        "floors": rng.integers(low, top + 1, len(s)),
        "x": seats[owner, 0] + s * np.cos(turn) - t * np.sin(turn),
        "y": seats[owner, 1] + s * np.sin(turn) + t * np.cos(turn),
        "angle": turn, "length": length * rng.uniform(0.85, 1.1, len(s)),
        "depth": depth * rng.uniform(0.9, 1.1, len(s)),
    })
    return rows[inside].reset_index(drop=True)


def _village_seats(plan: Plan, land: Land, network: Network, rng: np.random.Generator) -> Floats:
    """Choose spots on country roads, apart from each other: x, y, turn, way of the road."""
    ways = network.lines[np.isin(network.classes, ["primary", "secondary", "tertiary"])]
    count = np.maximum(1, shapely.length(ways) // 180.0).astype(int)
    owner = np.repeat(np.arange(len(ways)), count)
    at = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + 0.5
    at = at / count[owner]
    spots = shapely.line_interpolate_point(ways[owner], at, normalized=True)
    ahead = shapely.line_interpolate_point(ways[owner], at + 0.03, normalized=True)
    island = np.array([i.centroid for i in land.islands if i.area > 0.15e6])
    xy = np.vstack([shapely.get_coordinates(spots), shapely.get_coordinates(island)])
    step = np.vstack([shapely.get_coordinates(ahead),
                      shapely.get_coordinates(island) + np.array([1.0, 0.2])])
    way = (step - xy) / np.hypot(*(step - xy).T)[:, None]
    way[len(xy) - len(island):] = 0.0  # an island village lies in the middle
    turn = np.arctan2(*(step - xy).T[::-1])
    turn = (turn + np.pi / 4) % (np.pi / 2) - np.pi / 4
    near = np.zeros(len(xy), dtype=bool)
    for cx, cy, radius, _ in land.centres:
        near |= np.hypot(xy[:, 0] - cx, xy[:, 1] - cy) < 1.45 * radius
    hilly = land.at(land.height, xy[:, 0], xy[:, 1]) > 0.3
    hilly[len(xy) - len(island):] = False
    edge = np.minimum(land.at(land.sea, xy[:, 0], xy[:, 1]), land.at(
        land.inland, xy[:, 0], xy[:, 1])) < min(130.0, 8 * land.cell)
    wanted = max(8, round(plan.rural_share * plan.households / 105))
    room = 1.25 * np.sqrt(land.mainland.area / wanted / np.pi)
    good = np.flatnonzero(~near & ~hilly & ~edge)
    order = rng.permutation(good)
    order = np.concatenate([good[good >= len(xy) - len(island)], order])
    tree, chosen, shut = STRtree(shapely.points(xy)), [], np.zeros(len(xy), dtype=bool)
    for i in order:  # one after the other, as each choice closes its surroundings
        if shut[i]:
            continue
        chosen.append(i)
        shut[tree.query(shapely.Point(xy[i]), predicate="dwithin", distance=room)] = True
        if len(chosen) >= wanted:
            break
    return np.column_stack([xy, turn, way])[chosen]


def _rectangles(rows: DataFrame) -> Shapes:
    """Return the footprints, corners rounded to a centimetre."""
    cos, sin = np.cos(rows["angle"]).to_numpy(), np.sin(rows["angle"]).to_numpy()
    half_l, half_d = rows["length"].to_numpy() / 2, rows["depth"].to_numpy() / 2
    corners = [
        np.column_stack([rows["x"] + i * half_l * cos - j * half_d * sin,
                         rows["y"] + i * half_l * sin + j * half_d * cos])
        for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    return shapely.polygons(np.round(np.stack(corners, axis=1), 2))


def _drop_misfits(rows: DataFrame, footprints: Shapes, plots: Shapes,
                  uses: NDArray[np.str_], hills: Shapes) -> tuple[DataFrame, Shapes]:
    """Leave out buildings that do not stand wholly on their plot, or on another building."""
    block = rows["block"].to_numpy().copy()
    loose = np.flatnonzero(block < 0)
    middle = shapely.points(rows["x"].to_numpy()[loose], rows["y"].to_numpy()[loose])
    at, plot = STRtree(plots).query(middle, predicate="intersects")
    fields = np.isin(uses[plot], ["open", "village"])
    block[loose[at[fields]]] = plot[fields]
    block[STRtree(footprints).query(hills, predicate="intersects")[1]] = -1
    shapely.prepare(plots)
    fits = block >= 0
    fits[fits] = shapely.contains_properly(plots[block[fits]], footprints[fits])
    a, b = STRtree(footprints[fits]).query(footprints[fits], predicate="intersects")
    kept = np.ones(fits.sum(), dtype=bool)
    kept[np.maximum(a, b)[a != b]] = False
    rows = rows.assign(block=block)[fits][kept].reset_index(drop=True)
    return rows, footprints[fits][kept]


def _thin(plan: Plan, rows: DataFrame) -> NDArray[np.bool_]:
    """Leave out village houses that nobody would live in, but for one in ten."""
    rng = plan.random("empty houses")
    rural = (rows["use"] == "village").to_numpy()
    wanted = 1.1 * plan.rural_share * plan.households
    share = min(1.0, wanted / max(1, rural.sum()))
    return ~rural | (rng.random(len(rows)) < share)


def _settle(plan: Plan, rows: DataFrame) -> NDArray[np.int64]:
    """Share the households out over the dwellings; villages keep their own part."""
    rural = (rows["use"] == "village").to_numpy()
    rooms = (rows["flats"] * np.where(rows["flats"] > 1, rows["floors"], 1)).to_numpy(float)
    homes = np.zeros(len(rows), dtype=np.int64)
    wanted = round(plan.rural_share * plan.households)
    homes[rural] = share_out(min(wanted, int(0.97 * rural.sum())), rooms[rural])
    homes[~rural] = share_out(plan.households - homes.sum(), rooms[~rural])
    return homes


def _sites(plots: Shapes, uses: NDArray[np.str_], rows: DataFrame) -> DataFrame:
    """Return compounds and dedicated sites as their plots."""
    lived = np.bincount(rows["block"], rows["households"], minlength=len(plots))
    is_compound = np.isin(uses, COMPOUNDS) & (lived > 0)
    is_dedicated = np.isin(uses, DEDICATED) & ~shapely.is_empty(plots)
    block = np.flatnonzero(is_compound | is_dedicated)
    kind = np.where(is_compound[block], "compound", uses[block])
    return DataFrame({"kind": kind, "block": block, "geometry": plots[block]})
