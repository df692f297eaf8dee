"""A commented configuration to start from."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ..errors import WorkspaceError


def save_scaffold(folder: str | Path) -> Path:
    """Write a commented ``gridmap.toml`` into a folder, which is made if absent.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Path
        The new file.

    Raises
    ------
    WorkspaceError
        If the folder has a ``gridmap.toml`` already, or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> save_scaffold(tempfile.mkdtemp() + "/town").name
    'gridmap.toml'
    """
    file = Path(folder) / "gridmap.toml"
    text = resources.files(__package__).joinpath("scaffold.toml").read_text(encoding="utf-8")
    if file.exists():
        raise WorkspaceError(f"{file} exists already and is not replaced")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WorkspaceError(f"{file} cannot be written: {error.strerror or error}") from error
    return file
