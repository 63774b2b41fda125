"""Charts as inline SVG: they scale with the page, take its colours, and print. Each says in words what it shows."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, GAP = 320, 72, 3
LEFT, RIGHT = 150, 55  # of a chart of bars beside their names
ROW = 20


def columns(values: Sequence[tuple[str, float | None]], *, title: str, unit: str) -> Markup:
    """One column for each day, oldest first, the last one marked; a day without a value has none."""
    top = max((value for _, value in values if value is not None), default=0.0) or 1.0
    step = WIDTH / max(1, len(values))
    parts = []
    for number, (name, value) in enumerate(values):
        height = 0.0 if value is None else max(1.0, HEIGHT * value / top)
        css = "now" if number == len(values) - 1 else "bar"
        shown = "no record" if value is None else f"{value:g} {unit}"
        parts.append(
            Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="1">{}</rect>').format(
                css,
                number * step + GAP / 2,
                HEIGHT - height,
                step - GAP,
                height,
                Markup("<title>{}: {}</title>").format(name, shown),
            )
        )
    base = Markup('<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, HEIGHT, HEIGHT)
    return _svg(WIDTH, HEIGHT + 1, title, Markup("").join([*parts, base]))


def bars(values: Sequence[tuple[str, float]], *, title: str) -> Markup:
    """One bar for each name, with its number behind it."""
    top = max((value for _, value in values), default=0) or 1
    room = WIDTH - LEFT - RIGHT
    parts = []
    for number, (name, value) in enumerate(values):
        y = number * ROW
        length = room * value / top
        parts.append(
            Markup(
                '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="bar" x="{}" y="{}" width="{:.1f}" height="12" rx="1"/>'
                '<text class="number" x="{:.1f}" y="{}">{:,}</text>'
            ).format(
                LEFT - 6, y + 14, name, LEFT, y + 4, max(length, 1 if value else 0), LEFT + length + 5, y + 14, value
            )
        )
    return _svg(WIDTH, max(1, len(values)) * ROW, title, Markup("").join(parts))


def _svg(width: int, height: int, title: str, body: Markup) -> Markup:
    return Markup(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}" xmlns="http://www.w3.org/2000/svg">{}</svg>'
    ).format(escape(title), width, height, body)
