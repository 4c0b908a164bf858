"""The board stays light, and imports point one way."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {
    *("tensorflow", "keras", "matplotlib", "PIL", "imagehash", "kagglehub", "skimage", "pygame"),
    *("aiohttp", "prometheus_client", "paho"),
}

RUN = """
from maskwatch_edge.__main__ import main
try:
    main({arguments})
except SystemExit:
    pass
"""


def modules_after(code: str) -> set[str]:
    """Run code in a fresh Python and return the top names of what it has imported."""
    report = "\nimport json, sys\nprint(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    result = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=True
    )
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_importing_the_edge_imports_nothing_heavy() -> None:
    assert modules_after("import maskwatch_edge") & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["detect", "--help"],
        ["train", "--help"],  # even its options need nothing heavy
        ["detect", "nowhere.jpg"],
        ["run", "--source", "nowhere.mp4"],
        ["token"],
    ],
)
def test_the_program_imports_nothing_heavy(arguments: list[str]) -> None:
    assert modules_after(RUN.format(arguments=arguments)) & HEAVY == set()


def test_lamps_go_dark_without_waiting_for_opencv_or_numpy(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[[indicator.lamps]]\nrole = "alert"\nline = "GPIO17"\n')
    arguments = ["lamp", "off", "--config", str(file)]
    assert modules_after(RUN.format(arguments=arguments)) & {"cv2", "numpy"} == set()


def test_looking_at_a_frame_imports_nothing_heavy(tiny_model: Path) -> None:
    code = f"""
from pathlib import Path
import numpy as np
from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import Thresholds
from maskwatch_edge.finders import HaarFinder
from maskwatch_edge.frame import Frame
from maskwatch_edge.pipeline import Watcher
watcher = Watcher(HaarFinder(), MaskClassifier(Path({str(tiny_model)!r})), Thresholds())
watcher.look(Frame(np.zeros((120, 160, 3), np.uint8), 0, 0.0, "black"))
"""
    assert modules_after(code) & HEAVY == set()


def imports_in(path: Path) -> Iterator[str]:
    """Name every module that a source file imports, also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("edge", {"maskwatch_edge"}),
        ("convert", {"maskwatch_edge"}),
        ("train", {"maskwatch_edge", "maskwatch_train"}),
    ],
)
def test_imports_between_the_packages_point_to_the_edge(folder: str, allowed: set[str]) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        ours = {name.split(".")[0] for name in imports_in(path) if name.startswith("maskwatch")}
        assert ours <= allowed, f"{path} imports {ours - allowed}"
        assert not {"edge", "convert", "train"} & set(imports_in(path)), path


def test_no_two_test_files_have_one_name() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))
