"""Prints of which versions a table was made, down to bronze batches and the windows of the sources.

Read from the commits themselves: `run.py lineage gold.fact_orders`.
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
        ConfigurationError: no table was named, or it isn't there.
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
    """One line for the version, one for each commit that made it, and below each the versions that it was made of.

    Args:
        name: of the table.
        version: that is explained.
        after: explain only what came after this version, which a neighbour in the tree has explained.
        depth: of the indentation.
    """
    indent = "  " * depth
    yield f"{indent}{name} version {version}"
    before: dict[str, int] = {}
    made = [
        commit for commit in log.effective(settings.lake().uri(name)) if commit.version <= version and commit.counts
    ]
    for commit in reversed(made):
        inputs = {source: at for source, at in commit.inputs.items() if before.get(source) != at}
        if after is None or commit.version > after:
            yield f"{indent}  {_line(commit)}"
            for source, at in sorted(inputs.items()):
                yield from tree(source, at, before.get(source), depth + 2)
        before = {**before, **commit.inputs}


def _line(commit: Commit) -> str:
    said = commit.record or CommitRecord()
    counts = ", ".join(f"{number} {end}" for end, number in asdict(said.counts or Counts(0)).items() if number)
    source = (
        f" from {said.source} {said.window['start'] or 'the beginning'} to {said.window['end']}" if said.window else ""
    )
    batch = f" batch {said.batch_id}" if said.batch_id else ""
    run = f"{said.dag_id} {said.run_id}".strip()
    when = f"{commit.time:%Y-%m-%d %H:%M:%S}"
    return f"{commit.version}: run {run}{batch}{source} ({counts or 'nothing new'}), {when}"
