"""The command `maskwatch`: its help, its exit codes, and its one line for an error."""

from __future__ import annotations

import argparse
import errno
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from maskwatch_edge import __main__ as program
from maskwatch_edge.__main__ import find_commands, main
from maskwatch_edge.command import Command
from maskwatch_edge.errors import InputError, SourceError

# A program with one more command, which prints more than a pipe or a buffer holds.
CHATTY = """
import sys
from maskwatch_edge import __main__ as program
from maskwatch_edge.command import Command

def chat(options):
    for number in range(100_000):
        print(number)
    return 0

CHAT = Command("chat", "print a lot", lambda parser: None, chat)
program.find_commands = lambda name: [CHAT]
sys.exit(program.main(["chat"]))
"""


def run(*arguments: str, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program as a user does, or the given code in its place."""
    start = ["-m", "maskwatch_edge"] if code is None else ["-c", code]
    return subprocess.run([sys.executable, *start, *arguments], capture_output=True, text=True)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], int]], int]:
    """Run the program with a command `try` that does what the test says."""

    def run_it(act: Callable[[], int]) -> int:
        command = Command("try", "try it", lambda parser: None, lambda options: act())
        monkeypatch.setattr(program, "find_commands", lambda name: [command])
        return main(["try"])

    return run_it


def raising(error: BaseException) -> Callable[[], int]:
    def act() -> int:
        raise error

    return act


def test_help_lists_every_command_with_what_it_does() -> None:
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    words = " ".join(result.stdout.split())
    for command in find_commands():
        assert f"{command.name} {command.summary}" in words


def test_the_commands_of_all_three_packages_are_found() -> None:
    names = [command.name for command in find_commands()]
    assert names == sorted(names)
    assert {"convert", "demo", "detect", "evaluate", "run", "train"} <= set(names)


@pytest.mark.parametrize("command", find_commands(), ids=lambda command: command.name)
def test_each_command_explains_itself(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command.name, "--help"])
    assert caught.value.code == 0
    assert f"usage: maskwatch {command.name}" in capsys.readouterr().out


@pytest.mark.parametrize("command", find_commands(), ids=lambda command: command.name)
def test_each_option_says_what_it_is_for(command: Command) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    nameless = [action.dest for action in parser._actions if not action.help]
    assert nameless == []


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"maskwatch {version('maskwatch')}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "arguments are required: COMMAND"),
        (["watch"], "invalid choice: 'watch'"),
        (["detect"], "arguments are required: SOURCE"),
        (["detect", "a.jpg", "--fast"], "unrecognized arguments: --fast"),
        (["detect", "a.jpg", "--min-score", "80%"], "expected a number, received '80%'"),
        (["detect", "a.jpg", "--threads", "0"], "expected a whole number from 1, received '0'"),
        (["evaluate", "a.tflite"], "one of the arguments --crops --frames is required"),
    ],
)
def test_a_wrong_command_line_exits_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert expected in output.err


@pytest.mark.parametrize(
    ("act", "code", "line"),
    [
        (lambda: 0, 0, ""),
        (lambda: 1, 1, ""),  # a command that has told its errors itself
        (raising(InputError("no such folder")), 1, "no such folder [input-wrong]"),
        (
            raising(SourceError("cannot read a\nb.jpg")),
            1,
            "cannot read a b.jpg [source-unreadable]",
        ),
        # One that nobody foresaw, such as a library's own file.
        (
            raising(OSError(errno.EIO, "bad disk", "/x")),
            1,
            "[Errno 5] bad disk: '/x' [system-refused]",
        ),
        (raising(KeyboardInterrupt()), 130, ""),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    answer: Callable[[Callable[[], int]], int],
    capsys: pytest.CaptureFixture[str],
    act: Callable[[], int],
    code: int,
    line: str,
) -> None:
    assert answer(act) == code
    assert capsys.readouterr() == ("", f"maskwatch try: error: {line}\n" if line else "")


def test_a_slip_of_ours_is_told_and_keeps_its_traceback(
    answer: Callable[[Callable[[], int]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ZeroDivisionError):
        answer(raising(ZeroDivisionError()))
    assert capsys.readouterr().err == "maskwatch try: error: ZeroDivisionError() [program-broken]\n"


def test_a_broken_model_is_one_line_on_stderr_and_exit_code_1(tmp_path: Path) -> None:
    model = tmp_path / "broken.tflite"
    model.write_bytes(b"\x1c\0\0\0TFL3 and no more")
    result = run("detect", "a.jpg", "--model", str(model))
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith(f"maskwatch detect: error: {model}: the model carries no")


@pytest.mark.parametrize(
    ("command", "missing", "expected"),
    [
        (["train", "data", "--out", "run"], "tensorflow", "'maskwatch[train]'"),
        (["convert", "run", "--calibrate", "data", "--out", "a"], "tensorflow", "[train]"),
        (["demo", "clip.mp4"], "skimage", "'maskwatch[demo]'"),
        (["detect", "a.jpg", "--interpreter", "tflite-runtime"], "tflite_runtime", "[tflite-"),
    ],
)
def test_a_missing_extra_is_told_with_the_line_that_mends_it(
    tmp_path: Path, tiny_model: Path, command: list[str], missing: str, expected: str
) -> None:
    if command[0] == "detect":
        command = [*command, "--model", str(tiny_model)]
    block = f"import sys; sys.modules[{missing!r}] = None\n"
    start = "from maskwatch_edge.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    result = subprocess.run(
        [sys.executable, "-c", block + start, *command],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert "which is not installed; mend it with: pip install" in result.stderr
    assert expected in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_goes_away_ends_the_program_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHATTY], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_output_onto_a_full_disk_is_one_line_on_stderr() -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-c", CHATTY], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert result.returncode == 1
    assert result.stderr == (
        "maskwatch chat: error: [Errno 28] No space left on device [system-refused]\n"
    )
