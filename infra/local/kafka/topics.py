"""The topics that a Kafka team would have made: declared here, created once."""

from __future__ import annotations

from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from infra.local.addresses import Addresses
from infra.local.secrets import kafka_credentials

TIMEOUT = 10.0  # seconds for one answer of the broker
# Events of an order keep their order within a partition, by its id as the key.
TOPICS = {"orders": 4}  # topic -> partitions


def client_settings(addresses: Addresses) -> dict[str, str | int | float | bool]:
    """How a client reaches the broker as a job does: by SASL_SSL, with the secret's log-in."""
    known = kafka_credentials(addresses)
    return {
        "bootstrap.servers": known["bootstrap_servers"],
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": known["api_key"],
        "sasl.password": known["api_secret"],
        "ssl.ca.location": str(addresses.kafka_authority),
    }


def ensure(addresses: Addresses) -> list[str]:
    """Creates the topics that aren't there; gives all of their names.

    Raises:
        KafkaException: the broker refused.
    """
    admin = AdminClient(client_settings(addresses))  # futures need it to live
    wanted = [NewTopic(name, partitions, 1) for name, partitions in TOPICS.items()]
    futures: dict[str, Future[None]] = admin.create_topics(wanted, operation_timeout=TIMEOUT)
    for future in futures.values():
        try:
            future.result(TIMEOUT)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    return sorted(TOPICS)
