"""The step that writes the daily report, over a lake of records; no Spark."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import boto3
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from jobs.lake import settings
from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.operations import daily_report
from tests.alert_inbox import Inbox
from tests.jobs.lakehouse import at

END = at("2026-11-20 06:00:00")


@pytest.fixture
def inbox(lake: str, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    made = Inbox()
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", made.topics)
    monkeypatch.setenv("SLUICE_EMR_APPLICATION_ID", "gone")
    return made


def commit(day: str, seconds: float, **other: Any) -> None:
    """What a step leaves in the ledger."""
    record = {
        "table_name": "silver.orders", "step": "silver.orders", "dag_id": "daily_lakehouse", "run_id": f"r{day}",
        "committed_at": f"{day}T00:10:00+00:00", "seconds": seconds, "read": 5, "written": 4, "table_rows": 70, **other,
    }  # fmt: skip
    objects.write_json(f"ops/run_ledger/day={day}/silver.orders/{seconds}.json", record)


def report(**other: Any) -> dict[str, Any]:
    daily_report.report(Run("r", "report.daily", window_end=END, **other))
    found: dict[str, Any] = objects.read_json("reports/2026-11-20/daily_report.json")
    return found


def test_report_has_the_day_and_nothing_else(inbox: Inbox) -> None:
    commit("2026-11-20", 30.0)
    commit("2026-11-20", 99.0, committed_at="2026-11-20T06:00:00+00:00")
    commit("2026-11-18", 20.0)
    found = report()
    (orders,) = [row for row in found["volumes"] if row["table"] == "silver.orders"]
    assert (orders["commits"], orders["written"], orders["rows"]) == (1, 4, 70)
    (dag,) = found["run_times"]["dags"]
    assert (dag["seconds"], dag["usual"]) == (30.0, 20.0)
    assert found["cost"] is None or found["cost"] == []


def test_rows_that_came_into_quarantine_in_the_day_are_counted_by_rule(inbox: Inbox) -> None:
    moments = [at("2026-11-19 05:59:59"), at("2026-11-19 06:00:00"), at("2026-11-20 05:00:00")]
    rows = pa.table({"rule": ["old", "a", "a"], "raw_row": ["secret"] * 3, "quarantined_at": moments})
    write_deltalake(settings.lake().uri("quarantine.orders"), rows, storage_options=settings.storage_options())
    found = report()
    assert found["quarantine"] == [{"table": "silver.orders", "reason": "a", "rows": 2}]
    assert "secret" not in json.dumps(found)


def test_page_can_be_opened_by_a_browser(inbox: Inbox, lake: str) -> None:
    report()
    page = boto3.client("s3").get_object(Bucket=lake, Key="reports/2026-11-20/daily_report.html")
    assert page["ContentType"] == "text/html; charset=utf-8"
    assert page["Body"].read().startswith(b"<!doctype html>")


def test_same_date_again_replaces_the_report_with_the_same(inbox: Inbox) -> None:
    commit("2026-11-20", 30.0)
    first = report()
    assert report() == first
    assert len(objects.keys("reports/")) == 2


def test_days_before_are_taken_from_their_reports_once_their_records_are_gone(inbox: Inbox) -> None:
    commit("2026-11-19", 44.0)
    daily_report.report(Run("r", "report.daily", window_end=END - timedelta(days=1)))
    objects.delete_prefix("ops/run_ledger/day=2026-11-19/")
    commit("2026-11-20", 30.0)
    (dag,) = report()["run_times"]["dags"]
    assert dag["history"][-1] == {"date": "2026-11-19", "seconds": 44.0}


def test_link_of_the_report_is_told(inbox: Inbox) -> None:
    commit("2026-11-20", 30.0)
    report()
    (told,) = inbox.received()
    assert (told["topic"], told["event"], told["title"]) == ("low", "notice", "Daily report of 2026-11-20")
    assert told["links"][0]["href"].endswith("/reports/2026-11-20/daily_report.html")
    assert "4 rows were written." in told["what"]


def test_topic_that_can_t_be_told_stops_nothing(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUICE_ALERT_TOPICS", "")
    assert json.dumps(report())
    assert "the report's link could not be told: SLUICE_ALERT_TOPICS is not set" in capsys.readouterr().out


def test_link_leads_to_the_console_on_aws(monkeypatch: pytest.MonkeyPatch, lake: str) -> None:
    key = "reports/2026-11-20/daily_report.html"
    assert daily_report.address(key).startswith("http://127.0.0.1")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    link = daily_report.address(key)
    assert link == f"https://eu-west-1.console.aws.amazon.com/s3/object/{lake}?region=eu-west-1&prefix={key}"
