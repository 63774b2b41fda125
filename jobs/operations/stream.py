"""What an operator does when a stream stopped over its position: `run.py stream.accept_gap bronze.orders_events`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from jobs.lake import session
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.state import leases, ledger
from jobs.lake.state.leases import Lease
from jobs.operations.dlq import topic_of
from jobs.sources.kafka import batches, broker, position
from jobs.sources.kafka.topic import StreamedTopic


def accept_gap(run: Run) -> None:
    """Records messages that were not read as lost, and moves the position behind them.

    They are those that Kafka deleted; or those that a topic still has whose stream is to read a topic of another name.
    A second run finds no gap and changes nothing. The table's commit and the ledger show the gap: `lost_offsets`.

    Raises:
        ConfigurationError: no stream's table was named, or it holds nothing yet.
    """
    topic = topic_of(run)
    with leases.hold(run, topic.events.name, topic.dead.name) as held:
        known = position.of_table(topic.events)
        if known is None:
            raise ConfigurationError(f"{topic.events.name} holds no message yet: start the stream")
        name = known.topic or topic.name
        with broker.Login.from_secret().consumer() as consumer:
            if known.is_of(topic.name):
                gaps = position.gap(known, broker.bounds(consumer, name))
            else:
                gaps = position.unread(known, broker.bounds_if_any(consumer, name))
        if not gaps:
            print(f"{topic.events.name}: Kafka still has all that was not read; there is no gap to accept")
            return
        beyond = replace(known, offsets=known.offsets | {number: end for number, (_, end) in gaps.items()})
        lost: dict[str, Any] = {
            "gap": {str(number): list(lost) for number, lost in gaps.items()},
            "lost_offsets": position.missing(gaps),
        }
        # The ledger's record of the gap says how much was lost, so that earlier batches get a record of their own.
        ledger.record_stream(topic.events.name)
        batches.begin(session.spark(run.step), run, topic, beyond, held, **lost)
        ledger.record_stream(topic.events.name)
        position.save_checkpoint(topic.events, beyond.offsets)
        for number, (first, end) in gaps.items():
            print(f"topic partition {number} of {name}: offsets {first} to {end - 1} are recorded as lost")


def accept_checkpoint(run: Run) -> None:
    """Makes checkpoint and table agree again, after one of them was deleted.

    The checkpoint is written again from what the table says. If the table says nothing, it begins at the offsets of
    the checkpoint.

    Raises:
        ConfigurationError: no stream's table was named, or neither says anything.
    """
    topic = topic_of(run)
    with leases.hold(run, topic.events.name, topic.dead.name) as held:
        known = position.of_table(topic.events)
        if known is None:
            known = _begun(run, topic, held)
        position.save_checkpoint(topic.events, known.offsets)
        print(f"{topic.events.name}: goes on from {known.offsets}, as of {datetime.now(UTC):%Y-%m-%d %H:%M:%S}")


def _begun(run: Run, topic: StreamedTopic, held: Mapping[str, Lease]) -> position.Position:
    """Commits that a table without messages begins at the offsets of its checkpoint."""
    saved = position.checkpoint(topic.events)
    if not saved or not saved["position"]:
        raise ConfigurationError(f"{topic.events.name} holds no message yet: start the stream")
    topic_id = broker.topic_id(broker.Login.from_secret().admin(), topic.name)
    offsets = {int(partition): offset for partition, offset in saved["position"].items()}
    spark, known = session.spark(run.step), position.Position(offsets, topic.name, topic_id)
    batches.create_tables(spark, topic, run)
    batches.begin(spark, run, topic, known, held)
    return known
