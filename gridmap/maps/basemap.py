"""The ground that a user lays under a page: a picture put into it, or tiles of one machine.

There is none unless the user names one. A picture keeps the page a file that asks nobody;
tiles open its content security policy for the one machine that was named, and no other.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import numpy as np
from PIL import Image

from ..errors import SourceError, listed
from ..sources import picture
from .encode import ZOOM, to_pixels

_EXPECTED = (
    "Expected a GeoTIFF, or an address such as http://10.0.0.5:8080/{z}/{x}/{y}.png or "
    "http://10.0.0.5/wms?layers=photo"
)
_FIELDS = frozenset({"z", "x", "y", "-y"})
#: What a request for a WMS map says each time; the page says it and not the user.
_WMS_OWN = frozenset({"service", "request", "bbox", "width", "height", "crs", "srs"})
_WMS_USUAL = {"styles": "", "format": "image/png", "transparent": "true", "version": "1.1.1"}
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Base:
    """What lies under a page.

    Parameters
    ----------
    kind : str
        ``picture``, ``tiles`` or ``wms``.
    address : str
        Where each tile is, or the picture itself.
    machine : str, default ""
        The one machine that the page may ask, as a content security policy names it.
    more : mapping
        Further options: the bounds of a picture, the parameters of a WMS.
    """

    kind: str
    address: str
    machine: str = ""
    more: Mapping[str, Any]

    def content(self) -> dict[str, Any]:
        """Return what the page's script needs.

        Examples
        --------
        >>> read_base("http://localhost/{z}/{x}/{y}.png").content()["machine"]
        'http://localhost'
        """
        return {"kind": self.kind, "address": self.address, "machine": self.machine, **self.more}


def read_base(source: str | Path) -> Base:
    """Return the base map that a user named.

    Parameters
    ----------
    source : str or Path
        A GeoTIFF, which is put into the page; or the address of tiles, with ``{z}``, ``{x}``
        and ``{y}`` (or ``{-y}``, where rows are counted from the south) in it; or the
        address of a WMS, with ``layers=`` in it.

    Returns
    -------
    Base

    Raises
    ------
    SourceError
        If the address is none of these, names more than one machine, or holds a password;
        or the picture cannot be read.

    Examples
    --------
    >>> read_base("http://10.0.0.5:8080/{z}/{x}/{y}.png").machine
    'http://10.0.0.5:8080'
    >>> read_base("http://10.0.0.5/wms?layers=photo").more["parameters"]["layers"]
    'photo'
    >>> read_base("http://{s}.tiles.test/{z}/{x}/{y}.png")
    Traceback (most recent call last):
    gridmap.errors.SourceError: base map 'http://{s}.tiles.test/{z}/{x}/{y}.png': {s} names \
more than one machine. Name the one that is meant
    """
    text = str(source)
    if isinstance(source, Path) or not re.match(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//", text):
        return _picture(Path(source))
    machine = _machine(text)
    address = urlsplit(text)
    asked = {key.lower(): value for key, value in
             parse_qsl(address.query, keep_blank_values=True)}
    if asked.get("layers"):
        return _wms(text, asked, machine)
    fields = set(re.findall(r"\{([^{}]*)\}", text))
    if not {"z", "x"} <= fields or len(fields & {"y", "-y"}) != 1:
        raise SourceError(f"base map {text!r} has no {{z}}, {{x}} and {{y}}, nor layers=. "
                          f"{_EXPECTED}")
    if odd := sorted(fields - _FIELDS):
        raise SourceError(f"base map {text!r}: {{{odd[0]}}} is not known. "
                          "{z}, {x}, {y} and {-y} are")
    more = {"south": "-y" in fields}
    return Base(kind="tiles", address=text.replace("{-y}", "{y}"), machine=machine, more=more)


def _machine(text: str) -> str:
    """Return the machine of an address as a policy names it, or raise."""
    try:
        address = urlsplit(text)
        host, port = address.hostname or "", address.port
    except ValueError as error:
        raise SourceError(f"base map {text!r} is no address: {error}. {_EXPECTED}") from error
    if "{s}" in text:
        raise SourceError(f"base map {text!r}: {{s}} names more than one machine. Name the one "
                          "that is meant")
    if address.scheme not in ("http", "https"):
        raise SourceError(f"base map {text!r} does not begin with http:// or https://. "
                          f"{_EXPECTED}")
    if "@" in address.netloc:
        raise SourceError(f"the address of the base map on {host} holds a user or password, "
                          "which everybody could read in the page. Leave it out")
    if not _HOST.fullmatch(host):
        raise SourceError(f"base map {text!r}: {host!r} is not the name of one machine. Write a "
                          f"name, or four numbers such as 10.0.0.5")
    if re.search(r"[\s\"'<>\\;]", text) or not text.isascii():
        raise SourceError(f"base map {text!r}: blanks, quotes and letters beyond ASCII must be "
                          "written as %20 and the like")
    return f"{address.scheme}://{host}{f':{port}' if port is not None else ''}"


def _wms(text: str, asked: Mapping[str, str], machine: str) -> Base:
    known = {**_WMS_USUAL, "layers": ""}
    parameters = {name: asked.get(name, usual) for name, usual in known.items()}
    others = {name: value for name, value in asked.items()
              if name not in known and name not in _WMS_OWN}
    address = text.partition("?")[0] + (f"?{urlencode(others)}" if others else "")
    return Base(kind="wms", address=address, machine=machine, more={"parameters": parameters})


def _picture(path: Path) -> Base:
    if path.suffix.lower() in (".pmtiles", ".mbtiles"):
        raise SourceError(f"base map {str(path)!r}: a page cannot read {path.suffix} by itself. "
                          f"Serve it as tiles. {_EXPECTED}")
    if not path.is_file():
        raise SourceError(f"base map {str(path)!r}: there is no such file. {_EXPECTED}")
    read = picture.load_picture(path)
    written = io.BytesIO()
    Image.fromarray(read.pixels, "RGBA").save(written, format="WEBP", quality=80, method=4)
    west, south, east, north = read.bounds
    corners = _degrees(np.array([[west, south], [east, north]]))
    address = "data:image/webp;base64," + base64.b64encode(written.getvalue()).decode()
    if not np.isfinite(corners).all():
        raise SourceError(f"base map {str(path)!r} lies beyond what a page can show: "
                          f"{listed(read.bounds, show=4)}")
    return Base(kind="picture", address=address, more={"bounds": corners.tolist()})


def _degrees(places: np.ndarray) -> np.ndarray:
    """Return latitude and longitude of places in Web Mercator, as the page computes them."""
    pixels = to_pixels(places, 3857) / (256 * 2.0**ZOOM)
    latitude = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * pixels[:, 1]))))
    return np.column_stack([latitude, 360 * pixels[:, 0] - 180]).round(9)
