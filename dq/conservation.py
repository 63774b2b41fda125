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
from jobs.lake.delta.log import Commit
from jobs.lake.state.ledger import PARTS

CONSERVATION = Rule("conservation", {}, "critical", why="rows were lost or doubled on the way")
VOLUME = Rule("quarantine_volume", {}, "critical", why="so many bad rows are no accident: mend the source or the rule")


def judge(suite: Suite, version: int, since: int | None, run_id: str | None) -> list[Judgement]:
    """Judges the commits after `since` and up to `version`.

    Args:
        suite: of the table; holds the thresholds.
        version: that is to pass.
        since: the version that passed last; None to look at all that the log has.
        run_id: the run that must have left a record of what it read; None when it left the table out.
    """
    uri = settings.lake().uri(suite.table)
    # A version that is judged again (a cleared gate) is looked at again.
    first = 0 if since is None else min(since + 1, version)
    arriving = takewhile(lambda commit: commit.version >= first, log.commits(uri))
    counted = [commit for commit in arriving if "counts" in commit.metadata and commit.version <= version]
    faults = [fault for commit in counted for fault in _faults(suite.table, commit)]
    if run_id is not None and not any(commit.metadata.get("run_id") == run_id for commit in counted):
        faults.append(f"run {run_id} left no record of the rows that it read")
    observed: dict[str, Any] = {"commits": len(counted)} | ({"faults": "; ".join(faults)} if faults else {})
    judged = [Judgement(CONSERVATION, not faults, observed)]
    if suite.quarantine:
        judged.append(_volume(suite, suite.quarantine, counted))
    return judged


def _faults(name: str, commit: Commit) -> list[str]:
    """What doesn't add up in one commit, each with the number that is missing."""
    counts, at = commit.metadata["counts"], f"version {commit.version}"
    faults = []
    accounted = sum(counts[part] for part in PARTS)
    if accounted != counts["read"]:
        faults.append(f"{at}: {counts['read']} read, {accounted} accounted for: {_missing(counts['read'] - accounted)}")
    if commit.rows_written not in (None, counts["written"]):
        faults.append(f"{at}: {counts['written']} recorded as written, {commit.rows_written} were")
    for source, read in commit.metadata.get("read_by_source", {}).items():
        gave = _given(source, commit)
        if gave is not None and gave != read:
            faults.append(f"{at}: {source} gave {gave} rows, {read} were read: {_missing(gave - read)}")
    for source in set(commit.metadata.get("since", {})) - set(commit.metadata.get("read_by_source", {})):
        if gave := _given(source, commit):
            faults.append(f"{at}: {source} gave {gave} rows, none were read: {_missing(gave)}")
    if "batches" in commit.metadata:
        faults += _quarantine_faults(name, commit)
    return faults


def _given(source: str, commit: Commit) -> int | None:
    """Rows that the bronze table had for the commit: by its own commits, not by what the reader says.

    None for batches that were read again after the log has forgotten the commits that brought them.
    """
    uri, until = settings.lake().uri(source), commit.metadata["inputs"][source]
    since, replayed = commit.metadata["since"][source], set(commit.metadata.get("replayed", ()))
    if since is None and not replayed:
        return log.row_count(uri, until)
    last: dict[str, int] = {}  # of a batch that was replaced only its last commit counts
    for bronze in log.commits(uri):
        if since is not None and bronze.version <= since:
            break
        batch = bronze.metadata.get("batch_id")
        if bronze.version <= until and batch is not None and (not replayed or batch in replayed):
            last.setdefault(batch, bronze.metadata["counts"]["written"])
    if replayed and not set(commit.metadata["batches"].get(source) or ()) <= set(last):
        return None
    return sum(last.values())


def _quarantine_faults(name: str, commit: Commit) -> list[str]:
    meta = commit.metadata
    wanted = meta["counts"]["quarantined"]
    held = quarantine.held(tables.table(name), meta["batches"], meta["quarantine_version"])
    # Where batches were read again, rows that have become good leave the quarantine after this commit.
    reread = meta.get("replayed") or any(since is None for since in meta["since"].values())
    if held == wanted or (reread and held > wanted):
        return []
    return [f"version {commit.version}: {wanted} rows quarantined, {held} are there: {_missing(wanted - held)}"]


def _volume(suite: Suite, limits: Quarantine, counted: list[Commit]) -> Judgement:
    """Too many rows of the batches that were read are in quarantine now: those that a replay freed don't count."""
    arrived = [commit for commit in counted if not commit.metadata.get("replayed")]
    read = sum(commit.metadata["counts"]["read"] for commit in arrived)
    held = quarantine.held(tables.table(suite.table), _batches(arrived))
    share = held / read if read else 0.0
    too_many = held > limits.max_rows or (read >= limits.share_from_rows and share > limits.max_share)
    observed = {"read": read, "quarantined": held, "share": round(share, 4), "max_share": limits.max_share}
    return Judgement(VOLUME, not too_many, {**observed, "max_rows": limits.max_rows})


def _batches(arrived: list[Commit]) -> dict[str, list[str] | None]:
    """The batches that these commits read, by bronze table; None for all that it has."""
    found: dict[str, list[str] | None] = {}
    for commit in arrived:
        for source, ids in commit.metadata.get("batches", {}).items():
            before = found.setdefault(source, [])
            found[source] = None if before is None or ids is None else sorted({*before, *ids})
    return found


def _missing(rows: int) -> str:
    return f"{rows} missing" if rows > 0 else f"{-rows} too many"
