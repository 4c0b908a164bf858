"""Writing out what is in force, and the example file that comes with Maskwatch."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.config import Config, IndicatorConfig, LampConfig, WebConfig
from maskwatch_edge.config import file as config_file
from maskwatch_edge.config.file import LoadedConfig, load_config, to_dict, to_toml
from maskwatch_edge.config.keys import (
    InPlaceOf,
    Key,
    NeededFor,
    NotAbove,
    OnlyFor,
    Section,
    keys_of,
)
from maskwatch_edge.config.names import KEYS, SECTIONS
from maskwatch_edge.config.rules import Between, IpAddress, OneOf

EXAMPLE = Path(__file__).parents[2] / "systemd" / "config.toml"
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_installed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for the installed file where there is none."""
    monkeypatch.setattr(config_file, "DEFAULT_PATH", tmp_path / "etc" / "config.toml")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a configuration file and returns its path."""

    def write_it(content: str, name: str = "config.toml") -> Path:
        path = tmp_path / name
        path.write_text(content)
        return path

    return write_it


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> LoadedConfig:
    return load_config(path, environment or {}, flags or {})


def test_what_is_shown_has_a_line_for_each_value_with_its_origin(write: Write) -> None:
    path = write("camera.source = 'rtsp://me:secret@h/s'\nindicator.lamps = [{line = 4}]")
    lines = to_toml(load(path, {"MASKWATCH_MODEL_PATH": "/m"}, {"display.kind": "none"}))
    assert f'source = "rtsp://h/s"  # file {path}; its user and password are left out' in lines
    assert 'path = "/m"  # environment MASKWATCH_MODEL_PATH\n' in lines
    assert 'kind = "none"  # flag\n' in lines
    assert "stall_seconds = 5.0  # default\n" in lines
    assert 'threads = ""  # default\n' in lines
    assert f'[[indicator.lamps]]  # file {path}\nline = "4"\nrole = "alert"\n' in lines
    assert "lamps = []  # default\n" in to_toml(load())


def test_the_path_in_an_origin_cannot_break_out_of_its_comment(write: Write) -> None:
    path = write("camera.width_px = 100", "a\n[b].toml")
    assert tomllib.loads(to_toml(load(path)))["camera"]["width_px"] == 100


def test_what_is_shown_as_data_has_value_and_origin_of_each_setting(write: Write) -> None:
    path = write("camera.source = 'rtsp://me:secret@h/s'\nindicator.lamps = [{line = 4}]")
    shown = json.loads(json.dumps(to_dict(load(path))))
    assert shown["file"] == str(path)
    assert list(shown["settings"]) == list(KEYS)
    assert shown["settings"]["camera.source"] == {"value": "rtsp://h/s", "origin": f"file {path}"}
    assert shown["settings"]["model.threads"] == {"value": None, "origin": "default"}
    assert shown["settings"]["indicator.lamps"]["value"][0]["line"] == "4"
    assert to_dict(load())["file"] is None


def test_relative_paths_are_shown_as_absolute_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = tomllib.loads(to_toml(load(flags={"camera.source": "a.mp4", "model.path": "m"})))
    assert shown["camera"]["source"] == str(tmp_path / "a.mp4")
    assert shown["model"]["path"] == str(tmp_path / "m")


characters = st.characters(exclude_categories=("Cc", "Cs"))
words = st.text(characters, min_size=1, max_size=12).filter(str.strip)
paths = st.builds("/{}".format, words)
sources = st.one_of(st.integers(0, 99).map(str), paths, st.just("picamera2"), st.just("http://h/a"))


def values_of(key: Key) -> st.SearchStrategy[Any]:
    """Give values that a setting may have, as its declaration says."""
    if key.is_list:
        return st.lists(sections(key.base), max_size=3, unique_by=line_of).map(tuple)
    given = {
        bool: st.booleans(),
        Path: paths.map(Path),
        str: sources if key.text and key.text.path_too else words,
    }
    if key.text and key.text.pattern != ".*":
        given[str] = st.from_regex(key.text.pattern, fullmatch=True)
    strategy = given.get(key.base)
    for rule in key.rules:
        if isinstance(rule, OneOf):
            strategy = st.sampled_from(rule.words)
        if isinstance(rule, IpAddress):
            strategy = st.ip_addresses().map(str)
        if isinstance(rule, Between):
            whole = st.integers(int(rule.low), int(rule.high))
            strategy = whole if key.base is int else st.floats(rule.low, rule.high)
    assert strategy is not None
    return st.none() | strategy if key.is_optional else strategy


def line_of(lamp: Section) -> str:
    assert isinstance(lamp, LampConfig)
    return str(int(lamp.line)) if lamp.line.isdecimal() else lamp.line


@st.composite
def sections(draw: st.DrawFn, section: type[Section]) -> Section:
    """Give sections of which all values are right, alone and together."""
    values = {key.name: draw(values_of(key)) for key in keys_of(section).values()}
    for check in section.CHECKS:
        if isinstance(check, NotAbove):
            lower, upper = sorted(values[key] for key in check.keys)
            values |= dict(zip(check.keys, (lower, upper), strict=True))
        if isinstance(check, OnlyFor) and values[check.other] not in check.values:
            values[check.name] = None
        if isinstance(check, NeededFor) and values[check.needed] is None:
            values[check.name] = None
        if isinstance(check, InPlaceOf) and values[check.other] != check.default:
            values[check.name] = None
    if section is WebConfig and values["token_hash"] is None:
        values["address"] = draw(st.sampled_from(["127.0.0.1", "::1"]))
    return section(**values)


configs = st.builds(Config, **{name: sections(section) for name, section in SECTIONS.items()})


@given(configs)
def test_what_is_shown_can_be_read_back_as_a_file(
    tmp_path_factory: pytest.TempPathFactory, config: Config
) -> None:
    path = tmp_path_factory.getbasetemp() / "shown.toml"
    text = to_toml(LoadedConfig(config, dict.fromkeys(KEYS, "flag"), None))
    path.write_text(text, encoding="utf-8")
    assert load(path).config == config
    assert to_toml(load(path)).replace(f"file {path}", "flag") == text


def uncommented(text: str) -> str:
    """Take the "#" from the settings of the example; that of prose is followed by a space."""
    return re.sub(r"^#(?=\S)", "", text, flags=re.MULTILINE)


def test_the_example_changes_nothing_as_it_comes() -> None:
    loaded = load(EXAMPLE)
    assert loaded.config == Config()
    assert set(loaded.origins.values()) == {"default"}


def test_the_example_has_every_setting_with_its_real_default(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(uncommented(EXAMPLE.read_text()))
    loaded = load(path)
    assert set(loaded.origins.values()) == {f"file {path}"}
    (lamp,) = tomllib.loads(path.read_text())["indicator"]["lamps"]
    assert list(lamp) == list(keys_of(LampConfig))
    assert loaded.config == Config(indicator=IndicatorConfig(lamps=(LampConfig("GPIO17"),)))


def comments_in(text: str) -> dict[str, str]:
    """Return for each setting of the example the prose above it."""
    comments: dict[str, str] = {}
    prose, section, is_prose = "", "", False
    for line in text.splitlines():
        if line.startswith("# "):
            prose, is_prose = f"{prose} {line[2:]}" if is_prose else line[2:], True
            continue
        is_prose = False
        if match := re.match(r"#?\[+([a-z.]+)\]", line):
            section = match[1]
            comments[section] = prose
        elif match := re.match(r"#([a-z_]+) = ", line):
            comments[f"{section}.{match[1]}"] = prose
    return comments


def test_the_example_tells_what_each_setting_may_be_and_its_unit() -> None:
    comments = comments_in(EXAMPLE.read_text())
    lamps = {f"indicator.lamps.{key.name}": key for key in keys_of(LampConfig).values()}
    for name, key in {**KEYS, **lamps}.items():
        prose = comments[name].lower().replace("numbers", "number").replace("a ", "")
        wanted, _, none = key.expected.lower().replace("a ", "").partition(", or ")
        assert wanted in prose, name
        assert none in prose, name
        if name.endswith("_seconds"):
            assert "in seconds" in prose, name
