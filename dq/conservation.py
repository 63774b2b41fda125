"""Checks that no row was lost or doubled on its way into a table, by the commit records and Delta's own counts.

It reads the logs since the version that passed last, and two columns of the quarantine.
"""

from __future__ import annotations

from itertools import islice, takewhile
from typing import Any

from dq.suite import Quarantine, Rule, Suite
from dq.validate import Judgement
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.delta.log import Commit
from jobs.lake.run import Run

CONSERVATION = Rule("conservation", {}, "critical", why="rows were lost or doubled on the way")
VOLUME = Rule(
    "quarantine_volume", {}, "critical", why="so many bad rows are not an accident: fix the source or the rule"
)


def judge(suite: Suite, version: int, since: int | None, run: Run | None) -> list[Judgement]:
    """Judges the commits after `since` and up to `version`.

    Args:
        suite: of the table; holds the thresholds.
        version: the version to judge.
        since: rows are accounted for up to this version; None to judge the newest commits, `log.SEARCHED` at most.
        run: the run that must have recorded what it read; None when it left the table out.
    """
    uri = settings.lake().uri(suite.table)
    # If a version is judged again (a cleared gate), its commits are judged again too.
    first = 0 if since is None else min(since + 1, version)
    found = log.newest(uri) if since is None else log.commits(uri)
    arriving = takewhile(lambda commit: commit.version >= first, found)
    counted = [commit for commit in arriving if commit.counts and commit.version <= version]
    faults = [fault for commit in counted for fault in _faults(suite.table, commit)]
    if run is not None and not any(_record(commit).is_of(run) for commit in counted):
        faults.append(f"run {run} did not record the rows that it read")
    observed: dict[str, Any] = {"commits": len(counted)} | ({"faults": "; ".join(faults)} if faults else {})
    judged = [Judgement(CONSERVATION, not faults, observed)]
    if suite.quarantine:
        judged.append(_volume(suite, suite.quarantine, counted))
    return judged


def _record(commit: Commit) -> CommitRecord:
    return commit.record or CommitRecord()


def _faults(name: str, commit: Commit) -> list[str]:
    """The counts that don't add up in one commit, each with the number of rows that are missing."""
    record, counts, at = _record(commit), commit.counts, f"version {commit.version}"
    if counts is None:
        return []
    faults = []
    if counts.accounted != counts.read:
        lost = _missing(counts.read - counts.accounted)
        faults.append(f"{at}: {counts.read} read, {counts.accounted} accounted for: {lost}")
    if commit.rows_written not in (None, counts.written):
        faults.append(f"{at}: {counts.written} recorded as written, {commit.rows_written} were")
    for source, read in record.read_by_source.items():
        gave = _given(source, record)
        if gave is not None and gave != read:
            faults.append(f"{at}: {source} gave {gave} rows, {read} were read: {_missing(gave - read)}")
    for source in set(record.since) - set(record.read_by_source):
        if gave := _given(source, record):
            faults.append(f"{at}: {source} gave {gave} rows, none were read: {_missing(gave)}")
    if record.batches is not None:
        faults += _quarantine_faults(name, record, at)
    return faults


def _given(source: str, record: CommitRecord) -> int | None:
    """Rows that the bronze table had for the commit, by its own commits and not by what the reader says.

    None if that is not known: the log no longer has the commits of batches that were read again, or the table was
    dropped and created again since.
    """
    if record.input_ids.get(source) not in (None, log.table_id(settings.lake().uri(source))):
        return None
    uri, until = settings.lake().uri(source), record.inputs[source]
    since, replayed = record.since[source], set(record.replayed)
    if since is None and not replayed:
        return log.row_count(uri, until)
    last: dict[str, int] = {}  # for a batch that was replaced, only its last commit counts
    # A replay's batches may be gone from the log: then the search ends by itself.
    for bronze in islice(log.commits(uri, until), None if since is not None else log.SEARCHED):
        if (since is not None and bronze.version <= since) or (replayed and replayed <= set(last)):
            break
        batch = _record(bronze).batch_id
        if batch is not None and bronze.counts and (not replayed or batch in replayed):
            last.setdefault(batch, bronze.counts.written)
    if replayed and not set((record.batches or {}).get(source) or ()) <= set(last):
        return None
    return sum(last.values())


def _quarantine_faults(name: str, record: CommitRecord, at: str) -> list[str]:
    wanted = record.counts.quarantined if record.counts else 0
    held = quarantine.held(tables.table(name), record.batches or {}, record.quarantine_version)
    # If batches were read again, rows that have become good leave the quarantine after this commit.
    reread = record.replayed or any(since is None for since in record.since.values())
    if held == wanted or (reread and held > wanted):
        return []
    return [f"{at}: {wanted} rows quarantined, {held} are there: {_missing(wanted - held)}"]


def _volume(suite: Suite, limits: Quarantine, counted: list[Commit]) -> Judgement:
    """Judges how many rows of the batches read are in quarantine now. Rows that a replay freed don't count."""
    arrived = [_record(commit) for commit in counted if not _record(commit).replayed]
    read = sum(record.counts.read for record in arrived if record.counts)
    held = quarantine.held(tables.table(suite.table), _batches(arrived))
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
