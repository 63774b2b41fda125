"""### One table back to an earlier version

For what went wrong in a table itself: a bad publication, a wrong change by hand, an accepted loss that was none.
Started by hand only. **By default it is a dry run**, which changes nothing: the task's log shows how many rows would
go, come back and change, who wrote the versions between, and what the next runs make of it.

| field | |
|---|---|
| `table` | a table of a stream goes back with the others of the stream, which gives way meanwhile |
| `version` or `timestamp` | one of them; the step `history` lists a table's versions |
| `dry_run` | switch it off to do it; then `who` and `why` are needed, and stay in the table's commit |

A restore is one more version on top, and the log names the one that undoes it. Nothing is read twice or left out
afterwards: what the table has read goes back with it, and **the next run derives it again**. Silver comes from bronze,
gold from silver, so first mend what was wrong there; to keep readers on the restored version until then, pause the DAGs
that build the table. The gate does not ask to accept a restore.

**When the task is red:** its log says why, and nothing was changed. *Data files are gone*: the version is older than
VACUUM keeps; choose a newer one. *Being written*: clear the task when the writer has ended.
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import every
from sluice_airflow.restore_dag import restore_dag

dag = restore_dag(every(), deployment(), doc=__doc__)
