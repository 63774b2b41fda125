"""Small charts as inline SVG, made of numbers alone. Their colours are classes of the page's style sheet.

What a chart shows is also told by its label, and by shape: a day on which a rule failed is a tall bar, one on which it
held a low one, and one on which it was not judged is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

HELD, FAILED = "held", "failed"
STRIP_HEIGHT, LOW = 12, 4
WIDE, TALL, MARGIN = 240, 56, 5


def strip(days: Sequence[str | None], label: str) -> Markup:
    """A rule's days, oldest first: each `HELD`, `FAILED` or None. Equal days in a row are one bar."""
    bars, at = [], 0
    for state, run in groupby(days):
        width = len(list(run))
        if state:
            height = STRIP_HEIGHT if state == FAILED else LOW
            bars.append(
                Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                    state, at, STRIP_HEIGHT - height, width, height
                )
            )
        at += width
    return _svg(len(days), STRIP_HEIGHT, "strip", label, bars, stretched=True)


def line(values: Sequence[float | None], low: float, high: float, label: str) -> Markup:
    """Values from left to right as dots, and a line between neighbours; None is a gap.

    Args:
        values: oldest first.
        low: value at the lower edge.
        high: value at the upper edge.
        label: what a person hears who doesn't see it.
    """
    step = (WIDE - 2 * MARGIN) / max(1, len(values) - 1)
    span = (high - low) or 1.0
    points = [
        None if value is None else (MARGIN + step * at, MARGIN + (TALL - 2 * MARGIN) * (1 - (value - low) / span))
        for at, value in enumerate(values)
    ]
    parts = [Markup('<path class="edge" d="M0 {0}H{1}M0 {2}H{1}"/>').format(MARGIN, WIDE, TALL - MARGIN)]
    for present, run in groupby(points, key=lambda point: point is not None):
        if present:
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in filter(None, run))
            parts.append(Markup('<path class="line" d="M{}"/>').format(path))
    parts += [
        Markup('<circle class="dot" cx="{}" cy="{}" r="2.5"/>').format(f"{point[0]:.1f}", f"{point[1]:.1f}")
        for point in points
        if point is not None
    ]
    return _svg(WIDE, TALL, "trend", label, parts)


def _svg(width: int, height: int, name: str, label: str, parts: Sequence[Markup], *, stretched: bool = False) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 {} {}" role="img" aria-label="{}"{}>{}</svg>').format(
        name,
        width,
        height,
        label,
        Markup(' preserveAspectRatio="none"') if stretched else "",
        Markup("").join(parts),
    )
