"""Pictures of how lamps are wired to the 40-pin header of a Raspberry Pi, as SVG.

They are drawn from a configuration, so that text and picture cannot say different things.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from maskwatch_edge.config import IndicatorConfig, LampConfig

HEADER = (
    "3V3 5V GPIO2 5V GPIO3 GND GPIO4 GPIO14 GND GPIO15 GPIO17 GPIO18 GPIO27 GND GPIO22 GPIO23 3V3 "
    "GPIO24 GPIO10 GND GPIO9 GPIO25 GPIO11 GPIO8 GND GPIO7 ID_SD ID_SC GPIO5 GND GPIO6 GPIO12 "
    "GPIO13 GND GPIO19 GPIO16 GPIO26 GPIO20 GND GPIO21"
).split()
"""Names of the pins from 1 on, as the Raspberry Pi's documentation has them; odd ones on the left."""

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

GROUND, POWER = "#333333", "#C02020"


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
    height = 20 * PITCH
    yield (
        f'<rect x="{LEFT_PIN - 14}" y="{TOP - 14}" width="{RIGHT_PIN - LEFT_PIN + 28}" '
        f'height="{height + 6}" rx="4" fill="#22302a"/>'
    )
    yield _text((LEFT_PIN + RIGHT_PIN) / 2, TOP - 38, "pin header", "middle", "#333")
    yield _text((LEFT_PIN + RIGHT_PIN) / 2, TOP - 22, "(pin 1: corner of the board)", "middle", "#333", 10)
    for number in range(1, 41):
        yield from _pin(Pin(number), Pin(number) in used)


def _pin(pin: Pin, is_used: bool) -> Iterator[str]:
    x = LEFT_PIN if pin.is_left else RIGHT_PIN
    yield f'<circle cx="{x}" cy="{pin.y}" r="7" fill="{"#FFD24A" if is_used else "#8a8f8c"}"/>'
    yield _text(x, pin.y + 3, str(pin.number), "middle", "#000", 8)
    edge, side = (LEFT_PIN - 20, "end") if pin.is_left else (RIGHT_PIN + 20, "start")
    if is_used:
        left = edge - 54 if pin.is_left else edge - 4
        yield (
            f'<rect x="{left}" y="{pin.y - 9}" width="58" height="18" rx="3" '
            'fill="#FFF3CC" stroke="#B58900"/>'
        )
    yield _text(edge, pin.y + 4, pin.name, side, "#000" if is_used else "#999")


# --- lamps ---------------------------------------------------------------------------------------


def _leds(lamps: Sequence[LampConfig]) -> Iterator[str]:
    ordered = sorted(lamps, key=lambda lamp: pin_named(lamp.line).number)
    ground = ground_for(lamps)
    heights = [ground.y - 70 * (len(ordered) - place) + 10 for place in range(len(ordered))]
    rail = 60
    yield _wire([(rail, heights[0]), (rail, ground.y), (EDGE, ground.y)], GROUND)
    yield _text(rail + 8, ground.y - 6, "to GND, minus", "start", GROUND)
    for place, (lamp, y) in enumerate(zip(ordered, heights, strict=True)):
        pin = pin_named(lamp.line)
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
    yield f'<rect x="{x}" y="{y - 8}" width="70" height="16" rx="7" fill="#E7D3AE" stroke="#8A6D3B"/>'
    for offset, colour in ((14, "#E07B00"), (26, "#E07B00"), (38, "#7A4B1E"), (56, "#C9A227")):
        yield f'<rect x="{x + offset}" y="{y - 8}" width="5" height="16" fill="{colour}"/>'
    yield _text(x + 35, y - 13, "330 Ω", "middle", "#000")


def _led(x: int, y: int, colour: str) -> Iterator[str]:
    """Draw the triangle and the bar of a diode; current flows to the left."""
    points = f"{x + 40},{y - 14} {x + 40},{y + 14} {x + 8},{y}"
    yield f'<polygon points="{points}" fill="{colour}"/>'
    yield f'<line x1="{x + 6}" y1="{y - 14}" x2="{x + 6}" y2="{y + 14}" stroke="{GROUND}" stroke-width="4"/>'
    yield _text(x + 62, y - 8, "+ long leg", "middle", "#333", 10)
    yield _text(x - 14, y + 15, "short leg", "middle", "#333", 10)


def _relay(lamps: Sequence[LampConfig]) -> Iterator[str]:
    (lamp,) = lamps
    pin, ground, power = pin_named(lamp.line), ground_for(lamps), Pin(2)
    colour, left, top = COLOURS[lamp.role], 220, 110
    yield f'<rect x="{left}" y="{top}" width="170" height="150" rx="6" fill="#2E5E8C"/>'
    yield f'<rect x="{left + 30}" y="{top + 35}" width="80" height="80" rx="3" fill="#9CC3E6"/>'
    yield _text(left + 70, top + 80, "relay", "middle", "#000")
    yield _text(left + 85, top + 140, "3.3 V input, or with a driver", "middle", "#fff", 10)
    terminals = {"VCC": top + 25, "IN": top + 65, "GND": top + 105}
    right = left + 170
    above = TOP - 50
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
        yield f'<circle cx="{right - 8}" cy="{y}" r="5" fill="#DDD"/>'
        yield _text(right - 18, y + 4, name, "end", "#fff")
    yield from _load(left, top, lamp)


def _load(left: int, top: int, lamp: LampConfig) -> Iterator[str]:
    common, lit = top + 40, top + 110
    for name, y in (("COM", common), ("NO", lit)):
        yield f'<circle cx="{left + 8}" cy="{y}" r="5" fill="#DDD"/>'
        yield _text(left + 16, y - 8, name, "start", "#fff", 10)
    yield _wire([(left + 8, common), (70, common), (70, common + 22)], POWER)
    yield f'<rect x="40" y="{common + 22}" width="60" height="26" rx="3" fill="#EEE" stroke="#555"/>'
    yield _text(70, common + 40, "12 V =", "middle", "#000")
    yield _wire([(70, common + 48), (70, lit + 60), (150, lit + 60), (150, lit + 46)], GROUND)
    yield _wire([(left + 8, lit), (150, lit), (150, lit + 14)], POWER)
    yield f'<circle cx="150" cy="{lit + 30}" r="16" fill="#FFF" stroke="{COLOURS[lamp.role]}" stroke-width="4"/>'
    yield f'<path d="M139 {lit + 19} l22 22 m0 -22 l-22 22" stroke="#555" stroke-width="2"/>'
    yield _text(176, lit + 34, f"{lamp.role}: {MEANINGS[lamp.role]}", "start", "#000")


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
