"""Prints the versions that a table was made of, down to bronze batches and the windows of the sources.

It reads them from the commits themselves: `run.py lineage gold.fact_orders`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.delta.log import Commit
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run


def show(run: Run) -> None:
    """Prints the tree of the table's newest version.

    Raises:
        ConfigurationError: no table was named, or it does not exist.
    """
    known = [table.name for table in tables.every()]
    if run.subject not in known:
        raise ConfigurationError(f"no table {run.subject!r}; there are {', '.join(known)}")
    newest = log.version(settings.lake().uri(run.subject))
    if newest is None:
        raise ConfigurationError(f"{run.subject} has no table yet: run its step first")
    for line in tree(run.subject, newest, None):
        print(line)


def tree(name: str, version: int, after: int | None, depth: int = 0) -> Iterator[str]:
    """One line for the version, one for each commit that made it, and below each commit the versions that it read.

    It goes back `log.SEARCHED` commits of each table at most.

    Args:
        name: of the table.
        version: the version to explain.
        after: explain only what came after this version, because another branch of the tree explains it already.
        depth: of the indentation.
    """
    indent = "  " * depth
    yield f"{indent}{name} version {version}"
    before: dict[str, int] = {}
    for commit in reversed(_made(name, version, after)):
        inputs = {source: at for source, at in commit.inputs.items() if before.get(source) != at}
        if after is None or commit.version > after:
            yield f"{indent}  {_line(commit)}"
            for source, at in sorted(inputs.items()):
                yield from tree(source, at, before.get(source), depth + 2)
        before = {**before, **commit.inputs}


def _made(name: str, version: int, after: int | None) -> list[Commit]:
    """The commits that made the version, newest first, down to one whose inputs are known from another branch."""
    found: list[Commit] = []
    for commit in log.effective(settings.lake().uri(name), version):
        if commit.counts:
            found.append(commit)
        if after is not None and commit.version <= after and commit.counts:
            break
    return found


def _line(commit: Commit) -> str:
    record = commit.record or CommitRecord()
    counts = ", ".join(f"{number} {end}" for end, number in asdict(record.counts or Counts(0)).items() if number)
    window = record.window
    source = f" from {record.source} {window['start'] or 'the beginning'} to {window['end']}" if window else ""
    batch = f" batch {record.batch_id}" if record.batch_id else ""
    run = f"{record.dag_id} {record.run_id}".strip()
    when = f"{commit.time:%Y-%m-%d %H:%M:%S}"
    return f"{commit.version}: run {run}{batch}{source} ({counts or 'nothing new'}), {when}"
