"""What is fuzzed: something that reads what others wrote."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maskwatch_edge.errors import MaskwatchError

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
LONGEST_MESSAGE = 4_000


@dataclass(frozen=True)
class Target:
    """A reader.

    Whatever it is given, there is a result, or a `MaskwatchError` whose message is one that a user
    can be shown.

    Attributes:
        suffix: Of the file that it reads.
        read: Reads the file, or sends what is in it to whom it is meant for.
        seeds: Returns contents that it reads without an error.
        examples: So many are tried in `make test`.
    """

    suffix: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    examples: int = 300

    def try_content(self, content: bytes, folder: Path) -> None:
        """Let it read a content.

        Args:
            content: Of the file.
            folder: An empty one, where the file is written and removed again.

        Raises:
            Exception: Whatever the reader raises that is no error of ours.
            AssertionError: If its message is none to show.
        """
        path = folder / f"file{self.suffix}"
        path.write_bytes(content)
        try:
            self.read(path)
        except MaskwatchError as error:
            message = str(error)
        else:
            return
        finally:
            for left in folder.glob("file*"):
                left.unlink()
        assert message.strip(), "an error that says nothing"
        assert len(message) < LONGEST_MESSAGE, f"a message of {len(message)} characters"
