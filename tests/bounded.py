"""Reads a file in a process of its own that may not take more than so much memory and time.

A hostile file is told from a harmless one by what it costs, and a test of it must not take the
machine along. So one helper process imports gridmap once, and forks for every file.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

#: What a file may take beyond what an idle process has, in bytes and seconds of processor time.
MEMORY, SECONDS = 700_000_000, 12


class Reader:
    """A helper process that reads files, each in a fork of itself with limits."""

    def __init__(self) -> None:
        calm = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, **calm}, cwd=Path(__file__).parents[1])

    def read(self, path: Path, **options: Any) -> dict[str, Any]:
        """Return what became of a file: ``outcome``, ``message``, ``cpu_s``, ``peak_mb``."""
        self._process.stdin.write(json.dumps({"path": str(path), **options}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the helper process."""
        self._process.stdin.close()
        self._process.wait(10)


def _serve() -> None:
    import gridmap as gm  # noqa: F401  imported before any fork
    from gridmap.sources import loaders, peek, reading  # noqa: F401

    for line in sys.stdin:
        sys.stdout.write(json.dumps(_read_apart(json.loads(line))) + "\n")
        sys.stdout.flush()


def _read_apart(asked: dict[str, Any]) -> dict[str, Any]:
    """Read in a fork, whose last words come through a pipe."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        told = _read_bounded(asked)
        os.write(into, json.dumps(told).encode())
        os._exit(0)
    os.close(into)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(60)  # a file that blocks takes no processor time
    with os.fdopen(out, "rb") as stream:
        words = stream.read()
    _, status, used = os.wait4(child, 0)
    signal.alarm(0)
    if not words:
        ended = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "exit"
        return {"outcome": "died", "message": ended, "cpu_s": used.ru_utime + used.ru_stime}
    return json.loads(words)


def _read_bounded(asked: dict[str, Any]) -> dict[str, Any]:
    page = os.sysconf("SC_PAGE_SIZE")
    idle, resident = (int(n) * page for n in Path("/proc/self/statm").read_text().split()[:2])
    room = asked.pop("memory", MEMORY)
    # Addresses are taken in larger pieces than memory, by threads too, so twice as many may be;
    # how much memory was really taken is measured at the end.
    resource.setrlimit(resource.RLIMIT_AS, (idle + 2 * room, idle + 2 * room))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    began = time.process_time()
    try:
        told = _read(asked)
    except MemoryError:
        told = {"outcome": "out of memory", "message": ""}
    except Exception as error:  # whatever it is, the test names it
        from gridmap.errors import GridmapError
        known = isinstance(error, GridmapError)
        told = {"outcome": "refused" if known else "traceback",
                "message": str(error) if known else traceback.format_exc()[-1500:]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident
    return {**told, "cpu_s": round(time.process_time() - began, 2), "peak_mb": peak // 1_000_000}


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    """Read a file as a run does, or as ``gridmap check`` does where no columns are named."""
    from gridmap.sources import limits, loaders, peek

    path = Path(asked["path"])
    more = {"limits": limits.Limits(**asked["limits"])} if "limits" in asked else {}
    options = {name: asked[name] for name in ("layer", "crs", "encoding") if name in asked}
    (layer, *_) = peek.list_layers(path)
    options.setdefault("layer", layer)
    columns = asked.get("columns")
    if columns is None:
        columns = peek.peek_file(path, layer=options["layer"], encoding=options.get("encoding"),
                                 ).columns
    loaded = loaders.load_frame(path, peek.ANYTHING, columns=columns,
                                **{"crs": "EPSG:4326", **options}, **more)
    notes = loaded.rejects["note"].dropna().unique().tolist()
    outcome = "rejected" if len(loaded.rejects) else "read"
    return {"outcome": outcome, "message": "; ".join(map(str, notes)),
            "rows": loaded.rows_in, "on": len(loaded.frame)}


if __name__ == "__main__":
    _serve()
