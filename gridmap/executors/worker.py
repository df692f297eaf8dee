"""A worker process: reads parts from its pipe, writes answers, ends when the pipe ends.

It is started by `Processes` as ``python -m gridmap.executors.worker``, so it never imports the
script of the caller, and a script needs no guard around its main part.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import queue
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import IO, Any

from ..errors import ExecutorError
from . import base, frames

#: Where memory runs out a worker goes first, whose part is done again, and not the caller.
EXPENDABLE = "500"


def main() -> None:
    """Work until the other end of the pipe is gone."""
    source, answers = _settle()
    with contextlib.suppress(EOFError):
        sys.path[:] = frames.unpack(frames.receive(source))
        orders: queue.SimpleQueue[frames.Packed] = queue.SimpleQueue()
        folders: set[Path] = set()
        threading.Thread(target=_listen, args=(source, orders, folders), daemon=True).start()
        kept: dict[int, Any] = {}
        while True:
            frames.send(answers, _answer(orders.get(), kept, folders))


def _settle() -> tuple[IO[bytes], IO[bytes]]:
    """Return the pipes; what a library reads or prints must not come between."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller is interrupted, and ends us
    logging.getLogger("gridmap").addHandler(logging.NullHandler())  # the caller has told it
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:
        score.write(EXPENDABLE)
    source, answers = os.fdopen(os.dup(0), "rb", 0), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, answers


def _listen(
    source: IO[bytes], orders: queue.SimpleQueue[frames.Packed], folders: set[Path]
) -> None:
    """Take orders; leave at once when the caller is gone, even in the middle of a part.

    Orders are opened by the main thread: two threads that import modules at a time may each
    find one that the other has half done.
    """
    with contextlib.suppress(EOFError, OSError):
        while True:
            orders.put(frames.receive(source))
    for folder in tuple(folders):
        shutil.rmtree(folder, ignore_errors=True)  # the caller was killed before it could
    os._exit(0)


def _answer(order: frames.Packed, kept: dict[int, Any], folders: set[Path]) -> frames.Packed:
    try:
        function, part, key, mapped = frames.unpack(order)
        if mapped is not None:
            folders.add(Path(mapped.path).parent)
            kept.pop(key, None)  # so that it counts as the last
            kept[key] = frames.load_mapped(mapped)
            while len(kept) > base.HELD:
                del kept[next(iter(kept))]
        answer = function(part) if key is None else function(part, kept[key])
    except (Exception, SystemExit) as error:  # whatever it is, the caller raises it
        return frames.pack((False, _portable(error)))
    try:
        return frames.pack((True, answer))
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        name = getattr(function, "__qualname__", "the function")
        return frames.pack((False, ExecutorError(base.tell_unsent_answer(name, error))))


def _portable(error: BaseException) -> BaseException:
    """Return the error, or one that says the same where it cannot be sent, or would end all."""
    with contextlib.suppress(TypeError, AttributeError, ValueError, LookupError, ImportError,
                             pickle.PickleError):
        if isinstance(pickle.loads(pickle.dumps(error)), Exception):
            return error
    return RuntimeError(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
