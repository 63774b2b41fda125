"""A table follows its module's SCHEMA by new columns, and by nothing else."""

from __future__ import annotations

import json

import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import DataType, DateType, DecimalType, IntegerType, LongType, StringType, StructType

from jobs.lake import settings
from jobs.lake.delta import changes, columns, log, writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import SchemaContractError
from jobs.lake.run import Run
from jobs.lake.schema import column, text
from tests.jobs.lakehouse import by, rows, version

TABLE = "silver.things"
SCHEMA = StructType([text("id", "its key"), text("month", "YYYY-MM"), column("n", IntegerType(), "a number")])
COLOUR = text("colour", "its colour", "confidential")
RUN = Run("run-1", TABLE, "daily", "release-2")


@pytest.fixture
def uri(spark: SparkSession, lake: str) -> str:
    """A table with one row."""
    place = settings.lake().uri(TABLE)
    writes.create(spark, place, SCHEMA, "month", "Things.")
    writes.append(spark.createDataFrame([("a", "2026-10", 1)], SCHEMA), place, CommitRecord())
    return place


def test_new_column_is_added_with_comment_and_class_and_the_commit_names_its_run(
    spark: SparkSession, uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wider = StructType([SCHEMA["id"], COLOUR, SCHEMA["month"], SCHEMA["n"]])

    writes.create(spark, uri, wider, "month", "Things.", run=RUN)

    found = log.open_table(uri)
    assert found is not None
    field = json.loads(found.schema().to_json())["fields"][-1]
    assert field == {"name": "colour", "type": "string", "nullable": True, "metadata": dict(COLOUR.metadata)}
    assert rows(TABLE) == [{"id": "a", "month": "2026-10", "n": 1, "colour": None}]
    newest = next(log.commits(uri))
    assert newest.record
    assert newest.record.is_of(RUN)
    assert (newest.record.step, newest.counts) == (columns.STEP, None)
    assert "silver.things: new column colour (string); rows from before have null there" in capsys.readouterr().out


def test_protocol_stays_as_it_is(spark: SparkSession, uri: str) -> None:
    before = log.open_table(uri)
    writes.create(spark, uri, StructType([*SCHEMA, COLOUR]), "month", "Things.")

    after = log.open_table(uri)
    assert before
    assert after
    assert after.protocol() == before.protocol()
    assert after.protocol().min_reader_version == 1


def test_same_schema_in_another_order_commits_nothing(spark: SparkSession, uri: str) -> None:
    before = version(TABLE)

    writes.create(spark, uri, StructType([SCHEMA["n"], SCHEMA["id"], text("month", "another comment")]), "month", "T.")

    assert version(TABLE) == before


@pytest.mark.parametrize("kind", [LongType(), StringType(), DecimalType(10, 0), DateType()], ids=str)
def test_changed_type_is_refused_with_both_types(spark: SparkSession, uri: str, kind: DataType) -> None:
    other = StructType([SCHEMA["id"], SCHEMA["month"], column("n", kind, "a number"), COLOUR])
    before = version(TABLE)

    with pytest.raises(SchemaContractError, match="things: column n was int and is ") as caught:
        writes.create(spark, uri, other, "month", "Things.")

    assert kind.simpleString() in str(caught.value)
    assert version(TABLE) == before, "not even the new column is added"


def test_column_that_is_gone_is_refused_until_it_is_retired(spark: SparkSession, uri: str) -> None:
    narrower = StructType([SCHEMA["id"], SCHEMA["month"]])

    with pytest.raises(SchemaContractError, match=r"column n \(int\) is gone.* move its name from SCHEMA to RETIRED"):
        writes.create(spark, uri, narrower, "month", "Things.")

    writes.create(spark, uri, narrower, "month", "Things.", retired=("n",))
    changed = spark.createDataFrame([("a", "2026-10"), ("b", "2026-10")], narrower)
    writes.merge(spark, uri, changed, keys=("id",), record=CommitRecord())
    writes.append(spark.createDataFrame([("c", "2026-10")], narrower), uri, CommitRecord())
    assert by(TABLE, "id", "n") == {"a": None, "b": None, "c": None}


def test_type_can_be_changed_by_the_way_that_the_error_says(spark: SparkSession, uri: str) -> None:
    renamed = StructType([SCHEMA["id"], SCHEMA["month"], column("n_text", StringType(), "a number as text")])

    writes.create(spark, uri, renamed, "month", "Things.", retired=("n",))

    writes.append(spark.createDataFrame([("b", "2026-10", "2")], renamed), uri, CommitRecord())
    found = {row["id"]: (row["n"], row["n_text"]) for row in rows(TABLE)}
    assert found == {"a": (1, None), "b": (None, "2")}


@pytest.mark.parametrize("wanted", ["id", None])
def test_other_partition_column_is_refused(spark: SparkSession, uri: str, wanted: str | None) -> None:
    with pytest.raises(SchemaContractError, match=f"things: the table is partitioned by month.*{wanted or 'nothing'}"):
        writes.create(spark, uri, SCHEMA, wanted, "Things.")


def test_change_feed_goes_on_across_a_new_column(spark: SparkSession, uri: str) -> None:
    before, wider = version(TABLE), StructType([*SCHEMA, COLOUR])
    writes.create(spark, uri, wider, "month", "Things.")
    changed = spark.createDataFrame([("a", "2026-10", 1, "red"), ("b", "2026-10", 2, None)], wider)
    writes.merge(spark, uri, changed, keys=("id",), record=CommitRecord())

    net = changes.net(spark, uri, ("id",), before, version(TABLE))

    assert net is not None
    found = {row["id"]: (row["_before"] and row["_before"]["colour"], row["_after"]["colour"]) for row in net.collect()}
    assert found == {"a": (None, "red"), "b": (None, None)}
