"""What a version says of itself: what it was made from and with, and the hash of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..errors import WorkspaceError
from .config import Config

MANIFEST = "manifest.json"

#: The entry of a manifest that is the hash of all others.
SEAL = "seal"

#: What gridmap stands on, as a manifest tells it.
STANDS_ON = ("folium", "geopandas", "numba", "numpy", "pandas", "pyarrow", "pyogrio", "pyproj",
             "scipy", "shapely")

#: Entries of a configuration that the outcome does not depend on.
_NOT_THE_OUTCOME = ("path", "workspace", "workers", "executor", "profile", "publication")


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class Hashes:
    """The hashes of files, each read once for as long as it stands as it did.

    Names of one file share its hash; a file that was written to since is read again.

    Examples
    --------
    >>> import tempfile
    >>> file, read = Path(tempfile.mkdtemp()) / "map.html", Hashes()
    >>> file.write_text("a"), read.of(file) == hash_text("a")
    (1, True)
    >>> file.write_text("ab"), read.of(file) == hash_text("ab")
    (2, True)
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], str] = {}

    def of(self, path: Path) -> str:
        """Return the hash of a file."""
        state = path.stat()
        key = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
        if key not in self._known:
            self._known[key] = hash_file(path)
        return self._known[key]

    def tells(self, path: Path, known: str | None) -> bool:
        """Say whether a file is there and has a hash."""
        return path.is_file() and self.of(path) == known


def hash_text(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8 as hexadecimal text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def hash_bytes(held: Any) -> str:
    """Return the SHA-256 of bytes as hexadecimal text."""
    return hashlib.sha256(held).hexdigest()


def list_files(folder: Path) -> list[str]:
    """Return the names of all files below a folder, sorted, with ``/`` on every system."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def save_manifest(folder: Path, facts: Mapping[str, Any], hashes: Mapping[str, str]) -> Path:
    """Write the manifest of a version: facts, the hash of every file in it, and a seal."""
    said = {**facts, "outputs": dict(hashes)}
    file = folder / MANIFEST
    file.write_text(_write({**said, SEAL: hash_text(_write(said))}), encoding="utf-8",
                    newline="\n")
    return file


def _write(said: Mapping[str, Any]) -> str:
    return json.dumps(said, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def tell_seal(folder: Path) -> str | None:
    """Return what is wrong with the seal of a manifest in words, None where it holds.

    Examples
    --------
    >>> import tempfile
    >>> file = save_manifest(Path(tempfile.mkdtemp()), {"seed": 1}, {})
    >>> tell_seal(file.parent) is None
    True
    >>> file.write_text(file.read_text().replace("1", "2", 1)) > 0
    True
    >>> tell_seal(file.parent)
    'it says something else than when it was sealed'
    """
    try:
        text = (folder / MANIFEST).read_bytes().decode("utf-8")
        said: dict[str, Any] = json.loads(text)
        seal = said.pop(SEAL, None)
    except (OSError, ValueError, AttributeError) as error:
        return f"it cannot be read: {error}"
    if seal is None:
        return "it has no seal: an older gridmap wrote it"
    sealed = hash_text(_write(said)) == seal and _write({**said, SEAL: seal}) == text
    return None if sealed else "it says something else than when it was sealed"


def load_manifest(folder: str | Path) -> dict[str, Any]:
    """Read the manifest of a version.

    Parameters
    ----------
    folder : str or Path
        A workspace, or one of its versions.

    Returns
    -------
    dict
        ``outputs``, the hash of every file by its name, among what the run knew.

    Raises
    ------
    WorkspaceError
        If there is none, or it is no manifest.

    Examples
    --------
    >>> load_manifest("nowhere")
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: nowhere has no manifest.json, so it is no workspace. Make one \
with: gridmap run
    """
    file = Path(folder) / MANIFEST
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"{folder} has no {MANIFEST}, so it is no workspace. Make one with: gridmap run"
        ) from error
    except (OSError, ValueError) as error:
        raise WorkspaceError(f"{file} cannot be read: {error}") from error
    if not isinstance(read, dict) or not isinstance(read.get("outputs"), dict):
        raise WorkspaceError(f"{file} lists no outputs, so it is no manifest of gridmap")
    return read


def find_altered(folder: Path, outputs: Mapping[str, str]) -> list[str]:
    """Return the files of a version that are gone or whose bytes are not what they were.

    Examples
    --------
    >>> import tempfile
    >>> find_altered(Path(tempfile.mkdtemp()), {"map.html": "0"})
    ['map.html']
    """
    return [name for name, known in outputs.items()
            if not (folder / name).is_file() or hash_file(folder / name) != known]


def hash_config(config: Config) -> dict[str, str]:
    """Return the hashes of all that a run follows: its entries, profile and publication.

    The order of entries, comments, the place of the folder and the number of workers do not
    count.
    """
    entries = {f.name: getattr(config, f.name) for f in fields(config)
               if f.name not in _NOT_THE_OUTCOME}
    home = config.path.parent
    parts = {"configuration": entries, "profile": config.profile,
             "publication": config.publication}
    return {name: hash_text(json.dumps(_plain(part, home), sort_keys=True, ensure_ascii=False))
            for name, part in parts.items()}


def _plain(value: Any, home: Path) -> Any:
    """Return a value as JSON has it, with paths from the folder of the configuration."""
    if is_dataclass(value) and not isinstance(value, type):
        shown = {f.name: getattr(value, f.name) for f in fields(value)}
        left_out = _NOT_THE_OUTCOME if "workspace" in shown else ()
        return {k: _plain(v, home) for k, v in shown.items() if k not in left_out}
    if isinstance(value, Path):
        inside = value.is_relative_to(home)
        return value.relative_to(home).as_posix() if inside else value.name
    if isinstance(value, Mapping):
        return {str(k): _plain(v, home) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [_plain(item, home) for item in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def tell_versions(packages: Iterable[str] = STANDS_ON) -> dict[str, str]:
    """Return the versions of gridmap, of what it stands on, and of the libraries below.

    Examples
    --------
    >>> sorted(tell_versions(["shapely"]))
    ['GDAL', 'GEOS', 'PROJ', 'gridmap', 'shapely']
    """
    told = {}
    for name in ("gridmap", *packages):
        try:
            told[name] = version(name)
        except PackageNotFoundError:  # optional, and not there
            continue
    pyogrio, pyproj, shapely = map(import_module, ("pyogrio", "pyproj", "shapely"))
    told["GDAL"] = ".".join(str(part) for part in pyogrio.__gdal_version__)
    told["GEOS"] = str(shapely.geos_version_string)
    told["PROJ"] = str(pyproj.proj_version_str)
    return told
