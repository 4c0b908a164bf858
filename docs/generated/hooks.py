"""What MkDocs calls while it builds the site: the parts of pages that come from elsewhere.

A page asks for them by a line such as `{{ section README.md Measured }}`:

- `{{ section FILE HEADING }}`: what is below a heading of the second level, without the heading.
- `{{ file FILE }}`: a whole file, its title left out.
- `{{ settings }}`, `{{ commands }}` and `{{ faults }}`: references, made from the code.
- `{{ wiring led }}` or `{{ wiring relay }}`: a picture of the lamps that the TOML block before it
  configures.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "edge")]

from docs.generated.excerpts import section, whole_file  # noqa: E402
from docs.generated.reference import commands, faults, settings  # noqa: E402
from docs.generated.wiring import draw_wiring  # noqa: E402

ASKED = re.compile(r"^\{\{ (\w+) ?(.*?) \}\}$", re.MULTILINE)
TOML_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class PageError(ValueError):
    """A page asks for something that is not there."""


def on_page_markdown(markdown: str, **others: Any) -> str:
    """Put in what a page asks for; MkDocs calls this with each page."""

    def put_in(match: re.Match[str]) -> str:
        kind, words = match[1], match[2]
        makers: dict[str, Callable[[], str]] = {
            "section": lambda: section(ROOT, *words.split(" ", 1)),
            "file": lambda: whole_file(ROOT, words),
            "settings": settings,
            "commands": commands,
            "faults": faults,
            "wiring": lambda: draw_wiring(_toml_before(markdown, match.start()), words),
        }
        if kind not in makers:
            raise PageError(f"expected one of {', '.join(makers)}; received {match[0]}")
        return makers[kind]()

    return ASKED.sub(put_in, markdown)


def _toml_before(markdown: str, place: int) -> str:
    blocks = [match[1] for match in TOML_BLOCK.finditer(markdown, 0, place)]
    if not blocks:
        raise PageError("expected a block of TOML before a wiring picture; there is none")
    return blocks[-1]
