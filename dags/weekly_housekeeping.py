"""### Housekeeping of every table, on Sundays

One EMR Serverless job run (`optimize_vacuum`) walks all tables of the registry and the quarantine tables, one after
another:

- **OPTIMIZE**: silver and gold are sorted by Z-order on the columns that the registry names, bronze and quarantine are
  compacted. Only partitions that got files since the last time are rewritten. A stream that runs joins its own files.
- **VACUUM** removes files that left a table a week ago or more, after a count. While a gold table, a gate or a replay
  may still read an older version, the files stay, and the log says for whom.

A second one (`fold_history`) takes the records of the ledger and of the gates that are older than a week into Delta
tables, so that `ops.run_ledger` and `ops.dq_results` stay cheap to ask.

A third one (`empty_rejected`) takes the content out of quarantined rows and dead letters that are older than the
registry's `rejected_days`, a year as a rule. The rows stay, so that every count can still be proven.

No other row changes: the next runs find nothing new, the gate stays open, gold is not computed again. It may run beside
any other DAG: it takes the lease of one table at a time, and who writes that table waits. Files, bytes, and what a
look-up reads, before and after, are in `ops.run_ledger`, column `housekeeping`.

| to | do |
|---|---|
| see what it would do | trigger it with `dry_run` |
| undo an OPTIMIZE | nothing: the rows are the same; a RESTORE to the version before works for a week |
| undo a VACUUM | it can't be: what it removes, no version of the last week has |

**When it is red:** its log names each table that failed and why; all others are done. Clear the task: what is done is
not done twice. It is also retried by itself.
"""

from __future__ import annotations

from jobs.lake.settings import deployment
from jobs.lake.tables import HOUSEKEEPING
from sluice_airflow.upkeep_dag import upkeep_dag

dag = upkeep_dag(HOUSEKEEPING, deployment(), doc=__doc__)
