"""### Streamed orders to gold, every 15 minutes

Builds the tables that a stream's messages come to, with the same steps as `daily_lakehouse`: **silver** takes what is
new in bronze, the **gate** judges the silver versions that this run wrote, **gold** is built from exactly those
versions, **register** updates the catalog. What the stream has committed is in gold 15 to 30 minutes later.

It may run beside `daily_lakehouse`: a table's pool lets only one job start at a time, its lease lets only one write,
and gold never goes back to an older version. Missed runs are not made up for, because each run takes all that is new.
A run that finds nothing new succeeds.

It reads tables that only the daily run builds (accounts, exchange rates, orders from Snowflake). Run the daily DAG
once first.

**When a task is red:** its log ends with the reason. A closed gate leaves gold as it was: mend the data or the rule,
and the next run judges again. Any other failure is retried, and the next run makes up for it. To pause the refresh,
pause this DAG; the daily run takes the same messages.
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.refresh_dag import refresh_dag

dag = refresh_dag(LAKEHOUSE, deployment(), doc=__doc__)
