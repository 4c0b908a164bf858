"""Counts as data: a table for spreadsheets, and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from .counting import NAMES, Counts
from .series import Bucket


def plain(counts: Counts) -> dict[str, Any]:
    """Return counts by their names; seconds are whole."""
    return {name: round(getattr(counts, name)) for name in NAMES}


def rows(buckets: Sequence[Bucket]) -> list[dict[str, Any]]:
    """Return a row for each bucket; `start` is ISO 8601, with the offset from UTC."""
    return [{"start": bucket.start.isoformat(), **plain(bucket.counts)} for bucket in buckets]


def to_csv(buckets: Sequence[Bucket]) -> str:
    """Return a heading and a line for each bucket."""
    text = io.StringIO()
    writer = csv.DictWriter(text, ["start", *NAMES], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows(buckets))
    return text.getvalue()


def to_json(buckets: Sequence[Bucket], step: str) -> str:
    """Return an object with `by`, `total` and `rows`."""
    whole = plain(sum((bucket.counts for bucket in buckets), Counts()))
    return json.dumps({"by": step, "total": whole, "rows": rows(buckets)}, indent=2)
