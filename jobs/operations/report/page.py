"""The daily report as a page: one HTML file that needs nothing else, for a phone, a screen and paper."""

from __future__ import annotations

import re
from datetime import datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from jobs.operations.report import charts

STALE_HOURS = 26.0  # a daily table that is older has missed a run
UNKNOWN = "\N{EN DASH}"
UNITS = ("B", "kB", "MB", "GB", "TB")


def render(found: dict[str, Any]) -> str:
    """The page of a report's figures (`daily_report.gather`)."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "number": number, "age": age, "seconds": seconds, "moment": moment, "size": size,
        "breakable": breakable,
        "zip_with": lambda left, right: list(zip(left, right, strict=True)),
    }  # fmt: skip
    environment.globals |= {"columns": charts.columns, "bars": charts.bars, "stale_hours": STALE_HOURS}
    # Read as a resource, because the module may lie in a zip.
    template = environment.from_string(files(__package__).joinpath("page.html").read_text())
    return template.render(report=found)


def summary(found: dict[str, Any]) -> list[str]:
    """The day in some lines of plain text."""
    written = sum(row["written"] for row in found["volumes"])
    refused = [row["table"] for row in found["quality"] if row["refused"]]
    stale = [row["table"] for row in found["freshness"] if (row["age_hours"] or 0) > STALE_HOURS]
    kept = sum(row["rows"] for row in found["quarantine"])
    dead = sum(row["rows"] for row in found["dead_letters"])
    lines = [
        f"{written:,} rows were written.",
        f"Validations refused: {', '.join(refused)}." if refused else "No validation refused a table.",
        f"Older than {STALE_HOURS:g} hours: {', '.join(stale)}." if stale else "No table is older than it should be.",
        f"{kept:,} new rows in quarantine, {dead:,} dead letters.",
    ]
    if found["cost"] is not None:
        runs, vcpu, gb = (sum(one[name] for one in found["cost"]) for name in ("job_runs", "vcpu_hours", "gb_hours"))
        lines.append(f"{runs} job runs used {vcpu:,.2f} vCPU-hours and {gb:,.2f} GB-hours.")
    return lines


def breakable(name: str) -> Markup:
    """A name that a narrow page may break after a dot or an underscore."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))  # noqa: S704 - escaped before it is marked


def number(value: float | None) -> str:
    """`1,234`; a dash for nothing known."""
    return UNKNOWN if value is None else f"{value:,}"


def age(hours: float | None) -> str:
    """`25 min`, `3.2 h`, `4 days`."""
    if hours is None:
        return "no table yet"
    if hours < 1:
        return f"{max(0, round(hours * 60))} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.0f} days"


def seconds(value: float | None) -> str:
    """`42 s`, `3 min 05 s`, `1 h 02 min`."""
    if value is None:
        return UNKNOWN
    whole = round(value)
    if whole < 120:
        return f"{value:.0f} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def moment(text: str | None) -> str:
    """`2026-11-20 03:04`, UTC."""
    return UNKNOWN if text is None else f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M}"


def size(value: int) -> str:
    """`12.3 MB`."""
    power = min((len(str(value)) - 1) // 3, len(UNITS) - 1)
    amount, unit = value / 1000**power, UNITS[power]
    return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
