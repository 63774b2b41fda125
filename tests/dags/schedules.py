"""Schedules: their bounds, the times of a cron expression, and code that asks a DAG for them as the scheduler does."""

from __future__ import annotations

from datetime import UTC, datetime

from croniter import croniter

SCHEDULE = {"SLUICE_SCHEDULE_START": "2026-11-17", "SLUICE_SCHEDULE_END": "2026-11-19"}
LONG_AGO = {"SLUICE_SCHEDULE_START": "2020-01-01"}
# The clock goes on while it runs, so it compares with the time before it asked.
NEWEST_ONLY = """
from datetime import timedelta
from airflow.serialization.serialized_objects import DagSerialization
from airflow.timetables.base import DagRunInfo
from airflow._shared.timezones.timezone import utcnow
from pendulum import instance

dag = DagSerialization.from_dict(DagSerialization.to_dict(bag.dags["{dag}"]))
length, now = timedelta(minutes={minutes}), instance(utcnow())
long_ago = now.start_of("day").subtract(days=9)
for last in (None, DagRunInfo.interval(start=long_ago, end=long_ago + length)):
    newest = dag.next_dagrun_info(last_automated_run_info=last)
    start, end = newest.data_interval
    assert end - start == length, newest
    assert now - 2 * length < start <= instance(utcnow()) - length, f"after {{last}} comes {{newest}}, not the newest"
    then = dag.next_dagrun_info(last_automated_run_info=newest)
    assert then.data_interval.start == end and then.run_after > now, f"after {{newest}} comes {{then}} at once"
print("one interval at a time")
"""


def minutes(cron: str) -> int:
    """From one time of a cron expression to the next; they must be equally far apart."""
    times = croniter(cron, datetime(2026, 11, 17, tzinfo=UTC))
    first, second = times.get_next(datetime), times.get_next(datetime)
    return round((second - first).total_seconds() / 60)


def starts(cron: str, first: datetime, end: datetime) -> list[str]:
    """The times of a cron expression from `first` on and before `end`."""
    times = croniter(cron, first.timestamp() - 1)
    found = []
    while (moment := times.get_next(datetime).astimezone(UTC)) < end:
        found.append(moment.isoformat())
    return found
