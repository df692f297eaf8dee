"""What a workspace publishes, in the formats that others open."""

from .choose import Exported, check_export, save_export
from .published import PublishedLayer, list_layers, load_published

__all__ = ["Exported", "PublishedLayer", "check_export", "list_layers", "load_published",
           "save_export"]
