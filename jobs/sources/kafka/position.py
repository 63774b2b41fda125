"""How far a topic was read. Only the commits of the table that the messages go to say it.

A stream starts at the position of the table's newest batch, so that data and position can't disagree, whatever was
killed. The checkpoint `_checkpoints/<source>/watermark.json` is a second witness, saved after the commits. It never
decides where to go on, but a stream stops when it contradicts the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.errors import CheckpointLostError, OffsetsLostError
from jobs.lake.registry import Table
from jobs.lake.state import objects
from jobs.sources.kafka.broker import Bounds

Position = dict[int, int]  # topic partition -> the first offset that was not read yet


def of_table(table: Table) -> Position | None:
    """The position of the table's newest batch; None when no message ever came."""
    uri = settings.lake().uri(table.name)
    for commit in log.effective(uri):
        if commit.record and commit.record.position is not None:
            return {int(partition): offset for partition, offset in commit.record.position.items()}
    return _of_rows(uri)


def start(table: Table, topic: str, bounds: Mapping[int, Bounds]) -> Position:
    """Where the stream starts: after the table's newest batch, or at the first offsets if there never was one.

    Args:
        table: the table that the messages go to.
        topic: its name, for error messages.
        bounds: what Kafka has now.

    Raises:
        CheckpointLostError: table and checkpoint contradict each other.
        OffsetsLostError: Kafka deleted messages before they were read, or the topic was deleted and created again.
    """
    known, saved = of_table(table), checkpoint(table)
    if known is None:
        if saved and saved["position"]:
            raise CheckpointLostError(
                f"{table.name} holds no message, but its checkpoint says that {sum(saved['position'].values())} "
                f"offsets of {topic} were read: the table was dropped or emptied. Restore it; or, to read all that "
                f"Kafka still has, delete s3://{settings.lake().bucket}/{_key(table)} and start the stream again."
            )
        return {partition: found.first for partition, found in bounds.items()}
    if saved is None:
        raise CheckpointLostError(
            f"the checkpoint s3://{settings.lake().bucket}/{_key(table)} is gone. Nothing is lost: {table.name} "
            f"itself says how far {topic} was read, and reading it again would not double a message. Find out who "
            f"deleted it; then run `run.py stream.accept_checkpoint {table.name}`, and start the stream again."
        )
    if deleted := gap(known, bounds):
        ranges = ", ".join(f"topic partition {number} offsets {a} to {b - 1}" for number, (a, b) in deleted.items())
        raise OffsetsLostError(
            f"kafka: {topic} no longer has {ranges}: {missing(deleted)} messages were deleted before they were read. "
            "Nothing was skipped. If they can't be sent again, `run.py stream.accept_gap "
            f"{table.name}` records the gap; then start the stream again. To prevent this, read sooner or keep "
            "messages longer."
        )
    for number, offset in known.items():
        if number not in bounds or offset > bounds[number].end:
            end = bounds[number].end if number in bounds else 0
            raise OffsetsLostError(
                f"kafka: topic partition {number} of {topic} ends at {end}, but {table.name} has its messages up to "
                f"{offset}: the topic was deleted and created again. Its new messages would count as read already. "
                "Give the new topic a new name, or a new table."
            )
    return {number: known.get(number, 0) for number in bounds}


def gap(known: Mapping[int, int], bounds: Mapping[int, Bounds]) -> dict[int, tuple[int, int]]:
    """Offsets [from, to) of each topic partition that were not read and that Kafka no longer has."""
    return {
        number: (known.get(number, 0), found.first)
        for number, found in sorted(bounds.items())
        if known.get(number, 0) < found.first
    }


def missing(gaps: Mapping[int, tuple[int, int]]) -> int:
    """How many offsets the gaps have."""
    return sum(b - a for a, b in gaps.values())


def checkpoint(table: Table) -> dict[str, Any] | None:
    """The second witness; None when it does not exist."""
    found: dict[str, Any] | None = objects.read_json(_key(table))
    return found


def save_checkpoint(table: Table, position: Mapping[int, int]) -> None:
    """Saves how far the table is. Called after commits, and once before the first."""
    text = {str(partition): offset for partition, offset in sorted(position.items())}
    objects.write_json(_key(table), {"position": text, "saved_at": datetime.now(UTC).isoformat()})


def _key(table: Table) -> str:
    return f"_checkpoints/{table.source}/watermark.json"


def _of_rows(uri: str) -> Position | None:
    """The position by the rows themselves. It is needed when the log no longer has the newest batch.

    That happens to a stream that was silent for a month. Dead messages after the newest valid one are then read again;
    the stream removes them from the queue first.
    """
    found = log.dataset(uri)
    if found is None:
        return None
    rows = found.to_table(columns=["partition", "offset"])
    last = rows.group_by("partition").aggregate([("offset", "max")])
    ends = pc.add(last["offset_max"], 1).to_pylist()
    return dict(zip(last["partition"].to_pylist(), ends, strict=True)) or None
