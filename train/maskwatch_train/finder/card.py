"""The model card of a face finder; see `maskwatch_train.model_card`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskwatch_edge.finders.scoring import FALSE_ALARMS
from maskwatch_train.splits import SPLITS

CARD = """\
# Model card: face finder

## What it is for
It finds the faces in a frame, masked or not, and says how sure it is of each. It is made for a \
small camera board by a door, in front of the mask classifier. It is not made to recognise who \
somebody is, or to count or follow people.

## The network
MobileNetV2 of width {alpha:g} and expansion factor {expansion:g}, cut at stride 16, joined with \
its stride 8, {channels} channels, a heat map of centres and a coded box at each place. Input: \
{width}x{height} pixels, RGB, 0 to 255, the frame letterboxed; the scaling is in the graph.

## How it was trained
```
{command}
```
{epochs} epochs of {steps} batches of {batch_size} scenes, {speed:g} scenes a second; AdamW, \
learning rate {rate:g} falling along a cosine, seed {seed}. Start weights: `{weights}`. Scenes: \
pictures at random scale and place, turned and flipped, others behind them, mosaics, cut and \
covered faces, light, blur, noise, JPEG. Boxes of pictures without annotation are a teacher's \
(YuNet, and beside it the finder that `--finder` names), moved to where people box.

## Data
{counts}

The validation split chose nothing, and the test split chose nothing. Twins are in one split only. \
Fingerprint: `{fingerprint}`.

## Results
On the {frames} annotated frames of the test split, {faces} faces of {size} pixels and more, IoU \
0.5, float network: AP50 {ap50:.3f}. At a score of {score:.2f}, with at most {allowed:g} false \
alarms a frame, it finds {recall:.1%}. The validation split: AP50 {val_ap50:.3f}.

## Limits
- One mistake is {one:.1%} of these faces.
- Faces smaller than 8 pixels of the input were never shown as faces.
- Whether it finds people of every skin colour, age and sex as often is not known: the data does \
not say who is shown.
- `maskwatch convert` measures the int8 model anew, and writes its figures into the model file.
"""


def finder_card(figures: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Write the model card.

    Args:
        figures: What `report.write_finder_report` writes as `metrics.json`.
        report: The report on the data, `FinderData.report`.

    Returns:
        The card, in Markdown.
    """
    test = figures["test"]
    return CARD.format(
        **figures["config"],
        command=figures["command"],
        speed=figures["scenes_per_second"],
        counts=_counts(report["counts"]),
        fingerprint=figures["fingerprint"],
        frames=test["frames"],
        faces=test["faces"],
        size=test["min_face_size"],
        ap50=test["ap50"],
        score=test["score_at_few_false_alarms"],
        allowed=FALSE_ALARMS,
        recall=test["recall_at_few_false_alarms"],
        val_ap50=figures["validation"]["ap50"],
        one=1 / max(test["faces"], 1),
    )


def _counts(counts: Mapping[str, Mapping[str, int]]) -> str:
    lines = []
    for split in SPLITS:
        parts = ", ".join(f"{count:,} {name}" for name, count in counts[split].items())
        lines.append(f"- {split}: {parts}")
    return "\n".join(lines)
