"""The figures of finders and model on frames, laid out for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from maskwatch_edge.contract import LABELS, WITH_MASK, WITHOUT_MASK
from maskwatch_edge.dataset import WORN_WRONG
from maskwatch_edge.metrics import SIZE_EDGES, size_class

Figures: TypeAlias = Mapping[str, Any]
"""What `frames.Trial.figures` gives."""

Row: TypeAlias = tuple[str, list[str]]
"""A name, and a cell for each finder."""

NOUNS = {WITH_MASK: "masked", WITHOUT_MASK: "unmasked", WORN_WRONG: "mask worn wrong"}
NOTHING = "-"


def frames_table(figures: Figures) -> str:
    """Lay out the figures of one finder as text."""
    lines = [f"{'':24}{'faces':>7}{'right':>8}{'unsure':>8}{'wrong':>8}{'missed':>8}"]
    for kind, row in figures["outcomes"].items():
        shares = "".join(
            f"{row[what] / row['faces']:8.1%}" for what in ("right", "unsure", "wrong", "missed")
        )
        lines.append(f"{kind:24}{row['faces']:7}{shares}")
    lines.append(f"{'size from':24}{'faces':>7}{'found':>8}")
    for size, row in figures["recall_by_size"].items():
        lines.append(f"{size + ' px':24}{row['faces']:7}{row['recall']:8.1%}")
    if note := small_faces_note(figures):
        lines.append(note)
    precisions = ", ".join(f"{k} {v:.3f}" for k, v in figures["average_precision"].items())
    lines.append(f"mAP50 {figures['map50']:.3f} ({precisions})")
    lines.append(f"false alarms a frame {figures['false_alarms_per_frame']:.2f}")
    lines.append(f"{figures['frames']} frames, {figures['median_ms_per_frame']:.1f} ms a frame")
    return "\n".join(lines)


def comparison(finders: Mapping[str, Figures]) -> list[Row]:
    """Return the headline figures, a row each, with a cell for each finder."""
    each = list(finders.values())
    kinds = [kind for kind in NOUNS if any(kind in figures["outcomes"] for figures in each)]
    return [
        ("mAP50", [f"{figures['map50']:.3f}" for figures in each]),
        *(
            (f"AP50 {NOUNS[label]}", [f"{one['average_precision'][label]:.3f}" for one in each])
            for label in LABELS
        ),
        *((f"{NOUNS[kind]}: found", [_found(one, kind) for one in each]) for kind in kinds),
        *((f"{NOUNS[kind]}: right", [_right(one, kind) for one in each]) for kind in kinds),
        ("false alarms a frame", [f"{one['false_alarms_per_frame']:.2f}" for one in each]),
        ("median ms a frame", [f"{one['median_ms_per_frame']:.1f}" for one in each]),
    ]


def _found(figures: Figures, kind: str) -> str:
    row = figures["outcomes"].get(kind)
    return f"{1 - row['missed'] / row['faces']:.1%}" if row else NOTHING


def _right(figures: Figures, kind: str) -> str:
    row = figures["outcomes"].get(kind)
    return f"{row['right'] / row['faces']:.1%}" if row else NOTHING


def recall_by_size(finders: Mapping[str, Figures]) -> list[Row]:
    """Return the share of faces found, a row for each size class that has any."""
    sizes = [figures["recall_by_size"] for figures in finders.values()]
    edges = [str(edge) for edge in SIZE_EDGES if any(str(edge) in rows for rows in sizes)]
    return [
        (
            f"{size_class(int(edge))} px, {sizes[0][edge]['faces']} faces",
            [f"{rows[edge]['recall']:.1%}" for rows in sizes],
        )
        for edge in edges
    ]


def groups(finders: Mapping[str, Figures]) -> tuple[list[str], list[Row]]:
    """Return how many faces of each group were found and judged rightly.

    Returns:
        The heads of all columns but the first; and a row for each group.
    """
    heads = ["faces"]
    heads += [f"{finder}: {what}" for finder in finders for what in ("found", "right")]
    names = next(iter(finders.values()))["groups"]
    return heads, [
        _group(name, [one["groups"][name] for one in finders.values()]) for name in names
    ]


def _group(name: str, outcomes: Sequence[Mapping[str, int]]) -> Row:
    faces = outcomes[0]["faces"]
    counts = [count for one in outcomes for count in (faces - one["missed"], one["right"])]
    return name, [f"{faces}", *(f"{count} ({count / max(faces, 1):.0%})" for count in counts)]


def groups_table(finders: Mapping[str, Figures]) -> str:
    """Lay out `groups` as text."""
    heads, rows = groups(finders)
    return "\n".join(
        f"{name:24}{faces:>7}" + "".join(f"{cell:>21}" for cell in cells)
        for name, (faces, *cells) in [("group", heads), *rows]
    )


def counted(count: int, noun: str) -> str:
    """Write how many there are, such as "1 miss" or "1,200 frames"."""
    plural = "es" if noun.endswith("s") else "s"
    return f"{count:,} {noun}{'' if count == 1 else plural}"


def small_faces_note(figures: Figures) -> str:
    """Say from which size on faces were looked for, if smaller ones are in the recall by size."""
    smallest = figures["conditions"]["smallest_face_px"]
    if all(int(edge) >= smallest for edge in figures["recall_by_size"]):
        return ""
    return f"Boxes of less than {smallest} px were dropped; --smallest-face 12 looks for all."


def comparison_table(finders: Mapping[str, Figures]) -> str:
    """Lay out `comparison` as text."""
    head: Row = ("", list(finders))
    rows = [head, *comparison(finders)]
    return "\n".join(f"{name:26}" + "".join(f"{cell:>14}" for cell in row) for name, row in rows)
