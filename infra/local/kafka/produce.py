"""Sends messages to the topic `orders`, and counts them: `make events N=2000`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, Producer
from confluent_kafka import Message as Delivered

from infra.local.addresses import Addresses
from infra.local.errors import PlatformError
from infra.local.kafka import topics
from infra.local.kafka.events import Broken, Message, messages
from infra.local.seeds import generate, wanted_size
from infra.local.sources.ecb.history import newest

TOPIC = "orders"
FLUSH_SECONDS = 60.0


@dataclass
class Deliveries:
    """What was sent and acknowledged.

    Attributes:
        kinds: number of messages by what is wrong with them; None for good ones.
        offsets: first and last offset in each topic partition.
        errors: number of refused messages by the broker's reason.
    """

    kinds: Counter[Broken | None] = field(default_factory=Counter)
    offsets: dict[int, tuple[int, int]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)

    def delivered(self, broken: Broken | None, error: KafkaError | None, message: Delivered) -> None:
        """Notes the broker's answer to one message."""
        if error is not None:
            self.errors[error.str()] += 1
            return
        partition, offset = message.partition(), message.offset()
        if partition is None or offset is None:
            raise PlatformError("the broker took a message, but did not report its topic partition and offset")
        first, last = self.offsets.get(partition, (offset, offset))
        self.offsets[partition] = min(first, offset), max(last, offset)
        self.kinds[broken] += 1

    def __str__(self) -> str:
        total, good = sum(self.kinds.values()), self.kinds[None]
        lines = [f"{total:,} messages in {TOPIC}: {good:,} good, {total - good:,} broken"]
        lines += [f"  {kind.value:<18}{self.kinds[kind]:>9,}" for kind in Broken if self.kinds[kind]]
        lines += [f"  topic partition {number}: offsets {a} to {b}" for number, (a, b) in sorted(self.offsets.items())]
        return "\n".join(lines)


def enqueue(producer: Producer, topic: str, message: Message, **options: Any) -> None:
    """Hands a message to the client, which sends it. Waits while the client's queue is full."""
    while True:
        try:
            producer.produce(topic, message.value, key=message.key, **options)
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)


def send(addresses: Addresses, sent: Iterable[Message]) -> Deliveries:
    """Sends messages, and waits until the broker has answered all. The client sends none twice.

    Raises:
        PlatformError: the broker refused messages, or did not answer.
    """
    producer = Producer(topics.client_settings(addresses) | {"enable.idempotence": True, "linger.ms": 20})
    deliveries = Deliveries()
    for message in sent:
        enqueue(producer, TOPIC, message, on_delivery=partial(deliveries.delivered, message.broken))
    unanswered = producer.flush(FLUSH_SECONDS)
    if unanswered or deliveries.errors:
        reasons = ", ".join(f"{count} {reason}" for reason, count in deliveries.errors.items())
        raise PlatformError(f"{unanswered} messages got no answer, refused were: {reasons or 'none'}\n{deliveries}")
    return deliveries


def produce(addresses: Addresses, number: int, broken: float) -> Deliveries:
    """Sends new events of the seeds' customers. `broken` is the share of broken ones, 0 to 1."""
    now, day = datetime.now(UTC), newest()
    customers = [a.account_number for a in generate(wanted_size(), day).accounts if a.account_number is not None]
    made = messages(number, broken=broken, customers=customers, day=day, now=now, seed=int(now.timestamp()))
    return send(addresses, made)
