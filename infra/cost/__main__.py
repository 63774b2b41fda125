"""`python -m infra.cost`: what a month costs. With `--write` the tables of docs/cost.md are made anew.

`python -m infra.cost REPORT.json …` says what EMR Serverless costs a month by the daily reports of a real deployment.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from infra.cost import measured, prices
from infra.cost.month import DAYS, HOURS, Plan, Worker, lines, total
from infra.setup.steps import REPOSITORY

PAGE = REPOSITORY / "docs" / "cost.md"
SCALES = (1, 10, 100)
PLAN = Plan()
KNOBS = {
    "refresh each hour instead of each 15 minutes": replace(PLAN, refresh_minutes=60.0),
    "no stream: orders come once a day, and there is no MSK": replace(PLAN, refresh_minutes=None),
    "arm64": replace(PLAN, arm=True),
    "EMR's own sizes: a driver and three executors of 4 vCPU and 16 GB": replace(
        PLAN, driver=Worker(4, 16), executors=Worker(12, 48)
    ),
    "no executors: the driver alone, as on a laptop": replace(PLAN, executors=Worker(0, 0)),
    "one pre-initialised driver and executor all day, so that unpacking takes no time": replace(
        PLAN, warm_hours=HOURS, start_seconds=0.0
    ),
    "the stream commits each minute": replace(PLAN, stream_batch_seconds=60.0),
    "2,000 queries a day": replace(PLAN, queries=2000),
    "data of 5 years is kept": replace(PLAN, kept_days=5 * 365.0),
}


def bill() -> str:
    """A line for each service, and a column for each scale."""
    columns = [lines(PLAN, scale) for scale in SCALES]
    head = "| dollars a month | " + " | ".join(f"{scale}x" for scale in SCALES) + " |"
    rows = [_row(name, [column[name] for column in columns]) for name in columns[0]]
    return "\n".join([head, _rule(SCALES), *rows, _row("**all**", [sum(column.values()) for column in columns])])


def knobs() -> str:
    """What the whole bill is with one thing changed."""
    head = "| change | " + " | ".join(f"{scale}x" for scale in SCALES) + " |"
    rows = [
        _row(name, [total(plan, scale) - total(PLAN, scale) for scale in SCALES], "+") for name, plan in KNOBS.items()
    ]
    return "\n".join([head, _rule(SCALES), *rows])


def price_list() -> str:
    """Every price, and where it can be compared."""
    found = [one for one in vars(prices).values() if isinstance(one, prices.Price)]
    rows = [f"| {one.per} | {one.usd:g} | <{one.page}> |" for one in found]
    return "\n".join(["| one | dollars | compare |", "|---|---:|---|", *rows])


def assumptions() -> str:
    """The plan's fields as they are."""
    rows = [f"| `{one.name}` | {_shown(getattr(PLAN, one.name))} |" for one in fields(PLAN)]
    return "\n".join(["| assumed | value |", "|---|---:|", *rows])


def days() -> str:
    """What was measured, and how it grows: seconds of each job run."""
    per_scale = [measured.sample().orders * scale for scale in SCALES]
    head = "| seconds for | " + " | ".join(f"{orders:,} orders" for orders in per_scale) + " |"
    rows = [_row(step, [measured.seconds(step, orders) for orders in per_scale]) for step in measured.sample().seconds]
    return "\n".join([head, _rule(SCALES), *rows])


TABLES = {"bill": bill, "knobs": knobs, "prices": price_list, "assumptions": assumptions, "days": days}


def filled(page: str) -> str:
    """The page with each table between its marks made anew.

    Raises:
        ValueError: a table has no marks in the page.
    """
    for name, table in TABLES.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not begin or not end:
            raise ValueError(f"{PAGE.name} has no place for the table {name}")
        page = before + begin + table() + "\n" + end + after
    return page


def of_reports(reports: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Dollars a month of each DAG on EMR Serverless, if every day is as these were.

    Args:
        reports: what `report.daily` wrote as JSON.

    Raises:
        ValueError: EMR Serverless could not be asked on one of the days.
    """
    found: dict[str, float] = defaultdict(float)
    for report in reports:
        if report["cost"] is None:
            raise ValueError(f"the report of {report['date']} has no hours: leave that day out")
        for dag in report["cost"]:
            day = dag["vcpu_hours"] * prices.EMR_VCPU.usd + dag["gb_hours"] * prices.EMR_GB.usd
            found[dag["dag_id"]] += day * DAYS / len(reports)
    return dict(found)


def _row(name: str, sums: Sequence[float], sign: str = "") -> str:
    return f"| {name} | " + " | ".join(f"{round(one):{sign},}" for one in sums) + " |"


def _rule(columns: Sequence[object]) -> str:
    return "|---|" + "---:|" * len(columns)


def _shown(value: object) -> str:
    if isinstance(value, Worker):
        return f"{value.vcpu:g} vCPU, {value.gb:g} GB"
    return " and ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def main(arguments: list[str]) -> None:
    """Prints, or writes the page."""
    if arguments == ["--write"]:
        PAGE.write_text(filled(PAGE.read_text()))
    elif arguments:
        for dag, usd in of_reports([json.loads(Path(one).read_text()) for one in arguments]).items():
            print(f"{dag:<24} {usd:10,.2f}")
    else:
        print("\n\n".join([bill(), knobs()]))


if __name__ == "__main__":
    main(sys.argv[1:])
