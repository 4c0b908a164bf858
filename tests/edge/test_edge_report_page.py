"""The page of `maskwatch evaluate --report`, opened in a real Chromium."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from maskwatch_edge.dataset import read_faces
from maskwatch_edge.frame import Pixels
from maskwatch_edge.pictures import write_picture

PATIENCE_SECONDS = 120.0
PHONE_WIDTH, DESKTOP_WIDTH = 375, 1280
COMPLAINTS = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")

MISSING_PICTURES = """
[...document.images].filter(image => !image.complete || !image.naturalWidth)
    .map(image => image.getAttribute("src"))"""

# What is inside of .wide scrolls there by itself, and the page does not.
TOO_WIDE = """
[...document.querySelectorAll("body *")]
    .filter(element => !element.parentElement.closest(".wide"))
    .filter(element => element.getBoundingClientRect().right > innerWidth + 0.5)
    .map(element => element.tagName.toLowerCase())"""


class Chromium:
    """A browser without a window, told what to do in the DevTools protocol over two pipes.

    https://chromedevtools.github.io/devtools-protocol/
    """

    def __init__(self, program: str, profile: Path) -> None:
        flags = (
            "--headless --disable-gpu --disable-quic --no-first-run --hide-scrollbars "
            "--disable-background-networking --disable-component-update --disable-sync "
            f"--remote-debugging-pipe --user-data-dir={profile}"
        ).split()
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # its sandbox refuses to run as root
        # It is told on file descriptor 3 and answers on 4.
        shell = ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1', "sh"]
        self._process = subprocess.Popen(
            [*shell, program, *flags], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self._unread = b""
        self._last_id = 0
        self.events: list[dict[str, Any]] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.call(f"{part}.enable")

    def open(self, page: Path, width: int) -> None:
        """Open a page in a window of that width, and wait until all of it is there."""
        screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **screen)
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while all(event["method"] != "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def value_of(self, expression: str) -> Any:
        """Evaluate an expression of JavaScript in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"]["value"]

    def complaints(self) -> list[str]:
        """Return what stands in the console of the page."""
        return [str(event["params"]) for event in self.events if event["method"] in COMPLAINTS]

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a method of the page."""
        return self._call(method, self._session, **parameters)

    def _call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        assert self._process.stdin
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._last_id:
            self.events.append(answer)
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        while b"\0" not in self._unread:
            ready = select.select([self._process.stdout], [], [], PATIENCE_SECONDS)[0]
            part = self._process.stdout.read(65536) if ready else b""
            assert part, "Chromium has ended, or does not answer"
            self._unread += part
        first, self._unread = self._unread.split(b"\0", 1)
        message: dict[str, Any] = json.loads(first)
        return message

    def close(self) -> None:
        """End the browser: it ends when nobody can tell it anything any more."""
        with self._process as process:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """Give a browser, if one is installed."""
    names = ("chromium", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs Chromium to open the page in: apt install chromium")
    browser = Chromium(program, tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def report(
    tmp_path: Path,
    maskwatch: Callable[..., subprocess.CompletedProcess[str]],
    tiny_model: Path,
    masked_portrait: Pixels,
) -> Path:
    """Write the report of a frame with a long name: a miss and a false alarm."""
    name = "a-frame-with-a-name-that-is-longer-than-a-phone-is-wide-" * 2
    box = "<bndbox><xmin>0</xmin><ymin>150</ymin><xmax>60</xmax><ymax>230</ymax></bndbox>"
    item = f"<annotation><object><name>with_mask</name>{box}</object></annotation>"
    (tmp_path / "set" / "annotations").mkdir(parents=True)
    (tmp_path / "set" / "annotations" / f"{name}.xml").write_text(item)
    write_picture(tmp_path / "set" / "images" / f"{name}.png", masked_portrait)
    group = tmp_path / "a-group-with-a-long-name.txt"
    group.write_text(read_faces(tmp_path / "set")[0].identity)
    words = ("--frames", "set", "--finder", "all", "--finder-model", "no.onnx", "--report", "out")
    result = maskwatch("evaluate", tiny_model, *words, "--groups", group)
    assert result.returncode == 0, result.stderr
    return tmp_path / "out" / "index.html"


@pytest.mark.parametrize("width", [PHONE_WIDTH, DESKTOP_WIDTH])
def test_the_page_is_whole_and_fits_the_screen(
    chromium: Chromium, report: Path, width: int
) -> None:
    chromium.open(report, width)
    assert chromium.complaints() == []
    assert chromium.value_of("document.images.length") >= 4  # a miss and an alarm by two finders
    assert chromium.value_of(MISSING_PICTURES) == []
    assert chromium.value_of(TOO_WIDE) == []
    assert chromium.value_of("document.documentElement.scrollWidth") <= width


def test_every_link_of_the_page_leads_to_something(chromium: Chromium, report: Path) -> None:
    chromium.open(report, DESKTOP_WIDTH)
    links = chromium.value_of("[...document.links].map(link => link.getAttribute('href'))")
    places = chromium.value_of("[...document.querySelectorAll('[id]')].map(one => '#' + one.id)")
    files = [path.name for path in report.parent.iterdir()]
    assert len(links) >= 6
    assert set(links) <= {*places, *files}


def test_the_browser_would_tell_what_is_wrong_with_a_page(
    chromium: Chromium, tmp_path: Path
) -> None:
    page = tmp_path / "index.html"
    page.write_text(
        '<!DOCTYPE html><img src="no.png"><p style="width: 400px">wide</p>'
        '<div class="wide" style="overflow-x: auto"><table style="width: 400px"></table></div>'
        '<script>console.error("oh")</script>'
    )
    chromium.open(page, PHONE_WIDTH)
    assert "oh" in "".join(chromium.complaints())
    assert chromium.value_of(MISSING_PICTURES) == ["no.png"]
    assert chromium.value_of(TOO_WIDE) == ["p"]
    assert chromium.value_of("document.documentElement.scrollWidth") > PHONE_WIDTH
