"""The step `report.daily`: how the lakehouse did in a day, as a page and as JSON, and its link to people.

The day is the 24 hours before `--window-end`, or before now. The files are `reports/<date>/daily_report.html` and
`.json` in the lake, by the date of the end; the same date again replaces them. Every figure comes from what the lake
recorded: the ledger, the gates' results, the quarantine, and EMR Serverless's own bill. It holds no value of data.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from jobs.alerts import publish
from jobs.alerts.notice import notice
from jobs.lake import s3, settings, tables
from jobs.lake.delta import log
from jobs.lake.errors import LakeError
from jobs.lake.run import Run
from jobs.lake.state import objects
from jobs.operations import weekly_trend
from jobs.operations.report import figures, job_runs, page, records
from jobs.operations.report.records import Span

DAY = timedelta(days=1)
HISTORY = 14  # days that run times are compared with
MONDAY = 0  # the day after a whole week


def report(run: Run) -> None:
    """Writes the report of a day, and tells its link; on Mondays also the week's trend of data quality.

    A topic that can't be told stops nothing.
    """
    end = (run.window_end or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    found = gather(Span(end - DAY, end))
    folder = f"reports/{end:%Y-%m-%d}/daily_report"
    objects.write(f"{folder}.json", (json.dumps(found, indent=1) + "\n").encode(), content_type="application/json")
    address = objects.write(f"{folder}.html", page.render(found).encode(), content_type="text/html; charset=utf-8")
    print("\n".join([*found["summary"], f"Report: {address}"]), flush=True)
    _tell(found, f"{folder}.html")
    if end.weekday() == MONDAY:
        weekly_trend.tell(end.date())


def gather(span: Span) -> dict[str, Any]:
    """The figures of a day, as they are in the JSON."""
    ledger, date = records.ledger(span), f"{span.end:%Y-%m-%d}"
    newest = {table.name: _newest(table.name) for table in tables.every()}
    today = figures.times(ledger)
    found: dict[str, Any] = {
        "date": date,
        "project": settings.project(),
        "start": span.start.isoformat(),
        "end": span.end.isoformat(),
        "volumes": figures.volumes(ledger, tables.every()),
        "freshness": figures.freshness(newest, span.end),
        "quality": figures.quality(records.results(span)),
        "quarantine": figures.kept_out(records.quarantined(span)),
        "dead_letters": figures.dead_letters(ledger),
        "times": today,
        "run_times": figures.compared(today, [_day_before(span, days) for days in range(HISTORY, 0, -1)]),
        "cost": job_runs.used(span),
    }
    return {**found, "summary": page.summary(found)}


def _newest(table: str) -> datetime | None:
    """When the table was committed to last."""
    return next((commit.time for commit in log.newest(settings.lake().uri(table))), None)


def _day_before(span: Span, days: int) -> tuple[str, dict[str, Any] | None]:
    """Run times of an earlier day: from its report; without one, from what the ledger still has as objects."""
    then = Span(span.start - days * DAY, span.end - days * DAY)
    date = f"{then.end:%Y-%m-%d}"
    if earlier := objects.read_json(f"reports/{date}/daily_report.json"):
        return date, earlier["times"]
    found = records.ledger(then, streams=False)
    return date, figures.times(found) if found else None


def _tell(found: dict[str, Any], key: str) -> None:
    told = notice(
        "report",
        "DailyReport",
        source="daily_report",
        title=f"Daily report of {found['date']}",
        what="\n".join(found["summary"]),
        key=f"daily_report/{found['date']}",
        links=(("The report", address(key)),),
        project=found["project"],
    )
    try:
        publish.publish(told, settings.alert_topics())
    except LakeError as error:
        print(f"the report's link could not be told: {error}", flush=True)


def address(key: str) -> str:
    """Where a person opens an object of the lake: S3's console; on a laptop the object itself."""
    client, bucket = s3.client(), settings.lake().bucket
    if "amazonaws.com" in client.meta.endpoint_url:
        region = client.meta.region_name
        return f"https://{region}.console.aws.amazon.com/s3/object/{bucket}?region={region}&prefix={key}"
    return f"{client.meta.endpoint_url}/{bucket}/{key}"
