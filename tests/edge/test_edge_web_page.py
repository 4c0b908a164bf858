"""The live page, opened in a real Chromium and looked at."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from maskwatch_edge.annotate import COLOURS
from maskwatch_edge.verdict import Decision
from maskwatch_edge.web.tokens import hash_of

from .chromium import DESKTOP_WIDTH, PHONE_WIDTH, TOO_WIDE, Chromium
from .watching import FACE, WIDTH, Watching, nobody, somebody, watching

pytest.importorskip("aiohttp", reason="needs the extra web")
pytest.importorskip("prometheus_client", reason="needs the extra web")

TOKEN = "the token of a test"
IS_LIVE = "!document.getElementById('picture').hidden"
HAS_PERSON = "document.querySelectorAll('#people .no_mask').length === 1"
ASKS = "!document.getElementById('ask').hidden"
PLACE = """(() => {
    const box = document.getElementById('picture').getBoundingClientRect();
    return [box.left + scrollX, box.top + scrollY, box.width, box.height];
})()"""

UNNAMED = """
[...document.querySelectorAll("button, input, img, section, a")]
    .filter(one => !(one.textContent.trim() || one.alt || one.labels?.length))
    .map(one => one.outerHTML)"""

# Contrast of words with the card or page that they lie on, by WCAG 2.
PALE = """(() => {
    const light = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).map(Number)
            .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (one) => {
        const colour = getComputedStyle(one).backgroundColor;
        return /, 0\\)$/.test(colour) ? ground(one.parentElement) : colour;
    };
    return [...document.querySelectorAll("body *")]
        .filter(one => [...one.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .filter(one => one.getClientRects().length)
        .filter(one => {
            const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
        })
        .map(one => one.outerHTML);
})()"""


@pytest.fixture(scope="module")
def open_one() -> Iterator[Watching]:
    with watching() as one:
        yield one


@pytest.fixture
def board(open_one: Watching) -> Watching:
    """Give the program once it sees somebody without a mask."""
    open_one.show_somebody()
    return open_one


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE_WIDTH, DESKTOP_WIDTH])
def test_the_picture_with_its_boxes_is_to_be_seen(
    chromium: Chromium, board: Watching, width: int, scheme: str
) -> None:
    feature = {"name": "prefers-color-scheme", "value": scheme}
    chromium.call("Emulation.setEmulatedMedia", features=[feature])
    chromium.open(board.address, width)
    chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
    assert chromium.complaints() == []
    assert chromium.value_of(TOO_WIDE) == []
    assert chromium.value_of("document.documentElement.scrollWidth") <= width
    assert chromium.value_of(PALE) == []
    seen = chromium.screenshot()
    left, top, shown_width, shown_height = chromium.value_of(PLACE)
    zoom = shown_width / WIDTH
    assert shown_height == pytest.approx(192 * zoom, abs=2)
    x1, y1, x2, y2 = (round(edge * zoom) for edge in FACE)
    right_edge = seen[round(top) + y1 + 30 : round(top) + y2, round(left) + x2 - 1]
    assert np.abs(right_edge.mean(axis=0) - COLOURS[Decision.NO_MASK]).max() < 60
    middle = seen[round(top) + (y1 + y2) // 2, round(left) + (x1 + x2) // 2]
    assert np.abs(middle - np.array((255.0, 0.0, 0.0))).max() < 60
    page_is_dark = bool(seen[2, 2].mean() < 128)
    assert page_is_dark == (scheme == "dark")


def test_what_changes_before_the_camera_changes_on_the_page(
    chromium: Chromium, board: Watching
) -> None:
    chromium.open(board.address, DESKTOP_WIDTH)
    chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
    before = int(chromium.value_of("document.getElementById('today-no_mask').textContent"))
    assert chromium.value_of("document.getElementById('picture').alt") == "Live picture: 1 no mask"
    board.camera.show(nobody())
    chromium.wait_for("document.getElementById('summary').textContent === 'nobody in sight'")
    board.camera.show(somebody())
    chromium.wait_for(HAS_PERSON)
    chromium.wait_for(f"document.getElementById('today-no_mask').textContent === '{before + 1}'")
    first = "document.querySelector('#recent li').textContent"
    chromium.wait_for(f"{first}.includes('appeared: no mask')")


def test_it_can_be_used_with_keyboard_and_screen_reader(
    chromium: Chromium, board: Watching
) -> None:
    chromium.open(board.address, PHONE_WIDTH)
    chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
    assert chromium.value_of("document.documentElement.lang") == "en"
    assert chromium.value_of("document.querySelectorAll('h1').length") == 1
    assert chromium.value_of(UNNAMED) == []
    assert chromium.value_of("document.getElementById('summary').role") == "status"
    reached = []
    for _ in range(2):
        press(chromium, "Tab", 9)
        reached.append(chromium.value_of("document.activeElement.id"))
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        assert chromium.value_of(outline) == "solid"
    assert reached == ["pause", "save"]
    chromium.value_of("document.getElementById('pause').focus()")
    press(chromium, " ", 32)
    assert chromium.value_of("document.getElementById('pause').ariaPressed") == "true"
    board.wait_for(lambda state: state["viewers"]["picture"] == 0)  # nothing is sent to no end
    press(chromium, " ", 32)
    board.wait_for(lambda state: state["viewers"]["picture"] == 1)


def press(chromium: Chromium, key: str, code: int) -> None:
    text = {"text": {" ": " ", "Enter": "\r"}[key]} if key != "Tab" else {}
    for kind in ("keyDown", "keyUp"):
        chromium.call(
            "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **text
        )
        text = {}


def test_a_picture_can_be_saved(chromium: Chromium, board: Watching) -> None:
    chromium.open(board.address, DESKTOP_WIDTH)
    chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
    chromium.value_of("document.getElementById('save').click()")
    chromium.wait_for("document.getElementById('saved').textContent === 'saved'")


def test_the_page_asks_for_the_token_and_needs_no_cookie(chromium: Chromium) -> None:
    with watching(f"token_hash={hash_of(TOKEN)}") as board:
        chromium.open(board.address, PHONE_WIDTH)
        chromium.wait_for(ASKS)
        assert chromium.value_of("document.activeElement.id") == "token"
        type_in(chromium, "wrong")
        chromium.wait_for("document.getElementById('ask-why').textContent === 'the token is wrong'")
        type_in(chromium, TOKEN)
        chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
        assert chromium.value_of("document.cookie") == ""
        chromium.open("about:blank", PHONE_WIDTH)
        chromium.open(f"{board.address}#token={TOKEN.replace(' ', '%20')}", PHONE_WIDTH)
        chromium.wait_for(f"{IS_LIVE} && {HAS_PERSON}")
        assert chromium.value_of("location.hash") == ""


def type_in(chromium: Chromium, token: str) -> None:
    chromium.call("Input.insertText", text=token)
    press(chromium, "Enter", 13)
