"""### How the lakehouse did, every morning

One EMR Serverless job run reads what the lake recorded in the 24 hours before the end of the run's interval, and writes
`reports/<date>/daily_report.html` and `.json`: volumes, freshness, quality, quarantine and dead letters by reason, run
times beside the last 14 days, vCPU- and GB-hours of the job runs. Its link goes to the topic of low severity.

| to | do |
|---|---|
| see the report of another day | trigger it with that logical date; a backfill writes several |
| write it again | clear the task: the same date is replaced |

**When it is red:** the task's log says why. No table depends on it; clear it, or wait for the next day.
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import DAILY_REPORT
from sluice_airflow.report_dag import report_dag

dag = report_dag(DAILY_REPORT, deployment(), doc=__doc__)
