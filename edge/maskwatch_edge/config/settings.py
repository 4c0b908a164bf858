"""Settings of the edge: typed, checked once, immutable.

A new setting is one field with its range and docstring in its section here, and one entry in
`systemd/config.toml`; the file, the environment and `maskwatch config` learn of it by themselves.
Units are part of the names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

from maskwatch_edge.errors import InputError
from maskwatch_edge.interpreter import PACKAGES
from maskwatch_edge.models import SHIPPED_MODELS, STANDARD

from .keys import Check, InPlaceOf, NeededFor, NotAbove, OnlyFor, Section
from .rules import Between, IpAddress, OneOf, Text, shown

FINDERS = ("tflite", "tflite-small", "yunet", "haar")
"""What can find faces; `finders.finder` says how each is opened."""

Share = Annotated[float, Between(0, 1)]


@dataclass(frozen=True)
class Thresholds:
    """What is shown, and what is claimed.

    Raises:
        InputError: If a value is outside its range.
    """

    min_face_score: float = 0.4
    """Faces that the finder scores lower, in [0, 1], are ignored."""

    min_score: float = 0.8
    """Verdicts that the model scores lower, in [0, 1], are `unsure`."""

    def __post_init__(self) -> None:
        for name in ("min_face_score", "min_score"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise InputError(f"{name} must be a number from 0 to 1; received {value}")


@dataclass(frozen=True)
class CameraConfig(Section):
    """Where frames come from, and when the camera counts as lost."""

    CHECKS: ClassVar[tuple[Check, ...]] = (
        NotAbove("retry_first_seconds", "retry_longest_seconds"),
    )

    source: Annotated[
        str,
        Text(
            "a camera number or device, picamera2, a video, a folder or an address",
            number_too=True,
            path_too=True,
        ),
    ] = "0"
    """What gives the frames: a camera number such as "0", a device such as
    /dev/v4l/by-id/usb-..., "picamera2", an rtsp:// or http:// address, a video or a folder."""

    width_px: Annotated[int, Between(16, 8192)] = 640
    """Width that a camera is asked for, in pixels, from 16 to 8192."""

    height_px: Annotated[int, Between(16, 8192)] = 480
    """Height that a camera is asked for, in pixels, from 16 to 8192."""

    frames_per_second: Annotated[float, Between(0.1, 240)] = 30.0
    """Rate that a camera is asked for, in frames per second, from 0.1 to 240."""

    stall_seconds: Annotated[float, Between(0.01, 3600)] = 5.0
    """A camera without a new picture for so long is lost, in seconds, from 0.01 to 3600."""

    retry_first_seconds: Annotated[float, Between(0.01, 86400)] = 0.5
    """Wait before a lost camera is opened again, in seconds, from 0.01 to 86400; each further
    wait is longer."""

    retry_longest_seconds: Annotated[float, Between(0.01, 86400)] = 30.0
    """The waits grow no longer than this, in seconds, from 0.01 to 86400; at least
    `retry_first_seconds`."""


@dataclass(frozen=True)
class FacesConfig(Section):
    """How faces are found."""

    CHECKS: ClassVar[tuple[Check, ...]] = (
        OnlyFor("cascade", "finder", ("haar",)),
        OnlyFor("model", "finder", ("tflite", "yunet")),
    )

    finder: Annotated[str, OneOf(FINDERS)] = "tflite"
    """What finds the faces: "tflite", the network that comes with Maskwatch, or another one of
    `maskwatch train-finder`; "tflite-small", which comes with it, too, takes two fifths of the work
    and finds a little less; "yunet", the network of that name; or "haar", OpenCV's Haar cascade,
    which misses most masked faces."""

    model: Path | None = None
    """A path: the .tflite of the finder "tflite", None for the one that comes with Maskwatch; or
    the .onnx of the finder "yunet", None for where `maskwatch models get` puts it."""

    work_size_px: Annotated[int, Between(64, 4096)] = 320
    """Long side of the picture that the finder "yunet" sees, in pixels, a whole number from 64 to
    4096. A larger frame is made smaller for it; a smaller one is left as it is."""

    cascade: Path | None = None
    """A path: an OpenCV cascade XML of the finder "haar"; None for the one that comes with
    Maskwatch."""

    min_size_px: Annotated[int, Between(12, 4096)] = 24
    """Side of the smallest face that is looked for, in pixels of the frame, a whole number from 12
    to 4096. Larger is quicker with "haar": 90 in place of 24 takes a seventh of the time."""

    min_score: Share = 0.4
    """Faces that the finder scores lower are ignored, a number from 0 to 1."""

    look_seconds: Annotated[float, Between(0, 60)] = 0.1
    """Faces are looked for at most so often, in seconds, from 0 to 60; 0 for in every frame. In
    between people stay where they were seen."""

    still_seconds: Annotated[float, Between(0, 60)] = 2.0
    """While nothing moves, faces are looked for only so often, in seconds, from 0 to 60; and twice
    a second while all faces stay as they were. 0 for always at the full pace."""


@dataclass(frozen=True)
class ModelConfig(Section):
    """Which model judges, and how it is run."""

    CHECKS: ClassVar[tuple[Check, ...]] = (InPlaceOf("path", "shipped", STANDARD),)

    shipped: Annotated[str, OneOf(tuple(SHIPPED_MODELS))] = STANDARD
    """Which of the models that come with Maskwatch judges: "standard"; or "small", which takes less
    of a small board, and is a little less often right."""

    path: Path | None = None
    """A path: a .tflite of `maskwatch convert`, in place of one that comes with Maskwatch; None for
    none."""

    interpreter: Annotated[str, OneOf(("auto", *PACKAGES))] = "auto"
    """The package that runs it: "auto" for the first installed of "ai-edge-litert" and
    "tflite-runtime", or one of them."""

    threads: Annotated[int, Between(1, 64)] | None = None
    """Threads of the model and of the finder, a whole number from 1 to 64; never more than there
    are cores. None for what suits the board: one is left free where there are more than two."""

    trusted_keys: Path | None = None
    """A path: public keys of `maskwatch keys`, one a line. A model or finder that is given by its
    path must be signed by one of them; None asks for no signature. It needs the extra
    `signatures`."""

    def keys_for(self, given: Path | None) -> Path | None:
        """Return the trusted keys for a file; one that comes with Maskwatch, None, needs none."""
        return self.trusted_keys if given else None


@dataclass(frozen=True)
class DecisionConfig(Section):
    """When something is claimed of a person."""

    CHECKS: ClassVar[tuple[Check, ...]] = (NotAbove("leave_score", "min_score"),)

    min_score: Annotated[float, Between(0.5, 1)] = 0.8
    """Score of the vote from which a verdict is claimed, a number from 0.5 to 1."""

    leave_score: Annotated[float, Between(0.5, 1)] = 0.65
    """Score of the vote below which a claimed verdict is given up, a number from 0.5 to 1; at most
    `min_score`, and the gap between the two is what stops flicker."""

    window_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """Looks so old still vote, in seconds, from 0 to 3600; the newest few always do."""

    hold_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """Another verdict must last so long before it is told, in seconds, from 0 to 3600."""

    forget_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """A face not seen for so long has left, in seconds, from 0 to 3600."""

    stale_seconds: Annotated[float, Between(1, 3600)] = 15.0
    """What is known of a person who was not seen for so long is taken back, and the lamps are
    dark, in seconds, from 1 to 3600; let it be more than `faces.still_seconds`. It is so where
    looks fail, or the program hangs."""

    min_iou: Share = 0.25
    """Overlap with its last place that makes a face the same person, a number from 0 to 1:
    intersection over union."""


@dataclass(frozen=True)
class LampConfig(Section):
    """One lamp on a GPIO line."""

    line: Annotated[str, Text("a GPIO line, by name or number", number_too=True)]
    """A GPIO line, by name or number on its chip: "GPIO17" or "17"."""

    role: Annotated[str, OneOf(("alert", "clear", "alive"))] = "alert"
    """When it is on: "alert" while someone is unmasked, "clear" while everyone in sight is
    masked, "alive" while the camera sees."""

    blink_hz: Annotated[float, Between(0, 10)] = 0.0
    """How often it blinks while it is on, in hertz, from 0 to 10; 0 for steady."""

    active_low: bool = False
    """Whether the line is low while the lamp is on: true or false."""

    min_on_seconds: Annotated[float, Between(0, 3600)] = 1.0
    """Once on, it stays on for at least so long, in seconds, from 0 to 3600."""


@dataclass(frozen=True)
class _LinesApart:
    """No two lamps are on one line; a line's name and its number are not known to be the same."""

    keys = ("lamps",)

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        lines = [str(int(line)) if line.isdecimal() else line for line in _lines(section)]
        twice = next((line for line in lines if lines.count(line) > 1), None)
        if twice is None:
            return None
        return f"expected each lamp on a line of its own; received {shown(twice)} more than once"


def _lines(indicator: IndicatorConfig) -> list[str]:
    return [lamp.line for lamp in indicator.lamps]


@dataclass(frozen=True)
class IndicatorConfig(Section):
    """The lamps."""

    CHECKS: ClassVar[tuple[Check, ...]] = (_LinesApart(),)

    chip: Annotated[str, Text("a GPIO chip such as gpiochip0")] | None = None
    """A GPIO chip such as gpiochip0, that has the lines. None: names are looked for on all chips,
    and a number is a line of the pin header's."""

    lamps: tuple[LampConfig, ...] = ()
    """A list of tables, [[indicator.lamps]] in a file; no two lamps on one line."""


@dataclass(frozen=True)
class DisplayConfig(Section):
    """Where the picture is shown."""

    kind: Annotated[str, OneOf(("none", "window", "console"))] = "none"
    """"none", "window" on a desktop, or "console" for a screen without a desktop."""

    full_screen: bool = False
    """Whether a window fills the screen: true or false."""

    framebuffer: Path = Path("/dev/fb0")
    """A path: the device of the console display."""


@dataclass(frozen=True)
class OutputConfig(Section):
    """What is printed."""

    lines: Annotated[str, OneOf(("text", "events", "frames", "none"))] = "text"
    """"text" for a readable line for every change, "events" for a JSON object for every event,
    "frames" for one for every frame, "none" for nothing."""


TOPIC = Text("a topic of letters, digits, -, _, . and /", pattern=r"[\w.-]+(/[\w.-]+)*")
HOST_PATTERN = r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*"


@dataclass(frozen=True)
class MqttConfig(Section):
    """The MQTT broker that is told what happens."""

    CHECKS: ClassVar[tuple[Check, ...]] = (
        OnlyFor("ca_file", "tls", (True,)),
        NeededFor("user", "password_file"),
    )

    host: Annotated[str, Text("a host name or address", pattern=HOST_PATTERN)] | None = None
    """A host name or address of the broker; None for no MQTT at all."""

    port: Annotated[int, Between(1, 65535)] | None = None
    """Its port, a whole number from 1 to 65535; None for 1883, or 8883 with `tls`."""

    tls: bool = False
    """Whether the connection is encrypted and the broker must prove who it is: true or false."""

    ca_file: Path | None = None
    """A path: the certificates, in PEM, by which the broker proves it; None for those that the
    system trusts."""

    user: Annotated[str, Text("a name")] | None = None
    """A name to log in with; None for none."""

    password_file: Path | None = None
    """A path: a file that holds the password and nothing else; None for the systemd credential
    maskwatch-mqtt-password, if there is one."""

    topic: Annotated[str, TOPIC] = "maskwatch"
    """All topics begin with this one and the device's id."""

    device_id: (
        Annotated[str, Text("letters, digits, - and _", pattern="[A-Za-z0-9_-]{1,64}")] | None
    ) = None
    """What tells this board from others, at most 64 letters, digits, - and _; None for one made of
    the machine's id."""

    home_assistant: bool = True
    """Whether Home Assistant is told what there is to see: true or false."""

    discovery_topic: Annotated[str, TOPIC] = "homeassistant"
    """Where Home Assistant listens for it."""

    waiting_messages: Annotated[int, Between(100, 500_000)] = 100_000
    """So many messages are kept for a broker that is away, a whole number from 100 to 500000;
    10000 take about 4 MB of the disk."""


@dataclass(frozen=True)
class StatisticsConfig(Section):
    """Counts of people by verdict and minute; no pictures."""

    enabled: bool = False
    """Whether counts are kept: true or false."""

    keep_days: Annotated[int, Between(1, 3650)] = 90
    """So many days with counts are kept, the newest ones, a whole number from 1 to 3650."""

    path: Path | None = None
    """A path: the file of the counts; None for `statistics.db` in the service's state folder, or
    the user's."""


@dataclass(frozen=True)
class _TokenBeyondLoopback:
    """Nobody but this board's own programs may look without a token."""

    keys = ("token_hash", "address")

    def problem(self, section: Any) -> str | None:
        """See `Check`."""
        if section.token_hash is not None or section.is_loopback:
            return None
        return (
            "expected the hash of a token, which maskwatch token makes, as the address "
            f"{shown(section.address)} can be reached from elsewhere; received nothing"
        )


@dataclass(frozen=True)
class WebConfig(Section):
    """The live page."""

    CHECKS: ClassVar[tuple[Check, ...]] = (_TokenBeyondLoopback(),)

    enabled: bool = False
    """Whether the page is served: true or false. It needs the extra `web`."""

    address: Annotated[str, IpAddress()] = "127.0.0.1"
    """The IP address that is listened on: 127.0.0.1 or ::1 for this board alone, or one of the
    board's own, or 0.0.0.0 or :: for all; these ask for a token."""

    port: Annotated[int, Between(0, 65535)] = 8080
    """The TCP port, a whole number from 0 to 65535; 0 for any that is free, which is told."""

    token_hash: (
        Annotated[str, Text("sha256: and 64 hexadecimal digits", pattern="sha256:[0-9a-f]{64}")]
        | None
    ) = None
    """What `maskwatch token` gives for the token that viewers must know: sha256: and 64
    hexadecimal digits. None lets everybody in who reaches the address."""

    max_viewers: Annotated[int, Between(1, 100)] = 20
    """So many may watch at once, a whole number from 1 to 100; more are refused."""

    width_px: Annotated[int, Between(64, 4096)] = 640
    """Width of the picture that is sent, in pixels, a whole number from 64 to 4096. Smaller frames
    stay as they are."""

    frames_per_second: Annotated[float, Between(0.1, 30)] = 10.0
    """Pictures are sent at most so often, in frames per second, from 0.1 to 30. There are no more
    than frames that are looked at; see `faces.look_seconds`."""

    @property
    def is_loopback(self) -> bool:
        """Whether nothing but this board can reach the address."""
        return self.address == "::1" or self.address.startswith("127.")


@dataclass(frozen=True)
class Config:
    """Everything that can be set."""

    camera: CameraConfig = field(default_factory=CameraConfig)
    faces: FacesConfig = field(default_factory=FacesConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    decision: DecisionConfig = field(default_factory=DecisionConfig)
    indicator: IndicatorConfig = field(default_factory=IndicatorConfig)
    display: DisplayConfig = field(default_factory=DisplayConfig)
    output: OutputConfig = field(default_factory=OutputConfig)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    statistics: StatisticsConfig = field(default_factory=StatisticsConfig)
    web: WebConfig = field(default_factory=WebConfig)
