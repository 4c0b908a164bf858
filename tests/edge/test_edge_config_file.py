"""Configuration files, the layers over them, and writing out what is in force."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskwatch_edge.config import CameraConfig, Config, IndicatorConfig, LampConfig
from maskwatch_edge.config import file as config_file
from maskwatch_edge.config.file import LoadedConfig, load_config
from maskwatch_edge.config.keys import ConfigError, keys_of
from maskwatch_edge.config.names import KEYS, PATH_VARIABLE, VARIABLES
from maskwatch_edge.config.toml import MAX_BYTES

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def no_installed_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Look for the installed file where there is none, and return where that is."""
    path = tmp_path / "etc" / "config.toml"
    monkeypatch.setattr(config_file, "DEFAULT_PATH", path)
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a configuration file and returns its path."""

    def write_it(content: str | bytes, name: str = "config.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_it


def load(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> LoadedConfig:
    return load_config(path, environment or {}, flags or {})


def problems(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> list[str]:
    """Return the lines that a wrong configuration is told in, without the path of its file."""
    with pytest.raises(ConfigError) as caught:
        load(path, environment, flags)
    return [line.removeprefix(f"{path}: ") for line in str(caught.value).splitlines()]


def test_without_file_variables_and_flags_everything_is_default() -> None:
    loaded = load()
    assert loaded.config == Config()
    assert loaded.path is None
    assert set(loaded.origins.values()) == {"default"}
    assert list(loaded.origins) == list(KEYS)


def test_each_layer_wins_over_the_one_before_and_leaves_its_name(write: Write) -> None:
    path = write(
        "[camera]\nsource = 'file'\nwidth_px = 320\nheight_px = 200\n[display]\nkind = 'window'"
    )
    environment = {"MASKWATCH_CAMERA_WIDTH_PX": "800", "MASKWATCH_CAMERA_HEIGHT_PX": "600"}
    loaded = load(path, environment, {"camera.height_px": 1080})
    camera = loaded.config.camera
    assert (camera.width_px, camera.height_px) == (800, 1080)
    assert {name: loaded.origins[f"camera.{name}"] for name in keys_of(CameraConfig)} == {
        "source": f"file {path}",
        "width_px": "environment MASKWATCH_CAMERA_WIDTH_PX",
        "height_px": "flag",
        "frames_per_second": "default",
        "stall_seconds": "default",
        "retry_first_seconds": "default",
        "retry_longest_seconds": "default",
    }
    assert loaded.path == path


def test_the_file_is_the_named_one_or_that_of_the_environment_or_the_installed_one(
    write: Write, no_installed_file: Path
) -> None:
    no_installed_file.parent.mkdir()
    installed = write("[camera]\nwidth_px = 100", "etc/config.toml")
    of_environment = write("[camera]\nwidth_px = 200", "environment.toml")
    named = write("[camera]\nwidth_px = 300", "named.toml")
    assert installed == no_installed_file
    environment = {PATH_VARIABLE: str(of_environment)}
    assert load(named, environment).config.camera.width_px == 300
    assert load(None, environment).config.camera.width_px == 200
    assert load(None, {PATH_VARIABLE: ""}).config.camera.width_px == 100
    assert load().path == installed


def test_a_file_is_missed_if_it_was_named(tmp_path: Path, no_installed_file: Path) -> None:
    path = tmp_path / "no.toml"
    assert problems(path) == ["there is no such file"]
    assert problems(None, {PATH_VARIABLE: str(path)}) == [f"{path}: there is no such file"]
    no_installed_file.parent.mkdir()
    no_installed_file.symlink_to(path)  # was put there on purpose
    assert problems() == [f"{no_installed_file}: there is no such file"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[camera]\nsource = 0\n[[indicator.lamps]]\nline = 17", ("0", "17")),  # as numbers
        ("[camera]\nsource = '0'\n[[indicator.lamps]]\nline = '17'", ("0", "17")),
        ("camera.source = '2'\r\nindicator.lamps = [{line = 'A'}]\r\n", ("2", "A")),
        ("\ufeff[camera]\nsource = '3'\n[[indicator.lamps]]\nline = 'A'", ("3", "A")),
    ],
)
def test_toml_is_read_as_users_write_it(
    write: Write, content: str, expected: tuple[str, str]
) -> None:
    config = load(write(content)).config
    assert (config.camera.source, config.indicator.lamps[0].line) == expected


def test_lamps_are_tables_in_their_order(write: Write) -> None:
    path = write(
        "[indicator]\nchip = 'gpiochip0'\n[[indicator.lamps]]\nline = 'GPIO17'\n"
        "[[indicator.lamps]]\nline = 'GPIO27'\nrole = 'alive'\nblink_hz = 1\nactive_low = true"
    )
    loaded = load(path)
    assert loaded.config.indicator == IndicatorConfig(
        "gpiochip0",
        (LampConfig("GPIO17"), LampConfig("GPIO27", "alive", blink_hz=1.0, active_low=True)),
    )
    assert loaded.origins["indicator.lamps"] == f"file {path}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("source = '0'", "source: there is no such section; did you mean camera.source?"),
        ("[camra]", "camra: there is no such section; did you mean camera?"),
        ("[zzz]", "zzz: there is no such section; expected one of: camera, faces, model, "),
        ("camera = 3", "camera: expected a table, [camera]; received 3"),
        ("[[camera]]", "camera: expected a table, [camera]; received a list"),
        ("camera.sourse = 1", "camera.sourse: there is no such key; did you mean camera.source?"),
        ("camera.Source = 1", "camera.Source: there is no such key; did you mean camera.source?"),
        ("camera.stall_ms = 1", "did you mean camera.stall_seconds?"),
        ("camera.kind = 1", "camera.kind: there is no such key; did you mean display.kind?"),
        ("output.min_score = 1", "did you mean faces.min_score or decision.min_score?"),
        ("output.zzz = 1", "output.zzz: there is no such key; expected one of: lines"),
        ('camera."a\\nb" = 1', r"camera.a\nb: there is no such key; expected one of: source, "),
        ("camera.stall_seconds = '5'", 'from 0.01 to 3600; received "5"'),
        ("camera.stall_seconds = 1987-06-05", "received 1987-06-05"),
        ("camera.width_px = 640.0", "expected a whole number from 16 to 8192; received 640.0"),
        ("camera.source = -1", "received -1"),
        ("camera.source = true", "received true"),
        ("camera.source = 0x" + 9000 * "f", "received a number of many digits"),
        ("camera.stall_seconds = 0x" + 9000 * "f", "received a number of many digits"),
        ("display.full_screen = 'yes'", 'expected true or false; received "yes"'),
        ("display.framebuffer = ''", 'display.framebuffer: expected a path; received ""'),
        ('model.path = "a\\u0000"', "model.path: expected a path"),
        ("model.path = '~nobody-of-this-name/a'", "model.path: expected a path"),
        ("model.threads = 'all'", 'a whole number from 1 to 64, or "" for none; received "all"'),
        ("[indicator.lamps]", "expected a list of tables, [[indicator.lamps]] in a file; received"),
        ("indicator.lamps = ['GPIO17']", "indicator.lamps: expected a list of tables"),
        ("[[indicator.lamps]]", "indicator.lamps#1.line: expected a GPIO line, by name or number;"),
        (
            "indicator.lamps = [{line = 'A'}, {line = 'B', rolle = 'alert'}]",
            "indicator.lamps#2.rolle: there is no such key; did you mean role?",
        ),
        (
            "indicator.lamps = [{line = 'A', blink_hz = 11}]",
            "indicator.lamps#1.blink_hz: expected a number from 0 to 10; received 11",
        ),
        (
            "indicator.lamps = [{line = 'A'}, {line = 'A'}]",
            'indicator.lamps: expected each lamp on a line of its own; received "A" more than once',
        ),
        ("[camera", "it is not TOML: Expected ']' at the end of a table declaration (at line 1, "),
        ("[camera]\nsource = rtsp://a", "it is not TOML: Invalid value (at line 2, column 10)"),
        ("\n\n[camera]\nsource =", "(at line 4, the end of the file)"),
        ("camera.width_px = 1\ncamera.width_px = 1", "it is not TOML: Cannot overwrite a value"),
        ("camera.width_px = " + 5000 * "9", "it is not TOML: "),
        ("a = " + 20_000 * "[", "lists or tables are nested too deeply"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(
    write: Write, text: str, expected: str
) -> None:
    path = write(text)
    (line,) = problems(path)
    assert expected in line
    with pytest.raises(ConfigError, match="^" + re.escape(f"{path}: ")):
        load(path)


def test_all_problems_of_all_layers_are_told_at_once(write: Write) -> None:
    path = write(
        "[camera]\nwidth_px = 1\nheight = 480\nstall_seconds = 'x'\n"
        "[[indicator.lamps]]\nrole = 'x'\nblink_hz = 99\n[[indicator.lamps]]\nline = ''\n"
        "[decision]\nmin_score = 0.6"
    )
    lines = problems(path, {"MASKWATCH_FACES_FINDER": "hog"}, {"model.threads": 0})
    assert [re.sub(r": (?:expected|there is).*", "", line) for line in lines] == [
        "camera.width_px",
        "camera.height",
        "camera.stall_seconds",
        "indicator.lamps#1.line",
        "indicator.lamps#1.role",
        "indicator.lamps#1.blink_hz",
        "indicator.lamps#2.line",
        "environment MASKWATCH_FACES_FINDER: faces.finder",
        "flag: model.threads",
        "decision.leave_score",
    ]


def test_a_wrong_value_in_the_file_is_told_even_if_a_flag_wins_over_it(write: Write) -> None:
    path = write("camera.width_px = 1")
    assert len(problems(path, flags={"camera.width_px": 640})) == 1


def test_a_clash_between_layers_names_them_both(write: Write) -> None:
    path = write("decision.min_score = 0.6")
    assert problems(path) == [
        "decision.leave_score: expected at most min_score, which is 0.6; received 0.65 "
        "(decision.leave_score: default)"
    ]
    assert problems(path, {"MASKWATCH_DECISION_LEAVE_SCORE": "0.7"}) == [
        "environment MASKWATCH_DECISION_LEAVE_SCORE: decision.leave_score: expected at most "
        f"min_score, which is 0.6; received 0.7 (decision.min_score: file {path})"
    ]
    assert load(path, flags={"decision.leave_score": "0.5"}).config.decision.leave_score == 0.5


def test_a_value_that_is_wrong_in_itself_clashes_with_none(write: Write) -> None:
    path = write("[decision]\nmin_score = 0.6\nleave_score = 'low'")
    assert [line.partition(":")[0] for line in problems(path)] == ["decision.leave_score"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[camera]\nsource = '\xe4'", "expected UTF-8; line 2 is not"),
        (b"#" * (MAX_BYTES + 1), f"expected at most {MAX_BYTES} bytes; it is larger"),
    ],
)
def test_a_file_that_is_no_text_or_gigantic_is_refused(
    write: Write, content: bytes, expected: str
) -> None:
    assert problems(write(content)) == [expected]


def test_a_file_of_the_largest_size_is_read(write: Write) -> None:
    assert load(write(b"#" * MAX_BYTES)).config == Config()


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"cannot read it: {os.strerror(errno.EISDIR)}"]
    (tmp_path / "loop").symlink_to("loop")
    assert problems(tmp_path / "loop") == [f"cannot read it: {os.strerror(errno.ELOOP)}"]
    assert problems(Path("/dev/zero")) == [f"expected at most {MAX_BYTES} bytes; it is larger"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_the_installed_file_is_not_ignored_if_it_may_not_be_read(no_installed_file: Path) -> None:
    no_installed_file.parent.mkdir()
    no_installed_file.touch(0o000)
    assert problems() == [f"{no_installed_file}: cannot read it: {os.strerror(errno.EACCES)}"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("camera.source", "0", "0"),
        ("camera.source", "rtsp://a=b", "rtsp://a=b"),
        ("camera.width_px", " 320 ", 320),
        ("camera.stall_seconds", "10", 10.0),
        ("camera.stall_seconds", ".5", 0.5),
        *(("display.full_screen", word, True) for word in ("true", "True", "1", "yes", "ON")),
        *(("display.full_screen", word, False) for word in ("false", "FALSE", "0", "no", "off")),
        ("display.framebuffer", "/dev/fb1", Path("/dev/fb1")),
        ("model.path", "m.tflite", Path("m.tflite")),  # relative to the working directory
        ("model.path", "", None),
        ("model.threads", "", None),
        ("model.threads", "2", 2),
        ("indicator.chip", "", None),
        ("indicator.lamps", "[]", ()),
        ("indicator.lamps", '[{line = "GPIO17"}]', (LampConfig("GPIO17"),)),
    ],
)
def test_the_environment_and_flags_give_values_as_text(
    name: str, text: str, expected: object
) -> None:
    (variable,) = (variable for variable, key in VARIABLES.items() if key == name)
    for loaded in (load(None, {variable: text}), load(flags={name: text})):
        section, _, key = name.partition(".")
        value = getattr(getattr(loaded.config, section), key)
        assert (value, type(value)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("camera.source", "", 'an address; received ""'),
        ("camera.width_px", "", 'received ""'),
        ("camera.width_px", "1e3", 'received "1e3"'),
        ("camera.width_px", "640px", 'received "640px"'),
        ("camera.stall_seconds", "nan", "received nan"),
        ("camera.stall_seconds", "5s", 'received "5s"'),
        ("display.full_screen", "maybe", 'expected true or false; received "maybe"'),
        ("model.path", "\udcff", "model.path: expected a path"),
        ("indicator.lamps", "GPIO17", "indicator.lamps: expected a list of tables"),
        ("indicator.lamps", '[]\nline = "A"', "expected a list of tables"),
        ("indicator.lamps", "", "expected a list of tables"),
        ("indicator.lamps", 9999 * "[", "expected a list of tables"),
    ],
)
def test_wrong_text_is_refused_as_it_was_written(name: str, text: str, expected: str) -> None:
    (variable,) = (variable for variable, key in VARIABLES.items() if key == name)
    (line,) = problems(None, {variable: text})
    assert line.startswith(f"environment {variable}: {name}: ")
    assert expected in line
    (line,) = problems(flags={name: text})
    assert line.startswith(f"flag: {name}: ")
    assert expected in line


def test_flags_may_be_typed_and_none_stands_for_not_given() -> None:
    flags = {
        "camera.stall_seconds": 3,
        "display.full_screen": True,
        "model.path": Path("m.tflite"),
        "indicator.lamps": (LampConfig("A"),),
        "model.threads": None,
    }
    loaded = load(flags=flags)
    assert loaded.config.camera.stall_seconds == 3.0
    assert loaded.config.display.full_screen
    assert loaded.config.model.path == Path("m.tflite")
    assert loaded.config.indicator.lamps == (LampConfig("A"),)
    assert loaded.origins["model.threads"] == "default"


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("MASKWATCH_CAMERA_SORCE", "did you mean MASKWATCH_CAMERA_SOURCE?"),
        ("MASKWATCH_SOURCE", "did you mean MASKWATCH_CAMERA_SOURCE?"),
        ("MASKWATCH_CONFG", "did you mean MASKWATCH_CONFIG?"),
        ("MASKWATCH_CAMERA_source", "did you mean MASKWATCH_CAMERA_SOURCE?"),
        ("MASKWATCH_", "maskwatch config show lists all keys"),
        ("MASKWATCH_ZZZ", "maskwatch config show lists all keys"),
    ],
)
def test_a_variable_that_nobody_reads_is_refused(variable: str, expected: str) -> None:
    assert problems(None, {variable: "1"}) == [
        f"environment {variable}: there is no such variable; {expected}"
    ]


def test_variables_of_others_are_left_alone() -> None:
    assert load(None, {"MASK": "1", "HOME": "/", "maskwatch_x": "", "MASKWATCHER": ""}).config


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("camera.sourse", "did you mean camera.source?"),
        ("camra.source", "did you mean camera.source?"),
        ("source", "did you mean camera.source?"),
        ("fps", "expected one of: camera.source, camera.width_px"),
        ("indicator.lamps.line", "did you mean indicator.lamps?"),
        ("", "expected one of: camera.source"),
    ],
)
def test_a_flag_for_no_setting_is_refused(name: str, expected: str) -> None:
    (line,) = problems(flags={name: "1"})
    assert line.startswith(": ".join(filter(None, ("flag", name, "there is no such key; "))))
    assert expected in line


def test_each_setting_has_a_variable_of_its_own() -> None:
    assert len(VARIABLES) == len(KEYS)
    assert PATH_VARIABLE not in VARIABLES


def test_paths_in_a_file_are_relative_to_the_file(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    monkeypatch.setenv("HOME", "/home/me")
    content = "camera.source = 'a.mp4'\nmodel.path = '../m.tflite'\nfaces.model = '~/c.tflite'"
    write(content, "there/config.toml")
    monkeypatch.chdir(tmp_path)
    config = load(Path("there/config.toml")).config
    assert config.camera.source == str(tmp_path / "there" / "a.mp4")
    assert config.model.path == tmp_path / "there" / "../m.tflite"
    assert config.faces.model == Path("/home/me/c.tflite")


@pytest.mark.parametrize(
    "source", ["0", "12", "picamera2", "/dev/video0", "rtsp://h//a?b", "/a//b"]
)
def test_a_source_that_is_no_relative_path_stays_as_it_is(write: Write, source: str) -> None:
    assert load(write(f"camera.source = '{source}'")).config.camera.source == source


def test_an_error_shows_no_password(write: Write) -> None:
    path = write("camera.source = 'rtsp://me:secret@h/\\u0007'\nfaces.finder = 'rtsp://a:secret@h'")
    path.write_text(path.read_text().replace("'rtsp://me", '"rtsp://me').replace("7'", '7"'))
    lines = problems(path, flags={"display.kind": "http://me:secret@h"})
    assert len(lines) == 3
    assert "secret" not in " ".join(lines)


@given(st.dictionaries(st.sampled_from(sorted(VARIABLES)), st.text(max_size=8), max_size=4))
def test_any_environment_is_a_configuration_or_a_line_for_each_wrong_variable(
    environment: dict[str, str],
) -> None:
    try:
        load(None, environment)
    except ConfigError as error:
        lines = str(error).splitlines()
        assert lines
        assert all(any(variable in line for variable in environment) for line in lines)
