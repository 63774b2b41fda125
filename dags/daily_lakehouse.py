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

from jobs.lake.settings import deployment
from jobs.lake.tables import LAKEHOUSE
from sluice_airflow.pipeline_dag import pipeline_dag

dag = pipeline_dag(LAKEHOUSE, deployment(), doc=__doc__)
