"""Public loaders, one for each kind of frame: any file in, one schema out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from .. import schema
from .limits import Limits
from .loaded import Loaded
from .loaders import load_frame


class Reading(TypedDict, total=False):
    """How to read a file; every option is explained at `load_frame`."""

    columns: Mapping[str, Any] | None
    constants: Mapping[str, Any] | None
    layer: str | None
    crs: str | None
    offset: str | None
    encoding: str | None
    where: Mapping[str, Any] | None
    limits: Limits


def load_territories(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read administrative polygons from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``level`` is needed, as a column or a constant.

    Returns
    -------
    Loaded
        Its frame follows the schema TERRITORIES.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "territories.csv")
    >>> _ = file.write_text('code,wkt\\n07,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\\n')
    >>> loaded = load_territories(
    ...     file,
    ...     columns={"territory": "code", "wkt": "wkt"},
    ...     constants={"level": "town"},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['07']
    """
    return load_frame(path, schema.TERRITORIES, **options)


def load_units(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read basic spatial units from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``territory``, ``households`` and ``people`` are needed.

    Returns
    -------
    Loaded
        Its frame follows the schema UNITS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "units.csv")
    >>> _ = file.write_text('code,town,h,p,wkt\\n07,1,3,8,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\\n')
    >>> loaded = load_units(
    ...     file,
    ...     columns={"unit": "code", "territory": "town", "households": "h",
    ...              "people": "p", "wkt": "wkt"},
    ...     crs="EPSG:32651")
    >>> int(loaded.frame["people"].sum())
    8
    """
    return load_frame(path, schema.UNITS, **options)


def load_grids(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read an existing layer of grids from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``territory`` is needed; figures that are not given stay missing.

    Returns
    -------
    Loaded
        Its frame follows the schema GRIDS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "grids.csv")
    >>> _ = file.write_text('code,town,wkt\\n07,1,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\\n')
    >>> loaded = load_grids(
    ...     file,
    ...     columns={"grid": "code", "territory": "town", "wkt": "wkt"},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['07']
    """
    return load_frame(path, schema.GRIDS, **options)


def load_schemes(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read work grids of a department from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``scheme`` is needed, as a column or a constant.

    Returns
    -------
    Loaded
        Its frame follows the schema SCHEMES.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "schemes.csv")
    >>> _ = file.write_text('code,wkt\\n07,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\\n')
    >>> loaded = load_schemes(
    ...     file,
    ...     columns={"work_grid": "code", "wkt": "wkt"},
    ...     constants={"scheme": "beats"},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['07']
    """
    return load_frame(path, schema.SCHEMES, **options)


def load_elements(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read addresses, buildings or population records from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``kind`` is needed; ``count`` is 1 unless given.

    Returns
    -------
    Loaded
        Its frame follows the schema ELEMENTS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "elements.csv")
    >>> _ = file.write_text('id,x,y\\nA,1,2\\nB,,2\\n')
    >>> loaded = load_elements(
    ...     file,
    ...     columns={"element": "id", "x": "x", "y": "y"},
    ...     constants={"kind": "address"},
    ...     crs="EPSG:32651")
    >>> loaded.rows_in, len(loaded.frame), len(loaded.rejects)
    (2, 1, 1)
    """
    return load_frame(path, schema.ELEMENTS, **options)


def load_assets(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read things that serve from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``kind`` is needed; ``radius_m`` is missing unless given.

    Returns
    -------
    Loaded
        Its frame follows the schema ASSETS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "assets.csv")
    >>> _ = file.write_text('id,x,y\\nA,1,2\\nB,,2\\n')
    >>> loaded = load_assets(
    ...     file,
    ...     columns={"asset": "id", "x": "x", "y": "y"},
    ...     constants={"kind": "hydrant", "radius_m": 150},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['A']
    """
    return load_frame(path, schema.ASSETS, **options)


def load_barriers(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read lines that grids should follow from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``kind`` is needed; rows without a code are numbered.

    Returns
    -------
    Loaded
        Its frame follows the schema BARRIERS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "barriers.csv")
    >>> _ = file.write_text('kind,wkt\\nriver,"LINESTRING (0 0, 1 1)"\\n')
    >>> loaded = load_barriers(
    ...     file,
    ...     columns={"kind": "kind", "wkt": "wkt"},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['1']
    """
    return load_frame(path, schema.BARRIERS, **options)


def load_sites(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read compounds and dedicated sites from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``kind`` is needed; rows without a code are numbered.

    Returns
    -------
    Loaded
        Its frame follows the schema SITES.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "sites.csv")
    >>> _ = file.write_text('code,wkt\\n07,"POLYGON ((0 0, 1 0, 1 1, 0 0))"\\n')
    >>> loaded = load_sites(
    ...     file,
    ...     columns={"site": "code", "wkt": "wkt"},
    ...     constants={"kind": "school"},
    ...     crs="EPSG:32651")
    >>> loaded.frame.index.tolist()
    ['07']
    """
    return load_frame(path, schema.SITES, **options)


def load_workers(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read posts of workers from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``territory`` is needed.

    Returns
    -------
    Loaded
        Its frame follows the schema WORKERS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "workers.csv")
    >>> _ = file.write_text('post,town\\nW1,379901.0\\n')
    >>> loaded = load_workers(
    ...     file,
    ...     columns={"worker": "post", "territory": "town"})
    >>> loaded.frame["territory"].tolist()
    ['379901']
    """
    return load_frame(path, schema.WORKERS, **options)


def load_events(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read reported matters from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. Times are read in any common form; rows without a code are numbered.

    Returns
    -------
    Loaded
        Its frame follows the schema EVENTS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "events.csv")
    >>> _ = file.write_text('opened,x,y\\n2026-03-01 08:00,1,2\\n')
    >>> loaded = load_events(
    ...     file,
    ...     columns={"opened": "opened", "x": "x", "y": "y"},
    ...     crs="EPSG:32651")
    >>> int(loaded.frame["opened"].dt.month.iloc[0])
    3
    """
    return load_frame(path, schema.EVENTS, **options)


def load_visits(path: str | Path, **options: Unpack[Reading]) -> Loaded:
    """Read household visits counted by place and month from a file.

    Parameters
    ----------
    path : str or Path
        Any file that `load_frame` reads.
    **options
        As in `load_frame`. ``period`` is needed; rows without a code are numbered.

    Returns
    -------
    Loaded
        Its frame follows the schema VISITS.

    Raises
    ------
    SourceError, CRSError
        As in `load_frame`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp(), "visits.csv")
    >>> _ = file.write_text('month,n,x,y\\n2026-03,4,1,2\\n')
    >>> loaded = load_visits(
    ...     file,
    ...     columns={"period": "month", "count": "n", "x": "x", "y": "y"},
    ...     crs="EPSG:32651")
    >>> int(loaded.frame["count"].sum())
    4
    """
    return load_frame(path, schema.VISITS, **options)
