"""The broker of the platform: Kafka itself, which only a client with the secret's log-in reaches by TLS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.errors import PlatformError
from infra.local.kafka import certificates, produce, topics
from infra.local.kafka.events import Broken, Message
from tests.kafka_broker import Broker

PORT = 18560


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("kafka"), PORT)
    broker.start()
    topics.ensure(broker.addresses)
    yield broker
    broker.kill()


def refused(settings: dict[str, Any]) -> bool:
    try:
        AdminClient(settings).list_topics(timeout=3)
    except KafkaException:
        return True
    return False


def say(broker: Broker, *values: bytes) -> None:
    producer = Producer(broker.settings(**{"enable.idempotence": True}))
    for value in values:
        producer.produce("orders", value, key=b"O1")
    assert producer.flush(20) == 0


def end(broker: Broker) -> dict[int, int]:
    """Where each partition of the topic ends."""
    consumer = Consumer(broker.settings(**{"group.id": "ends"}))
    ends = {
        n: consumer.get_watermark_offsets(TopicPartition("orders", n), 10)[1] for n in range(topics.TOPICS["orders"])
    }
    consumer.close()
    return ends


def consume(broker: Broker, number: int) -> list[bytes]:
    """The first messages of the topic."""
    consumer = Consumer(broker.settings(**{"group.id": "test", "auto.offset.reset": "earliest"}))
    consumer.subscribe(["orders"])
    found: list[bytes] = []
    give_up = time.monotonic() + 30
    while len(found) < number and time.monotonic() < give_up:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            found.append(message.value())
    consumer.close()
    return found


def test_client_with_the_secrets_log_in_is_served_and_no_other(broker: Broker, tmp_path: Path) -> None:
    foreign = tmp_path / "authority.pem"
    certificates.ensure(foreign, tmp_path / "keystore.pem")

    assert not refused(broker.settings())
    assert refused(broker.settings(**{"sasl.password": "wrong"}))
    assert refused(broker.settings(**{"ssl.ca.location": str(foreign)}))


def test_topics_are_made_once_and_writing_creates_no_other(broker: Broker) -> None:
    assert topics.ensure(broker.addresses) == sorted(topics.TOPICS)
    producer = Producer(broker.settings(**{"message.timeout.ms": 3000}))
    producer.produce("ordres", b"a slip of the pen")
    producer.flush(10)

    known = AdminClient(broker.settings()).list_topics(timeout=10).topics

    assert {name: len(topic.partitions) for name, topic in known.items() if not name.startswith("__")} == topics.TOPICS


def test_what_was_acknowledged_outlives_a_killed_broker_in_order(broker: Broker) -> None:
    say(broker, b"first", b"second")
    broker.kill()
    broker.start()
    say(broker, b"third")

    assert consume(broker, 3) == [b"first", b"second", b"third"]


def test_producer_reports_what_the_broker_took_by_kind_and_offset(broker: Broker) -> None:
    before = end(broker)

    deliveries = produce.produce(broker.addresses, 2000, 0.05)

    assert (deliveries.kinds[None], sum(deliveries.kinds.values())) == (1900, 2000)
    assert set(deliveries.kinds) == {None, *Broken}
    assert sum(last - first + 1 for first, last in deliveries.offsets.values()) == 2000
    assert sum(end(broker).values()) - sum(before.values()) == 2000
    assert "2,000 messages in orders: 1,900 good, 100 broken" in str(deliveries)


def test_messages_that_the_broker_refuses_are_reported(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = AdminClient(broker.settings())
    narrow = NewTopic("narrow", 1, 1, config={"max.message.bytes": "1000"})
    admin.create_topics([narrow])["narrow"].result(10)
    monkeypatch.setattr(produce, "TOPIC", "narrow")

    with pytest.raises(PlatformError, match=r"0 messages got no answer, refused were: 1 Broker: Message size"):
        produce.send(broker.addresses, [Message(b"O1", b"x" * 5000, None)])
    admin.delete_topics(["narrow"])["narrow"].result(10)


def test_key_and_log_in_are_for_the_owner_alone(broker: Broker) -> None:
    home = broker.addresses.kafka_authority.parent
    for name in ("broker.pem", "server.properties"):
        assert (home / name).stat().st_mode & 0o077 == 0, name
