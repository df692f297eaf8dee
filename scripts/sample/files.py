"""Writing the files, so that the same city always gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyogrio
import pyproj
import scipy
import shapely
from geopandas import GeoDataFrame
from pandas import DataFrame

from gridmap import to_gcj02

from .defects import Flawed
from .plan import CRS, Floats

#: The versions that a made city's bytes may depend on, beside the truth.
MADE_WITH = "truth/made_with.json"
#: A fixed day for the date field in the header of DBF files.
DBF_DAY = "2026-01-01"


def save_city(flawed: Flawed, folder: Path) -> None:
    """Write the city's files below a folder."""
    city = flawed.city
    big = city.plan.big
    for part in ("boundaries", "lines", "sites", "elements", "schemes", "assets", "workers",
                 "events", "visits", "tables", "context"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    _save_boundaries(flawed, folder / "boundaries")
    roads = city.roads.rename(columns={"line": "ROAD_ID", "kind": "CLASS"})
    barriers = city.barriers.rename(columns={"line": "LINE_ID", "kind": "KIND"})
    buildings = city.buildings.rename(
        columns={"building": "BUILDING", "use": "USE", "floors": "FLOORS"})
    save = _save_parquet if big else _save_shapefile
    save(roads, folder / "lines" / "roads")
    save(buildings, folder / "elements" / "buildings")
    _save_shapefile(barriers, folder / "lines" / "barriers")
    save_geojson(city.sites, folder / "sites" / "sites.geojson")
    save_geojson(city.land_cover, folder / "context" / "land_cover.geojson")
    for name, scheme in city.offices.schemes.items():
        save_geojson(scheme, folder / "schemes" / f"{name}.geojson")
    _save_addresses(city.addresses, folder / "elements" / "addresses.csv")
    _save_csv(city.population, folder / "elements" / "population.csv")
    _save_offices(flawed, folder)


def _save_boundaries(flawed: Flawed, folder: Path) -> None:
    city = flawed.city
    names = {"code": "CODE", "name": "NAME", "parent": "PARENT"}
    communities = city.communities.assign(
        name=[_in_gbk(n) for n in city.communities["name"]]).rename(columns=names)
    _save_shapefile(communities, folder / "communities", encoding="GBK")
    (folder / "communities.cpg").unlink()  # planted: nothing says that the text is GBK
    _forget_language(folder / "communities.dbf")
    _save_shapefile(city.towns.rename(columns=names), folder / "towns")
    _save_shapefile(city.counties.rename(columns=names), folder / "county")


def _in_gbk(name: str) -> str:
    return name.encode("gbk", "ignore").decode("gbk")


def _forget_language(path: Path) -> None:
    """Set the language byte of a DBF header to "not said"."""
    content = bytearray(path.read_bytes())
    content[29] = 0
    path.write_bytes(bytes(content))


def _save_shapefile(frame: DataFrame, stem: Path, *, encoding: str = "UTF-8") -> None:
    shapes = GeoDataFrame(frame, geometry="geometry", crs=CRS)
    pyogrio.write_dataframe(shapes, stem.with_suffix(".shp"), driver="ESRI Shapefile",
                            encoding=encoding, DBF_DATE_LAST_UPDATE=DBF_DAY, RESIZE="YES")


def _save_parquet(frame: DataFrame, stem: Path) -> None:
    GeoDataFrame(frame, geometry="geometry", crs=CRS).to_parquet(stem.with_suffix(".parquet"))


def save_geojson(frame: DataFrame, path: Path) -> None:
    """Write shapes in longitude and latitude, one feature a line, seven decimals."""
    shapes = shapely.transform(frame["geometry"].to_numpy(), lambda xy: np.round(
        np.column_stack(to_degrees(xy[:, 0], xy[:, 1])), 7))
    texts = shapely.to_geojson(shapes)
    columns = [c for c in frame.columns if c != "geometry"]
    rows = frame[columns].to_dict("records")
    facts = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    features = ",\n".join(
        f'{{"type":"Feature","properties":{fact},"geometry":{text}}}'
        for fact, text in zip(facts, texts, strict=True))
    path.write_text('{"type":"FeatureCollection","features":[\n' + features + "\n]}\n",
                    encoding="utf-8", newline="\n")


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return longitude and latitude of map coordinates."""
    return pyproj.Transformer.from_crs(CRS, "EPSG:4490", always_xy=True).transform(x, y)


def _save_addresses(rows: DataFrame, path: Path) -> None:
    """Write the address book the way the mapping office sends it: GB18030 and GCJ-02."""
    lon, lat = to_gcj02(*to_degrees(rows["x"].to_numpy(), rows["y"].to_numpy()))
    _save_csv(DataFrame({
        "地址编码": rows["address"], "标准地址": rows["text"], "社区代码": rows["code"],
        "户主": rows["head"], "联系电话": rows["phone"], "经度": _fixed(lon, 6),
        "纬度": _fixed(lat, 6)}), path, encoding="gb18030")


def _save_offices(flawed: Flawed, folder: Path) -> None:
    offices = flawed.city.offices
    assets = offices.assets[["asset", "kind", "radius_m", "x", "y"]]
    assets = assets.assign(radius_m=[
        "" if pd.isna(r) else str(int(r)) for r in assets["radius_m"]])
    _save_csv(assets, folder / "assets" / "assets.csv")
    workers = flawed.workers.rename(columns={
        "worker": "岗位编号", "territory": "社区代码", "role": "岗位", "name": "姓名",
        "phone": "联系电话", "identity": "身份证号"})
    _save_csv(workers, folder / "workers" / "workers.csv", encoding="gb18030")
    events = _in_degrees(offices.events)
    for name in ("opened", "closed"):
        events[name] = events[name].dt.strftime("%Y-%m-%d %H:%M").fillna("")
    _save_csv(events, folder / "events" / "events.csv")
    visits = _in_degrees(offices.visits)[["visit", "period", "count", "lon", "lat"]]
    _save_csv(visits, folder / "visits" / "visits.csv")
    _save_csv(offices.indicators, folder / "tables" / "indicators.csv")
    table = flawed.table.rename(columns={"code": "社区代码", "name": "社区名称",
                                         "households": "户数", "people": "人口"})
    _save_csv(table, folder / "tables" / "community_population.csv", encoding="gb18030")


def _in_degrees(rows: DataFrame) -> DataFrame:
    lon, lat = to_degrees(rows["x"].to_numpy(), rows["y"].to_numpy())
    return rows.drop(columns=["x", "y"]).assign(lon=_fixed(lon, 6), lat=_fixed(lat, 6))


def _fixed(values: Floats, decimals: int) -> list[str]:
    return ["" if np.isnan(v) or np.isinf(v) else f"{v:.{decimals}f}" for v in values]


def _save_csv(frame: DataFrame, path: Path, *, encoding: str = "utf-8") -> None:
    frame.to_csv(path, index=False, encoding=encoding, lineterminator="\n")


def save_truth(flawed: Flawed, folder: Path) -> None:
    """Write what only tests read: the undamaged communities and the list of defects."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(flawed.truth, ensure_ascii=False, indent=1)
    (folder / "defects.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    makers = json.dumps(list_makers(), indent=1)
    (folder.parent / MADE_WITH).write_text(makers + "\n", encoding="utf-8", newline="\n")
    rows = flawed.true_communities
    rows = rows.assign(wkt=shapely.to_wkt(rows["geometry"].to_numpy(), rounding_precision=2))
    _save_csv(rows.drop(columns="geometry"), folder / "communities.csv")


def list_makers() -> dict[str, str]:
    """Return the versions of the libraries that coordinates come from."""
    return {"GDAL": pyogrio.__gdal_version_string__, "GEOS": shapely.geos_version_string,
            "PROJ": pyproj.proj_version_str, "numpy": np.__version__,
            "scipy": scipy.__version__}
