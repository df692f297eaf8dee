"""Executors: answers in order, a killed worker costs a retry, and nobody is left behind."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import executor_steps
import executor_works as works
import numpy as np
import pytest

from gridmap import Processes, SizeRule, open_executor, partition
from gridmap.errors import ExecutorError, TilingError


@pytest.fixture(scope="module")
def two():
    with Processes(2) as executor:
        yield executor


def alive(pid):
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pids, *, within_s=20.0):
    end = time.monotonic() + within_s
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


# -- answers -------------------------------------------------------------------------------


def test_answers_come_in_the_order_of_the_parts(two):
    assert list(two.map(works.double, range(40))) == [2 * part for part in range(40)]


def test_no_parts_give_no_answers(two):
    assert list(two.map(works.double, [])) == []


def test_parts_are_taken_a_few_ahead_only(two):
    taken = []
    answers = two.map(works.double, (taken.append(part) or part for part in range(1000)))
    next(answers)
    answers.close()
    assert len(taken) <= 6
    assert list(two.map(works.double, [4])) == [8]  # and the executor still works


def test_a_broadcast_value_is_there_for_every_part_and_cannot_be_written(two):
    shared = two.broadcast({"a": np.arange(1000.0)})
    assert list(two.map(works.add, [1, 2], shared=shared)) == [499501.0, 499502.0]
    with pytest.raises(ValueError, match="read-only"):
        list(two.map(works.write, [1], shared=shared))
    assert list(two.map(works.add, [1, 2], shared=shared)) == [499501.0, 499502.0]


def test_many_broadcast_values_in_turn(two):
    several = [two.broadcast({"a": np.full(3, float(number))}) for number in range(5)]
    for turn in (0, 1, 2, 3, 4, 0, 3, 3, 1):
        answers = list(two.map(works.add, [0.5] * 3, shared=several[turn]))
        assert answers == [3.0 * turn + 0.5] * 3


def test_what_is_no_longer_held_leaves_the_disk(two):
    shared = two.broadcast({"a": np.arange(10.0)})
    path = Path(shared.mapped.path)
    assert path.exists() and (path.parent.stat().st_mode & 0o777) == 0o700
    del shared
    assert not path.exists()


def test_what_a_part_prints_or_reads_does_not_come_between(two):
    assert list(two.map(works.say, range(6))) == [""] * 6


# -- faults --------------------------------------------------------------------------------


def test_a_killed_worker_costs_a_retry_and_not_the_run(two, tmp_path):
    parts = [(number, str(tmp_path)) for number in range(9)]
    assert list(two.map(works.die_once, parts)) == list(range(9))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1", "4", "7"]


def test_a_part_that_always_kills_its_worker_is_named(two):
    with pytest.raises(ExecutorError, match="part 3 was given up after 3 tries: the worker "
                                            "ended with code -9") as caught:
        list(two.map(works.die, range(5)))
    assert caught.value.rows == ("3",)
    assert list(two.map(works.double, [1])) == [2]


def test_an_error_of_a_part_arrives_with_its_rows(two):
    with pytest.raises(TilingError, match="part 0 overlaps") as caught:
        list(two.map(works.fault, range(5)))
    assert caught.value.rows == ("G1",)


def test_an_error_that_cannot_travel_says_what_it_said(two):
    with pytest.raises(RuntimeError, match="OddError: 1 and 1"):
        list(two.map(works.odd_fault, [1]))


def test_a_part_that_leaves_the_program_does_not_end_the_caller(two):
    with pytest.raises(RuntimeError, match="SystemExit: 3"):
        list(two.map(works.leave, [1]))


def test_a_function_that_workers_cannot_import_is_named(two):
    with pytest.raises(ExecutorError, match="<lambda> cannot be imported by workers, as it has"):
        two.map(lambda part: part, [1])
    with pytest.raises(ExecutorError, match="partial cannot be imported by workers"):
        two.map(functools.partial(works.double), [1])

    def inner(part):
        return part

    with pytest.raises(ExecutorError, match="inner cannot be imported by workers"):
        two.map(inner, [1])
    inner.__module__ = "__main__"
    with pytest.raises(ExecutorError, match="is defined in the script itself"):
        two.map(inner, [1])


def test_a_part_or_an_answer_that_cannot_be_sent_is_named(two):
    with pytest.raises(ExecutorError, match="part 2 cannot be sent to a worker: TypeError, cannot "
                                            "pickle 'generator' object"):
        list(two.map(works.double, [1, (part for part in "ab"), 3]))
    with pytest.raises(ExecutorError, match="the answer of stream cannot be sent back: TypeError"):
        list(two.map(works.stream, [1]))
    assert list(two.map(works.double, [1])) == [2]


def test_an_executor_that_is_not_there_is_named():
    with pytest.raises(ExecutorError, match="executor is 'farm': expected local, dask"):
        open_executor("farm")
    with pytest.raises(ExecutorError, match="a scheduler is named, but executor is 'local'"):
        open_executor("local", scheduler="tcp://127.0.0.1:1")
    with pytest.raises(ExecutorError, match="workers is 0: at least 1 is needed"):
        Processes(0)


def test_a_closed_executor_says_so():
    with Processes(1) as executor:
        pass
    with pytest.raises(ExecutorError, match="this executor was closed: open another one"):
        executor.map(works.double, [1])


# -- what workers get, and when they end -----------------------------------------------------


def test_workers_get_no_secrets_and_no_open_files(tmp_path, monkeypatch):
    for name in ("PGPASSWORD", "API_TOKEN", "DATABASE_URL"):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pickle.py").write_text("raise SystemExit('taken over')")
    with open(tmp_path / "private.txt", "w") as private, Processes(1) as executor:
        found = list(executor.map(works.look, ["PGPASSWORD", "API_TOKEN", "DATABASE_URL", "TZ"]))
        assert private.name not in found[0][2]
    assert [value for value, *_ in found] == [None, None, None, "Asia/Shanghai"]
    assert found[0][1] == sys.path


def test_closing_leaves_no_worker_and_no_file():
    with Processes(2) as executor:
        shared = executor.broadcast({"a": np.arange(9.0)})
        pids = set(executor.map(works.folders, [0.05] * 6, shared=shared))
        folder = Path(shared.mapped.path).parent
        assert folder.exists()
    assert pids and gone(pids) and not folder.exists()


CALLER = """
import signal, sys
sys.path.insert(0, {tests!r})
signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored in what starts us
import executor_works as works
import numpy as np
from gridmap.executors import Processes
executor = Processes(2)
shared = executor.broadcast({{"a": np.arange(9.0)}})
print(*set(executor.map(works.folders, [0.4] * 4, shared=shared)), flush=True)
try:
    list(executor.map(works.folders, [60.0] * 4, shared=shared))
except KeyboardInterrupt:
    executor.close()
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_caller_that_is_ended_leaves_no_orphan_and_no_file(how, tmp_path):
    code = CALLER.format(tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "TMPDIR": str(tmp_path)}) as caller:
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        time.sleep(0.3)
        assert pids and all(map(alive, pids))
        caller.send_signal(how)
        rest = caller.communicate(timeout=30)[0]
    assert gone(pids)
    assert rest.strip() == ("interrupted" if how == signal.SIGINT else "")
    end = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


# -- the steps -----------------------------------------------------------------------------


def test_one_and_two_workers_give_the_bytes_of_none(two, monkeypatch):
    alone = executor_steps.run_steps(None)
    executor_steps.in_small_parts(monkeypatch)
    assert executor_steps.run_steps(two) == alone
    with Processes(1) as one:
        assert executor_steps.run_steps(one) == alone


def test_an_interrupt_keeps_what_is_drawn_and_draws_the_rest_here(two, monkeypatch):
    executor_steps.in_small_parts(monkeypatch)
    units, size = executor_steps.towns(), SizeRule(minimum=2, target=4, maximum=6)
    calls = []

    def interrupt(done, total):
        calls.append(done)
        if len(calls) == 1:
            raise KeyboardInterrupt

    drawn = partition(units, size, executor=two, progress=interrupt)
    assert sorted(drawn.assignment.index) == sorted(units.index)
    assert drawn.assignment.notna().all()
    assert "search cut short" in drawn.changes["what"].tolist()


def test_a_cluster_is_sought_when_it_is_first_used():
    with open_executor("dask", scheduler="tls://127.0.0.1:1", later=True) as executor:
        pass  # nothing to do, so nobody is asked
    with pytest.raises(ExecutorError, match=r"dask|scheduler"):
        executor.broadcast(1)
