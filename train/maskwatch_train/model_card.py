"""The model card of a run: what the network is for, what it learned from, what it can and cannot.

Mitchell et al., "Model Cards for Model Reporting", 2019. Every figure comes from the dictionaries
that the run writes as `metrics.json` and `data.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from maskwatch_edge.contract import LABELS
from maskwatch_edge.dataset import MIN_FACE_SIZE
from maskwatch_edge.plots import per_cent

from .config import names_network
from .distillation import TAUGHT_SHARE, TEMPERATURE
from .splits import SPLITS, TEST, VALIDATION

FEW_FACES = 100
"""With fewer faces of a kind, one mistake moves its accuracy by more than a point."""

PURPOSE = """\
# Model card: face mask classifier

## What it is for
It tells of one face, already found and cut out, whether the person wears a face mask over nose \
and mouth (`with_mask`) or does not (`without_mask`). A mask that leaves the nose or mouth bare \
counts as `without_mask`. It is made for a small camera board by a door that reminds people.

It is not made to recognise who somebody is, to prove that a mask protects, to decide without a \
human about anyone's access, work or treatment, or for medical use.
"""

LIMITS = """\
## Limits
- **Two answers only.** Whatever the crop shows, hand, scarf, veil or no face at all, the answer \
is one of the two labels. A low score is the only sign of doubt.
- **Not measured:** beards, hands or cups before the mouth, scarves, veils, visors, sunglasses, \
transparent or printed masks. The data does not label them; try your own pictures.
- **People.** The data does not say who is shown. Whether the network is right as often for \
people of every skin colour, age and sex is not known.
- **Faces cut out by hand.** The figures hold for faces that somebody boxed or cropped. Faces \
that the finder on the board misses or cuts badly are not in them: `maskwatch evaluate --frames` \
measures both together.
- **Source and label may go together.** Where the masked and the unmasked pictures of a data set \
come from different places, a network can learn the place. Compare the rows of the table, not \
only its sum.
- **Labels hold errors.** They are taken as published, but for those that the section on data tells.
- **Before conversion.** These figures are of the float network. `maskwatch convert` measures \
the int8 model anew, and writes its figures into the model file.
"""


def model_card(figures: Mapping[str, Any], report: Mapping[str, Any]) -> str:
    """Write the model card.

    Args:
        figures: What `report.write_report` writes as `metrics.json`.
        report: The report on the data, `DataSet.report`.

    Returns:
        The card, in Markdown.
    """
    parts = [PURPOSE, _network(figures), _training(figures), _data(report), _results(figures)]
    return "\n".join([*parts, LIMITS])


def _network(figures: Mapping[str, Any]) -> str:
    config = figures["config"]
    size = config["size"]
    head = "Flatten" if config["head"] == "flatten" else "global average pooling"
    return f"""\
## The network
MobileNetV2 of width {config["alpha"]:g} without its top, then {head}, dropout, and a dense layer \
with softmax. Input: {size}x{size} pixels, RGB, 0 to 255; the scaling is in the graph. Output: \
the probabilities of {" and ".join(f"`{label}`" for label in LABELS)}, in this order.
"""


def _training(figures: Mapping[str, Any]) -> str:
    config = figures["config"]
    composed = (
        f" {config['composed']:,} faces with real masks laid over them, right or wrong, were asked "
        "for; none of them is in the validation or test split."
        if config["composed"]
        else ""
    )
    return f"""\
## How it was trained
```
{figures["command"]}
```
Epochs: {figures["epochs"]}, at most {config["head_epochs"]} of the head alone and \
{config["epochs"]} of fine-tuning (the first {config["frozen_blocks"]} blocks stayed as they \
were); the network of epoch {figures["best_epoch"]} is kept: it had the lowest loss on the \
validation split{_mixed(config)}. Start weights: {_start(figures)}. Adam, batches of \
{config["batch_size"]}, learning rate {config["head_rate"]:g}, then {config["rate"]:g} falling \
along a cosine, both classes weighted alike, seed {config["seed"]}. Augmented: faces made small \
and scaled up, blur, noise, JPEG, light and colour, flips, bent heads, off-centre cuts.{composed}
{_taught(config["teacher"])}"""


def _taught(teacher: str) -> str:
    if not teacher:
        return ""
    return f"""
A teacher, the network of SHA-256 `{teacher}`, was asked about every crop; its answers had \
{TAUGHT_SHARE:.0%} of the loss, at a temperature of {TEMPERATURE:g}, and the labels had the rest \
(knowledge distillation).
"""


def _mixed(config: Mapping[str, Any]) -> str:
    share = config["start_share"]
    return f", and mixed with {share:.0%} of the start weights" if share else ""


def _start(figures: Mapping[str, Any]) -> str:
    weights = figures["config"]["weights"]
    if not names_network(weights):
        return f"`{weights}`"
    narrowed = ", of its wider network the channels that matter most" if figures["narrowed"] else ""
    return f"`{weights}` of an earlier run{narrowed}"


def _data(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    kinds = sorted({kind for split in SPLITS for kind in counts[split]})
    rows = [
        [_kind(kind), *(f"{counts[split].get(kind, 0):,}" for split in SPLITS)] for kind in kinds
    ]
    rows.append(["all", *(f"{sum(counts[split].values()):,}" for split in SPLITS)])
    return f"""\
## Data
Faces by kind and split:

{_table(["kind", *SPLITS], rows)}

{report["pictures"]:,} pictures were read; {len(report["unreadable"]):,} could not be. \
{report["pictures_with_a_twin"]:,} have a twin, the same picture or nearly, in \
{report["twin_groups"]:,} groups; each group is in one split only, and \
{len(report["left_out_because_a_twin_is_held_out"]):,} pictures are left out because a twin of \
theirs is held out. Boxed faces below {MIN_FACE_SIZE} pixels are left out.\
{_copies(report)}{_relabelled(report)}{_found(report)}

The validation split chose the epoch; the test split chose nothing in this run. Where a data set \
publishes a validation split and no test split, the published one is the test split here.

Fingerprint: `{report["fingerprint"]}`. `data.json` names every picture.
"""


def _copies(report: Mapping[str, Any]) -> str:
    """Tell of what is scored although something much like it was learned."""
    count = report["scored_with_a_copy_that_is_learned"]
    if not count:
        return ""
    return f"""

**Easier than it looks:** of {count:,} pictures of the test split, turned or stretched copies, \
told by their names, are among what was learned (`--copies published`)."""


def _relabelled(report: Mapping[str, Any]) -> str:
    """Tell of the pictures that were taken for something else than was published."""
    relabelled = report["relabelled"]
    if relabelled is None:
        return ""
    counts = ", ".join(f"{n:,} `{meaning}`" for meaning, n in relabelled["pictures"].items() if n)
    return f"""

The list of SHA-256 `{relabelled["list_sha256"]}`, made by looking, names pictures of the training \
and validation split whose published label is not taken: {counts}. What is scored has its \
published label."""


def _found(report: Mapping[str, Any]) -> str:
    """Tell of the faces that are learned once more, as a finder boxes them."""
    found = report["boxed_by_finder"]
    if found is None:
        return ""
    return f"""

{found["faces_added"]:,} of the {found["annotated_faces"]:,} boxed faces of the training split are \
learned once more, cut as the face finder of SHA-256 `{found["finder_sha256"]}` boxes them (IoU of \
{found["min_iou"]:g} and more). The table counts each face once, and what is held out stays as \
people boxed it."""


def _results(figures: Mapping[str, Any]) -> str:
    test = figures[TEST]
    small = [_kind(kind) for kind, row in test["kinds"].items() if row["faces"] < FEW_FACES]
    warning = (
        f"\nFewer than {FEW_FACES} faces, so that one mistake is more than a point: "
        f"{', '.join(small)}.\n"
        if small
        else ""
    )
    return f"""\
## Results
On the test split, without augmentation, each face as the board cuts it:

{_accuracies([*_kinds(test["kinds"]), *test["labels"].items(), ("all", _whole(test))])}
{warning}
Boxed faces of 32 pixels and more:

{_accuracies(_kinds(figures["test_faces_from_32_px"]))}

Test faces by truth (rows) and answer (columns):

{_table(["", *LABELS], [[f"`{n}`", *r] for n, r in zip(LABELS, test["confusion"], strict=True)])}

Expected calibration error: {test["calibration_error"]:.4f}; the logits were divided by \
{figures["temperature"]:.2f}, fitted on the validation split. Of that, \
{_whole(figures[VALIDATION])["right"]:,} of {figures[VALIDATION]["faces"]:,} are right.

![Confusion](confusion.png)
![Calibration](calibration.png)
![Learning curves](learning_curves.png)
![The worst mistakes](mistakes.png)
"""


def _kinds(kinds: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(_kind(kind), row) for kind, row in kinds.items()]


def _kind(kind: str) -> str:
    """Split "frames/with_mask" into layout and content."""
    layout, _, shows = kind.partition("/")
    return f"`{shows}` ({layout})"


def _whole(measured: Mapping[str, Any]) -> dict[str, Any]:
    right = sum(row["right"] for row in measured["labels"].values())
    return {"faces": measured["faces"], "right": right, "accuracy": measured["accuracy"]}


def _accuracies(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    cells = [
        [name, f"{row['faces']:,}", f"{row['right']:,}", per_cent(row["accuracy"])]
        for name, row in rows
    ]
    return _table(["kind", "faces", "right", "accuracy"], cells) if cells else "There are none."


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
