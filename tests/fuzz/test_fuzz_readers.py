"""Each reader of files, with contents that a worn card, a broken copy or a stranger might give it.

A few hundred contents each; `make fuzz` tries far more, guided by the code that they reach.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .targets import TARGETS


@st.composite
def damaged(draw: st.DrawFn, seed: bytes) -> bytes:
    """Change a content in a few places, as cutting, repeating, overwriting or inserting does."""
    content = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        low = draw(st.integers(0, len(content)))
        high = min(low + draw(st.integers(0, 64)), len(content))
        kind = draw(st.sampled_from(["cut", "repeat", "overwrite", "insert", "end"]))
        if kind == "cut":
            del content[low:high]
        elif kind == "repeat":
            content[high:high] = content[low:high]
        elif kind == "overwrite":
            content[low:high] = draw(st.binary(min_size=high - low, max_size=high - low))
        elif kind == "insert":
            content[low:low] = draw(st.binary(max_size=16))
        else:
            del content[low:]
    return bytes(content)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_whole_file_is_read(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    for content in target.seeds():
        path = tmp_path / f"file{target.suffix}"
        path.write_bytes(content)
        target.read(path)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_damaged_file_is_refused_in_words_or_read(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    target, folder = TARGETS[name], tmp_path_factory.mktemp("fuzz")
    contents = st.one_of(st.binary(max_size=256), *map(damaged, target.seeds()))

    @settings(
        max_examples=target.examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    @given(contents)
    def try_all(content: bytes) -> None:
        target.try_content(content, folder)

    try_all()
