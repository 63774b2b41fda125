"""How far a topic was read. Only the commits of the table that the messages go to say it.

A stream starts at the position of the table's newest batch, so that data and position can't disagree, whatever was
killed. The checkpoint `_checkpoints/<source>/watermark.json` is a second witness, saved after the commits. It never
decides where to go on, but a stream stops when it contradicts the table.

An offset means something in one log alone. So a position names its topic, and Kafka's id of it; and the newest message
of each topic partition, by which `newest.py` knows a log again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.lake import settings
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import CheckpointLostError, OffsetsLostError
from jobs.lake.registry import Table
from jobs.lake.state import objects
from jobs.sources.kafka.broker import Bounds

Offsets = dict[int, int]  # topic partition -> the first offset that was not read yet
Ranges = dict[int, tuple[int, int]]  # topic partition -> offsets [from, to)
Seen = tuple[int, int, int]  # of a message: offset, Kafka's time in ms, CRC-32 of its value


@dataclass(frozen=True)
class Position:
    """Where a source has been read to.

    Attributes:
        offsets: the first offset of each topic partition that was not read yet.
        topic: its name; empty in positions of release 0.1.0.
        topic_id: Kafka's id of it; empty if it is not known.
        newest: the newest message that was read of each topic partition, if one is known.
    """

    offsets: Offsets = field(default_factory=dict)
    topic: str = ""
    topic_id: str = ""
    newest: dict[int, Seen] = field(default_factory=dict)

    @classmethod
    def of_record(cls, record: CommitRecord) -> Position:
        """The position in a commit's record, which has one."""
        return cls(
            {int(partition): offset for partition, offset in (record.position or {}).items()},
            record.topic or "",
            record.topic_id or "",
            {int(number): (seen[0], seen[1], seen[2]) for number, seen in (record.newest or {}).items()},
        )

    def fields(self) -> dict[str, Any]:
        """What a commit's record says of it."""
        return {
            "position": {str(partition): offset for partition, offset in sorted(self.offsets.items())},
            "topic": self.topic,
            "topic_id": self.topic_id,
            "newest": {str(partition): list(seen) for partition, seen in sorted(self.newest.items())},
        }

    def is_of(self, topic: str) -> bool:
        """Whether it is a position in the topic of that name. Release 0.1.0 knew one topic."""
        return self.topic in ("", topic)


def of_table(table: Table) -> Position | None:
    """The position of the table's newest batch; None when the stream never started."""
    uri = settings.lake().uri(table.name)
    for commit in log.effective(uri):
        if commit.record and commit.record.position is not None:
            return Position.of_record(commit.record)
    return _of_rows(uri)


def start(table: Table, topic: str, topic_id: str, bounds: Mapping[int, Bounds]) -> Position:
    """Where the stream starts: after the table's newest batch, or at the first offsets of a topic that it never read.

    Args:
        table: the table that the messages go to.
        topic: its name.
        topic_id: Kafka's id of it; empty if Kafka has none.
        bounds: what Kafka has now.

    Raises:
        CheckpointLostError: table and checkpoint contradict each other.
        OffsetsLostError: Kafka deleted messages before they were read, or the topic was deleted and created again.
    """
    known, saved = of_table(table), checkpoint(table)
    if known is None:
        if saved and sum(saved["position"].values()):
            raise CheckpointLostError(
                f"{table.name} holds no message, but its checkpoint says that {sum(saved['position'].values())} "
                f"offsets of {topic} were read: the table was dropped or emptied. Restore it; or, to read all that "
                f"Kafka still has, delete s3://{settings.lake().bucket}/{_key(table)} and start the stream again; or, "
                f"to go on at these offsets, run `run.py stream.accept_checkpoint {table.name}`."
            )
        return first(topic, topic_id, bounds)
    if saved is None:
        raise CheckpointLostError(
            f"the checkpoint s3://{settings.lake().bucket}/{_key(table)} is gone. Nothing is lost: {table.name} "
            f"itself says how far {topic} was read, and reading it again would not double a message. Find out who "
            f"deleted it; then run `run.py stream.accept_checkpoint {table.name}`, and start the stream again."
        )
    if not known.is_of(topic):
        return first(topic, topic_id, bounds)
    refuse_another(known, topic, topic_id)
    if deleted := gap(known, bounds):
        raise OffsetsLostError(
            f"kafka: {topic} no longer has {_text(deleted)}: {missing(deleted)} messages were deleted before they were "
            "read. Nothing was skipped. If they can't be sent again, `run.py stream.accept_gap "
            f"{table.name}` records the gap; then start the stream again. To prevent this, read sooner or keep "
            "messages longer."
        )
    for number, offset in known.offsets.items():
        if number not in bounds or offset > bounds[number].end:
            end = bounds[number].end if number in bounds else 0
            raise made_anew(
                f"topic partition {number} of {topic} ends at {end}, but {table.name} has its messages up to {offset}"
            )
    offsets = {number: known.offsets.get(number, 0) for number in bounds}
    return Position(offsets, topic, topic_id or known.topic_id, known.newest)


def first(topic: str, topic_id: str, bounds: Mapping[int, Bounds]) -> Position:
    """The position of who has read nothing of a topic."""
    return Position({partition: found.first for partition, found in bounds.items()}, topic, topic_id)


def refuse_another(known: Position, topic: str, topic_id: str) -> None:
    """Refuses a topic of the same name with another id.

    Raises:
        OffsetsLostError: it is such a topic.
    """
    if known.topic_id and topic_id and known.topic_id != topic_id:
        raise made_anew(f"{topic} has the id {topic_id}, but what was read is of the id {known.topic_id}")


def made_anew(evidence: str) -> OffsetsLostError:
    """The error about a log that is not the one that was read, however long it is by now."""
    return OffsetsLostError(
        f"kafka: {evidence}: the topic was deleted and created again, or its log was truncated. Its new messages have "
        "offsets that the table already has. Let producers send them to a topic of another name, and put that name "
        "into TOPIC of the table's module; the stream reads that topic from its beginning."
    )


def refuse_unread(table: Table, known: Position, bounds: Mapping[int, Bounds]) -> None:
    """Refuses to leave a topic for one of another name while it has messages that were not read.

    Raises:
        OffsetsLostError: it has some.
    """
    if left := unread(known, bounds):
        raise OffsetsLostError(
            f"kafka: the stream is to read another topic, but {known.topic} still has {_text(left)}, which were not "
            f"read: {missing(left)} messages. Let the release before read them; or `run.py stream.accept_gap "
            f"{table.name}` records them as lost. Then start the stream again."
        )


def unread(known: Position, bounds: Mapping[int, Bounds]) -> Ranges:
    """Offsets of each topic partition that were not read, whether Kafka still has them or not."""
    return {
        number: (known.offsets.get(number, 0), found.end)
        for number, found in sorted(bounds.items())
        if known.offsets.get(number, 0) < found.end
    }


def gap(known: Position, bounds: Mapping[int, Bounds]) -> Ranges:
    """Offsets of each topic partition that were not read and that Kafka no longer has."""
    return {
        number: (known.offsets.get(number, 0), found.first)
        for number, found in sorted(bounds.items())
        if known.offsets.get(number, 0) < found.first
    }


def missing(gaps: Mapping[int, tuple[int, int]]) -> int:
    """How many offsets the gaps have."""
    return sum(b - a for a, b in gaps.values())


def checkpoint(table: Table) -> dict[str, Any] | None:
    """The second witness; None when it does not exist."""
    found: dict[str, Any] | None = objects.read_json(_key(table))
    return found


def save_checkpoint(table: Table, offsets: Mapping[int, int]) -> None:
    """Saves how far the table is. Called after commits, and once before the first."""
    text = {str(partition): offset for partition, offset in sorted(offsets.items())}
    objects.write_json(_key(table), {"position": text, "saved_at": datetime.now(UTC).isoformat()})


def _key(table: Table) -> str:
    return f"_checkpoints/{table.source}/watermark.json"


def _text(ranges: Mapping[int, tuple[int, int]]) -> str:
    return ", ".join(f"topic partition {number} offsets {a} to {b - 1}" for number, (a, b) in ranges.items())


def _of_rows(uri: str) -> Position | None:
    """The position by the rows themselves. It is needed when the log no longer has the newest batch.

    That happens to a stream that was silent for a week. Dead messages after the newest valid one are then read again;
    the stream removes them from the queue first. Of several topics it is the one that was read last.
    """
    found = log.dataset(uri)
    if found is None:
        return None
    rows = found.to_table(columns=["topic", "partition", "offset", "_ingested_at"])
    if not rows.num_rows:
        return None
    ends = rows.group_by(["topic", "partition"]).aggregate([("offset", "max"), ("_ingested_at", "max")])
    last = ends.filter(pc.equal(ends["topic"], _newest(ends)))
    offsets = pc.add(last["offset_max"], 1).to_pylist()
    return Position(dict(zip(last["partition"].to_pylist(), offsets, strict=True)), _newest(ends) or "")


def _newest(ends: pa.Table) -> str | None:
    topic: str | None = ends.sort_by("_ingested_at_max")["topic"].to_pylist()[-1]
    return topic
