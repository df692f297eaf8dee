"""Open pages in Chromium without a GPU: when they are complete, how they pan, what they take."""

from __future__ import annotations

import base64
import io
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update"]
SOFTWARE_GL = [*[flag for flag in FLAGS if flag != "--disable-gpu"], "--use-angle=swiftshader",
               "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
OURS = "() => Boolean(window.gridmap && gridmap.ready) && gridmap.awaited() === 0"
#: A page that says nothing of itself, but holds all that it will show.
LOADED = "() => document.readyState === 'complete'"
#: Every frame is noted from the start, so that a peer pays for it as we do.
WATCH = """window.ticks = [];
(function tick(at) { ticks.push(at); requestAnimationFrame(tick); })(0);"""


def open_page(
    path: Path, ready: str = OURS, *, flags: list[str] = FLAGS, longest_s: float = 60
) -> dict[str, float]:
    """Open a page in a fresh browser, wait until it is complete, then drag and hover.

    Complete is when the screen came within 2 % of its last picture and stayed there. CPU is
    that of all processes of the browser until the screen had been still for three seconds.
    """
    with started(flags) as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(1000 * longest_s)
        page.route("http*://**", lambda route: route.abort())
        page.add_init_script(WATCH)
        before = processor_s(browser)
        frames: list[tuple[float, bytes]] = []
        session = watch_screen(page, frames)
        start = time.monotonic()
        page.goto(path.as_uri(), wait_until="commit")
        settle(page, ready, frames, start + longest_s)
        session.send("Page.stopScreencast")
        told = {"complete s": complete_at(frames) - start,
                "opening CPU s": processor_s(browser) - before, **pan(page)}
        told["memory MB"] = memory_mb(browser)
    return told


@contextmanager
def started(flags: list[str]) -> Iterator[Browser]:
    """Give a fresh browser, the system's own."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), headless=True,
                                       args=flags)
        try:
            yield browser
        finally:
            browser.close()


def watch_screen(page: Page, frames: list[tuple[float, bytes]]) -> Any:
    """Keep every picture of the screen with the time of its coming."""
    session = page.context.new_cdp_session(page)

    def keep(event: dict[str, Any]) -> None:
        frames.append((time.monotonic(), base64.b64decode(event["data"])))
        session.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})

    session.on("Page.screencastFrame", keep)
    session.send("Page.startScreencast", {"format": "jpeg", "quality": 60, "maxWidth": 640,
                                          "maxHeight": 400, "everyNthFrame": 1})
    return session


def settle(page: Page, ready: str, frames: list[tuple[float, bytes]], end: float) -> None:
    """Wait until the page says it is ready and the screen has not changed for three seconds."""
    while time.monotonic() < end:
        page.wait_for_timeout(100)
        still = bool(frames) and time.monotonic() - frames[-1][0] > 3
        if still and page.evaluate(ready):
            return
    raise TimeoutError("it was not complete in time")


def complete_at(frames: list[tuple[float, bytes]]) -> float:
    """Return when the screen came within 2 % of its last picture and stayed there."""
    # The first frames may come in another size: all are compared in the same.
    pictures = [(at, np.asarray(Image.open(io.BytesIO(frame)).convert("RGB").resize((320, 200)),
                                dtype=int)) for at, frame in frames]
    last = pictures[-1][1]
    away = [float((np.abs(picture - last).max(axis=2) > 40).mean()) for _, picture in pictures]
    first = max((number + 1 for number, share in enumerate(away) if share >= 0.02), default=0)
    return pictures[min(first, len(pictures) - 1)][0]


def pan(page: Page) -> dict[str, float]:
    """Drag the map to and fro, and measure the time between frames."""
    page.evaluate("() => { ticks.length = 0; }")
    for turn in (1, -1):
        page.mouse.move(800, 400)
        page.mouse.down()
        for step in range(24):
            page.mouse.move(800 + turn * 8 * step, 400 + turn * 4 * step)
            page.wait_for_timeout(16)
        page.mouse.up()
    steps = np.diff(np.array(page.evaluate("() => ticks")))
    return {"pan fps": 1000 / float(steps.mean()), "worst frame ms": float(steps.max())}


def processes(browser: Browser) -> list[dict[str, Any]]:
    """Return the processes of a browser as it tells them itself."""
    session = browser.new_browser_cdp_session()
    told = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return list(told)


def processor_s(browser: Browser) -> float:
    """Return the CPU seconds of all processes of a browser."""
    return float(sum(process["cpuTime"] for process in processes(browser)))


def memory_mb(browser: Browser) -> float:
    """Return the proportional memory of the browser and its processes in MB."""
    total = 0
    for process in processes(browser):
        try:
            lines = Path(f"/proc/{process['id']}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total / 1024
