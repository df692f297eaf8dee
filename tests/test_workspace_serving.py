"""The range server as a browser meets it, and as somebody who means no good does."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmap.errors import WorkspaceError
from gridmap.workspace import serving

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def folder(tmp_path):
    """Return a folder with files to serve, beside one that must not be."""
    (tmp_path / "secret.txt").write_text("secret")
    inside = tmp_path / "site"
    (inside / "frames").mkdir(parents=True)
    (inside / "frames" / "by_grid.parquet").write_bytes(b"full")
    (inside / ".hidden").write_text("hidden")
    (inside / "网格 <1>.pmtiles").write_bytes(CONTENT)
    (inside / "map.html").write_text("<p>map")
    os.symlink(tmp_path / "secret.txt", inside / "out.txt")
    for name in ("0001/map.html", "0001/frames/full", "steps/full", "log.jsonl"):
        file = inside / "out.versions" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("<p>map")
    os.symlink("out.versions/0001", inside / "out")
    os.symlink(inside / "frames", inside / "also")
    return inside


@pytest.fixture
def serve():
    """Return a function that starts a server, all of which end with the test."""
    opened = []

    def start(path):
        server = serving.open_server(path)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        opened.append(server)
        return server

    yield start
    for server in opened:
        server.shutdown()
        server.server_close()


def ask(server, path, method="GET", **headers):
    """Ask for a path as it is; return status, headers and content."""
    host, port = server.server_address
    connection = http.client.HTTPConnection(host, port, timeout=5)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    read = answer.read()
    connection.close()
    return answer.status, answer.headers, read


NAME = "/%E7%BD%91%E6%A0%BC%20%3C1%3E.pmtiles"


def test_a_whole_file_comes_with_its_kind(folder, serve):
    status, head, content = ask(serve(folder), NAME)
    assert (status, content) == (200, CONTENT)
    assert head["Content-Type"] == "application/vnd.pmtiles"
    assert head["Accept-Ranges"] == "bytes"
    assert head["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in head


@pytest.mark.parametrize(("asked", "start", "stop"), [
    ("bytes=0-126", 0, 127), ("bytes=1000-1000", 1000, 1001), ("bytes=255990-", 255990, 256000),
    ("bytes=-100", 255900, 256000), ("bytes=5-999999999", 5, 256000),
    ("bytes=-999999999", 0, 256000)])
def test_a_range_is_answered_by_206(folder, serve, asked, start, stop):
    status, head, content = ask(serve(folder), NAME, Range=asked)
    assert (status, content) == (206, CONTENT[start:stop])
    assert head["Content-Range"] == f"bytes {start}-{stop - 1}/256000"


@pytest.mark.parametrize("asked", ["bytes=256000-", "bytes=999999-1000000", "bytes=-0"])
def test_a_range_outside_of_the_file_is_answered_by_416(folder, serve, asked):
    status, head, content = ask(serve(folder), NAME, Range=asked)
    assert (status, content, head["Content-Range"]) == (416, b"", "bytes */256000")


@pytest.mark.parametrize("asked", ["bytes=-", "bytes=5-2", "bytes=0-1,4-5", "items=0-1", "nine"])
def test_what_is_no_single_range_gives_the_whole(folder, serve, asked):
    status, _, content = ask(serve(folder), NAME, Range=asked)
    assert (status, content) == (200, CONTENT)


def test_a_range_of_a_file_that_changed_gives_the_whole(folder, serve):
    server = serve(folder)
    _, head, _ = ask(server, NAME, "HEAD")
    kept = {"Range": "bytes=0-9", "If_Range": head["ETag"]}
    assert ask(server, NAME, **kept)[0] == 206
    (folder / "网格 <1>.pmtiles").write_bytes(CONTENT + b"more")
    assert ask(server, NAME, **kept)[0] == 200


def test_head_has_no_body_and_other_methods_are_refused(folder, serve):
    server = serve(folder)
    status, head, content = ask(server, NAME, "HEAD")
    assert (status, head["Content-Length"], content) == (200, "256000", b"")
    assert ask(server, NAME, "POST")[0] == 501
    assert ask(server, NAME, "OPTIONS")[0] == 501


@pytest.mark.parametrize("path", [
    "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/a/../../secret.txt",
    "/..\\secret.txt", "//secret.txt", "/out.txt", "/.hidden", "/frames/by_grid.parquet",
    "/also/by_grid.parquet", "/%00", "/C:/secret.txt", "/nowhere", "/frames/", "/also/",
    "/out.versions/steps/full", "/out.versions/log.jsonl", "/out/frames/full"])
def test_nothing_else_is_found(folder, serve, path):
    status, _, content = ask(serve(folder), path)
    assert (status, content) == (404, b"")


@given(st.text(alphabet="./%2eEfF\\abc~:\0", max_size=20))
def test_no_path_leads_out_of_the_folder(path):
    root = serving.Path(__file__).resolve().parent
    found = serving.find_file(root, None, path)
    assert found is None or found == root or root in found.parents


def test_another_name_of_the_host_is_refused(folder, serve):
    server = serve(folder)
    assert ask(server, NAME, Host="attacker.example:80")[0] == 421
    assert ask(server, NAME, Host=f"localhost:{server.server_address[1]}")[0] == 200


def test_a_folder_is_told_without_what_is_not_served(folder, serve):
    server = serve(folder)
    status, _, content = ask(server, "/")
    told = re.findall('href="([^"]*)"', content.decode())
    assert status == 200
    assert told == ["map.html", "out.versions/", "out/", NAME[1:]]
    assert b"<1>" not in content
    assert ask(server, "/out/map.html")[2] == b"<p>map"


def test_figures_in_full_are_not_served(folder):
    with pytest.raises(WorkspaceError, match=(
            r"frames holds figures in full, which are not served: serve what was published, or "
            r"what gridmap export wrote$")):
        serving.open_server(folder / "frames")
    with pytest.raises(WorkspaceError, match="holds figures in full"):
        serving.open_server(folder / "out.versions" / "steps")


def test_of_one_file_only_this_is_served(folder, serve):
    server = serve(folder / "map.html")
    assert server.url.endswith("/map.html")
    assert ask(server, "/map.html")[2] == b"<p>map"
    assert ask(server, NAME)[0] == 404
    assert b"pmtiles" not in ask(server, "/")[2]


def test_it_listens_on_this_machine_only(folder, serve):
    assert serve(folder).server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_told(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(WorkspaceError, match=(
                rf"^port {port} cannot be had: Address already in use\. Choose another with "
                r"--port, or 0 for one that is free$")):
            serving.open_server(folder, port=port)


def test_what_is_no_port_is_told(folder):
    with pytest.raises(WorkspaceError, match=r"^port 70000 is none: a number from 0 to 65535 is"):
        serving.open_server(folder, port=70000)


def test_the_command_serves_until_it_is_interrupted(folder):
    command = (  # interrupts may be ignored in what starts us, and children take that over
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gridmap.cli import main; sys.exit(main())")
    started = subprocess.Popen(
        [sys.executable, "-c", command, "serve", str(folder), "--quiet"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = started.stdout.readline().strip()
        host, port = re.fullmatch(r"http://([\d.]+):(\d+)/", url).groups()
        connection = http.client.HTTPConnection(host, int(port), timeout=5)
        connection.request("GET", "/map.html")
        assert connection.getresponse().read() == b"<p>map"
        started.send_signal(signal.SIGINT)
        assert started.wait(10) == 130
    finally:
        started.kill()
