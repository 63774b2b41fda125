"""What a batch costs besides its messages."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from jobs.lake import settings, tables
from jobs.lake.delta import log
from jobs.sources.kafka import batches
from jobs.sources.kafka.message import STATISTICS
from jobs.sources.kafka.topic import of_table
from tests.jobs.topics import EVENTS, Topic, event

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
