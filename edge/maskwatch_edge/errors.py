"""Every error that Maskwatch raises on purpose.

Each inherits `MaskwatchError`, which the command line turns into one line and a non-zero exit,
and the builtin that a caller of the library would expect. A message says what was expected,
what came, and what to do.
"""


class MaskwatchError(Exception):
    """Base of all errors that Maskwatch raises on purpose."""


class InputError(MaskwatchError, ValueError):
    """A picture, folder, annotation or option is not what was expected."""


class ModelError(MaskwatchError, ValueError):
    """A model file is broken, or contradicts the contract that it carries."""


class SignatureError(InputError):
    """A file is not signed by a trusted key, or is not the file that was signed."""


class ConversionError(MaskwatchError, RuntimeError):
    """A network cannot be converted, or does not survive its conversion."""


class SourceError(MaskwatchError, OSError):
    """A camera, video or picture cannot be opened or read."""


class OutputError(MaskwatchError, OSError):
    """A result cannot be written."""


class WorkerError(MaskwatchError, ConnectionError):
    """Another machine of a training does not answer."""


class MissingExtraError(MaskwatchError, ImportError):
    """An optional part of the installation is missing."""

    def __init__(self, package: str, extra: str) -> None:
        """Name the package, and the extra that brings it; "" if every installation should."""
        wanted = f"'maskwatch[{extra}]'" if extra else "maskwatch"
        super().__init__(
            f"this needs the package {package}, which is not installed; "
            f"mend it with: pip install {wanted}"
        )
