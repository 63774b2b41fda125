"""The topics that a Kafka team would have created."""

from __future__ import annotations

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.addresses import Addresses
from infra.local.secrets import kafka_credentials

TIMEOUT = 10.0  # seconds for one answer of the broker
# The key is the order's id, so the events of an order stay in one topic partition, in sequence.
TOPICS = {"orders": 4}  # topic -> partitions


def client_settings(addresses: Addresses) -> dict[str, str | int | float | bool]:
    """The settings of a client that connects as a job does: with SASL_SSL and the secret's log-in."""
    known = kafka_credentials(addresses)
    return {
        "bootstrap.servers": known["bootstrap_servers"],
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": known["api_key"],
        "sasl.password": known["api_secret"],
        "ssl.ca.location": str(addresses.kafka_authority),
        # Its library would print lines of its own among a command's. What fails is raised or called back anyway.
        "log_level": 0,
    }


def ensure(addresses: Addresses) -> list[str]:
    """Creates the missing topics. Returns the names of all.

    Raises:
        KafkaException: the broker refused one.
    """
    admin = AdminClient(client_settings(addresses))  # it must live as long as its futures
    wanted = [NewTopic(name, partitions, 1) for name, partitions in TOPICS.items()]
    futures: dict[str, Future[None]] = admin.create_topics(wanted, operation_timeout=TIMEOUT)
    for future in futures.values():
        try:
            future.result(TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return sorted(TOPICS)
