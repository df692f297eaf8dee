"""Reading files: every row comes through or is named with its reason."""

from __future__ import annotations

import geopandas
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas import Series

from gridmap import errors
from gridmap.sources import (
    find_encoding,
    from_bd09,
    from_gcj02,
    load_assets,
    load_barriers,
    load_elements,
    load_sites,
    load_table,
    load_territories,
    load_units,
    load_workers,
    mend_codes,
    metric_crs,
    to_bd09,
    to_gcj02,
)
from gridmap.sources.reading import ENDINGS

ADDRESSES = {"columns": {"element": "id", "x": "x", "y": "y"}, "constants": {"kind": "address"},
             "crs": "EPSG:32651"}


def write(folder, text, name="file.csv", encoding="utf-8"):
    file = folder / name
    file.write_bytes(text.encode(encoding))
    return file


def closes(loaded):
    return loaded.rows_in == len(loaded.frame) + len(loaded.rejects)


def whys(loaded):
    return dict(zip(loaded.rejects["id"], loaded.rejects["what"], strict=True))


def test_every_row_comes_through_or_is_named(tmp_path):
    file = write(tmp_path, "id,x,y\nA,1,2\nB,,2\n,3,4\nA,1,2\nC,1,2\nC,9,9\n3.7E+11,1,1\nD,1\n")
    loaded = load_elements(file, **ADDRESSES)
    assert loaded.frame.index.tolist() == ["A", "C"]
    assert whys(loaded) == {
        "B": "no place", "row 3": "code missing", "A": "row repeated", "C": "code repeated",
        "row 7": "code unreadable", "row 8": "row unreadable",
    }
    assert closes(loaded)


def test_codes_stay_text_with_their_zeros(tmp_path):
    loaded = load_elements(write(tmp_path, "id,x,y\n007,1,2\n0371002001001,1,3\n"), **ADDRESSES)
    assert loaded.frame.index.tolist() == ["007", "0371002001001"]


def test_a_float_damaged_code_is_mended_and_reported(tmp_path):
    file = write(tmp_path, "post,town\nW1,371002001001.0\nW2,3.71002E+11\n")
    loaded = load_workers(file, columns={"worker": "post", "territory": "town"})
    assert loaded.frame["territory"].to_dict() == {"W1": "371002001001"}
    assert whys(loaded) == {"W2": "territory unreadable"}
    mended = loaded.changes[loaded.changes["what"] == "territory mended"].iloc[0]
    assert (mended["before"], mended["after"]) == ("371002001001.0", "371002001001")


def test_columns_that_were_not_asked_for_never_enter(tmp_path):
    file = write(tmp_path, "id,x,y,姓名,联系电话\nA,1,2,某人,13800138000\n")
    loaded = load_elements(file, **ADDRESSES)
    assert set(loaded.frame.columns) == {"kind", "count", "geometry"}
    told = loaded.changes[loaded.changes["what"] == "personal column left out"].iloc[0]
    assert told["before"] == "姓名, 联系电话"
    assert "13800138000" not in loaded.changes.to_string() + loaded.rejects.to_string()


def test_a_personal_column_that_was_asked_for_is_left_out(tmp_path):
    file = write(tmp_path, "id,x,y,note\nA,1,2,13800138000\nB,1,3,13900139000\n")
    columns = {**ADDRESSES["columns"], "how": "note"}
    loaded = load_elements(file, **{**ADDRESSES, "columns": columns})
    assert "how" not in loaded.frame
    assert "1380" not in loaded.changes.to_string()


def test_an_index_of_phone_numbers_is_refused(tmp_path):
    file = write(tmp_path, "id,x,y\n13800138000,1,2\n")
    with pytest.raises(errors.SourceError, match="holds phone or ID numbers"):
        load_elements(file, **ADDRESSES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16"])
def test_the_encoding_is_proven(tmp_path, encoding):
    names = "里長服務處,社區發展協會,公園路口,市民活動中心,國民小學,消防分隊"
    text = "id,kind,x,y\n" + "".join(f"{i},{n},1,{i}\n" for i, n in enumerate(names.split(",")))
    file = write(tmp_path, text, encoding=encoding)
    loaded = load_assets(file, columns={"asset": "id", "kind": "kind", "x": "x", "y": "y"},
                         crs="EPSG:32651")
    assert loaded.frame["kind"].tolist() == names.split(",")
    assert (loaded.changes["what"] == "encoding").sum() == 1


def test_a_rare_character_survives_gb18030(tmp_path):
    file = write(tmp_path, "id,kind,x,y\nA,龑村䶮家,1,2\n", encoding="gb18030")
    loaded = load_assets(file, columns={"asset": "id", "kind": "kind", "x": "x", "y": "y"},
                         crs="EPSG:32651", encoding="GB18030")
    assert loaded.frame["kind"].tolist() == ["龑村䶮家"]


def test_a_shapefile_without_cpg_is_read_as_what_it_is(tmp_path):
    towns = geopandas.GeoDataFrame(
        {"名称": ["望湾社区", "金林村"], "代码": ["0371", "0372"]},
        geometry=[shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)], crs=32651,
    )
    file = tmp_path / "towns.shp"
    towns.to_file(file, encoding="GBK")
    (tmp_path / "towns.cpg").unlink()
    loaded = load_territories(file, columns={"territory": "代码", "name": "名称"},
                              constants={"level": "community"})
    assert loaded.frame["name"].to_dict() == {"0371": "望湾社区", "0372": "金林村"}


def test_a_lying_cpg_is_not_believed(tmp_path):
    towns = geopandas.GeoDataFrame({"NAME": ["望湾社区"] * 9, "CODE": list("ABCDEFGHI")},
                                   geometry=[shapely.box(i, 0, i + 1, 1) for i in range(9)],
                                   crs=32651)
    file = tmp_path / "towns.shp"
    towns.to_file(file, encoding="GBK")
    (tmp_path / "towns.cpg").write_text("ISO-8859-1")
    loaded = load_territories(file, columns={"territory": "CODE", "name": "NAME"},
                              constants={"level": "community"})
    assert set(loaded.frame["name"]) == {"望湾社区"}
    assert "which its bytes deny" in loaded.changes["note"].str.cat()


def test_gcj02_is_undone_when_it_is_declared(tmp_path):
    lon, lat = to_gcj02([122.1], [37.5])
    file = write(tmp_path, f"id,x,y\nA,{float(lon[0])},{float(lat[0])}\n")
    loaded = load_elements(file, **{**ADDRESSES, "crs": "EPSG:4326"}, offset="GCJ-02")
    assert loaded.frame.geometry.x.iloc[0] == pytest.approx(122.1, abs=1e-9)
    assert (loaded.changes["what"] == "offset undone").any()


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(73, 135), st.floats(3, 53)), min_size=1, max_size=50))
def test_the_way_back_from_a_shift_is_exact_to_the_tenth_of_a_micrometre(places):
    lon, lat = np.array(places).T
    for there, back in ((to_gcj02, from_gcj02), (to_bd09, from_bd09)):
        again = back(*there(lon, lat), extent=(-180, -90, 180, 90))
        off_m = np.abs(np.subtract(again, (lon, lat))).max(axis=0) * 111_320
        on_the_root = np.abs(lon - 105) < 1e-6  # the formula has a root at 105° E
        assert (off_m < np.where(on_the_root, 1e-6, 1e-7)).all()


def test_places_outside_the_extent_are_not_shifted():
    assert to_gcj02([2.35], [48.85])[0][0] == 2.35
    assert from_bd09([2.35], [48.85])[1][0] == 48.85


@settings(deadline=None)
@given(st.lists(st.text("0123456789", min_size=1, max_size=20), min_size=1))
def test_codes_of_digits_come_back_as_they_were(texts):
    assert mend_codes(Series(texts, dtype="str")).codes.tolist() == texts
    assert mend_codes(Series([f"{t}.0" for t in texts], dtype="str")).codes.tolist() == texts


@settings(deadline=None)
@given(st.text(alphabet="望湾社区金林村路号楼单元室街道", min_size=4))
def test_common_chinese_text_is_told_apart(text):
    assert find_encoding(text.encode("gb18030")).name == "GB18030"
    assert find_encoding(text.encode()).name == "UTF-8"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "is empty"),
        ("id,x\nA,1\n", {}, r"has no column y. Its columns are id, x"),
        ("id,x,y\nA,1,2\n", {"crs": None}, "does not say which CRS"),
        ("id,x,y\nA,1,2\n", {"crs": "EPSG:1"}, "there is no CRS 'EPSG:1'"),
        ("id,x,y\nA,1,2\n", {"offset": "GCJ-2"}, r"there is no offset 'GCJ-2'"),
        ("id,x,y\nA,1,2\n", {"constants": {}}, "nothing is given for kind, which ELEMENTS needs"),
        ("id,x,y\nA,1,2\n", {"columns": {"x": "x", "y": "y"}}, "no column is named for the code"),
        ("id,x,y\nA,1,2\n", {"columns": {"element": "id"}}, "the table has no geometry"),
        ("id,id,x,y\nA,A,1,2\n", {}, "has the header id more than once"),
        ("id,x,y\nA,1,2\n", {"encoding": "GBQ"}, "there is no encoding 'GBQ'"),
        ("id,x,y\nA,1,2\n", {"constants": {"kind": "a", "colour": "red"}},
         "ELEMENTS has no column colour"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_sentence(tmp_path, text, options, message):
    if "offset" in options:
        options = {**options, "crs": "EPSG:4326"}
    file = write(tmp_path, text)
    with pytest.raises(errors.GridmapError, match=message):
        load_elements(file, **{**ADDRESSES, **options})


def test_an_absent_file_and_an_unknown_ending_are_told(tmp_path):
    with pytest.raises(errors.SourceError, match="there is no file"):
        load_elements(tmp_path / "nowhere.csv", **ADDRESSES)
    with pytest.raises(errors.SourceError, match=r"ends in .vrt, which is not read"):
        load_elements(write(tmp_path, "<OGRVRTDataSource/>", "evil.vrt"), **ADDRESSES)


def test_a_file_of_several_layers_needs_a_name(tmp_path):
    shape = shapely.box(0, 0, 1, 1)
    site = geopandas.GeoDataFrame({"kind": ["park"]}, geometry=[shape], crs=32651)
    for layer in ("one", "two"):
        site.to_file(tmp_path / "sites.gpkg", layer=layer)
    with pytest.raises(errors.SourceError, match="has 2 layers: name one"):
        load_sites(tmp_path / "sites.gpkg", columns={"kind": "kind"})
    loaded = load_sites(tmp_path / "sites.gpkg", columns={"kind": "kind"}, layer="two")
    assert len(loaded.frame) == 1


def test_a_bow_tie_is_made_valid_and_named(tmp_path):
    bow = "POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"
    file = write(tmp_path, f'id,wkt\nA,"{bow}"\nB,"POLYGON EMPTY"\nC,nonsense\n')
    loaded = load_sites(file, columns={"site": "id", "wkt": "wkt"}, constants={"kind": "park"},
                        crs="EPSG:32651")
    assert loaded.frame.geometry.is_valid.all()
    assert whys(loaded) == {"B": "no place", "C": "no place"}
    assert (loaded.changes["what"] == "made valid").sum() == 1


def test_rows_that_were_not_asked_for_are_counted(tmp_path):
    file = write(tmp_path, "id,x,y,level\nA,1,2,8\nB,1,2,6\nC,1,2,\n")
    assert load_elements(file, **ADDRESSES, where={"level": "8"}).frame.index.tolist() == ["A"]
    loaded = load_elements(file, **ADDRESSES, where={"level": "*"})
    assert loaded.frame.index.tolist() == ["A", "B"]
    others = load_elements(file, **ADDRESSES, where={"level": {"not": ["8"]}})
    assert others.frame.index.tolist() == ["B", "C"]
    told = loaded.changes[loaded.changes["what"] == "rows not asked for"].iloc[0]
    assert told["before"] == "1"


def test_metres_are_chosen_from_the_data():
    def at(lon, lat, crs=4326):
        return geopandas.GeoDataFrame(geometry=[shapely.Point(lon, lat)], crs=crs)

    assert metric_crs(at(122.2, 37.4, 4490)).to_epsg() == 4550
    assert metric_crs(at(120.4, 37.4, 4490)).to_epsg() == 4549
    assert metric_crs(at(9.5, 47.1)).to_epsg() == 32632
    assert metric_crs(at(122.2, 37.4).to_crs(4550)).to_epsg() == 4550
    assert metric_crs(at(9.5, 47.1).to_crs(3857)).to_epsg() == 32632


def test_the_real_layers_come_through_whole(real_data):
    package = real_data / "liechtenstein" / "liechtenstein-2021-05-05.gpkg"
    admin = load_territories(package, layer="admin", where={"admin_level": "8"},
                             columns={"territory": "osm_id", "name": "name"},
                             constants={"level": "municipality"})
    assert len(admin.frame) == 11
    roads = load_barriers(package, layer="roads", columns={"barrier": "osm_id", "kind": "highway"})
    assert (roads.rows_in, len(roads.rejects)) == (6954, 0)
    homes = load_elements(package, layer="buildings", constants={"kind": "building"},
                          columns={"element": ["osm_way_id", "osm_id"], "floors": "levels"})
    assert (homes.rows_in, len(homes.rejects)) == (14035, 0)
    chiayi = load_units(
        real_data / "tw_base_units" / "chiayi_city_1505.parquet",
        columns={"unit": "CODEBASE", "territory": "TOWN_ID", "households": "H_CNT",
                 "people": "P_CNT"},
    )
    assert (len(chiayi.frame), int(chiayi.frame["people"].sum())) == (1505, 267852)


def test_a_table_with_another_code_format_is_brought_to_ours(real_data):
    table = load_table(real_data / "tw_villages" / "cunli_population_2021-03.csv",
                       key="村里代碼", columns={"people": "人口"}, strip="-")
    assert "65000010001" in table.frame.index
    assert (table.rows_in, int(table.frame["people"].sum())) == (7761, 23_525_623)


def test_difficult_files_are_read_or_told(real_data):
    known = ENDINGS
    read = told = 0
    for file in sorted((real_data / "nasty").rglob("*")):
        if file.suffix.lower() not in known or not file.is_file():
            continue
        try:
            loaded = load_sites(file, constants={"kind": "site"}, crs="EPSG:4326")
        except errors.GridmapError:
            told += 1
        else:
            assert closes(loaded), file
            assert loaded.frame.geometry.is_valid.all(), file
            read += 1
    assert read > 150
    assert told < 80
