"""Settings are checked where they are made."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from maskwatch_edge.config import (
    CameraConfig,
    Config,
    DecisionConfig,
    DisplayConfig,
    FacesConfig,
    IndicatorConfig,
    LampConfig,
    ModelConfig,
    MqttConfig,
    OutputConfig,
    StatisticsConfig,
    Thresholds,
    WebConfig,
)
from maskwatch_edge.config import settings as config_module
from maskwatch_edge.config.keys import ConfigError, Key, Section, keys_of
from maskwatch_edge.config.rules import Between, OneOf
from maskwatch_edge.errors import InputError

SECTIONS: list[type[Section]] = [
    CameraConfig,
    FacesConfig,
    ModelConfig,
    DecisionConfig,
    LampConfig,
    IndicatorConfig,
    DisplayConfig,
    OutputConfig,
    MqttConfig,
    StatisticsConfig,
    WebConfig,
]


@pytest.mark.parametrize("name", ["min_face_score", "min_score"])
@pytest.mark.parametrize("value", [-0.01, 1.01, math.nan, math.inf])
def test_a_threshold_outside_0_to_1_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} must be a number from 0 to 1; received {value}"):
        Thresholds(**{name: value})


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_a_threshold_from_0_to_1_is_taken(value: float) -> None:
    assert Thresholds(value, value).min_score == value


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Thresholds().min_score = 0.1  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        Config().camera.source = "1"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("section", "values", "expected"),
    [
        (CameraConfig, {"source": ""}, "source: expected a camera number or device, picamera2"),
        (CameraConfig, {"source": " "}, 'received " "'),
        (CameraConfig, {"source": 0}, "an address; received 0"),
        (CameraConfig, {"source": "a\nb"}, 'received "a\\nb"'),  # would break a line of output
        (CameraConfig, {"source": "\udc80"}, "source: expected"),  # not UTF-8
        (CameraConfig, {"width_px": 15}, "width_px: expected a whole number from 16 to 8192"),
        (CameraConfig, {"width_px": 640.0}, "received 640.0"),
        (CameraConfig, {"width_px": True}, "received true"),
        (CameraConfig, {"frames_per_second": 0}, "a number from 0.1 to 240; received 0"),
        (CameraConfig, {"stall_seconds": math.nan}, "from 0.01 to 3600; received nan"),
        (CameraConfig, {"stall_seconds": math.inf}, "received inf"),
        (CameraConfig, {"stall_seconds": True}, "received true"),
        (CameraConfig, {"stall_seconds": "5"}, 'received "5"'),
        (CameraConfig, {"stall_seconds": 1 << 60_000}, "received a number of many digits"),
        (CameraConfig, {"retry_longest_seconds": 0}, "from 0.01 to 86400; received 0"),
        (WebConfig, {"port": 65536}, "port: expected a whole number from 0 to 65535"),
        (WebConfig, {"address": "localhost"}, "address: expected an IP address such as 127.0.0.1"),
        (WebConfig, {"token_hash": "secret"}, "token_hash: expected sha256: and 64 hexadecimal"),
        (WebConfig, {"address": "0.0.0.0"}, "which maskwatch token makes, as the address"),
        (WebConfig, {"max_viewers": 0}, "max_viewers: expected a whole number from 1 to 100"),
        (FacesConfig, {"finder": "hog"}, '-small" or "yunet" or "haar"; received "hog"'),
        (FacesConfig, {"work_size_px": 63}, "work_size_px: expected a whole number from 64"),
        (FacesConfig, {"min_size_px": 11}, "min_size_px: expected a whole number from 12"),
        (
            FacesConfig,
            {"cascade": Path("a.xml")},
            'expected none, as it belongs to the finder "haar" and finder is "tflite"',
        ),
        (
            FacesConfig,
            {"finder": "haar", "model": Path("a.tflite")},
            'expected none, as it belongs to the finder "tflite" or "yunet" and finder is "haar"',
        ),
        (FacesConfig, {"cascade": "a.xml"}, 'cascade: expected a path, or "" for none'),
        (FacesConfig, {"cascade": Path("a\0")}, "cascade: expected a path"),
        (FacesConfig, {"min_score": None}, "a number from 0 to 1; received nothing"),
        (ModelConfig, {"interpreter": "tf"}, '"auto" or "ai-edge-litert" or "tflite-runtime"'),
        (ModelConfig, {"shipped": "tiny"}, 'expected "standard" or "small"; received "tiny"'),
        (ModelConfig, {"threads": 0}, 'a whole number from 1 to 64, or "" for none; received 0'),
        (DecisionConfig, {"min_iou": 1.1}, "min_iou: expected a number from 0 to 1; received 1.1"),
        (LampConfig, {"line": ""}, "line: expected a GPIO line, by name or number"),
        (LampConfig, {"line": "1", "role": "x"}, '"alert" or "clear" or "alive"; received "x"'),
        (LampConfig, {"line": "1", "blink_hz": 10.1}, "blink_hz: expected a number from 0 to 10"),
        (LampConfig, {"line": "1", "active_low": 1}, "active_low: expected true or false"),
        (IndicatorConfig, {"chip": ""}, "chip: expected a GPIO chip such as gpiochip0"),
        (IndicatorConfig, {"lamps": [LampConfig("1")]}, "lamps: expected a list of tables"),
        (IndicatorConfig, {"lamps": ({},)}, "lamps: expected a list of tables; received a list"),
        (DisplayConfig, {"kind": "hdmi"}, '"none" or "window" or "console"; received "hdmi"'),
        (DisplayConfig, {"framebuffer": None}, "framebuffer: expected a path; received nothing"),
        (OutputConfig, {"lines": {}}, '"none"; received a table'),
        (MqttConfig, {"host": "mqtt://broker"}, "host: expected a host name or address"),
        (MqttConfig, {"host": "a..b"}, 'received "a..b"'),
        (MqttConfig, {"port": 0}, "port: expected a whole number from 1 to 65535"),
        (
            MqttConfig,
            {"topic": "door/+"},
            "topic: expected a topic of letters, digits, -, _, . and",
        ),
        (MqttConfig, {"topic": "/door"}, 'received "/door"'),
        (MqttConfig, {"device_id": "a/b"}, "device_id: expected letters, digits, - and _"),
        (MqttConfig, {"ca_file": Path("ca")}, "as it belongs to the tls true and tls is false"),
        (
            MqttConfig,
            {"password_file": Path("a")},
            "user: expected one, as password_file is given; received none",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_expected_and_what_came(
    section: type[Section], values: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        section(**values)
    assert expected in str(caught.value)
    assert len(caught.value.problems) == 1


@pytest.mark.parametrize(
    ("section", "values"),
    [
        (CameraConfig, {"stall_seconds": 5}),  # a whole number is a number, too
        (CameraConfig, {"width_px": 16, "height_px": 8192}),  # ranges include their ends
        (CameraConfig, {"retry_first_seconds": 30.0, "retry_longest_seconds": 30.0}),
        (CameraConfig, {"source": "/srv/Tür 1/клип.mp4"}),
        (ModelConfig, {"threads": None}),
        (DecisionConfig, {"min_score": 0.5, "leave_score": 0.5}),
        (LampConfig, {"line": "1", "blink_hz": 10}),
        (MqttConfig, {"host": "broker.local", "topic": "home/door-1", "tls": True}),
        (MqttConfig, {"host": "fd00::17", "user": "me", "password_file": Path("a")}),
    ],
)
def test_a_right_value_is_kept(section: type[Section], values: dict[str, Any]) -> None:
    made = section(**values)
    assert {name: getattr(made, name) for name in values} == values


@pytest.mark.parametrize(
    ("section", "values", "expected"),
    [
        (
            DecisionConfig,
            {"min_score": 0.5, "leave_score": 0.6},
            "leave_score: expected at most min_score, which is 0.5; received 0.6",
        ),
        (
            CameraConfig,
            {"retry_first_seconds": 31},
            "retry_first_seconds: expected at most retry_longest_seconds, which is 30.0; "
            "received 31",
        ),
        (
            IndicatorConfig,
            {"lamps": (LampConfig("GPIO17"), LampConfig("GPIO4"), LampConfig("GPIO17", "clear"))},
            'lamps: expected each lamp on a line of its own; received "GPIO17" more than once',
        ),
        (
            IndicatorConfig,
            {"lamps": (LampConfig("17"), LampConfig("017"))},  # one line, written in two ways
            'received "17" more than once',
        ),
        (
            ModelConfig,
            {"shipped": "small", "path": Path("/m")},
            'path: expected none, as shipped is "small" and only one of the two counts; '
            'received "/m"',
        ),
    ],
)
def test_values_that_do_not_go_together_are_refused(
    section: type[Section], values: dict[str, Any], expected: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        section(**values)
    assert expected in str(caught.value)


def test_all_that_is_wrong_is_told_at_once_a_line_each() -> None:
    with pytest.raises(ConfigError) as caught:
        CameraConfig(width_px=0, height_px=0, retry_first_seconds=50.0)
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == [
        "width_px",
        "height_px",
        "retry_first_seconds",
    ]


def test_values_are_compared_only_if_each_is_right() -> None:
    with pytest.raises(ConfigError) as caught:
        DecisionConfig(min_score="high", leave_score=0.9)  # type: ignore[arg-type]
    assert [problem.keys for problem in caught.value.problems] == [("min_score",)]


def test_a_message_shows_neither_a_password_nor_a_long_text() -> None:
    with pytest.raises(ConfigError) as caught:
        FacesConfig(finder="rtsp://me:secret@host/" + 1000 * "x")
    assert "secret" not in str(caught.value)
    assert "rtsp://host/xxx" in str(caught.value)
    assert len(str(caught.value)) < 160


def test_every_value_that_may_be_none_is_none_by_default() -> None:
    """For a file says "" for it, and the defaults must be those that it can say."""
    optional = [key for section in SECTIONS for key in keys_of(section).values() if key.is_optional]
    assert [key.name for key in optional] == [
        *("model", "cascade", "path", "threads", "trusted_keys", "chip"),
        *("host", "port", "ca_file", "user", "password_file", "device_id"),
        *("path", "token_hash"),
    ]
    assert all(key.default is None for key in optional)


def documented_fields() -> Iterator[tuple[str, str, str]]:
    """Give class, field and docstring of every field in the source of the settings."""
    tree = ast.parse(Path(config_module.__file__).read_text())
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for field, after in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                    text = str(after.value.value) if is_text else ""  # type: ignore[attr-defined]
                    yield node.name, field.target.id, " ".join(text.split())


def words_to_be_told(key: Key) -> list[str]:
    """Return what the documentation of a setting must say of its range."""
    if key.base is bool:
        return ["true or false"]
    if key.base is Path:
        return ["path"]
    words = [] if not key.name.endswith("_seconds") else ["in seconds"]
    for rule in key.rules:
        if isinstance(rule, Between):
            words.append(rule.says("").strip())
        if isinstance(rule, OneOf):
            words += [f'"{word}"' for word in rule.words]
    return words


def test_the_docstring_under_each_field_tells_its_unit_and_range() -> None:
    texts = {(section, field): text for section, field, text in documented_fields()}
    for section in SECTIONS:
        for key in keys_of(section).values():
            text = texts[section.__name__, key.name]
            assert text, (section, key.name)
            for words in words_to_be_told(key):
                assert words.lower() in text.lower(), (section, key.name)


def test_the_sections_here_are_all_that_there_are() -> None:
    made = {type(getattr(Config(), field.name)) for field in fields(Config)}
    assert made | {LampConfig} == set(SECTIONS)
