"""### Tries the deployed release

Started by each deployment, and by anybody who wants to know whether the platform works: it changes no table of a
pipeline.

- **canary** loads the code of every step in one EMR Serverless job run, writes one row to `ops.canary` and registers
  that table. The deployment then reads the row through Athena.
- **load** imports every module of the plugins, also those that Airflow loads only when a page is opened.
- **tell** sends a notice to the topic of low severity, on the way of every alert.

**When it is red** after a deployment, the earlier release is back already: the deployment does that by itself. The
task's log says what failed. Later it means that job runs, the catalog or alerts do not work: the log names which.
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import PLATFORM
from sluice_airflow.canary_dag import canary_dag

dag = canary_dag(PLATFORM, deployment(), doc=__doc__)
