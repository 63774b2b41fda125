"""Checks that no row was lost or doubled on its way into a table, by the commit records and Delta's own counts.

What counts is the table as it is now. Commits that a RESTORE undid are not judged, and neither are those before the
newest commit that read all of bronze: it left nothing of theirs. What can't be known any more, as a log was cleaned or
a table was dropped, is no fault; the result says how much that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from datetime import datetime
from itertools import takewhile
from typing import Any

from dq.suite import Quarantine, Rule, Suite
from dq.validate import Judgement
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log, row_counts
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.run import Run

CONSERVATION = Rule(
    "conservation",
    {},
    "critical",
    why="rows were lost or doubled on the way; when the cause is mended, a run with full_refresh opens the gate",
)
VOLUME = Rule(
    "quarantine_volume",
    {},
    "critical",
    why="so many bad rows are no accident: fix the source or the rule and replay them, or raise the suite's limit",
)


def judge(suite: Suite, version: int, since: int | None, run: Run | None) -> list[Judgement]:
    """Judges what made the table's version, from the version that passed last on.

    Args:
        suite: of the table; holds the thresholds.
        version: the version to judge.
        since: rows are accounted for up to this version; None if no version has passed.
        run: the run that must have recorded what it read; None when it left the table out.
    """
    uri = settings.lake().uri(suite.table)
    # A version that a RESTORE undid says nothing about what the table is now.
    known = since if since is not None and log.is_effective(uri, since) else None
    first = 0 if known is None else known + 1
    judging = list(_history(uri, first, version))
    counted = [commit for commit in judging if commit.counts]
    # A person accepts commits after they were made, and often after the version that is judged.
    later = log.effective(uri) if any(commit.foreign for commit in judging) else iter(())
    accepting = takewhile(lambda commit: commit.version >= first, later)
    accepted = {number for commit in accepting for number in _record(commit).accepted}
    faults, unknown = _foreign(suite.table, judging, accepted), 0
    for commit in counted:
        given = {source: _given(source, _record(commit)) for source in sorted(_record(commit).since)}
        faults += _faults(suite.table, commit, given)
        unknown += None in given.values()
    if run is not None and not any(_record(commit).is_of(run) for commit in counted):
        faults.append(f"run {run} did not record the rows that it read")
    observed: dict[str, Any] = {"commits": len(counted)}
    observed |= {"faults": "; ".join(faults)} if faults else {}
    observed |= {"commits_whose_inputs_are_gone": unknown} if unknown else {}
    judged = [Judgement(CONSERVATION, not faults, observed)]
    if suite.quarantine:
        base = None if known is None else log.commit(uri, known)
        judged.append(_volume(suite, suite.quarantine, counted, base.time if base else None))
    return judged


def _history(uri: str, first: int, version: int) -> Iterator[Commit]:
    """The effective commits from `first` to `version`, newest first, back to one that read all of bronze."""
    for commit in log.effective(uri, version):
        if commit.version < first:
            return
        yield commit
        if _record(commit).rebuilds:
            return


def _record(commit: Commit) -> CommitRecord:
    return commit.record or CommitRecord()


def _counts(commit: Commit) -> Counts:
    return commit.counts or Counts(0)


def _foreign(name: str, judging: list[Commit], accepted: Set[int]) -> list[str]:
    """Commits of other writers that nobody has accepted."""
    return [
        f"version {commit.version}: another program changed rows ({commit.operation}). If that was meant, run "
        f"`commits.accept {name} --who NAME --why REASON` and clear the gate; if not, `restore {name} --version "
        f"{commit.version - 1} --who NAME --why REASON`, or run with full_refresh"
        for commit in judging
        if commit.foreign and commit.version not in accepted
    ]


def _faults(name: str, commit: Commit, given: Mapping[str, int | None]) -> list[str]:
    """The counts that don't add up in one commit, each with the number of rows that are missing.

    Args:
        name: of the table.
        commit: one of its commits.
        given: rows that each bronze table had for it; None if that is not known any more.
    """
    record, counts, at = _record(commit), _counts(commit), f"version {commit.version}"
    faults = []
    if counts.accounted != counts.read:
        lost = _missing(counts.read - counts.accounted)
        faults.append(f"{at}: {counts.read} read, {counts.accounted} accounted for: {lost}")
    if commit.rows_written not in (None, counts.written + counts.reinstated):
        faults.append(f"{at}: {counts.written + counts.reinstated} recorded as written, {commit.rows_written} were")
    if commit.rows_deleted not in (None, counts.deleted):
        faults.append(f"{at}: {counts.deleted} recorded as deleted, {commit.rows_deleted} were")
    for source, gave in given.items():
        read = record.read_by_source.get(source, 0)
        if gave is not None and gave != read:
            faults.append(f"{at}: {source} gave {gave} rows, {read} were read: {_missing(gave - read)}")
    if record.batches is not None:
        faults += _quarantine_faults(name, record, at)
    return faults


def _given(source: str, record: CommitRecord) -> int | None:
    """Rows that the bronze table had for the commit, by Delta's own actions and not by what any step says.

    None if that is not known: versions are gone, or the table was dropped and created again since.
    """
    uri, until, since = settings.lake().uri(source), record.inputs[source], record.since[source]
    if record.input_ids.get(source) not in (None, log.table_id(uri)):
        return None
    if record.replayed:
        return row_counts.at(uri, until, (record.batches or {}).get(source) or ())
    if since is None:
        return row_counts.at(uri, until)
    if (added := row_counts.added(uri, since, until)) is not None:
        return added
    # Batches that lost rows are read again as they are now; all other rows that came are new.
    numbers = (
        row_counts.at(uri, until),
        row_counts.at(uri, since),
        row_counts.at(uri, since, record.lost.get(source, ())),
    )
    now, before, before_in_lost = numbers
    if now is None or before is None or before_in_lost is None:
        return None
    return now - before + before_in_lost


def _quarantine_faults(name: str, record: CommitRecord, at: str) -> list[str]:
    table, wanted = tables.table(name), record.counts.quarantined if record.counts else 0
    held: int | None = 0
    if record.quarantine_version is not None:
        known = record.input_ids.get(quarantine.name(table))
        if known not in (None, log.table_id(settings.lake().uri(quarantine.name(table)))):
            return []  # it was dropped since
        held = quarantine.held(table, record.batches or {}, record.quarantine_version)
    # If batches were read again, rows that have become good leave the quarantine after this commit.
    reread = record.replayed or any(since is None for since in record.since.values())
    if held is None or held == wanted or (reread and held > wanted):
        return []
    return [f"{at}: {wanted} rows quarantined, {held} are there: {_missing(wanted - held)}"]


def _volume(suite: Suite, limits: Quarantine, counted: list[Commit], since: datetime | None) -> Judgement:
    """Judges how many rows of the batches read were split off since a version passed, and are in quarantine now.

    Rows that were there before have passed, and rows that a replay freed don't count.
    """
    arrived = [_record(commit) for commit in counted if not _record(commit).replayed]
    read = sum(record.counts.read for record in arrived if record.counts)
    held = quarantine.held(tables.table(suite.table), _batches(arrived), after=since) or 0  # None is of old versions
    share = held / read if read else 0.0
    too_many = held > limits.max_rows or (read >= limits.share_from_rows and share > limits.max_share)
    observed = {"read": read, "quarantined": held, "share": round(share, 4), "max_share": limits.max_share}
    return Judgement(VOLUME, not too_many, {**observed, "max_rows": limits.max_rows})


def _batches(arrived: list[CommitRecord]) -> dict[str, list[str] | None]:
    """The batches that these commits read, by bronze table; None for all batches of the table."""
    found: dict[str, list[str] | None] = {}
    for record in arrived:
        for source, ids in (record.batches or {}).items():
            before = found.setdefault(source, [])
            found[source] = None if before is None or ids is None else sorted({*before, *ids})
    return found


def _missing(rows: int) -> str:
    return f"{rows} missing" if rows > 0 else f"{-rows} too many"
