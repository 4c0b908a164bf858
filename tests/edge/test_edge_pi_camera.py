"""The Pi camera, on a stand-in for picamera2 whose methods are those of the real library.

`tests/data/picamera2.json` holds what the real library looks like, so that no test needs it: it
cannot be imported without libcamera, which only Pi OS has. It was made by reading the source of
three releases, the oldest that works and two newer ones:

    pip download --no-deps picamera2==0.3.38 && unzip picamera2-0.3.38-*.whl -d 0.3.38
    python tests/edge/test_edge_pi_camera.py 0.3.21 0.3.31 0.3.38
"""

from __future__ import annotations

import ast
import importlib.util
import inspect
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from maskwatch_edge.cameras.fake_camera import FakeCamera
from maskwatch_edge.cameras.fake_picamera2 import FakePicamera2
from maskwatch_edge.cameras.pi_camera import FORMAT
from maskwatch_edge.cameras.sources import open_source
from maskwatch_edge.config import CameraConfig
from maskwatch_edge.errors import MissingExtraError, SourceError

FACTS = Path(__file__).parents[1] / "data" / "picamera2.json"
METHODS = (
    "__init__",
    "global_camera_info",
    "create_video_configuration",
    "configure",
    "start",
    "capture_array",
    "cancel_all_and_flush",
    "close",
)
PROPERTIES = ("camera_controls",)
ATTRIBUTES = ("notifyme_w", "notifymeread")
RED = (200, 100, 50)


# What the real library looks like


def read_library(folder: Path) -> dict[str, Any]:
    """Read the source of picamera2, without importing it."""
    library = class_in(folder / "picamera2.py", "Picamera2")
    functions = {
        node.name: node
        for node in library.body
        if isinstance(node, ast.FunctionDef) and "overload" not in decorators(node)
    }
    return {
        "methods": {name: f"({ast.unparse(functions[name].args)})" for name in METHODS},
        "properties": [name for name in PROPERTIES if "property" in decorators(functions[name])],
        "static": [name for name in METHODS if "staticmethod" in decorators(functions[name])],
        "attributes": [name for name in ATTRIBUTES if name in assigned(functions["__init__"])],
        "memory": memory_orders(class_in(folder / "request.py", "Helpers")),
    }


def class_in(path: Path, name: str) -> ast.ClassDef:
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    return next(node for node in nodes if isinstance(node, ast.ClassDef) and node.name == name)


def decorators(function: ast.FunctionDef) -> set[str]:
    return {ast.unparse(node) for node in function.decorator_list}


def assigned(function: ast.FunctionDef) -> set[str]:
    return {
        node.attr
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }


def memory_orders(helpers: ast.ClassDef) -> dict[str, str]:
    """Return the table of formats with the order that their bytes have in memory."""
    for node in ast.walk(helpers):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "mode_lookup":
            table: dict[str, str] = ast.literal_eval(node.value)
            return table
    raise ValueError("expected the table mode_lookup in picamera2.request.Helpers; it is gone")


@pytest.fixture(params=["0.3.21", "0.3.31", "0.3.38", "installed"])
def real(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Give what one release after the other looks like, and the installed one if there is one."""
    if request.param != "installed":
        facts: dict[str, Any] = json.loads(FACTS.read_text(encoding="utf-8"))[request.param]
        return facts
    spec = importlib.util.find_spec("picamera2")
    if spec is None or spec.origin is None:
        pytest.skip("needs picamera2, which is not installed")
    return read_library(Path(spec.origin).parent)


def signature(text: str) -> inspect.Signature:
    """Return the signature that a text such as "(self, name='main')" stands for."""
    arguments = ast.parse(f"def f{text}: ...").body[0].args  # type: ignore[attr-defined]
    without = len(arguments.args) - len(arguments.defaults)
    return inspect.Signature(
        [
            inspect.Parameter(
                argument.arg,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=inspect.Parameter.empty if place < without else ...,
            )
            for place, argument in enumerate(arguments.args)
            if argument.arg != "self"
        ]
    )


def stand_in_signature(name: str) -> inspect.Signature:
    found = inspect.signature(getattr(FakePicamera2, name))
    return found.replace(parameters=[p for p in found.parameters.values() if p.name != "self"])


@pytest.mark.parametrize("name", METHODS)
def test_whoever_calls_the_stand_in_rightly_calls_the_real_library_rightly(
    real: dict[str, Any], name: str
) -> None:
    mine = stand_in_signature(name).parameters
    theirs = signature(real["methods"][name]).parameters
    by_place = [p.name for p in mine.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert by_place == list(theirs)[: len(by_place)]
    assert set(mine) <= set(theirs)
    for parameter in theirs.values():
        has_default = parameter.default is not parameter.empty
        assert has_default or parameter.name in mine
        if parameter.name in mine and not has_default:
            assert mine[parameter.name].default is parameter.empty


def test_what_else_the_stand_in_has_is_in_the_real_library(real: dict[str, Any]) -> None:
    assert real["properties"] == list(PROPERTIES)
    assert real["static"] == ["global_camera_info"]
    assert real["attributes"] == list(ATTRIBUTES)
    assert all(isinstance(getattr(FakePicamera2, name), property) for name in PROPERTIES)


def test_the_format_that_is_asked_for_is_rgb_in_memory(real: dict[str, Any]) -> None:
    assert real["memory"][FORMAT] == "RGB"
    assert real["memory"]["RGB888"] == "BGR"


def test_the_stand_in_has_no_method_that_was_not_compared() -> None:
    methods = {name for name in vars(FakePicamera2) if not name.startswith("_")}
    assert methods - {"of", "camera"} == set(METHODS) - {"__init__"} | set(PROPERTIES)


# What Maskwatch does with it


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    """Give a camera that is attached to this board."""
    camera = FakeCamera()
    camera.show(np.full((48, 64, 3), RED, dtype=np.uint8))
    install(monkeypatch, FakePicamera2.of(camera))
    return camera


def install(monkeypatch: pytest.MonkeyPatch, library: object) -> None:
    module = ModuleType("picamera2")
    module.Picamera2 = library  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)


def test_frames_are_rgb_and_counted(camera: FakeCamera) -> None:
    with open_source("picamera2") as source:
        frames = source.frames()
        first, second = next(frames), next(frames)
    assert first.pixels[100, 100].tolist() == list(RED)
    assert (first.width, first.height) == (640, 480)
    assert [first.number, second.number] == [0, 1]
    assert second.time_seconds >= first.time_seconds


def test_the_wanted_size_and_rate_are_asked_for(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []
    library = FakePicamera2.of(camera)
    monkeypatch.setattr(library, "configure", lambda self, given: asked.append(given))
    install(monkeypatch, library)
    with pytest.raises(SourceError, match="has not been configured"):  # it was only listened to
        open_source("picamera2", camera=CameraConfig(width_px=321, height_px=240))
    assert asked[0]["main"] == {"size": (320, 240), "format": "BGR888"}  # even, as libcamera does
    assert asked[0]["controls"] == {"FrameDurationLimits": (33333, 33333)}


def test_a_camera_without_a_rate_to_set_is_not_asked_for_one(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakePicamera2, "camera_controls", property(lambda self: {}))
    with open_source("picamera2") as source:
        next(source.frames())


def test_a_loose_cable_is_noticed_and_the_camera_can_be_closed_all_the_same(
    camera: FakeCamera,
) -> None:
    source = open_source("picamera2", camera=CameraConfig(stall_seconds=0.05))
    frames = source.frames()
    next(frames)
    camera.pull()
    with pytest.raises(SourceError, match=r"gave no picture for 0\.05 s; check its cable"):
        next(frames)
    source.close()
    camera.plug()
    with open_source("picamera2") as again:
        next(again.frames())


def test_closing_twice_lets_go_of_the_camera_once(camera: FakeCamera) -> None:
    source = open_source("picamera2")
    source.close()
    source.close()
    assert camera.sources == 0
    assert list(source.frames()) == []


def test_a_board_without_a_camera_is_told(camera: FakeCamera) -> None:
    camera.pull()
    with pytest.raises(SourceError, match=r"cannot start the Pi camera: there is none.*rpicam-he"):
        open_source("picamera2")


def test_a_camera_that_another_program_holds_is_told_and_leaves_nothing_open(
    camera: FakeCamera,
) -> None:
    with camera.open():
        before = list(Path("/proc/self/fd").iterdir())
        for _ in range(5):
            with pytest.raises(SourceError, match="cannot start the Pi camera"):
                open_source("picamera2")
        assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_a_camera_that_cannot_be_closed_is_told(
    camera: FakeCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    close = FakePicamera2.close

    def refuse(self: FakePicamera2) -> None:
        close(self)
        raise RuntimeError("failed to release")

    monkeypatch.setattr(FakePicamera2, "close", refuse)
    source = open_source("picamera2")
    with pytest.raises(SourceError, match="cannot close the Pi camera: failed to release"):
        source.close()
    source.close()


def test_a_machine_without_picamera2_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'maskwatch\[pi\]'"):
        open_source("picamera2")


def test_a_picamera2_that_cannot_notice_a_dead_camera_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, type("Picamera2", (), {}))
    with pytest.raises(SourceError, match=r"too old.*0\.3\.21 or newer"):
        open_source("picamera2")


def test_a_picamera2_that_does_not_fit_numpy_is_told_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    error = "numpy.dtype size changed, may indicate binary incompatibility"
    (tmp_path / "picamera2.py").write_text(f"raise ValueError({error!r})")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "picamera2", raising=False)
    with pytest.raises(SourceError, match=r"size changed.*pip install --upgrade simplejpeg"):
        open_source("picamera2")


if __name__ == "__main__":
    releases = {folder: read_library(Path(folder) / "picamera2") for folder in sys.argv[1:]}
    FACTS.write_text(json.dumps(releases, indent=2) + "\n", encoding="utf-8")
