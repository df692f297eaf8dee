"""A project folder on disk: its configuration, and what a run writes."""

from .config import Config, load_config
from .history import load_history
from .manifest import check_inputs, load_manifest, read_inputs
from .save import Contents, Layer, hold_workspace, save_table, save_workspace
from .scaffold import save_scaffold
from .versions import Version, compare_versions, load_lineages, load_version

__all__ = [
    "Config",
    "Contents",
    "Layer",
    "Version",
    "check_inputs",
    "compare_versions",
    "hold_workspace",
    "load_config",
    "load_history",
    "load_lineages",
    "load_manifest",
    "load_version",
    "read_inputs",
    "save_scaffold",
    "save_table",
    "save_workspace",
]
