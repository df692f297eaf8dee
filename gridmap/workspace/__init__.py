"""A project folder on disk: its configuration, and what a run writes."""

from .config import Config, load_config
from .save import Contents, Layer, save_workspace
from .scaffold import save_scaffold

__all__ = ["Config", "Contents", "Layer", "load_config", "save_scaffold", "save_workspace"]
