"""On Mondays, and on no other day, the week's trend is told with low severity."""

from __future__ import annotations

from typing import Any

import pytest

from dq import summary
from jobs.lake.run import Run, utc
from jobs.lake.state import objects
from jobs.operations import daily_report
from tests.alert_inbox import Inbox

WEEK, BEFORE = (
    "2026-11-18",
    "2026-11-10",
)  # days of the week that Monday 2026-11-23 looks back on, and of the one before


@pytest.fixture
def inbox(lake: str, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    made = Inbox()
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", made.topics)
    monkeypatch.setenv("SLUICE_EMR_APPLICATION_ID", "gone")
    return made


def known(table: str, **days: tuple[int, int]) -> None:
    """The summary of a table: on each day so many rules held, and so many failed."""
    judged = {
        day.replace("_", "-"): {"results": {"validations": 1, "refused": 0, "rules": {"critical id be_unique": counts}}}
        for day, counts in days.items()
    }
    objects.write_json(summary.key(table), {**summary.empty(table), "days": judged})


def report(end: str) -> None:
    daily_report.report(Run("r", "report.daily", window_end=utc(end)))


def trends(inbox: Inbox) -> list[dict[str, Any]]:
    return [told for told in inbox.received() if "week" in told["title"]]


def test_week_is_told_on_monday_with_what_got_worse_first(inbox: Inbox) -> None:
    known("silver.orders", **{BEFORE: (10, 0), WEEK: (10, 0)})
    known("gold.fact_orders", **{BEFORE: (10, 0), WEEK: (8, 2)})

    report("2026-11-23T06:00:00")

    (told,) = trends(inbox)
    assert (told["topic"], told["event"]) == ("low", "notice")
    assert told["title"] == "Data quality of the week of 2026-11-16: 1 of 2 tables got worse"
    head, first, second = told["what"].splitlines()
    assert head == "Data quality in the week of 2026-11-16: 1 of 2 tables got worse"
    assert first.startswith("- gold.fact_orders: 80.00 % (100.00 % in the 4 weeks before) of rules held")
    assert second.startswith("- silver.orders: 100.00 %")


@pytest.mark.parametrize("day", ["2026-11-22", "2026-11-24"])
def test_other_days_tell_the_report_alone(inbox: Inbox, day: str) -> None:
    known("silver.orders", **{WEEK: (8, 2)})

    report(f"{day}T06:00:00")

    assert [told["title"] for told in inbox.received()] == [f"Daily report of {day}"]


def test_lake_of_which_nothing_is_known_tells_no_week(inbox: Inbox, capsys: pytest.CaptureFixture[str]) -> None:
    report("2026-11-23T06:00:00")

    assert not trends(inbox)
    assert "The week's trend is not told: nothing is known of any table yet" in capsys.readouterr().out


def test_silent_topic_stops_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known("silver.orders", **{WEEK: (8, 2)})
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", "")

    report("2026-11-23T06:00:00")

    assert "the week's trend could not be told: SLUICE_ALERT_TOPICS is not set" in capsys.readouterr().out
