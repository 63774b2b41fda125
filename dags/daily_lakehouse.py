"""### Sources to gold, once a day

**bronze** reads the sources, **silver** keeps the newest state of each key, **gate** judges the silver
versions that this run wrote, **gold** is built from exactly those versions, **register** updates the catalog.
A task is one EMR Serverless job run. Its log ends with the step's own summary, or says why the step failed.

| run | reads |
|---|---|
| scheduled, manual | from each source's watermark to the end of the data interval |
| backfill, or manual with a window | exactly the interval; watermarks do not move |
| `full_refresh` | everything up to the end of the data interval |

`tables` limits a run to the tables that you choose; gate and register always run. A failed gate stops gold and is
never retried: mend the data or the rule, then clear the gate. Failures of a source or of the platform are retried
after growing pauses. Runs by hand and backfills may be for any date, even outside of the schedule. A backfill skips
days that have run already, unless you tell it to run them again. While the DAG is paused, it runs nothing.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, Param

from jobs.lake.run import ACCEPTABLE
from jobs.lake.settings import deployment
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY, BoundedTimetable
from sluice_airflow.job_settings import JobSettings
from sluice_airflow.table_tasks import table_stages

PIPELINE = "lakehouse"
MOMENT: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
DEPLOYMENT = deployment()
TABLES = LAKEHOUSE.built
NAMES = [table.name for table in TABLES]
CHOICE: dict[str, Any] = {"type": "array", "items": {"type": "string", "enum": NAMES}, "examples": NAMES}

with DAG(
    "daily_lakehouse",
    description="Bronze, silver, gate, gold and catalog of the lakehouse, once a day.",
    doc_md=__doc__,
    schedule=BoundedTimetable("0 0 * * *", first=DEPLOYMENT.schedule_start, last=DEPLOYMENT.schedule_end),
    start_date=NEVER_TOO_EARLY,
    catchup=True,
    max_active_runs=1,
    tags=[PIPELINE, "daily"],
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=30),
        "trigger_rule": "none_failed",  # a table that was skipped by choice doesn't hold up the rest
        "job_settings": JobSettings.of(DEPLOYMENT),
    },
    params={
        "window_start": Param(None, **MOMENT, description="Read from this moment on"),
        "window_end": Param(None, **MOMENT, description="Read up to this moment, and not it"),
        "tables": Param([], **CHOICE, description="Tables to build; none chosen means all"),
        "full_refresh": Param(False, type="boolean", description="Read the sources from their beginning"),
        "accept": Param([], type="array", items={"enum": [*ACCEPTABLE]}, examples=[*ACCEPTABLE], title="accept damage"),
    },
) as dag:
    table_stages(
        TABLES,
        DEPLOYMENT.lake_bucket,
        limited_to="{{ params.tables | join(',') }}",
        selected_by="tables",
        bronze_arguments={"--accept": "{{ params.accept | join(',') }}"},
    )
