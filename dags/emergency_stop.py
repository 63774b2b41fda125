"""### Stop everything, and let it run again

For the moment in which nobody knows what is wrong, and it must not go on. Started by hand only, with who and why.

**`action` = `stop`** writes down what runs, pauses every DAG that has a schedule, lets the streams finish their batch
and end (cancelled after 3 minutes), cancels all other job runs of the project, and ends when nothing is left that could
write. The task's log says what was stopped. Nothing is lost or doubled: every step is safe to run again, and a stream
goes on where its table ends. DAGs that only people start, such as `restore_table`, stay usable.

**`action` = `undo`** lets exactly that run again which ran before: what was paused or stopped by then stays so, and so
does what a person has changed since. Task instances whose job runs were cancelled are tried again by Airflow; those
that had no try left are red: clear them.

A second stop while everything is stopped keeps the first one's record, and stops again what was started since. An undo
without a stop is skipped, and says so. What ran is kept in the lake: `_control/emergency_stop.json`.

**When the task is red:** its log names what could not be stopped. Clear it: it goes on from there.
"""

from __future__ import annotations

from pathlib import Path

from jobs.lake.settings import deployment
from jobs.lake.tables import PIPELINES, PLATFORM
from sluice_airflow.emergency.emergency_dag import emergency_dag

dag = emergency_dag(PIPELINES, Path(__file__).parent, PLATFORM, deployment(), doc=__doc__)
