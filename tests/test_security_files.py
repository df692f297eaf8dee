"""Hostile files are refused, or read in little memory, with the sentence that says why."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from bounded import Reader
from hostile import HOST, UNPICKLED
from hostile_cases import CASES, PAGE, put_tables

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(),
                                reason="memory is bounded by what only Linux tells")


@pytest.fixture(scope="module")
def reader():
    made = Reader()
    yield made
    made.close()


@pytest.fixture(scope="module")
def calls():
    """Listen where files that reach out would call, and return who did."""
    host, port = HOST.removeprefix("http://").split(":")
    heard: list[object] = []
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, int(port)))
        except OSError:
            pytest.skip(f"port {port} is taken")
        server.listen()
        server.settimeout(0.2)
        ended = threading.Event()

        def listen() -> None:
            while not ended.is_set():
                try:
                    connection, who = server.accept()
                except TimeoutError:
                    continue
                heard.append(who)
                connection.close()

        thread = threading.Thread(target=listen)
        thread.start()
        yield heard
        ended.set()
        thread.join()


@pytest.mark.parametrize("case", [
    pytest.param(case, id=f"{case.group}: {case.attack}",
                 marks=[pytest.mark.slow] if case.slow else []) for case in CASES])
def test_a_hostile_file_costs_little_and_is_told_in_one_sentence(case, tmp_path, reader, calls):
    path = case.build(tmp_path)
    kept = set(tmp_path.parent.iterdir())
    told = reader.read(path, memory=case.memory_mb * 1_000_000)
    message = told["message"].replace(f"{tmp_path}/", "").replace(f"{tmp_path.resolve()}/", "")
    assert (told["outcome"], "Traceback" in message) == (case.outcome, False), message
    if case.message.endswith("…"):
        assert message.startswith(case.message[:-1])
    else:
        assert message == case.message
    assert told["peak_mb"] < case.memory_mb
    assert set(tmp_path.parent.iterdir()) == kept, "something was written outside"
    assert not calls, "the file made a call over the network"
    assert not os.path.exists(UNPICKLED), "an object of the file was run"


def test_the_listener_hears_a_call(calls):
    host, port = HOST.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.settimeout(5)
        assert connection.recv(1) == b""  # it was taken and closed
    assert len(calls) == 1
    calls.clear()


def test_every_case_stands_in_the_documentation():
    page = PAGE.read_text(encoding="utf-8")
    assert put_tables(page) == page, "write it anew with: python tests/hostile_cases.py"


def test_every_way_to_make_a_file_is_a_case():
    import hostile
    used = {case.build.__name__ for case in CASES}
    helpers = {"pipe_free_shapefile", "named", "text", "pickled", "pairwise"}
    made = {name for name, value in vars(hostile).items()
            if callable(value) and getattr(value, "__module__", "") == "hostile"
            and not name.startswith("_")}
    assert made - helpers - used == set()
