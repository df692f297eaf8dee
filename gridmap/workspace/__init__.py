"""A project folder on disk: its configuration, and what a run writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._rooms import give_names

if TYPE_CHECKING:
    from .config import Config, load_config
    from .history import load_history
    from .inputs import Reading, check_inputs, read_inputs
    from .manifest import load_manifest
    from .packages import Layer, make_ground, tell_kinds
    from .proof import Proof, verify_version
    from .save import Contents, hold_workspace, save_table, save_workspace
    from .scaffold import save_scaffold
    from .upkeep import find_prunable, prune_steps, prune_versions, restore_version
    from .versions import Version, compare_versions, load_lineages, load_version

__all__ = [
    "Config",
    "Contents",
    "Layer",
    "Proof",
    "Reading",
    "Version",
    "check_inputs",
    "compare_versions",
    "find_prunable",
    "hold_workspace",
    "load_config",
    "load_history",
    "load_lineages",
    "load_manifest",
    "load_version",
    "make_ground",
    "prune_steps",
    "prune_versions",
    "read_inputs",
    "restore_version",
    "save_scaffold",
    "save_table",
    "save_workspace",
    "tell_kinds",
    "verify_version",
]

__getattr__, __dir__ = give_names(__name__)
