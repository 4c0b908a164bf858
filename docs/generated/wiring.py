"""Pictures of how lamps are wired to the 40-pin header of a Raspberry Pi, as SVG.

They are drawn from a configuration, so that text and picture cannot say different things.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from maskwatch_edge.config import IndicatorConfig, LampConfig

PINS = """
3V3 5V
GPIO2 5V
GPIO3 GND
GPIO4 GPIO14
GND GPIO15
GPIO17 GPIO18
GPIO27 GND
GPIO22 GPIO23
3V3 GPIO24
GPIO10 GND
GPIO9 GPIO25
GPIO11 GPIO8
GND GPIO7
ID_SD ID_SC
GPIO5 GND
GPIO6 GPIO12
GPIO13 GND
GPIO19 GPIO16
GPIO26 GPIO20
GND GPIO21
"""
HEADER = tuple(PINS.split())
"""Names of the pins from 1 on, as the Raspberry Pi calls them; those of odd number are left."""

COLOURS = {"alert": "#D55E00", "clear": "#009E73", "alive": "#0072B2"}
"""Those of Okabe and Ito; the words beside them say the same."""

MEANINGS = {
    "alert": "someone is unmasked",
    "clear": "all are masked",
    "alive": "the camera sees",
}
PITCH, TOP, WIDTH = 22, 60, 720
LEFT_PIN, RIGHT_PIN = 590, 612
EDGE = 512
"""Where the names of the left pins begin, and wires end."""

GROUND, POWER, USED = "#333333", "#C02020", "#FFD24A"


@dataclass(frozen=True)
class Pin:
    """One pin of the header, by its number from 1 on."""

    number: int

    @property
    def name(self) -> str:
        """What the Raspberry Pi calls it."""
        return HEADER[self.number - 1]

    @property
    def is_left(self) -> bool:
        """Whether it is in the row of the odd numbers."""
        return self.number % 2 == 1

    @property
    def y(self) -> int:
        """Its height in the picture."""
        return TOP + (self.number - 1) // 2 * PITCH


def pin_named(name: str) -> Pin:
    """Return the pin of a GPIO line.

    Raises:
        ValueError: If the header has none of that name on the left, where pictures have room.
    """
    if name not in HEADER or not (pin := Pin(HEADER.index(name) + 1)).is_left:
        lefts = ", ".join(each for each in HEADER[::2] if each.startswith("GPIO"))
        raise ValueError(f"a picture shows lines among {lefts}; received {name}")
    return pin


def draw_wiring(toml: str, kind: str) -> str:
    """Return the picture of the lamps of a configuration.

    Args:
        toml: A part of a configuration file.
        kind: "led" for a light-emitting diode with its resistor, "relay" for a relay module.

    Raises:
        ValueError: If the lamps cannot be drawn.
    """
    tables = tomllib.loads(toml)["indicator"]["lamps"]
    lamps = IndicatorConfig(lamps=tuple(LampConfig(**table) for table in tables)).lamps
    body = {"led": _leds, "relay": _relay}[kind](lamps)
    words = "; ".join(f"{lamp.line} to the lamp {lamp.role}" for lamp in lamps)
    used = {Pin(number) for number in _used(lamps, kind)}
    parts = [*body, *_header(used)]
    height = TOP + 20 * PITCH + 10
    return (
        f'<svg class="wiring" role="img" viewBox="0 0 {WIDTH} {height}" '
        'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" font-size="13">'
        f"<title>Wiring: {escape(words)}</title>"
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def _used(lamps: Sequence[LampConfig], kind: str) -> Iterator[int]:
    yield from (pin_named(lamp.line).number for lamp in lamps)
    yield ground_for(lamps).number
    if kind == "relay":
        yield 2


def ground_for(lamps: Sequence[LampConfig]) -> Pin:
    """Return the first ground on the left below all lamps, or the last one."""
    lowest = max(pin_named(lamp.line).number for lamp in lamps)
    grounds = [number for number in range(1, 41, 2) if HEADER[number - 1] == "GND"]
    return Pin(next((number for number in grounds if number > lowest), grounds[-1]))


# --- the header ----------------------------------------------------------------------------------


def _header(used: set[Pin]) -> Iterator[str]:
    middle = (LEFT_PIN + RIGHT_PIN) / 2
    yield _box(LEFT_PIN - 14, TOP - 14, RIGHT_PIN - LEFT_PIN + 28, 20 * PITCH + 6, "#22302A")
    yield _text(middle, TOP - 36, "pin header", "middle", "#333")
    yield _text(middle, TOP - 21, "(pin 1: corner of the board)", "middle", "#333", 10)
    for number in range(1, 41):
        yield from _pin(Pin(number), Pin(number) in used)


def _pin(pin: Pin, is_used: bool) -> Iterator[str]:
    x = LEFT_PIN if pin.is_left else RIGHT_PIN
    edge, side = (LEFT_PIN - 20, "end") if pin.is_left else (RIGHT_PIN + 20, "start")
    yield _disc(x, pin.y, 7, USED if is_used else "#8A8F8C")
    yield _text(x, pin.y + 3, str(pin.number), "middle", "#000", 8)
    if is_used:
        yield _box(edge - (54 if pin.is_left else 4), pin.y - 9, 58, 18, "#FFF3CC", "#B58900")
    yield _text(edge, pin.y + 4, pin.name, side, "#000" if is_used else "#999")


# --- lamps ---------------------------------------------------------------------------------------


def _leds(lamps: Sequence[LampConfig]) -> Iterator[str]:
    ordered = sorted(lamps, key=lambda lamp: pin_named(lamp.line).number)
    ground = ground_for(lamps)
    heights = [ground.y - 70 * (len(ordered) - place) + 10 for place in range(len(ordered))]
    rail = 60
    yield _wire([(rail, heights[0]), (rail, ground.y), (EDGE, ground.y)], GROUND)
    yield _text(rail + 8, ground.y - 6, "to GND, minus", "start", GROUND)
    for place, (lamp, height) in enumerate(zip(ordered, heights, strict=True)):
        pin = pin_named(lamp.line)
        y = pin.y if abs(height - pin.y) < PITCH / 2 else height
        # Of wires that go up the upper one turns first, of those that go down the lower one.
        turn = place if y <= pin.y else len(ordered) - 1 - place
        channel = EDGE - 18 - 14 * turn
        colour = COLOURS[lamp.role]
        path = [(EDGE, pin.y), (channel, pin.y), (channel, y), (400, y)]
        yield _wire(path, colour)
        yield _wire([(330, y), (250, y)], colour)
        yield _wire([(210, y), (rail, y)], GROUND)
        yield from _resistor(330, y)
        yield from _led(210, y, colour)
        yield _text(rail + 20, y - 22, f"{lamp.role}: {MEANINGS[lamp.role]}", "start", "#000")


def _resistor(x: int, y: int) -> Iterator[str]:
    yield _box(x, y - 8, 70, 16, "#E7D3AE", "#8A6D3B")
    # Orange, orange, brown, gold: 33 times 10 ohms, 5 %.
    for offset, colour in ((14, "#E07B00"), (26, "#E07B00"), (38, "#7A4B1E"), (56, "#C9A227")):
        yield f'<rect x="{x + offset}" y="{y - 8}" width="5" height="16" fill="{colour}"/>'
    yield _text(x + 35, y - 13, "330 Ω", "middle", "#000")


def _led(x: int, y: int, colour: str) -> Iterator[str]:
    """Draw the triangle and the bar of a diode; current flows to the left."""
    points = f"{x + 40},{y - 14} {x + 40},{y + 14} {x + 8},{y}"
    yield f'<polygon points="{points}" fill="{colour}"/>'
    yield _wire([(x + 6, y - 14), (x + 6, y + 14)], GROUND)
    yield _text(x + 48, y - 8, "+ long leg", "start", "#333", 10)
    yield _text(x - 2, y + 16, "short leg", "end", "#333", 10)


def _relay(lamps: Sequence[LampConfig]) -> Iterator[str]:
    (lamp,) = lamps
    pin, ground, power = pin_named(lamp.line), ground_for(lamps), Pin(2)
    colour, left, top = COLOURS[lamp.role], 220, 110
    yield _box(left, top, 170, 150, "#2E5E8C")
    yield _box(left + 30, top + 35, 80, 80, "#9CC3E6")
    yield _text(left + 70, top + 80, "relay", "middle", "#000")
    yield _text(left + 85, top + 140, "input for 3.3 V", "middle", "#FFF", 10)
    terminals = {"VCC": top + 25, "IN": top + 65, "GND": top + 105}
    right = left + 170
    above = TOP - 54
    over = [(RIGHT_PIN + 74, power.y), (RIGHT_PIN + 90, power.y), (RIGHT_PIN + 90, above)]
    yield _wire([*over, (450, above), (450, terminals["VCC"]), (right, terminals["VCC"])], POWER)
    yield _wire(
        [(EDGE, pin.y), (480, pin.y), (480, terminals["IN"]), (right, terminals["IN"])], colour
    )
    yield _wire(
        [(EDGE, ground.y), (420, ground.y), (420, terminals["GND"]), (right, terminals["GND"])],
        GROUND,
    )
    for name, y in terminals.items():
        yield _disc(right - 8, y, 5, "#DDD")
        yield _text(right - 18, y + 4, name, "end", "#fff")
    yield from _load(left, top, lamp)


def _load(left: int, top: int, lamp: LampConfig) -> Iterator[str]:
    common, lit = top + 40, top + 110
    for name, y in (("COM", common), ("NO", lit)):
        yield _disc(left + 8, y, 5, "#DDD")
        yield _text(left + 16, y - 8, name, "start", "#fff", 10)
    yield _wire([(left + 8, common), (70, common), (70, common + 22)], POWER)
    yield _box(40, common + 22, 60, 26, "#EEE", "#555")
    yield _text(70, common + 40, "12 V =", "middle", "#000")
    yield _wire([(70, common + 48), (70, lit + 60), (150, lit + 60), (150, lit + 46)], GROUND)
    yield _wire([(left + 8, lit), (150, lit), (150, lit + 14)], POWER)
    yield _disc(150, lit + 30, 16, "#FFF", COLOURS[lamp.role])
    yield f'<path d="M139 {lit + 19} l22 22 m0 -22 l-22 22" stroke="#555" stroke-width="2"/>'
    yield _text(40, lit + 84, f"{lamp.role}: {MEANINGS[lamp.role]}", "start", "#000")


def _box(x: float, y: float, width: float, height: float, fill: str, stroke: str = "none") -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="4" fill="{fill}" '
        f'stroke="{stroke}"/>'
    )


def _disc(x: float, y: float, radius: float, fill: str, stroke: str = "none") -> str:
    return (
        f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" stroke="{stroke}" stroke-width="4"/>'
    )


def _wire(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{x},{y}" for x, y in points)
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="3" '
        'stroke-linejoin="round"/>'
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str, size: int = 13) -> str:
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">'
        f"{escape(text)}</text>"
    )
