"""Code for `parse_bare` that asks a DAG's schedule as the scheduler does, from the serialized DAG."""

from __future__ import annotations

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
