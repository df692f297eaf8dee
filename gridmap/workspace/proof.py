"""The proof of a version: its bytes are those that were written, and its frames hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geopandas
import pandas as pd
from geopandas import GeoDataFrame
from pandas import DataFrame

from .. import attach, ledger, schema, tiling
from ..errors import GridmapError, LedgerError, WorkspaceError
from ..rules import TilingRule
from . import manifest, store

#: Columns of what a proof found.
COLUMNS = ("what", "name", "note")

#: Ways to find the grid of an element that places alone do not tell.
_BY_TEXT = ("address", "fallback")


class Proof(NamedTuple):
    """What was proven of a version, and what was not."""

    faults: DataFrame  # one row for each: what, name (of the file or frame), note
    proven: list[str]  # in words
    folder: Path


def verify_version(path: str | Path) -> Proof:
    """Prove a version: every byte, the ledger, the tiling, and the grid of every element.

    Parameters
    ----------
    path : str or Path
        A workspace, or one of its versions, such as ``out@0002``.

    Returns
    -------
    Proof
        Whose ``faults`` are empty where the version holds: missing, extra and altered files,
        files that cannot be read, lines of the ledger that do not close, grids that do not
        tile, elements that lie in another grid than the frame says.

    Raises
    ------
    WorkspaceError
        If there is no such version, or it has no manifest.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import sketch_grids
    >>> from gridmap.workspace import Contents, save_workspace
    >>> place = Path(tempfile.mkdtemp()) / "out"
    >>> files = save_workspace(place, Contents({"grids": sketch_grids("AB")}, {}, {}, {}, {}))
    >>> verify_version(place).proven
    ['1 file as it was written', '2 grids tile']
    >>> files[0].chmod(0o600); files[0].write_text("flipped")
    7
    >>> verify_version(place).faults["what"].tolist()
    ['altered', 'unreadable']
    """
    folder = store.find_version(path)
    if not folder.is_dir():
        raise WorkspaceError(f"there is no {folder}: name a workspace or one of its versions")
    folder = folder.resolve()  # the link is followed once, whatever a run does meanwhile
    faults = [("altered", manifest.MANIFEST, said)
              for said in [manifest.tell_seal(folder)] if said is not None]
    try:
        facts = manifest.load_manifest(folder)
    except WorkspaceError:
        if not (folder / manifest.MANIFEST).is_file():
            raise
        return Proof(_list_faults(faults), [], folder)
    faults += _prove_files(folder, facts["outputs"])
    count = len(facts["outputs"])
    proven = [] if faults else [
        f"{count} file as it was written" if count == 1 else f"{count} files as they were written"]
    for prove in (_prove_ledger, _prove_tiling, _prove_elements):
        try:
            said = prove(folder, facts)
        except GridmapError as error:
            what, name = _TOLD[prove.__name__]
            faults.append((what, name, str(error)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            # A damaged file of a frame fails in as many ways as its reader has.
            faults.append(("unreadable", _TOLD[prove.__name__][1], f"{error}".split("\n")[0]))
        else:
            proven += said
    return Proof(_list_faults(faults), proven, folder)


def _list_faults(faults: list[tuple[str, str, str]]) -> DataFrame:
    return DataFrame(faults, columns=list(COLUMNS)).astype("str").rename_axis("number")


def _prove_files(folder: Path, outputs: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    there = set(manifest.list_files(folder)) - {manifest.MANIFEST, store.MARK}
    for name in sorted(there | set(outputs)):
        if name not in there:
            yield "missing", name, "the manifest has it, the folder has not"
        elif name not in outputs:
            yield "extra", name, "the manifest does not know it"
        elif manifest.hash_file(folder / name) != outputs[name]:
            yield "altered", name, "its bytes are not those that were written"


def _prove_ledger(folder: Path, facts: dict[str, Any]) -> list[str]:
    file = folder / "ledger.csv"
    if not file.is_file():
        return []
    account = pd.read_csv(file, encoding="utf-8-sig", dtype={"step": "str", "frame": "str",
                                                             "measure": "str"})
    account = account.set_index(schema.LEDGER.index)
    ledger.check_balance(account)
    said = DataFrame(facts.get("ledger", []))
    if len(said) and not said[account.columns].equals(account.reset_index(drop=True)):
        raise LedgerError("ledger.csv says something else than the manifest")
    return [f"{len(account):,} lines of the ledger close"]


def _prove_tiling(folder: Path, facts: dict[str, Any]) -> list[str]:
    grids = _load_frame(folder, "grids")
    if grids is None:
        return []
    tiling.check_tiling(grids, rule=_rule(facts))
    return [f"{len(grids):,} grids tile"]


def _prove_elements(folder: Path, facts: dict[str, Any]) -> list[str]:
    elements = _load_frame(folder, "elements")
    grids = None if elements is None else _load_frame(folder, "grids")
    if grids is None or elements is None or "grid" not in elements or elements.empty:
        return []
    placed = elements.drop(columns=["grid", "how"], errors="ignore")
    found = attach.attach_elements(placed, grids, nearest_m=_rule(facts).snap_m).elements["grid"]
    by_text = elements["how"].isin(_BY_TEXT) if "how" in elements else found.isna() & False
    same = (found == elements["grid"]) | (found.isna() & elements["grid"].isna())
    odd = elements.index[~same & ~(by_text & elements["grid"].isin(grids.index))]
    if len(odd):
        raise WorkspaceError(f"{len(odd):,} elements lie in another grid than the frame says",
                             rows=[str(code) for code in odd])
    outside = int(elements["grid"].isna().sum())
    told = f"{len(elements) - outside:,} elements in one grid each"
    return [f"{told}, {outside:,} in none, as the frame says" if outside else told]


def _load_frame(folder: Path, name: str) -> GeoDataFrame | None:
    file = folder / "frames" / f"{name}.parquet"
    return geopandas.read_parquet(file) if file.is_file() else None


def _rule(facts: dict[str, Any]) -> TilingRule:
    return TilingRule(**facts.get("tiling", {}))


#: What a proof that fails is told as, and of what.
_TOLD = {_prove_ledger.__name__: ("ledger", "ledger.csv"),
         _prove_tiling.__name__: ("tiling", "frames/grids.parquet"),
         _prove_elements.__name__: ("elements", "frames/elements.parquet")}
