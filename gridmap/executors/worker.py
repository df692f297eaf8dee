"""A worker process: reads parts from its pipe, writes answers, ends when the pipe ends.

It is started by `Processes` as ``python -m gridmap.executors.worker``, so it never imports the
script of the caller, and a script needs no guard around its main part.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO

from . import frames


def main() -> None:
    """Work until the other end of the pipe is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller is interrupted, and ends us
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not come between the answers
    orders: queue.SimpleQueue[Any] = queue.SimpleQueue()
    source = os.fdopen(os.dup(0), "rb")
    sys.path[:] = frames.receive(source)
    threading.Thread(target=_listen, args=(source, orders), daemon=True).start()
    kept: dict[int, Any] = {}
    while True:
        order, *rest = orders.get()
        if order == "share":
            kept[rest[0]] = frames.load_mapped(rest[1])
        elif order == "drop":
            kept.pop(rest[0], None)
        else:
            frames.send(answers, _answer(kept, *rest))


def _listen(source: BinaryIO, orders: queue.SimpleQueue[Any]) -> None:
    """Take orders; leave at once when the caller is gone, even in the middle of a part."""
    while True:
        try:
            orders.put(frames.receive(source))
        except EOFError:
            os._exit(0)
        except BaseException as error:
            orders.put(("run", _fail, error, None))


def _answer(kept: dict[int, Any], function: Any, part: Any, key: int | None) -> tuple[bool, Any]:
    try:
        answer = function(part) if key is None else function(part, kept[key])
    except Exception as error:
        return False, _portable(error)
    return True, answer


def _fail(error: BaseException) -> None:
    raise error


def _portable(error: Exception) -> Exception:
    """Return the error, or one that says the same where it cannot be sent."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


if __name__ == "__main__":
    main()
