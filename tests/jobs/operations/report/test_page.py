"""The report as a page: well formed, complete, and nothing in it that could do harm."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from jobs.lake import tables
from jobs.operations.report import charts, figures, page

END = datetime(2026, 11, 20, 6, tzinfo=UTC)
EVIL = "<script>alert(1)</script>"


def sample(**other: Any) -> dict[str, Any]:
    """The figures of a day with something of everything; also what the page is looked at with."""
    listed = tables.every()
    ledger = [
        {
            "table_name": table.name, "step": table.name, "dag_id": "daily_lakehouse", "run_id": "r1",
            "seconds": 20.0 + 7 * place, "written": 1234 * place**3, "read": 2000 * place**3, "unchanged": 40,
            "bytes_written": 10**place, "table_rows": 10_000 * place,
        }
        for place, table in enumerate(listed)
    ]  # fmt: skip
    refused = {
        "table_name": "silver.orders", "success": False, "evaluated": 14,
        "results": [
            {"rule": "amount column_values_to_be_between", "severity": "critical", "success": False},
            {"rule": "table_row_count_to_be_between", "severity": "warning", "success": False},
        ],
    }  # fmt: skip
    passed = {"table_name": "silver.fx_rates", "success": True, "evaluated": 9, "results": []}
    before = [
        (
            f"{END - timedelta(days=days):%Y-%m-%d}",
            None
            if days in (3, 4)
            else figures.times([{**one, "seconds": one["seconds"] * (1 + days % 5 / 9)} for one in ledger]),
        )
        for days in range(14, 0, -1)
    ]
    found = {
        "date": f"{END:%Y-%m-%d}", "project": "sluice", "start": (END - timedelta(days=1)).isoformat(),
        "end": END.isoformat(), "volumes": figures.volumes(ledger, listed),
        "freshness": figures.freshness(
            {table.name: END - timedelta(hours=3.0 * place**1.5) for place, table in enumerate(listed)}, END
        ),
        "quality": figures.quality([refused, passed]),
        "quarantine": figures.kept_out(
            {"silver.orders": {"currency column_values_to_be_in_set": 12, "amount does_not_fit": 1}}
        ),
        "dead_letters": figures.dead_letters(
            [{"table_name": "bronze.orders_dlq", "reasons": {"unknown_currency": 60, "not_json": 7}}]
        ),
        "times": figures.times(ledger), "run_times": figures.compared(figures.times(ledger), before),
        "cost": [
            {"dag_id": "daily_lakehouse", "job_runs": 9, "failed": 1, "vcpu_hours": 1.25, "gb_hours": 2.5},
            {"dag_id": "orders_stream", "job_runs": 1, "failed": 0, "vcpu_hours": 24.0, "gb_hours": 48.0},
        ],
    }  # fmt: skip
    return {**found, **other}


EMPTY = {"quality": [], "quarantine": [], "dead_letters": [], "cost": None, "run_times": {"dags": [], "steps": []}}


class Tags(HTMLParser):
    """Notices a tag that is not closed, and what a page would fetch."""

    VOID = ("meta", "br", "link", "img", "line", "wbr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.fetched += [value or "" for name, value in attributes if name in ("src", "href", "action")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("found", [sample(), sample(**EMPTY), sample(cost=[])], ids=["full", "empty", "no job"])
def test_page_is_well_formed_and_fetches_nothing(found: dict[str, Any]) -> None:
    tags = Tags()
    tags.feed(page.render(found))
    assert tags.open == []
    assert tags.fetched == []


def test_page_has_every_table_reason_rule_and_dag() -> None:
    found, tags = sample(), Tags()
    tags.feed(page.render(found))
    text = "".join(tags.text)
    for wanted in (
        *(table.name for table in tables.every()), "amount does_not_fit", "unknown_currency", "daily_lakehouse",
        "amount column_values_to_be_between", "orders_stream", "1 failed", "refused", "24.00", "usually",
    ):  # fmt: skip
        assert wanted in text, wanted


def test_what_comes_from_data_can_t_become_markup() -> None:
    text = page.render(sample(dead_letters=[{"table": EVIL, "reason": EVIL, "rows": 1}], project=EVIL))
    assert EVIL not in text
    assert "&lt;script&gt;" in text


def test_chart_says_what_it_shows_and_is_well_formed() -> None:
    for chart in (
        charts.columns([("2026-11-19", None), ("2026-11-20", 2.0)], title="a & b", unit="s"),
        charts.bars([("silver.orders", 1200), ("silver.fx_rates", 0)], title="a & b"),
        charts.bars([], title="a & b"),
        charts.columns([], title="a & b", unit="s"),
    ):
        root = ElementTree.fromstring(chart)  # noqa: S314 - our own text
        assert root.get("aria-label") == "a & b"


def test_summary_names_what_is_wrong() -> None:
    lines = page.summary(sample())
    assert lines[1] == "Validations refused: silver.orders."
    assert lines[2].startswith("Older than 26 hours: ")
    assert lines[3] == "13 new rows in quarantine, 67 dead letters."
    assert lines[4] == "10 job runs used 25.25 vCPU-hours and 50.50 GB-hours."
    assert page.summary(sample(**EMPTY))[1] == "No validation refused a table."


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (page.age(None), "no table yet"), (page.age(0.4), "24 min"), (page.age(25.04), "25.0 h"),
        (page.age(100.0), "4 days"), (page.seconds(42.4), "42 s"), (page.seconds(185.0), "3 min 05 s"),
        (page.seconds(3720.0), "1 h 02 min"), (page.size(999), "999 B"), (page.size(12_345_678), "12.3 MB"),
        (page.size(0), "0 B"), (page.size(1_000), "1.0 kB"), (page.size(2 * 10**15), "2000.0 TB"),
        (page.number(1234567), "1,234,567"), (page.breakable("a.b_<c>"), "a.<wbr>b_<wbr>&lt;c&gt;"),
    ],
)  # fmt: skip
def test_numbers_are_for_people(shown: str, text: str) -> None:
    assert shown == text
