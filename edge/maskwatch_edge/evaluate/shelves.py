"""The part of a report that shows what went wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .gallery import Shelf
from .markup import picture, shelf, text
from .mistakes import Mistake, What
from .tables import NOUNS, counted

INTRODUCTION = (
    "<p>The largest misses and the surest other mistakes come first. Boxes: "
    '<span class="annotated">annotated</span> by people, <span class="found">found</span> by the '
    "finder; the one that the picture is about is thicker.</p>"
)


LISTING = (
    "lists all of them in this order. Leave the lines of people whom nobody annotated, and give "
    "the list to --difficult: to find them is then no false alarm."
)

FAR = 0.005
"""Boxes with a smaller IoU have nothing to do with each other."""


def mistakes(shelves: Sequence[Shelf]) -> Iterator[str]:
    """Yield a heading, and pictures of each kind of mistake of each finder."""
    yield "<h2>Mistakes</h2>"
    yield INTRODUCTION
    links = [f'<a href="#{_anchor(one)}">{_heading(one)}</a>' for one in shelves]
    yield f"<p>{' · '.join(links)}</p>"
    for one in shelves:
        yield f'<h3 id="{_anchor(one)}">{_heading(one)}</h3>'
        if one.left_out:
            yield f'<p class="note">{one.left_out:,} more are not shown.</p>'
        if one.listing:
            name = text(one.listing)
            yield f'<p class="note"><a href="{name}">{name}</a> {LISTING}</p>'
        if one.pictures:
            yield shelf(_figure(mistake, name) for mistake, name in one.pictures)


def _anchor(one: Shelf) -> str:
    return text(f"{one.finder}-{one.what.name.lower()}")


def _heading(one: Shelf) -> str:
    return text(f"{one.finder}: {counted(len(one.pictures) + one.left_out, one.what)}")


def _figure(mistake: Mistake, name: str) -> str:
    lines = [*_said(mistake), mistake.path.name]
    return picture(name, f"{mistake.what}: {'; '.join(_said(mistake))}", lines)


def _said(mistake: Mistake) -> Iterator[str]:
    """Say what the picture shows, what was said of it, and how near the other box was."""
    yield f"{NOUNS.get(mistake.kind, 'box')}, {mistake.box.size} px"
    if mistake.said:
        whose = "face score" if mistake.what is What.FALSE_ALARM else "score"
        yield f"called {mistake.said.replace('_', ' ')}, {whose} {mistake.weight:.2f}"
    if mistake.what is not What.WRONG:
        other = "box" if mistake.what is What.MISS else "annotated face"
        far = mistake.overlap < FAR
        yield f"no {other} there" if far else f"nearest {other}: IoU {mistake.overlap:.2f}"
