"""Judges that no row was lost or doubled on its way into a table: by the commits' own records and Delta's counts.

Costs a look at the logs since the version that passed last, and at two columns of the quarantine.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from dq.suite import Quarantine, Rule, Suite
from dq.validate import Judgement
from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.delta.log import Commit
from jobs.lake.run import Run

CONSERVATION = Rule("conservation", {}, "critical", why="rows were lost or doubled on the way")
VOLUME = Rule("quarantine_volume", {}, "critical", why="so many bad rows are no accident: mend the source or the rule")


def judge(suite: Suite, version: int, since: int | None, run: Run | None) -> list[Judgement]:
    """Judges the commits after `since` and up to `version`.

    Args:
        suite: of the table; holds the thresholds.
        version: that is to pass.
        since: the version that passed last; None to look at all that the log has.
        run: that must have left a record of what it read; None when it left the table out.
    """
    uri = settings.lake().uri(suite.table)
    # A version that is judged again (a cleared gate) is looked at again.
    first = 0 if since is None else min(since + 1, version)
    arriving = takewhile(lambda commit: commit.version >= first, log.commits(uri))
    counted = [commit for commit in arriving if commit.counts and commit.version <= version]
    faults = [fault for commit in counted for fault in _faults(suite.table, commit)]
    if run is not None and not any(_said(commit).is_of(run) for commit in counted):
        faults.append(f"run {run} left no record of the rows that it read")
    observed: dict[str, Any] = {"commits": len(counted)} | ({"faults": "; ".join(faults)} if faults else {})
    judged = [Judgement(CONSERVATION, not faults, observed)]
    if suite.quarantine:
        judged.append(_volume(suite, suite.quarantine, counted))
    return judged


def _said(commit: Commit) -> CommitRecord:
    return commit.record or CommitRecord()


def _faults(name: str, commit: Commit) -> list[str]:
    """What doesn't add up in one commit, each with the number that is missing."""
    said, counts, at = _said(commit), commit.counts, f"version {commit.version}"
    if counts is None:
        return []
    faults = []
    if counts.accounted != counts.read:
        lost = _missing(counts.read - counts.accounted)
        faults.append(f"{at}: {counts.read} read, {counts.accounted} accounted for: {lost}")
    if commit.rows_written not in (None, counts.written):
        faults.append(f"{at}: {counts.written} recorded as written, {commit.rows_written} were")
    for source, read in said.read_by_source.items():
        gave = _given(source, said)
        if gave is not None and gave != read:
            faults.append(f"{at}: {source} gave {gave} rows, {read} were read: {_missing(gave - read)}")
    for source in set(said.since) - set(said.read_by_source):
        if gave := _given(source, said):
            faults.append(f"{at}: {source} gave {gave} rows, none were read: {_missing(gave)}")
    if said.batches is not None:
        faults += _quarantine_faults(name, said, at)
    return faults


def _given(source: str, said: CommitRecord) -> int | None:
    """Rows that the bronze table had for the commit: by its own commits, not by what the reader says.

    None for batches that were read again after the log has forgotten the commits that brought them.
    """
    uri, until = settings.lake().uri(source), said.inputs[source]
    since, replayed = said.since[source], set(said.replayed)
    if since is None and not replayed:
        return log.row_count(uri, until)
    last: dict[str, int] = {}  # of a batch that was replaced only its last commit counts
    for bronze in log.commits(uri):
        if since is not None and bronze.version <= since:
            break
        batch = _said(bronze).batch_id
        if bronze.version <= until and batch is not None and bronze.counts and (not replayed or batch in replayed):
            last.setdefault(batch, bronze.counts.written)
    if replayed and not set((said.batches or {}).get(source) or ()) <= set(last):
        return None
    return sum(last.values())


def _quarantine_faults(name: str, said: CommitRecord, at: str) -> list[str]:
    wanted = said.counts.quarantined if said.counts else 0
    held = quarantine.held(tables.table(name), said.batches or {}, said.quarantine_version)
    # Where batches were read again, rows that have become good leave the quarantine after this commit.
    reread = said.replayed or any(since is None for since in said.since.values())
    if held == wanted or (reread and held > wanted):
        return []
    return [f"{at}: {wanted} rows quarantined, {held} are there: {_missing(wanted - held)}"]


def _volume(suite: Suite, limits: Quarantine, counted: list[Commit]) -> Judgement:
    """Too many rows of the batches that were read are in quarantine now: those that a replay freed don't count."""
    arrived = [_said(commit) for commit in counted if not _said(commit).replayed]
    read = sum(said.counts.read for said in arrived if said.counts)
    held = quarantine.held(tables.table(suite.table), _batches(arrived))
    share = held / read if read else 0.0
    too_many = held > limits.max_rows or (read >= limits.share_from_rows and share > limits.max_share)
    observed = {"read": read, "quarantined": held, "share": round(share, 4), "max_share": limits.max_share}
    return Judgement(VOLUME, not too_many, {**observed, "max_rows": limits.max_rows})


def _batches(arrived: list[CommitRecord]) -> dict[str, list[str] | None]:
    """The batches that these commits read, by bronze table; None for all that it has."""
    found: dict[str, list[str] | None] = {}
    for said in arrived:
        for source, ids in (said.batches or {}).items():
            before = found.setdefault(source, [])
            found[source] = None if before is None or ids is None else sorted({*before, *ids})
    return found


def _missing(rows: int) -> str:
    return f"{rows} missing" if rows > 0 else f"{-rows} too many"
