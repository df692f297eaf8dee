"""A project folder on disk: its configuration, and what a run writes."""

from .config import Config, load_config
from .save import Contents, Layer, save_table, save_workspace
from .scaffold import save_scaffold
from .versions import Version, compare_versions, load_lineages, load_version

__all__ = [
    "Config",
    "Contents",
    "Layer",
    "Version",
    "compare_versions",
    "load_config",
    "load_lineages",
    "load_version",
    "save_scaffold",
    "save_table",
    "save_workspace",
]
