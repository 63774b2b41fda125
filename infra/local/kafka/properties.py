"""The configuration of a single Kafka broker in KRaft mode, on loopback only."""

from __future__ import annotations

from pathlib import Path

from infra.local.addresses import Addresses
from infra.local.secrets import kafka_credentials


def text(addresses: Addresses, folder: Path, keystore: Path) -> str:
    """`server.properties`; the log segments go to the folder, the keystore is a PEM file."""
    plain, sasl, controller = addresses.kafka_plaintext, addresses.kafka, addresses.kafka_controller
    known = kafka_credentials(addresses)
    login = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'user_{known["api_key"]}="{known["api_secret"]}";'
    )
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.bootstrap.servers": controller,
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{plain},SASL_SSL://{sasl},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{plain},SASL_SSL://{sasl}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.name.sasl_ssl.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config": login,
        "listener.name.sasl_ssl.ssl.keystore.type": "PEM",
        "listener.name.sasl_ssl.ssl.keystore.location": str(keystore),
        "log.dirs": str(folder),
        "auto.create.topics.enable": "false",
        # A cluster keeps these three times. Here is one broker.
        "default.replication.factor": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
