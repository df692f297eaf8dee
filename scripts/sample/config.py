"""The configuration of the main job on the sample city."""

from __future__ import annotations

from pathlib import Path

TEXT = '''\
# The main job on the sample city: gridmap run gridmap.toml
# Paths are relative to this file; ${{NAME}} is taken from the environment.

[run]
name = "{name}"
profile = "urban"          # 300 to 500 households to a grid; a shipped name or a .toml file
within = "community"       # no grid reaches across a border of this level
publication = "shared"     # what the outputs may show: internal, shared or public
seed = 1
workspace = "out"          # everything that the job writes goes here

# --- territories, from the top down -------------------------------------------------------

[[territories]]
path = "boundaries/county.shp"
columns = {{ territory = "CODE", name = "NAME", parent = "PARENT" }}
constants = {{ level = "county" }}

[[territories]]
path = "boundaries/towns.shp"
columns = {{ territory = "CODE", name = "NAME", parent = "PARENT" }}
constants = {{ level = "town" }}

# The shapefile has no .cpg. Its text is GBK: found by reading it, or said here with
# encoding = "GBK". Its borders have gaps, overlaps and slivers, which the job mends.
[[territories]]
path = "boundaries/communities.shp"
columns = {{ territory = "CODE", name = "NAME", parent = "PARENT" }}
constants = {{ level = "community" }}

# --- basic spatial units: none are given, so they are built -------------------------------

[units]
build = true

# --- lines that grids should follow; the kinds are those of the profile -------------------

[[barriers]]
path = "lines/roads.{big}"
columns = {{ barrier = "ROAD_ID", kind = "CLASS" }}

[[barriers]]
path = "lines/barriers.shp"          # coast, river, railway
columns = {{ barrier = "LINE_ID", kind = "KIND" }}

# --- compounds that are never cut, and dedicated sites with a grid of their own -----------

[[sites]]
path = "sites/sites.geojson"
columns = {{ site = "site", kind = "kind" }}

# --- elements -----------------------------------------------------------------------------

# The address book is GB18030 text with GCJ-02 coordinates: the offset is declared, never
# guessed. The columns 户主 and 联系电话 are not asked for and do not enter.
[[elements]]
path = "elements/addresses.csv"
encoding = "GB18030"
crs = "EPSG:4326"
offset = "GCJ-02"
columns = {{ element = "地址编码", address = "标准地址", territory = "社区代码", \
x = "经度", y = "纬度" }}
constants = {{ kind = "address", count = 1 }}

[[elements]]
path = "elements/buildings.{big}"
columns = {{ element = "BUILDING", floors = "FLOORS" }}
constants = {{ kind = "building", count = 1 }}

# One row per resident; a household is counted in its head's row.
[[elements]]
path = "elements/population.csv"
crs = "EPSG:4550"
columns = {{ element = "resident", people = "people", households = "households", \
x = "x", y = "y" }}
constants = {{ kind = "population", count = 1 }}

# --- what departments keep ----------------------------------------------------------------

[[schemes]]
path = "schemes/police_beats.geojson"
columns = {{ work_grid = "code" }}
constants = {{ scheme = "police beats", department = "public security" }}

[[schemes]]
path = "schemes/city_management.geojson"
columns = {{ work_grid = "code" }}
constants = {{ scheme = "city management", department = "urban management" }}

[[schemes]]
path = "schemes/civil_affairs.geojson"
columns = {{ work_grid = "code" }}
constants = {{ scheme = "civil affairs", department = "civil affairs" }}

# Notice boards, service centres, hydrants, cameras and lamps; only some have a reach.
[[assets]]
path = "assets/assets.csv"
crs = "EPSG:4550"
columns = {{ asset = "asset", kind = "kind", radius_m = "radius_m", x = "x", y = "y" }}

# Posts. The columns 姓名, 联系电话 and 身份证号 are not asked for and do not enter.
[[workers]]
path = "workers/workers.csv"
encoding = "GB18030"
columns = {{ worker = "岗位编号", territory = "社区代码", role = "岗位" }}

[[events]]
path = "events/events.csv"
crs = "EPSG:4326"
columns = {{ event = "event", matter = "matter", opened = "opened", closed = "closed", \
level = "level", x = "lon", y = "lat" }}

[[visits]]
path = "visits/visits.csv"
crs = "EPSG:4326"
columns = {{ visit = "visit", period = "period", count = "count", x = "lon", y = "lat" }}

# --- tables keyed by a code ---------------------------------------------------------------

# Published totals of the communities, with a total row that has no code.
[[tables]]
path = "tables/community_population.csv"
joins = "territories"
encoding = "GB18030"
key = "社区代码"
columns = {{ name = "社区名称", households = "户数", people = "人口" }}
'''


def save_config(path: Path, *, name: str, big: bool) -> None:
    """Write ``gridmap.toml``; a city at scale has its big layers as GeoParquet."""
    text = TEXT.format(name=name, big="parquet" if big else "shp")
    path.write_text(text, encoding="utf-8", newline="\n")
