"""One record for several commits of a stream: what becomes of each field of their commit records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs.lake.delta.commit_record import CommitRecord

Values = Sequence[Any]  # of one field, newest commit first


def _newest(values: Values) -> Any:
    """The newest commit's value."""
    return values[0]


def _only(values: Values) -> Any:
    """The value of a single commit. Of several commits no value is right."""
    return values[0] if len(values) == 1 else None


def _largest(values: Values) -> Any:
    return max((value for value in values if value is not None), default=None)


def _total(values: Values) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _totals(values: Values) -> dict[str, Any]:
    """Numbers are added up by their name. Of what is no number, the newest stays."""
    found: dict[str, Any] = {}
    for value in values:
        for name, number in value.items():
            both = isinstance(number, int) and name in found
            found[name] = found[name] + number if both else found.get(name, number)
    return found


def _joined(values: Values) -> dict[str, Any]:
    """For each name, what its newest commit says."""
    return {name: known for value in reversed(values) for name, known in value.items()}


def _listed(values: Values) -> tuple[Any, ...]:
    """Each entry once, oldest first."""
    return tuple(dict.fromkeys(entry for value in reversed(values) for entry in value))


def _gaps(values: Values) -> dict[str, list[int]] | None:
    """All gaps of each topic partition, oldest first: from, to, from, to, ..."""
    found: dict[str, list[int]] = {}
    for value in (value for value in reversed(values) if value is not None):
        for partition, bounds in value.items():
            found[partition] = [*found.get(partition, ()), *bounds]
    return found or None


# A field without an entry is refused by a test: the newest commit's value is seldom the whole truth.
RULES: Mapping[str, Callable[[Values], Any]] = {
    **dict.fromkeys(("run_id", "step", "dag_id", "code"), _newest),  # equal in all: others get a record of their own
    **dict.fromkeys(
        ("fencing", "source", "read_to", "quarantine_version", "restored_to", "who", "why", "format"), _newest
    ),
    **dict.fromkeys(("position", "topic", "topic_id", "newest"), _newest),
    **dict.fromkeys(("batch_id", "window"), _only),
    **dict.fromkeys(("since", "batches", "lost", "read_by_source", "whole"), _only),  # of silver and gold: never summed
    **dict.fromkeys(("inputs", "input_ids"), _joined),
    **dict.fromkeys(("reasons", "facts"), _totals),
    **dict.fromkeys(("seconds", "batch_seconds"), _largest),
    "housekeeping": _newest,
    "lost_offsets": _total,
    "gap": _gaps,
    **dict.fromkeys(("replayed", "accepted"), _listed),
}


def fields(records: Sequence[CommitRecord]) -> dict[str, Any]:
    """The fields of the sum but for the counts, which are added up for commits of other writers too.

    Args:
        records: of one run, step and release, newest first.
    """
    return {name: rule([getattr(record, name) for record in records]) for name, rule in RULES.items()}
