"""What a batch costs besides its messages, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zlib import crc32

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import BinaryType, StructType

from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.lake.run import Run
from jobs.lake.schema import column
from jobs.lake.state import leases
from jobs.sources.kafka import batches, position
from jobs.sources.kafka.message import MESSAGE, STATISTICS
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.topic import of_table
from tests.jobs.topics import DEAD, EVENTS, Topic, event

AS_A_JOB = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}


@pytest.fixture
def compiling(spark: SparkSession) -> Iterator[SparkSession]:
    """The tests' session, but with generated code as in a job."""
    before = {key: str(spark.conf.get(key)) for key in AS_A_JOB}
    for key, value in AS_A_JOB.items():
        spark.conf.set(key, value)
    yield spark
    for key, value in before.items():
        spark.conf.set(key, value)


def test_spark_generates_the_same_code_for_every_batch(compiling: SparkSession) -> None:
    messages = compiling.createDataFrame([("orders", 1)], "topic string, offset int").repartition(1)
    first, second = (
        messages.select("offset", *batches.lineage(of_table(tables.table(EVENTS)), f"orders-{number}"))
        for number in range(2)
    )

    assert "class GeneratedIterator" in code(first)
    assert code(first) == code(second)
    (row,) = first.collect()
    assert (row["_batch_id"], row["_source"]) == ("orders-0", "kafka/orders")
    assert row["_ingested_at"] is not None


def code(frame: DataFrame) -> str:
    stages = frame._jdf.queryExecution().debug().codegenToSeq()
    return "".join(str(stages.apply(number)._2()) for number in range(stages.size()))


def test_log_has_statistics_of_the_columns_by_which_files_are_skipped_and_of_no_others(topic: Topic) -> None:
    topic.send([event("O1"), event("O2")])

    topic.read(2)

    table = log.open_table(settings.lake().uri(EVENTS))
    assert table is not None
    (file,) = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    assert {name.removeprefix("min.") for name in file if name.startswith("min.")} == set(STATISTICS)
    assert (file["min.offset"], file["max.offset"], file["num_records"]) == (0, 1, 2)


def test_position_is_where_a_batch_ends_also_of_one_that_holds_marks_of_transactions_alone(
    spark: SparkSession, lake_with_tables: str
) -> None:
    topic, run, moment, value = of_table(tables.table(EVENTS)), Run("stream-1", EVENTS), 1_790_841_600_000, event()
    schema = StructType([*MESSAGE, column("value", BinaryType(), "its bytes")])
    row = ("orders", 0, 3, None, None, datetime.fromtimestamp(moment / 1000, UTC), bytearray(value))
    message, newest = spark.createDataFrame([row], schema), {0: (3, moment, crc32(value))}
    with leases.hold(run, EVENTS, DEAD) as held:
        writer = batches.BatchWriter(spark, run, topic, held, Position({0: 3, 1: 0}, "orders", "an-id"))

        for messages, ends, read, without in ((message, {0: 5, 1: 2}, 1, 3), (message.limit(0), {0: 7, 1: 2}, 0, 2)):
            done = writer.commit(messages, ends)

            assert done
            assert position.of_table(topic.events) == Position(ends, "orders", "an-id", newest)
            record = next(log.commits(settings.lake().uri(EVENTS))).record
            assert record
            assert record.counts
            assert (record.counts.read, record.facts) == (read, {"offsets_without_message": without})

        assert writer.commit(message.limit(0), {0: 7, 1: 2}) is None, "nothing came"
