"""A frame handed over in any encoding comes back as it was, or an error names what would go."""

from __future__ import annotations

import pytest

from gridmap.errors import SourceError, WorkspaceError
from gridmap.sketch import sketch_grids
from gridmap.sources import load_territories
from gridmap.workspace.handover import save_layer

RARE = ["龑村", "䶮家"]


def named(names=RARE):
    return sketch_grids("AB")[["geometry"]].assign(name=names)


@pytest.mark.parametrize(("file", "encoding", "names"), [
    ("a.shp", "GB18030", RARE), ("a.shp", "UTF-8", RARE), ("a.shp", "GBK", ["望湾", "金林"]),
    ("a.csv", "GB18030", RARE), ("a.csv", "UTF-16", RARE), ("a.csv", "UTF-8", RARE),
    ("a.gpkg", "UTF-8", RARE), ("a.parquet", "UTF-8", RARE), ("a.fgb", "UTF-8", RARE),
])
def test_what_is_written_is_read_again(tmp_path, file, encoding, names):
    written = save_layer(named(names), tmp_path / file, encoding=encoding)
    place = {"wkt": "geometry"} if file.endswith("csv") else {}
    loaded = load_territories(written, columns={"territory": "grid", "name": "name", **place},
                              constants={"level": "town"}, crs="EPSG:32651")
    assert sorted(loaded.frame["name"]) == sorted(names)
    assert len(loaded.rejects) == 0


@pytest.mark.parametrize("file", ["a.shp", "a.csv"])
def test_a_character_that_would_be_lost_is_named_and_nothing_is_written(tmp_path, file):
    with pytest.raises(SourceError, match=r"GBK has no character for 䶮 \(U\+4DAE\)"):
        save_layer(named(), tmp_path / file, encoding="GBK")
    with pytest.raises(SourceError, match="Big5 has no character for 湾"):
        save_layer(named(["望湾", "金"]), tmp_path / file, encoding="Big5")
    header = named(["a", "b"]).rename(columns={"name": "䶮"})
    with pytest.raises(SourceError, match="GBK has no character for 䶮"):
        save_layer(header, tmp_path / file, encoding="GBK")
    assert not list(tmp_path.iterdir())


def test_a_format_that_cannot_hold_it_is_told(tmp_path):
    with pytest.raises(WorkspaceError, match=r"would be UTF-8, as \.gpkg always is"):
        save_layer(named(["望", "湾"]), tmp_path / "a.gpkg", encoding="GBK")
    with pytest.raises(WorkspaceError, match="would cut the header 居民委员会 to 10 bytes"):
        save_layer(named().rename(columns={"name": "居民委员会"}), tmp_path / "a.shp")
    with pytest.raises(WorkspaceError, match="would cut 1 cells of name to 254 bytes"):
        save_layer(named(["望" * 100, "湾"]), tmp_path / "a.shp")
    with pytest.raises(WorkspaceError, match=r"ends in \.doc: choose one of"):
        save_layer(named(), tmp_path / "a.doc")
    with pytest.raises(WorkspaceError, match="the frame has no geometry"):
        save_layer(named().drop(columns="geometry"), tmp_path / "a.gpkg")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        save_layer(named(), tmp_path / "no" / "a.gpkg")
