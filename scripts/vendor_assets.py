"""Fetch the browser assets that pages inline, from npm, pinned and checked.

    python scripts/vendor_assets.py           write gridmap/maps/vendor/
    python scripts/vendor_assets.py --check   fail where the folder differs from that

Needs npm on the path and a package registry that npm reaches. The files are committed,
so that neither an installation nor a page ever fetches anything.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import mimetypes
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

VENDOR = Path(__file__).resolve().parents[1] / "gridmap" / "maps" / "vendor"
JSDELIVR = "https://cdn.jsdelivr.net/npm/"
CLOUDFLARE = "https://cdnjs.cloudflare.com/ajax/libs/"


@dataclass(frozen=True)
class Asset:
    """One file: where it lies in its package, and the addresses it stands in for.

    ``used_by`` is a pattern in the page's own scripts; the file is inlined only where it
    is found (empty: always).
    """

    path: str
    name: str
    addresses: tuple[str, ...]
    used_by: str = ""


@dataclass(frozen=True)
class Package:
    """One npm package at one version, proven by the checksum of its tarball."""

    name: str
    version: str
    integrity: str
    licence: str
    licence_file: str
    assets: tuple[Asset, ...] = field(default=())


MARKERS = "AwesomeMarkers"

PACKAGES = (
    Package(
        "leaflet", "1.9.4",
        "sha512-nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQix"
        "URb+FA74PA==",
        "BSD-2-Clause", "LICENSE",
        (
            Asset("dist/leaflet.js", "leaflet.js", (JSDELIVR + "leaflet@1.9.3/dist/leaflet.js",)),
            Asset("dist/leaflet.css", "leaflet.css",
                  (JSDELIVR + "leaflet@1.9.3/dist/leaflet.css",)),
        ),
    ),
    Package(
        "jquery", "3.7.1",
        "sha512-m4avr8yL8kmFN8psrbFFFmB/If14iN5o9nw/NgnnM+kybDJpRsAynV2BsfpTYrTRysYUdADVD7Ck"
        "UUizgkpLfg==",
        "MIT", "LICENSE.txt",
        (
            Asset("dist/jquery.min.js", "jquery.js",
                  ("https://code.jquery.com/jquery-3.7.1.min.js",), r"\$\(|\$\.|jQuery"),
        ),
    ),
)

#: Addresses that folium always names and a page can do without: pattern of what needs them.
UNNEEDED = {
    JSDELIVR + "bootstrap@5.2.2/dist/js/bootstrap.bundle.min.js": "data-bs-",
    JSDELIVR + "bootstrap@5.2.2/dist/css/bootstrap.min.css": "data-bs-",
    CLOUDFLARE + "Leaflet.awesome-markers/2.0.2/leaflet.awesome-markers.js": MARKERS,
    CLOUDFLARE + "Leaflet.awesome-markers/2.0.2/leaflet.awesome-markers.css": MARKERS,
    "https://netdna.bootstrapcdn.com/bootstrap/3.0.0/css/bootstrap-glyphicons.css": MARKERS,
    JSDELIVR + "@fortawesome/fontawesome-free@6.2.0/css/all.min.css": MARKERS,
    "https://cdn.jsdelivr.net/gh/python-visualization/folium/folium/templates/"
    "leaflet.awesome.rotate.min.css": MARKERS,
}


def main() -> int:
    """Write the folder, or compare it, and say so."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--check", action="store_true", help="compare, write nothing")
    check = arguments.parse_args().check
    wanted = dict(fetch_all())
    if check:
        present = {path.name: path.read_bytes() for path in VENDOR.iterdir() if path.is_file()}
        differing = sorted(k for k in wanted | present if wanted.get(k) != present.get(k))
        print(f"differing: {', '.join(differing)}" if differing else "vendor folder is as pinned")
        return 1 if differing else 0
    VENDOR.mkdir(parents=True, exist_ok=True)
    for name, content in wanted.items():
        (VENDOR / name).write_bytes(content)
        print(f"{len(content):>8,}  {name}")
    return 0


def fetch_all() -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of every file of the folder, the index last."""
    index: dict[str, dict[str, str]] = {}
    for package in PACKAGES:
        members = fetch(package)
        licence = f"LICENSE.{package.name}.txt"
        yield licence, members[package.licence_file].replace(b"\r\n", b"\n")
        for asset in package.assets:
            content = prepare(asset, members)
            yield asset.name, content
            for address in asset.addresses:
                index[address] = {
                    "file": asset.name, "package": package.name, "version": package.version,
                    "licence": package.licence, "licence_file": licence,
                    "integrity": package.integrity,
                    "sha256": hashlib.sha256(content).hexdigest(), "used_by": asset.used_by,
                }
    index |= {address: {"needed_by": pattern} for address, pattern in UNNEEDED.items()}
    yield "index.json", (json.dumps(index, indent=1, ensure_ascii=False) + "\n").encode()


def fetch(package: Package) -> dict[str, bytes]:
    """Return the members of a package's tarball, checked against its pinned checksum."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{package.name}@{package.version}", "--silent",
                   "--pack-destination", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        tarball = next(Path(folder).glob("*.tgz"))
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if f"sha512-{digest}" != package.integrity:
            sys.exit(f"{package.name} {package.version} is not the pinned one: sha512-{digest}")
        with tarfile.open(tarball) as archive:
            return {
                member.name.partition("/")[2]: archive.extractfile(member).read()  # type: ignore[union-attr]
                for member in archive if member.isfile()
            }


def prepare(asset: Asset, members: dict[str, bytes]) -> bytes:
    """Return a file as it is inlined: no source map, no address of another file."""
    text = members[asset.path].decode("utf-8").replace("\r\n", "\n")
    text = re.sub(r"(//# sourceMappingURL=.*|/\*# sourceMappingURL=.*?\*/)\n?", "", text)
    if asset.path.endswith(".css"):
        folder = asset.path.rpartition("/")[0]
        text = re.sub(r"url\(['\"]?([^)'\"]+)['\"]?\)",
                      lambda found: embed(found[1], folder, members), text)
    if asset.name == "leaflet.js":
        text = text.rstrip() + default_icon(members)
    return text.encode("utf-8")


def embed(reference: str, folder: str, members: dict[str, bytes]) -> str:
    """Return a css ``url(…)`` with the file itself in it."""
    if reference.startswith(("data:", "#")):
        return f"url({reference})"
    name = re.split(r"[?#]", reference)[0]
    path = str(Path("/", folder, name).resolve().relative_to("/"))
    return f"url({as_uri(path, members)})"


def as_uri(path: str, members: dict[str, bytes]) -> str:
    """Return a file of a package as a ``data:`` address."""
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(members[path]).decode()}"


def default_icon(members: dict[str, bytes]) -> str:
    """Return the line that gives Leaflet its default marker without a folder of images."""
    options = {
        "iconUrl": as_uri("dist/images/marker-icon.png", members),
        "iconRetinaUrl": as_uri("dist/images/marker-icon-2x.png", members),
        "shadowUrl": as_uri("dist/images/marker-shadow.png", members),
    }
    return (
        '\nL.Icon.Default.imagePath="";'
        f"L.Icon.Default.mergeOptions({json.dumps(options)});\n"
    )


if __name__ == "__main__":
    sys.exit(main())
