"""A small server for this machine alone: files and parts of files, as tiles need them."""

from __future__ import annotations

import html
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote, unquote, urlsplit

from ..errors import WorkspaceError
from .store import STORE

#: Nobody but this machine reaches it.
HOST = "127.0.0.1"

#: End of a name -> what a browser is told that the file is; others are bytes to keep.
KINDS = {
    ".css": "text/css; charset=utf-8", ".csv": "text/csv; charset=utf-8",
    ".fgb": "application/octet-stream", ".geojson": "application/geo+json",
    ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".mjs": "text/javascript; charset=utf-8",
    ".pdf": "application/pdf", ".png": "image/png",
    ".pmtiles": "application/vnd.pmtiles", ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}

#: The folder of a workspace with figures in full, which is never served.
FRAMES = "frames"

_PIECE = 1 << 16
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Server(ThreadingHTTPServer):
    """A server of one file or folder, on this machine."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, root: Path, only: str | None, port: int) -> None:
        self.root, self.only = root, only
        super().__init__((HOST, port), _Answer)

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        return f"http://{HOST}:{self.server_address[1]}/{quote(self.only or '')}"


def open_server(path: str | Path, *, port: int = 0) -> Server:
    """Open a server of a file or a folder; its ``serve_forever`` answers.

    Parameters
    ----------
    path : str or Path
        A file, or a folder with all that is in it. What is hidden, and the full frames of a
        workspace, which nobody may see but its owner, are left out.
    port : int, default 0
        From 0 to 65535; 0 takes one that is free.

    Returns
    -------
    Server
        On 127.0.0.1 only. Ranges are answered by 206 or 416; a request that names another
        host is refused, so that no page from elsewhere can read along; nothing is allowed
        to pages of other origins.

    Raises
    ------
    WorkspaceError
        If there is no such file or folder, it holds figures in full, or the port cannot be
        had.

    References
    ----------
    RFC 9110, HTTP Semantics, section 14: Range Requests.

    Examples
    --------
    >>> open_server("nowhere.pmtiles")
    Traceback (most recent call last):
    gridmap.errors.WorkspaceError: there is no nowhere.pmtiles to serve
    """
    place = Path(path)
    if not place.exists():
        raise WorkspaceError(f"there is no {path} to serve")
    if not 0 <= port <= 65535:
        raise WorkspaceError(f"port {port} is none: a number from 0 to 65535 is needed")
    root, only = (place, None) if place.is_dir() else (place.parent, place.name)
    root = root.resolve()
    if root.name == FRAMES or is_private(root, root):
        raise WorkspaceError(f"{path} holds figures in full, which are not served: serve what "
                             "was published, or what gridmap export wrote")
    try:
        return Server(root, only, port)
    except OSError as error:
        raise WorkspaceError(f"port {port} cannot be had: {error.strerror or error}. Choose "
                             "another with --port, or 0 for one that is free") from error


def find_file(root: Path, only: str | None, path: str) -> Path | None:
    """Return the file or folder that the path of a request stands for; None where none may.

    Nothing outside of the root is found, by dots, links or odd separators.

    Examples
    --------
    >>> find_file(Path("there"), None, "/../secret") is None
    True
    """
    parts = [part for part in unquote(path).split("/") if part]
    odd = [part for part in parts if part.startswith(".") or re.search(r"[\\\0:]", part)]
    if odd or FRAMES in parts or (only is not None and parts not in ([], [only])):
        return None
    found = root.joinpath(*parts).resolve()
    inside = found == root or root in found.parents
    return found if inside and not is_private(found, root) and found.exists() else None


def is_private(path: Path, root: Path) -> bool:
    """Say whether a path is of the full frames of a workspace, or of what its runs keep.

    Examples
    --------
    >>> home = Path("city")
    >>> [is_private(home / name, home) for name in ("out.versions/0001/map.html", "out/frames/a",
    ...                                             "out.versions/steps/a")]
    [False, True, True]
    """
    kept = [after for part, after in pairwise(path.parts) if part.endswith(STORE)]
    return FRAMES in path.relative_to(root).parts or not all(map(str.isdigit, kept))


def read_range(header: str, size: int) -> tuple[int, int] | None:
    """Return where a range begins and ends, the end left out; None for the whole.

    A header that is not understood, or asks for several ranges, gives the whole. A range
    that holds no byte of the file is empty.

    Examples
    --------
    >>> read_range("bytes=2-3", 10), read_range("bytes=-4", 10), read_range("bytes=8-", 10)
    ((2, 4), (6, 10), (8, 10))
    >>> read_range("bytes=10-", 10), read_range("bytes=0-1,4-5", 10)
    ((10, 10), None)
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or found[0] == "bytes=-":
        return None
    first, last = found[1], found[2]
    if not first:
        return max(size - int(last), 0), size
    if last and int(last) < int(first):
        return None
    start = min(int(first), size)
    return start, max(start, min(int(last) + 1, size) if last else size)


class _Answer(BaseHTTPRequestHandler):
    """The answer to one request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "gridmap"
    sys_version = ""
    timeout = 30  # of a connection that says nothing

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, *told: object) -> None:
        """Keep quiet: a browser asks for hundreds of ranges."""

    def _answer(self, *, body: bool) -> None:
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            return self._refuse(HTTPStatus.MISDIRECTED_REQUEST)
        path = urlsplit(self.path).path
        found = find_file(self.server.root, self.server.only, path)
        if found is None:
            return self._refuse(HTTPStatus.NOT_FOUND)
        if found.is_dir() and not path.endswith("/"):
            return self._refuse(HTTPStatus.NOT_FOUND)
        if found.is_dir():
            return self._list(found, body=body)
        try:
            with found.open("rb") as stream:
                self._send(stream, found, body=body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the browser has seen enough
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
        return None

    def _send(self, stream: BinaryIO, file: Path, *, body: bool) -> None:
        state = file.stat()
        size, tag = state.st_size, f'"{state.st_mtime_ns:x}-{state.st_size:x}"'
        asked = None
        if self.headers.get("If-Range", tag) == tag:  # else the file is another by now
            asked = read_range(self.headers.get("Range", ""), size)
        start, stop = asked or (0, size)
        if asked and start >= stop:
            self._head(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, 0,
                       {"Content-Range": f"bytes */{size}"})
            return
        more = {"Content-Range": f"bytes {start}-{stop - 1}/{size}"} if asked else {}
        kind = KINDS.get(file.suffix.lower(), "application/octet-stream")
        self._head(HTTPStatus.PARTIAL_CONTENT if asked else HTTPStatus.OK, stop - start,
                   {"Content-Type": kind, "Accept-Ranges": "bytes", "ETag": tag, **more})
        stream.seek(start)
        left = stop - start if body else 0
        while left and (piece := stream.read(min(_PIECE, left))):
            self.wfile.write(piece)
            left -= len(piece)
        self.close_connection = self.close_connection or bool(left)

    def _list(self, folder: Path, *, body: bool) -> None:
        """Tell what is in a folder, as a page."""
        names = sorted(entry.name + "/" * entry.is_dir() for entry in folder.iterdir())
        if self.server.only is not None:
            names = [self.server.only]
        above = urlsplit(self.path).path
        names = [name for name in names
                 if find_file(self.server.root, self.server.only, above + quote(name))]
        rows = "".join(f'<li><a href="{quote(name)}">{html.escape(name)}</a></li>'
                       for name in names)
        page = (f'<!doctype html><meta charset="utf-8"><title>gridmap</title><ul>{rows}</ul>'
                ).encode()
        self._head(HTTPStatus.OK, len(page), {"Content-Type": KINDS[".html"]})
        if body:
            self.wfile.write(page)

    def _refuse(self, status: HTTPStatus) -> None:
        self._head(status, 0, {})

    def _head(self, status: HTTPStatus, length: int, more: dict[str, str]) -> None:
        self.send_response(status)
        always = {"Content-Length": str(length), "Cache-Control": "no-cache",
                  "X-Content-Type-Options": "nosniff",
                  "Cross-Origin-Resource-Policy": "same-origin"}
        for name, value in {**always, **more}.items():
            self.send_header(name, value)
        self.end_headers()
