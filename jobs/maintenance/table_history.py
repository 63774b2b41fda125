"""Prints what happened to a table, by version: `run.py history silver.orders`. Its log alone says it: no Spark."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice, takewhile

from jobs.lake import quarantine, settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.delta.log import Commit
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run

SHOWN = 100  # versions


def show(run: Run) -> None:
    """Prints the newest versions, or those from `--version` on back, newest first.

    A line has version, time in UTC, operation, the run that made it, its counts, and who decided it and why. A version
    that a RESTORE undid is marked.

    Raises:
        ConfigurationError: there is no such table, or no such version.
    """
    known = [*(table.name for table in tables.every()), *map(quarantine.name, tables.layer("silver"))]
    if run.subject not in known:
        raise ConfigurationError(f"no table {run.subject!r}; there are {', '.join(known)}")
    uri = settings.lake().uri(run.subject)
    newest = log.version(uri)
    if newest is None:
        raise ConfigurationError(f"{run.subject} has no table yet")
    if run.version is not None and not 0 <= run.version <= newest:
        raise ConfigurationError(f"{run.subject} has no version {run.version}; its newest is {newest}")
    shown = list(islice(log.commits(uri, run.version), SHOWN))
    oldest = shown[-1].version if shown else newest
    standing = {commit.version for commit in takewhile(lambda c: c.version >= oldest, log.standing(uri))}
    print(f"{run.subject}: newest version {newest}")
    for commit in shown:
        print(f"{line(commit)}{'' if commit.version in standing else '  (undone by a RESTORE)'}")
    if oldest > 0:
        print(f"older ones, as far as the log has them: history {run.subject} --version {oldest - 1}")


def line(commit: Commit) -> str:
    """One version, for a person. It shows no value of any row."""
    record = commit.record or CommitRecord()
    parts = [f"{commit.version:>6}", f"{commit.time:%Y-%m-%d %H:%M:%S}", f"{commit.operation:<12}", made_by(commit)]
    if commit.restored is not None:
        parts.append(f"back to {commit.restored}")
    if commit.counts:
        parts.append(str(commit.counts))
    if record.who:
        parts.append(f"by {record.who}: {record.why}")
    return "  ".join(parts)


def made_by(commit: Commit) -> str:
    """The run and the step that made a version, or that another program did."""
    if commit.record is None:
        return "another program"
    run = f"{commit.record.dag_id} {commit.record.run_id}".strip()
    return f"{run} ({commit.record.step})"


def summary(commits: Iterator[Commit]) -> Iterator[str]:
    """As `line`, newest first, but one line for commits that follow each other and that a run made in the same way."""
    for _, group in groupby(commits, key=lambda commit: (made_by(commit), commit.operation)):
        made = list(group)
        yield line(made[0]) + (f"  (and {len(made) - 1} more, from version {made[-1].version} on)" if made[1:] else "")
