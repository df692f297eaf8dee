"""A Dask cluster does the same as processes of this machine, and stands a killed worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import executor_steps
import executor_works as works
import numpy as np
import pytest
from test_executors import alive, gone

from gridmap import Dask, open_executor
from gridmap.errors import ExecutorError, TilingError
from gridmap.executors import cluster as cluster_module

pytest.importorskip("distributed", reason='dask.distributed is not installed: "gridmap[dask]"')
pytest.importorskip("cryptography", reason='cryptography is not installed: "gridmap[dask]"')

TESTS = str(Path(__file__).parent)


@pytest.fixture(scope="module")
def cluster():
    with open_executor("dask", workers=2) as executor:
        executor._client.run(sys.path.insert, 0, TESTS)
        yield executor


def test_dask_gives_the_bytes_of_none(cluster, monkeypatch):
    alone = executor_steps.run_steps(None)
    executor_steps.in_small_parts(monkeypatch)
    assert executor_steps.run_steps(cluster) == alone


def test_a_cluster_of_this_machine_talks_over_tls_and_tells_nothing_by_http(cluster):
    assert cluster._client.scheduler.address.startswith("tls://127.0.0.1:")
    for port in cluster._client.scheduler_info()["services"].values():
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"http://127.0.0.1:{port}/json/counts.json", timeout=10)


def test_answers_come_in_the_order_of_the_parts_and_few_parts_are_taken_ahead(cluster):
    taken = []
    answers = cluster.map(works.double, (taken.append(part) or part for part in range(40)))
    assert next(answers) == 0 and len(taken) <= 6
    assert list(answers) == [2 * part for part in range(1, 40)]


def test_an_error_of_a_part_arrives_with_its_rows(cluster):
    with pytest.raises(TilingError, match="part 0 overlaps") as caught:
        list(cluster.map(works.fault, range(5)))
    assert caught.value.rows == ("G1",)


def test_what_cannot_be_sent_is_named(cluster):
    with pytest.raises(ExecutorError, match="<lambda> cannot be imported by workers"):
        cluster.map(lambda part: part, [1])
    with pytest.raises(ExecutorError, match="part 2 cannot be sent to a worker: TypeError"):
        list(cluster.map(works.double, [1, (part for part in "ab"), 3]))


def test_a_killed_worker_costs_a_retry_and_not_the_run(cluster):
    shared = cluster.broadcast({"a": np.arange(10.0)})
    answers = cluster.map(works.add, range(30), shared=shared)
    assert next(answers) == 45.0
    pids = cluster._client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    assert list(answers) == [45.0 + part for part in range(1, 30)]


def test_all_workers_killed_cost_a_retry_and_not_the_run(cluster):
    shared = cluster.broadcast({"a": np.arange(10.0)})
    answers = cluster.map(works.add, range(30), shared=shared)
    assert next(answers) == 45.0
    for pid in cluster._client.run(os.getpid).values():
        os.kill(pid, signal.SIGKILL)
    assert list(answers) == [45.0 + part for part in range(1, 30)]


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("gridmap.executors.cluster.PATIENCE_S", 1)
    with pytest.raises(ExecutorError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1: "
                                            "OSError. Start one by `dask scheduler`"):
        Dask("tcp://127.0.0.1:1")
    with pytest.raises(ExecutorError, match="no Dask scheduler answers at nonsense://a"):
        Dask("nonsense://a")
    with pytest.raises(ExecutorError, match="workers is 0: at least 1 is needed"):
        Dask(workers=0)


CALLER = """
import os, sys, time
sys.path.insert(0, {tests!r})
from gridmap import Dask
executor = Dask(workers=2)
print(*executor._client.run(os.getpid).values(), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_caller_that_is_killed_leaves_no_worker():
    with subprocess.Popen([sys.executable, "-c", CALLER.format(tests=TESTS)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as caller:
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(pids) == 2 and all(map(alive, pids))
        caller.kill()
        caller.wait()
    assert gone(pids)


@pytest.mark.filterwarnings("ignore:Port 8787")
def test_a_scheduler_of_others_is_used_if_it_has_workers(monkeypatch):
    import distributed

    with (distributed.LocalCluster(n_workers=1, threads_per_worker=2, processes=False,
                                   protocol="tcp", dashboard_address=None,
                                   host="127.0.0.1") as others,
          Dask(others.scheduler_address) as executor):
        assert executor.workers == 2
        assert list(executor.map(works.double, [1, 2])) == [2, 4]
    monkeypatch.setattr("gridmap.executors.cluster.PATIENCE_S", 1)
    with (distributed.LocalCluster(n_workers=0, processes=False, protocol="tcp",
                                   dashboard_address=None, host="127.0.0.1") as empty,
          pytest.raises(ExecutorError, match="has no workers: start some by `dask worker tcp")):
        Dask(empty.scheduler_address)


def test_workers_with_other_versions_are_named(monkeypatch):
    class Client:
        def run(self, function):
            return {"tcp://a:1": function(), "tcp://b:2": {**function(), "numpy": "1.0"}}

    here = cluster_module.tell_versions()["numpy"]
    told = rf"workers of the Dask cluster differ: numpy 1\.0 at tcp://b:2 \({here} here\)\. Ins"
    with pytest.raises(ExecutorError, match=told):
        cluster_module._check_alike(Client())


def test_workers_without_the_package_are_named():
    class Client:
        def run(self, function):
            raise ModuleNotFoundError("No module named 'gridmap'", name="gridmap")

    with pytest.raises(ExecutorError, match="workers of the Dask cluster have no gridmap: inst"):
        cluster_module._check_alike(Client())


def test_a_worker_killed_while_it_starts_costs_another_try():
    started = []

    def start():
        started.append(len(started))
        if len(started) < 2:
            raise RuntimeError("Nanny failed to start.")
        return "a cluster"

    assert cluster_module._start_workers(start) == "a cluster"
    assert started == [0, 1]


def test_workers_that_never_start_are_told():
    def start():
        raise RuntimeError("Nanny failed to start.")

    with pytest.raises(ExecutorError, match=(
            r'^3 times a worker of Dask ended before it had started: Nanny failed to start\. '
            r'See whether memory is short, or set executor to "local"$')):
        cluster_module._start_workers(start)
