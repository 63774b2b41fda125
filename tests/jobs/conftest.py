"""The broker of all tests of the stream; each test has a topic of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import boto3
import pytest
from pyspark.sql import SparkSession

from infra.local import secrets
from jobs.lake import tables
from jobs.sources.kafka import batches, stream
from jobs.sources.kafka.topic import of_table
from tests import lakes
from tests.jobs.topics import EVENTS, Topic
from tests.kafka_broker import Broker

PORT = 18570


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("kafka"), PORT)
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture(scope="session")
def two_tables(spark: SparkSession, lake_environment: dict[str, str]) -> str:
    """A lake with the stream's two tables, still empty. To create them takes longer than most of a test."""
    with lakes.empty(lake_environment) as bucket:
        batches.create_tables(spark, of_table(tables.table(EVENTS)))
    return bucket


@pytest.fixture
def lake_with_tables(two_tables: str, lake_environment: dict[str, str]) -> Iterator[str]:
    with lakes.copy(two_tables, lake_environment) as bucket:
        yield bucket


@pytest.fixture
def topic(broker: Broker, lake_with_tables: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Topic]:
    """A topic that no other test knows. Its log-in is in the lake's secrets, and batches follow without a pause."""
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", str(broker.addresses.kafka_authority))
    monkeypatch.setattr(stream, "TRIGGER", "0 seconds")
    monkeypatch.setattr(stream, "LOOK_SECONDS", 1)
    monkeypatch.setattr(stream, "GIVE_UP", timedelta(seconds=15))
    known = json.dumps(secrets.kafka_credentials(broker.addresses))
    boto3.client("secretsmanager").create_secret(Name=f"{lake_with_tables}/kafka/credentials", SecretString=known)
    made = Topic(broker, f"orders-{uuid4().hex[:8]}")
    made.create()
    yield made
    lakes.forget_frames()
