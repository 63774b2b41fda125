"""Which old versions of a table somebody may still read, so that VACUUM leaves their files.

They are read from the commits of those who read the table, and from what the gate has passed:

- the version that a step's newest commit has read: the next run reads the changes from there, a replay of the
  quarantine or a cleared gold task reads that very version again;
- versions from which silver was built since it last passed its gate: the gate counts their rows;
- the version that the gate passed last: it judges what changed since;
- versions that the gate passed for a gold table that was never published;
- the quarantine's versions that belong to silver commits which the gate has not judged yet.

Beside these, VACUUM keeps all that was current in the last seven days: a query that runs, and every RESTORE within a
week, also one that undoes a RESTORE.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import inputs, log
from jobs.lake.delta.log import Commit
from jobs.lake.registry import Table
from jobs.lake.state import gate_verdicts


@dataclass(frozen=True)
class Need:
    """A version that somebody may still read.

    Attributes:
        version: of the table.
        by: who, for the log.
        as_changes: only the changes since are read. Where they are too old, the reader takes the newest version.
    """

    version: int
    by: str
    as_changes: bool = False


def of(name: str) -> list[Need]:
    """What of a table is still needed. Cost grows with its readers and their commits since the gate passed them."""
    needs = list(_of_gate(name))
    for table in tables.every():
        if name in table.depends_on:
            needs += _of_reader(table, name)
        if table.layer == "silver" and name == quarantine.name(table):
            needs += _of_silver(table, name)
    return needs


def _of_reader(reader: Table, name: str) -> Iterator[Need]:
    last = log.newest_of(settings.lake().uri(reader.name), reader.name)
    if last is not None and name in last.inputs:
        if inputs.is_same(name, last):
            yield Need(last.inputs[name], f"{reader.name} has read it")
    elif reader.layer == "gold":
        pipeline = tables.pipeline_of(reader.name)
        dags = [one.dag_id for one in (pipeline.schedule, pipeline.refresh) if one]
        for version in gate_verdicts.versions_passed(name, dags):
            yield Need(version, f"the gate has passed it, and {reader.name} was never published")
    for commit in _not_judged(reader):
        since = commit.record.since.get(name) if commit.record else None
        if since is not None and inputs.is_same(name, commit):
            yield Need(since, f"the gate has not judged {reader.name} version {commit.version} yet")


def _of_gate(name: str) -> Iterator[Need]:
    passed = gate_verdicts.last_passed(name)
    if passed and passed.table_id == log.table_id(settings.lake().uri(name)):
        yield Need(passed.version, "the gate judges what changed since", as_changes=True)


def _of_silver(silver: Table, name: str) -> Iterator[Need]:
    """The quarantine's versions that commits of its silver table name."""
    last = log.newest_of(settings.lake().uri(silver.name), silver.name)
    for commit in [*([last] if last else []), *_not_judged(silver)]:
        version = commit.record.quarantine_version if commit.record else None
        if version is not None and inputs.is_same(name, commit):
            yield Need(version, f"{silver.name} version {commit.version} belongs to it")


def _not_judged(table: Table) -> Iterator[Commit]:
    """The commits of a table since it passed a gate; none if none has passed yet."""
    uri = settings.lake().uri(table.name)
    passed = gate_verdicts.last_passed(table.name)
    if passed and passed.table_id == log.table_id(uri):
        yield from takewhile(lambda commit: commit.version > passed.version, log.effective(uri))
