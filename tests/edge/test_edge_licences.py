"""What Maskwatch is made of, and under which licences: told by the real program."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

import maskwatch_edge
from maskwatch_edge.errors import InputError
from maskwatch_edge.finders.haar import CASCADES
from maskwatch_edge.licences.packages import UNKNOWN, Package, licence_of, needed_packages
from maskwatch_edge.licences.works import WORKS
from maskwatch_edge.models import shipped_finder

SOURCES = Path(maskwatch_edge.__file__).parent


def licences(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "maskwatch_edge", "licences", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def install(folder: Path, name: str, *lines: str) -> Distribution:
    """Pretend that a package is installed in a folder."""
    inside = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    inside.mkdir(parents=True)
    text = "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines, ""])
    (inside / "METADATA").write_text(text)
    return PathDistribution(inside)


def test_all_that_is_needed_here_is_free() -> None:
    done = licences("--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\nmaskwatch 0.1.0 " in done.stdout
    assert "maskwatch-finder-int8.tflite: MIT" in done.stdout


def test_every_package_of_the_base_is_told_as_data() -> None:
    told = json.loads(licences("--json").stdout)
    names = {package["name"] for package in told["packages"]}
    assert names >= {"maskwatch", "numpy", "opencv-python-headless", "gpiod"}
    assert UNKNOWN not in {package["licence"] for package in told["packages"]}
    (clip,) = (work for work in told["works"] if work["name"] == "demo.mp4")
    assert {source["licence"] for source in clip["made_from"]} == {"public domain"}


def test_everything_that_ships_and_is_no_program_is_told() -> None:
    folders = [shipped_finder().parent, CASCADES, SOURCES / "bench"]
    shipped = {
        path.name
        for folder in folders
        for path in folder.iterdir()
        if path.suffix in {".tflite", ".xml", ".mp4"}
    }
    assert {work.name for work in WORKS} == shipped


def test_the_licence_of_the_cascades_is_in_their_heads() -> None:
    for path in CASCADES.iterdir():
        head = " ".join(path.read_text().partition("-->")[0].split())
        assert "Intel License Agreement For Open Source Computer Vision Library" in head
        assert "by Rainer Lienhart" in head


WAYS = [
    (["License-Expression: MIT", "License: BSD"], "MIT"),
    (["Classifier: License :: OSI Approved :: ISC License (ISCL)"], "ISC License"),
    (["Classifier: License :: OSI Approved :: MIT License", "License: its text"], "MIT License"),
    (["License: A licence\n        and all its words"], "A licence"),
    (["Classifier: Typing :: Typed"], UNKNOWN),
    (["License: "], UNKNOWN),
]


@pytest.mark.parametrize(("lines", "licence"), WAYS)
def test_a_licence_is_read_from_where_it_is_told_best(
    tmp_path: Path, lines: list[str], licence: str
) -> None:
    assert licence_of(install(tmp_path, "a", *lines)) == licence


@pytest.mark.parametrize(
    ("licence", "is_free"),
    [
        ("MIT", True),
        ("(MIT OR Apache-2.0) AND BSD-3-Clause", True),
        ("MIT AND LicenseRef-Proprietary", False),
        ("MIT Non-Commercial", False),
        ("", False),
        (UNKNOWN, False),
    ],
)
def test_a_licence_is_free_if_all_that_it_names_are_known_to_be(
    licence: str, is_free: bool
) -> None:
    assert Package("a", "1.0", licence).is_free is is_free


def test_what_is_needed_is_followed_by_extras_and_through_circles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        tmp_path,
        "root",
        "Provides-Extra: all",
        'Requires-Dist: Plain_One>=1 ; python_version >= "3"',
        'Requires-Dist: wanted[fast]; extra == "all"',
        'Requires-Dist: absent; extra == "all"',
    )
    install(tmp_path, "plain-one", "Requires-Dist: root[all]")
    install(
        tmp_path,
        "wanted",
        'Requires-Dist: quick; extra == "fast"',
        'Requires-Dist: unasked; extra == "slow"',
    )
    install(tmp_path, "quick")
    install(tmp_path, "unasked")
    monkeypatch.syspath_prepend(tmp_path)
    names = [package.name for package in needed_packages("root")]
    assert names == ["plain-one", "quick", "root", "wanted"]


def test_a_checkout_that_is_not_installed_is_told() -> None:
    with pytest.raises(InputError, match=r"absent is not installed here.*pip install \."):
        needed_packages("absent")


def test_a_package_that_is_not_free_fails_the_check_by_name(tmp_path: Path) -> None:
    install(tmp_path, "numpy", "License: Ask me")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import maskwatch_edge.__main__ as m"
    command = [sys.executable, "-c", code + "; sys.exit(m.main(['licences', '--check']))"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ("maskwatch licences: error: numpy 1.0: not known to be free: Ask me\n")
