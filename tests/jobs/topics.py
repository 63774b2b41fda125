"""One test's topic, and what tests of the stream need often: to send, to stream, and to look at the result."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic
from deltalake import DeltaTable
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.catalog.register_glue_tables import register_tables
from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.run import Run
from jobs.lake.state import objects, stream_control
from jobs.sources.kafka import stream
from jobs.sources.kafka.topic import StreamedTopic, of_table
from tests.kafka_broker import Broker

EVENTS, DEAD = "bronze.orders_events", "bronze.orders_dlq"


def event(order_id: str = "O1", **other: Any) -> bytes:
    """A good event, with the values that matter to the test."""
    known = {
        "order_id": order_id,
        "customer_id": "C1",
        "order_date": "2026-10-01",
        "currency": "EUR",
        "amount": 10.5,
        "status": "PLACED",
        "event_timestamp": "2026-10-01T08:00:00Z",
    }
    return json.dumps(known | other).encode()


@dataclass
class Topic:
    """One test's topic with two topic partitions, and the stream that reads it.

    Attributes:
        refused: a currency that the release in use does not know; empty for the release as it is.
    """

    broker: Broker
    name: str
    partitions: int = 2
    refused: str = ""
    _threads: list[threading.Thread] = field(default_factory=list)

    @property
    def secret(self) -> str:
        return str(self.broker.settings()["sasl.password"])

    @property
    def source(self) -> StreamedTopic:
        known = replace(of_table(tables.table(EVENTS)), name=self.name)
        return replace(known, judged=refusing(known.judged, self.refused)) if self.refused else known

    def admin(self) -> AdminClient:
        return AdminClient(self.broker.settings())

    def create(self) -> None:
        """Creates it as brokers before 4.0 do by themselves: it takes messages of any time."""
        admin, any_time = self.admin(), str(2**63 - 1)
        times = {f"message.timestamp.{side}.max.ms": any_time for side in ("before", "after")}
        admin.create_topics([NewTopic(self.name, self.partitions, 1, config=times)])[self.name].result(20)

    def delete(self) -> None:
        admin = self.admin()  # futures need it to live
        admin.delete_topics([self.name])[self.name].result(20)

    def recreate(self) -> None:
        self.delete()
        for _ in range(50):
            try:
                return self.create()
            except KafkaException:  # it is still being deleted
                time.sleep(0.2)
        raise AssertionError(f"{self.name} can't be created again")

    def delete_before(self, *, partition: int, offset: int) -> None:
        """Kafka deletes the topic partition's messages before this offset, as its retention does."""
        admin, place = self.admin(), TopicPartition(self.name, partition, offset)
        admin.delete_records([place])[place].result(20)

    def send(self, values: Iterable[bytes | None], partition: int = 0, **other: Any) -> None:
        """Sends messages and waits until the broker has them."""
        producer = Producer(self.broker.settings(**{"enable.idempotence": True}))
        for value in values:
            producer.produce(self.name, value, partition=partition, **other)
        assert producer.flush(30) == 0

    def send_in_transaction(self, values: Iterable[bytes], *, abort: bool = False, partition: int = 0) -> None:
        """Sends messages in a transaction of their own, which ends with a mark behind them."""
        producer = Producer(self.broker.settings(**{"transactional.id": f"{self.name}-{partition}"}))
        producer.init_transactions(30)
        producer.begin_transaction()
        for value in values:
            producer.produce(self.name, value, partition=partition)
        producer.flush(30)
        (producer.abort_transaction if abort else producer.commit_transaction)(30)

    def read(self, until: int, run_id: str = "stream-1", seconds: float = 90) -> None:
        """Runs the stream until so many messages in all are in the two tables, then lets it drain."""
        with self.streaming(run_id):
            wait(lambda: len(self.places()) >= until, seconds)

    @contextmanager
    def streaming(self, run_id: str = "stream-1", code: str = "unreleased") -> Iterator[None]:
        """The stream runs beside what is inside, and drains at its end; an error of it is raised there."""
        write_desired_state(stream_control.DesiredState())
        failures: list[BaseException] = []
        spark = _spark()

        def work() -> None:
            try:
                stream.run(spark, Run(run_id, EVENTS, code=code), self.source, register_tables)
            except BaseException as error:
                failures.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield
        except BaseException:
            if failures:
                raise failures[0] from None
            raise
        finally:
            write_desired_state(stream_control.DesiredState(wanted=stream_control.STOPPED))
            thread.join(120)
        assert not thread.is_alive(), "the stream does not drain"
        if failures:
            raise failures[0]

    def run(self, run_id: str = "stream-1") -> None:
        """Runs the stream until it ends by itself."""
        stream.run(_spark(), Run(run_id, EVENTS), self.source)

    def places(self) -> list[tuple[str, int, int]]:
        """Table, partition and offset of each message in the two tables."""
        return sorted((t, row["partition"], row["offset"]) for t in (EVENTS, DEAD) for row in rows(t))


def refusing(judged: Callable[[Column, Column], Column], word: str) -> Callable[[Column, Column], Column]:
    """How a release judges that refuses what has this word."""
    return partial(_refusing, judged, word)


def _refusing(judged: Callable[[Column, Column], Column], word: str, value: Column, moment: Column) -> Column:
    refused = F.when(value.cast("string").contains(word), "unknown_currency")
    verdict = judged(value, moment)
    return verdict.withField("reason", F.coalesce(refused, verdict["reason"]))


def _spark() -> SparkSession:
    spark = SparkSession.getActiveSession()
    assert spark
    return spark


def write_desired_state(desired: stream_control.DesiredState) -> None:
    objects.write_json(stream_control.desired_state_key(EVENTS), vars(desired))


def rows(table: str, columns: Sequence[str] = ("partition", "offset")) -> list[dict[str, Any]]:
    """Rows of a table, read without Spark."""
    uri = settings.lake().uri(table)
    if log.version(uri) is None:
        return []
    found = DeltaTable(uri, storage_options=settings.storage_options()).to_pyarrow_table(columns=list(columns))
    return list(found.to_pylist())


def wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"not so after {seconds} s"
        time.sleep(0.3)


def now() -> datetime:
    return datetime.now(UTC)
