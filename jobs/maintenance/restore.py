"""Takes a table back to an earlier version: `run.py restore silver.orders --version 12 --who Ann --why REASON`.

A restore is one commit on top of the others, so that it can be restored itself. Its record keeps who, why and to which
version. What the table's steps have read goes back with it (`log.effective`): the next run reads again, from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import cast

from jobs.catalog import register_glue_tables
from jobs.lake import session, settings
from jobs.lake.delta import log, writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run, utc
from jobs.lake.state import leases, ledger, watermark
from jobs.lake.state.leases import Lease
from jobs.maintenance import restore_effect, restore_target, table_history
from jobs.maintenance.restore_effect import Effect
from jobs.maintenance.restore_target import Target
from jobs.operations import commits

LISTED = 20  # of the commits that are undone


def restore(run: Run) -> None:
    """Shows what going back to `--version` or to the version of `--timestamp` would do; with who and why, does it.

    A table that a stream writes goes back together with the stream's other tables; a running stream gives way. A
    second call with the same run, or for the version at which the table is already, changes nothing.

    Raises:
        ConfigurationError: table or version don't exist, or only one of `--who` and `--why` was given.
        DataError: data files of the version are gone.
        TableBusyError: another writer held the table too long.
    """
    if bool(run.who) != bool(run.why):
        raise ConfigurationError("say both who restores and why: --who NAME --why REASON; without both it is a dry run")
    if not run.who:
        for target in restore_target.all_of(run):
            _look(run, target)
        print("dry run: nothing was changed. To do it, say who and why: --who NAME --why REASON")
        return
    names = [target.table.name for target in restore_target.all_of(run)]
    with leases.hold(run, *names) as held:
        targets = restore_target.all_of(run)  # others may have written meanwhile
        effects = [_look(run, target) for target in targets]  # refuses before anything is changed
        # The named table is the last: the others' versions follow from its commits.
        for target, effect in reversed(list(zip(targets, effects, strict=True))):
            if effect is not None:
                _go_back(run, target, effect, held[target.table.name])
            record = ledger.record_stream if target.table.continuous else ledger.record
            record(target.table.name)
    print("\n".join(register_glue_tables.register_tables([target.table for target in targets])), flush=True)


def _look(run: Run, target: Target) -> Effect | None:
    """Prints what would become of one table; None if there is nothing to do."""
    name, version = target.table.name, target.version
    if version == target.newest:
        print(f"{name}: version {version} is its newest; there is nothing to restore", flush=True)
        return None
    if done := target.done_by(run):
        print(f"{name}: went back to version {version} already, in version {done.version}", flush=True)
        return None
    restore_target.refuse_missing_files(target)
    made = log.commit(target.uri, version)
    of = f" of {made.time:%Y-%m-%d %H:%M:%S} UTC" if made else ""
    effect = restore_effect.of(session.spark(run.step), target)
    undone = table_history.summary(target.since())
    lines = [
        f"{name}: from version {target.newest} back to version {version}{of}",
        *effect.lines(target),
        "  written since, and undone by this:",
        *(f"  {line}" for line in islice(undone, LISTED)),
        *(["    and earlier ones: see its history"] if next(undone, None) else []),
        *(f"  {line}" for line in _afterwards(target, effect)),
    ]
    print("\n".join(lines), flush=True)
    return effect


def _afterwards(target: Target, effect: Effect) -> Iterator[str]:
    """What the next runs make of it."""
    table, version = target.table, target.version
    foreign = [commit for commit in target.since() if commit.foreign]
    if foreign:
        yield f"undoes what another program did ({foreign[0].operation}, ...): rows that were erased may come back"
    if table.continuous:
        standing = log.effective(target.uri, version)
        at = next((commit.record.position for commit in standing if commit.record and commit.record.position), None)
        if table.written_with is None:
            yield f"the stream reads again from there: {dict(at) if at else 'its beginning'}"
    elif table.layer == "bronze":
        read_to = watermark.committed(table, version)
        yield f"the next run reads its source again from {read_to.isoformat() if read_to else 'the beginning'}"
        for record in (commit.record for commit in target.since() if commit.record):
            window = record.window or {}
            if read_to and record.batch_id in effect.batches and utc(str(window.get("end"))) <= read_to:
                yield f"which leaves out batch {record.batch_id}: backfill {window.get('start')} to {window.get('end')}"
    else:
        yield f"the next run builds it again from {', '.join(table.depends_on)}: first mend what was wrong there"
    if table.layer == "silver":
        for commit in commits.unaccepted(table, version):
            yield f"version {commit.version} ({commit.operation}) is another program's: the gate asks to accept it"


def _go_back(run: Run, target: Target, effect: Effect, lease: Lease) -> None:
    """Makes the one commit."""
    record = CommitRecord.of(
        run,
        # What goes and comes are no rows that were read.
        counts=Counts(read=0, deleted=effect.go, reinstated=effect.come + effect.change),
        restored_to=target.version,
        who=run.who,
        why=run.why,
        fencing=lease.fencing,
    )
    spark = session.spark(run.step)
    lease.renew()
    writes.restore(spark, target.uri, target.version, record)
    made = cast("int", log.version(settings.lake().uri(target.table.name)))
    print(
        f"{target.table.name}: is version {target.version} again, in version {made}, by {run.who}: {run.why}. "
        f"To undo it: restore {target.table.name} --version {target.newest}",
        flush=True,
    )
