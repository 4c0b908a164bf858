"""Every error that Maskwatch raises on purpose.

Each inherits `MaskwatchError`, which the command line turns into one line and a non-zero exit,
and the builtin that a caller of the library would expect. A message says what was expected,
what came, and what to do. Each class also names the fault that it is, for those who watch the
journal.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import ClassVar

from .faults import Fault
from .printing import one_line


class MaskwatchError(Exception):
    """Base of all errors that Maskwatch raises on purpose."""

    fault: ClassVar[Fault]


class InputError(MaskwatchError, ValueError):
    """A picture, folder, annotation or option is not what was expected."""

    fault = Fault.INPUT_WRONG


class ModelError(MaskwatchError, ValueError):
    """A model file is broken, or contradicts the contract that it carries."""

    fault = Fault.MODEL_BROKEN


class SignatureError(InputError):
    """A file is not signed by a trusted key, or is not the file that was signed."""

    fault = Fault.SIGNATURE_WRONG


class ConversionError(MaskwatchError, RuntimeError):
    """A network cannot be converted, or does not survive its conversion."""

    fault = Fault.CONVERSION_FAILED


class SourceError(MaskwatchError, OSError):
    """A camera, video or picture cannot be opened or read."""

    fault = Fault.SOURCE_UNREADABLE


class OutputError(MaskwatchError, OSError):
    """A result cannot be written."""

    fault = Fault.OUTPUT_UNWRITABLE


class LookError(MaskwatchError, RuntimeError):
    """Faces could not be looked for, again and again."""

    fault = Fault.LOOK_FAILED


class WorkerError(MaskwatchError, ConnectionError):
    """Another machine of a training does not answer."""

    fault = Fault.WORKER_LOST


class MissingExtraError(MaskwatchError, ImportError):
    """An optional part of the installation is missing."""

    fault = Fault.EXTRA_MISSING

    def __init__(self, package: str, extra: str) -> None:
        """Name the package, and the extra that brings it; "" if every installation should."""
        wanted = f"'maskwatch[{extra}]'" if extra else "maskwatch"
        super().__init__(
            f"this needs the package {package}, which is not installed; "
            f"mend it with: pip install {wanted}"
        )


def words_of(error: Exception) -> str:
    """Say in one line what went wrong; if nobody foresaw it, also its kind and place."""
    if isinstance(error, MaskwatchError):
        return str(error)
    places = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(place.filename).name}, line {place.lineno}" for place in places)
    return one_line(f"{type(error).__name__}{where}: {' '.join(str(error).split())}")
