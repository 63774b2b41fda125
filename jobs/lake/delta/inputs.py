"""What of an input table a step has read before. A version number belongs to a table's id.

A table that was dropped and created again has another id. Its versions count from 0 again, so that a number that was
recorded for the old table says nothing about the new one.
"""

from __future__ import annotations

from collections.abc import Iterable

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.log import Commit


def read_before(name: str, last: Commit | None) -> int | None:
    """The version of an input up to which the last commit has read it; None if all of it is to be read.

    Args:
        name: the input table.
        last: the newest commit of the step that reads it; None for the first run.
    """
    if last is None or name not in last.inputs:
        return None
    before = last.inputs[name]
    if not is_same(name, last):
        print(f"{name} was dropped and created again since its version {before} was read; reads the whole table")
        return None
    newest = log.version(settings.lake().uri(name))
    if newest is not None and before > newest:
        print(f"{name} has no version {before} any more, its newest is {newest}; reads the whole table")
        return None
    return before


def is_same(name: str, commit: Commit) -> bool:
    """Whether an input is still the table that a commit has read. Records of format 1 don't name its id."""
    recorded = commit.record.input_ids.get(name) if commit.record else None
    return recorded is None or recorded == log.table_id(settings.lake().uri(name))


def ids(names: Iterable[str]) -> dict[str, str]:
    """The id of each of these tables, for a commit record; tables that don't exist are left out."""
    found = {name: log.table_id(settings.lake().uri(name)) for name in names}
    return {name: table_id for name, table_id in found.items() if table_id is not None}
