"""The main job done again: what nothing touched since is taken over, and proven so."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pandas import DataFrame, Series

from ..errors import WorkspaceError
from ..executors import open_executor
from ..workspace import inputs, manifest, read_inputs, save_workspace, store
from ..workspace.config import Config
from ..workspace.inputs import Reading
from . import keys, save, shelf
from .files import Files
from .graph import Job
from .load import Progress, silent
from .outputs import Current, Output
from .steps import RAN, REUSED, Steps, Told

#: Folder of the store of steps, among the versions of a workspace.
STORE = "steps"

#: How often a run begins again because something in the store turns out to be damaged.
TRIES = 12


class Outcome(NamedTuple):
    """What a run did, and the figures that sum it up."""

    summary: Series
    changes: DataFrame
    ledger: DataFrame
    files: list[Path]
    steps: DataFrame  # step, did, why, seconds


def run_again(
    config: Config, *, reading: Reading | None = None, fresh: bool = False,
    progress: Progress = silent,
) -> Outcome:
    """Do the main job and write the workspace, doing only what something touched since.

    The outcome is that of `run` and `save_run`, byte for byte. What each step gave is kept in
    ``out.versions/steps``, together with the hashes of everything that it was made of. What
    is gone or damaged there is made again.

    Parameters
    ----------
    config : Config
    reading : Reading, optional
        The input as it was before, from `read_inputs`.
    fresh : bool, default False
        Do everything again, whatever is kept.
    progress : callable, optional
        Called with (step, done, total).

    Returns
    -------
    Outcome
        ``steps`` has a row for each step in the order they were looked at: ``did`` is "ran",
        "ran in part" or "reused", and ``why`` says it in words.

    Raises
    ------
    GridmapError
        As `run` and `save_run` do.

    Examples
    --------
    >>> import tempfile
    >>> from gridmap.sketch import save_sketch
    >>> from gridmap.workspace import load_config
    >>> config = load_config(save_sketch(tempfile.mkdtemp()))
    >>> set(run_again(config).steps["did"]), set(run_again(config).steps["did"])
    ({'ran'}, {'reused'})
    """
    place = store.find_place(config.workspace)
    read = read_inputs(config) if reading is None else reading
    folder = _open(place)
    settings = config.settings
    with open_executor(settings.executor, workers=settings.workers,
                       scheduler=settings.scheduler, later=True) as executor:
        for _ in range(TRIES):
            steps = Steps(folder, fresh=fresh)
            try:
                return _run(Job(config, steps, read, progress, executor), steps, place, read)
            except shelf.Damaged:  # it was removed, so the next try makes it again
                continue
    raise WorkspaceError(
        f"the store of steps in {folder} is damaged again and again. See to the disk, or run "
        "with --fresh"
    )


def _open(place: Path) -> Path | None:
    """Return the store of steps; None where it cannot be made, and every step is done."""
    try:
        return shelf.open_shelf(store.store_of(place) / STORE)
    except OSError:
        return None


def _run(job: Job, steps: Steps, place: Path, reading: Reading) -> Outcome:
    config, account = job.config, job.account
    if not job.proven["proven"]:
        raise WorkspaceError("grids were not proven to tile their land")
    current = Current(_find_version(place), manifest.Hashes())
    made = Files(job, config, current)
    outputs = made.list_all()
    job.progress("save", 0, 2)
    kept = _find_kept(outputs, steps, current)
    facts = save.tell_facts(config, reading, job.summary, account["changes"],
                            account["rejects"], account["ledger"])
    contents = made.gather(kept, facts)
    inputs.check_inputs(reading)
    files = save_workspace(config.workspace, contents, read=current.read)
    _remember(outputs, steps, place)
    job.progress("save", 2, 2)
    told = DataFrame(steps.told, columns=list(Told._fields))
    return Outcome(job.summary, account["changes"], account["ledger"], files, told)


def _find_version(place: Path) -> Path | None:
    current = store.current_number(place)
    return None if current is None else store.store_of(place) / current


def _find_kept(outputs: list[Output], steps: Steps, current: Current) -> dict[str, Path]:
    """Return the files of the current version that are made of the same as before."""
    kept = {}
    for one in outputs:
        step, before = f"write: {one.name}", None
        if steps.folder is not None and not steps.fresh:
            before = shelf.find_record(steps.folder, keys.make_key(step, one.ingredients))
        file = None if before is None else current.find(one.name, before.told["hash"])
        if file is not None:
            kept[one.name] = file
        steps.tell(step, one.ingredients, REUSED if one.name in kept else RAN)
    return kept


def _remember(outputs: list[Output], steps: Steps, place: Path) -> None:
    """Note what every file was made of, and forget what no version needs."""
    current = store.current_number(place)
    if steps.folder is None or current is None:
        return
    hashes = manifest.load_manifest(store.store_of(place) / current)["outputs"]
    for one in outputs:
        step = f"write: {one.name}"
        key = keys.make_key(step, one.ingredients)
        shelf.add_record(steps.folder, shelf.Record(
            step, key, one.ingredients, {}, {"hash": hashes[one.name]}))
        steps.keys[step] = key
    shelf.note_run(steps.folder, steps.keys, current, store.list_numbers(place))
