"""Rasters that reach out, or declare more than can be read, are not opened."""

from __future__ import annotations

import os

import pytest
from hostile import HOST

from gridmap import load_raster
from gridmap.errors import SourceError
from gridmap.sources import Limits
from gridmap.sources.picture import load_picture

rasterio = pytest.importorskip("rasterio", reason="rasterio is not installed")

VRT = (f'<VRTDataset rasterXSize="1" rasterYSize="1"><VRTRasterBand dataType="Byte" band="1">'
       f"<SimpleSource><SourceFilename>/vsicurl/{HOST}/a.tif</SourceFilename></SimpleSource>"
       "</VRTRasterBand></VRTDataset>")


def save_tiff(path, width=2, height=2, **options):
    place = rasterio.transform.from_origin(122, 38, 1e-5, 1e-5)
    with rasterio.open(path, "w", driver="GTiff", width=width, height=height, count=1,
                       dtype="uint8", crs="EPSG:4326", transform=place, **options):
        pass
    return path


@pytest.mark.parametrize("load", [load_raster, load_picture])
@pytest.mark.parametrize("content", [
    VRT, f'<GDAL_WMS><Service name="TMS"><ServerUrl>{HOST}</ServerUrl></Service></GDAL_WMS>',
    f"{HOST}/a.tif", "", '{"type": "STACTA"}'])
def test_what_is_no_picture_by_its_bytes_is_not_opened(load, content, tmp_path):
    file = tmp_path / "people.tif"
    file.write_text(content)
    with pytest.raises(SourceError, match=r"people\.tif is no GeoTIFF, PNG or JPEG that can be "
                       "read as a raster: it is not opened$"):
        load(file)


@pytest.mark.parametrize("load", [load_raster, load_picture])
@pytest.mark.parametrize("name", [f"/vsicurl/{HOST}/a.tif", f"{HOST}/a.tif", "/vsimem/a.tif"])
def test_an_address_is_no_file(load, name):
    with pytest.raises(SourceError, match=r"^there is no file "):
        load(name)


@pytest.mark.parametrize("ending", [".ovr", ".msk"])
def test_what_lies_beside_a_raster_is_a_tiff_too(ending, tmp_path):
    file = save_tiff(tmp_path / "people.tif")
    (tmp_path / f"people.tif{ending}").write_text(VRT)
    with pytest.raises(SourceError, match=rf"people\.tif\{ending} is no TIFF, as an overview of "
                       r"people\.tif should be: it is not opened$"):
        load_raster(file)


def test_metadata_that_name_another_file_are_refused(tmp_path):
    file = save_tiff(tmp_path / "people.tif")
    (tmp_path / "people.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/etc/passwd</MDI>'
        "</Metadata></PAMDataset>")
    with pytest.raises(SourceError, match=r"people\.tif\.aux\.xml names another file to read in "
                       r"place of people\.tif: it is not opened$"):
        load_raster(file)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "people.tif")
    with pytest.raises(SourceError, match=r"people\.tif is a pipe or a device, not a file: it is "
                       "not opened$"):
        load_raster(tmp_path / "people.tif")


def test_a_raster_of_too_many_pixels_is_refused_before_any_is_read(tmp_path):
    file = save_tiff(tmp_path / "people.tif", 200_000, 200_000, sparse_ok=True, tiled=True,
                     bigtiff="YES")
    with pytest.raises(SourceError, match=r"people\.tif has 200,000 by 200,000 pixels, more than "
                       "the 500,000,000 that are read: cut it, or raise the limit pixels$"):
        load_raster(file)


def test_the_limit_of_pixels_can_be_moved(tmp_path):
    file = save_tiff(tmp_path / "people.tif", 3, 3)
    with pytest.raises(SourceError, match="has 3 by 3 pixels, more than the 8 that are read"):
        load_raster(file, limits=Limits(pixels=8))
    assert load_raster(file, limits=Limits(pixels=9)).values.shape == (3, 3)


def test_a_name_with_an_exclamation_mark_is_not_opened(tmp_path):
    folder = tmp_path / "x!"
    folder.mkdir()
    with pytest.raises(SourceError, match="is no GeoTIFF, PNG or JPEG"):
        load_raster(save_tiff(folder / "people.tif"))
