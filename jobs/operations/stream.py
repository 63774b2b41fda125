"""What an operator does when a stream stopped over its position: `run.py stream.accept_gap bronze.orders_events`."""

from __future__ import annotations

from datetime import UTC, datetime

from jobs.lake import session, settings
from jobs.lake.delta import writes
from jobs.lake.delta.commit_record import CommitRecord, Counts
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger
from jobs.operations.dlq import topic_of
from jobs.sources.kafka import broker, position
from jobs.sources.kafka.topic import StreamedTopic


def accept_gap(run: Run) -> None:
    """Records messages that Kafka deleted before they were read as lost, and moves the position behind them.

    A second run finds no gap and changes nothing. The table's commit and the ledger show the gap: `lost_offsets`.

    Raises:
        ConfigurationError: no stream's table was named, or it holds nothing yet.
    """
    topic = topic_of(run)
    with leases.hold(run, topic.events.name, topic.dead.name) as held:
        known = _known(topic)
        with broker.Login.from_secret().consumer() as consumer:
            bounds = broker.bounds(consumer, topic.name)
        gaps = position.gap(known, bounds)
        if not gaps:
            print(f"{topic.events.name}: Kafka still has all that was not read; there is no gap to accept")
            return
        beyond = known | {number: end for number, (_, end) in gaps.items()}
        record = CommitRecord.of(
            run,
            counts=Counts(read=0),
            position={str(number): offset for number, offset in sorted(beyond.items())},
            gap={str(number): list(lost) for number, lost in gaps.items()},
            lost_offsets=position.missing(gaps),
            fencing=held[topic.events.name].fencing,
        )
        # The ledger's record of the gap says how much was lost, so that earlier batches get a record of their own.
        ledger.record_stream(topic.events.name)
        spark = session.spark(run.step)
        held[topic.events.name].renew()
        writes.commit_nothing(spark, settings.lake().uri(topic.events.name), record)
        ledger.record_stream(topic.events.name)
        position.save_checkpoint(topic.events, beyond)
        for number, (first, end) in gaps.items():
            print(f"topic partition {number} of {topic.name}: offsets {first} to {end - 1} are recorded as lost")


def accept_checkpoint(run: Run) -> None:
    """Writes the checkpoint again from what the table says, after someone deleted it.

    Raises:
        ConfigurationError: no stream's table was named, or it holds nothing yet.
    """
    topic = topic_of(run)
    with leases.hold(run, topic.events.name):
        known = _known(topic)
        position.save_checkpoint(topic.events, known)
        print(f"{topic.events.name}: goes on from {known}, as of {datetime.now(UTC):%Y-%m-%d %H:%M:%S}")


def _known(topic: StreamedTopic) -> position.Position:
    known = position.of_table(topic.events)
    if known is None:
        raise ConfigurationError(f"{topic.events.name} holds no message yet: start the stream")
    return known
