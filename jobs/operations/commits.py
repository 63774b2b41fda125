"""What an operator does when another program, or a person by hand, has changed rows of a table: look, and accept."""

from __future__ import annotations

from jobs.lake import session, settings, tables
from jobs.lake.delta import log, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.errors import ConfigurationError
from jobs.lake.registry import Table
from jobs.lake.run import Run
from jobs.lake.state import leases


def accept(run: Run) -> None:
    """Accepts the foreign commits of a silver table: the gate judges the table as it is after them.

    The table's own commit keeps which versions were accepted, in which run, by whom and why. Without `--who` and
    `--why` it only lists them. A second run finds nothing to accept. To undo it, RESTORE the table.

    Raises:
        ConfigurationError: no silver table was named, or only one of `--who` and `--why` was given.
    """
    table = _silver(run)
    with leases.hold(run, table.name) as held:
        foreign = unaccepted(table)
        for commit in foreign:
            print(f"{table.name} version {commit.version}, {commit.time:%Y-%m-%d %H:%M:%S}: {commit.operation}")
        if not foreign:
            print(f"{table.name}: no other program has changed rows; there is nothing to accept")
        elif not run.who:
            print(f"{table.name}: to accept them, say who and why: --who NAME --why REASON")
        else:
            record = CommitRecord.of(
                run,
                counts=Counts(read=0),
                accepted=tuple(commit.version for commit in foreign),
                who=run.who,
                why=run.why,
                fencing=held[table.name].fencing,
            )
            writes.commit_nothing(session.spark(run.step), settings.lake().uri(table.name), record)
            print(f"{table.name}: accepted {len(foreign)} commits, by {run.who}: {run.why}")


def _silver(run: Run) -> Table:
    names = [table.name for table in tables.layer("silver")]
    if run.subject not in names:
        raise ConfigurationError(f"name the silver table whose commits are to be accepted: {', '.join(names)}")
    if bool(run.who) != bool(run.why):
        raise ConfigurationError("say both who accepts and why: --who NAME --why REASON")
    return tables.table(run.subject)


def unaccepted(table: Table, version: int | None = None) -> list[Commit]:
    """Foreign commits of a version, or of the newest, back to one that read all of bronze, newest first."""
    found: list[Commit] = []
    accepted: set[int] = set()
    for commit in log.effective(settings.lake().uri(table.name), version):
        accepted.update(commit.record.accepted if commit.record else ())
        if commit.foreign and commit.version not in accepted:
            found.append(commit)
        if commit.record and commit.record.rebuilds:
            break
    return found
