"""What judges: the interpreter, the model and the finder of faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np

from maskwatch_edge.classifier import MaskClassifier
from maskwatch_edge.config import FacesConfig, ModelConfig
from maskwatch_edge.contract import read_model
from maskwatch_edge.deploy.service_config import is_hidden
from maskwatch_edge.errors import InputError, MissingExtraError, ModelError
from maskwatch_edge.finders import open_finder
from maskwatch_edge.finders.finder import file_of, given_file
from maskwatch_edge.interpreter import PACKAGES, load_interpreter, usable_threads
from maskwatch_edge.models import SHARED_FOLDER

from .report import Finding, fail, ok, split_advice, warn

GREY = 128
RUNS = 5
COPY_AGAIN = "copy the file again, or install one: sudo ./systemd/install.sh --model FILE"
INSTALLED = Path("/opt/maskwatch/current")
"""The release that the service runs, where there is one."""


def check_interpreter(model: ModelConfig, path: Path) -> Iterator[Finding]:
    """Say which package runs the model, and whether XNNPACK helps it."""
    try:
        flatbuffer, _ = read_model(path, model.keys_for(model.path))
    except (InputError, MissingExtraError, ModelError):
        yield _installed(model.interpreter)
        return
    try:
        interpreter = load_interpreter(flatbuffer, model.interpreter, model.threads)
    except MissingExtraError as error:
        yield fail("interpreter", *split_advice(str(error), "pip install maskwatch"))
        return
    module = type(interpreter).__module__
    package = next((name for name, at in PACKAGES.items() if at == module), module)
    threads = usable_threads(model.threads)
    found = f"{package} {_version(package)}, {threads} thread{'' if threads == 1 else 's'}"
    yield _with_delegate(found, _is_delegated(interpreter))


def _with_delegate(found: str, is_delegated: bool | None) -> Finding:
    if is_delegated is None:
        return ok("interpreter", f"{found}; it does not tell whether XNNPACK helps")
    if is_delegated:
        return ok("interpreter", f"{found}, with a delegate (XNNPACK)")
    finding = f"{found}, without XNNPACK, so slower than it could be"
    return warn("interpreter", finding, 'pip install ai-edge-litert; model.interpreter = "auto"')


def _is_delegated(interpreter: object) -> bool | None:
    # Neither package says it officially. A delegate replaces what it runs by an operation of its
    # own, and without further options there is no other delegate than XNNPACK.
    details = getattr(interpreter, "_get_ops_details", None)
    return None if details is None else any(op["op_name"] == "DELEGATE" for op in details())


def _installed(wanted: str) -> Finding:
    names = list(PACKAGES) if wanted == "auto" else [wanted]
    found = [f"{name} {_version(name)}" for name in names if _version(name)]
    if not found:
        return fail("interpreter", f"{names[0]} is not installed", f"pip install {names[0]}")
    return ok("interpreter", f"{found[0]}; not tried, as the model cannot be read")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def check_model(
    model: ModelConfig, path: Path, now_seconds: Callable[[], float]
) -> Iterator[Finding]:
    """Load the model, compare it with its contract, and let it judge a grey picture."""
    try:
        classifier = MaskClassifier(
            path,
            interpreter=model.interpreter,
            threads=model.threads,
            trusted_keys=model.keys_for(model.path),
        )
    except (InputError, ModelError) as error:
        yield fail("model", str(error), COPY_AGAIN)
        return
    except MissingExtraError as error:
        yield fail("model", *split_advice(str(error), "pip install maskwatch"))
        return
    contract = classifier.contract
    size = contract.input_size
    grey = np.full((size, size, 3), GREY, dtype=np.uint8)
    taken = [_seconds(lambda: classifier.probabilities(grey), now_seconds) for _ in range(RUNS)]
    about = f"{contract.variant}, {size}x{size} {contract.colour_order}"
    yield ok("model", f"{path}: {about}, keeps its contract, {1000 * median(taken):.1f} ms a face")


def _seconds(act: Callable[[], object], now_seconds: Callable[[], float]) -> float:
    began_seconds = now_seconds()
    act()
    return now_seconds() - began_seconds


def check_faces(
    faces: FacesConfig, model: ModelConfig, now_seconds: Callable[[], float]
) -> Iterator[Finding]:
    """Load the finder, and let it look at a grey frame."""
    try:
        finder = open_finder(faces, model)
    except (InputError, ModelError) as error:
        yield fail("face finder", *split_advice(str(error), _other_finder(faces)))
        return
    grey = np.full((480, 640, 3), GREY, dtype=np.uint8)
    taken = [_seconds(lambda: finder.find(grey), now_seconds) for _ in range(RUNS)]
    path = file_of(faces)
    told = f"{faces.finder}, {path.name}: {1000 * median(taken):.1f} ms for an empty frame"
    if INSTALLED.is_dir() and is_hidden(faces):
        finding = f"{told}; the service does not see {path}, as it sees no home folder"
        yield warn("face finder", finding, f"move the file, as to {SHARED_FOLDER}")
    else:
        yield ok("face finder", told)


def _other_finder(faces: FacesConfig) -> str:
    if given_file(faces) is not None:
        return f"remove faces.{'cascade' if faces.finder == 'haar' else 'model'}"
    if faces.finder == FacesConfig().finder:
        return "install Maskwatch again: sudo ./systemd/install.sh"
    return "or remove faces.finder"
