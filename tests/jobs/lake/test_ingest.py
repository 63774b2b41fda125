"""A window of a source becomes one batch of bronze: whole or not at all, and replaceable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.types import LongType, StringType, StructField, StructType

from jobs.bronze import salesforce_accounts
from jobs.lake import ingest, settings, tables
from jobs.lake.delta import log, snapshot, writes
from jobs.lake.errors import SchemaContractError, TransientError
from jobs.lake.run import Run, Window
from jobs.lake.schema import text
from jobs.lake.state import objects, watermark
from tests.jobs.lakehouse import ACCOUNTS, at, by, killed_at, record, rows, version

TABLE = tables.table(ACCOUNTS)
SCHEMA = StructType([StructField("id", StringType(), metadata={"comment": "its id"}), StructField("n", LongType())])
ARROW = pa.schema([("id", pa.string()), ("n", pa.int64())])
WATERMARK = "_checkpoints/salesforce/accounts/watermark.json"
Extract = Callable[[Window], Iterator[pa.Table]]


def source(*batches: Sequence[dict[str, Any]], schema: pa.Schema = ARROW) -> Extract:
    """A source that answers every window with these rows."""

    def extract(_: Window) -> Iterator[pa.Table]:
        for batch in batches:
            yield pa.Table.from_pylist(list(batch), schema)

    return extract


def ingest_day(
    spark: SparkSession, day: int, extract: Extract, accept: tuple[str, ...] = (), schema: StructType = SCHEMA
) -> ingest.Counts:
    begin, end = at(f"2026-10-0{day}"), at(f"2026-10-0{day + 1}")
    run = Run(f"run-{day}", ACCOUNTS, window_start=begin, window_end=end, accept=accept)
    return ingest.ingest(spark, run, TABLE, schema, extract)


def commits() -> list[log.Commit]:
    return list(log.commits(settings.lake().uri(ACCOUNTS)))


def staged() -> list[str]:
    return objects.keys("_staging/")


def test_window_becomes_one_batch_with_its_lineage(spark: SparkSession, lake: str) -> None:
    counts = ingest_day(spark, 1, source([{"id": "a", "n": 1}], [{"id": "b", "n": 2}]))

    found = rows(ACCOUNTS)
    made = record(ACCOUNTS)
    assert [(row["id"], row["n"], row["_source"]) for row in found] == [
        ("a", 1, "salesforce/accounts"),
        ("b", 2, "salesforce/accounts"),
    ]
    assert {row["_batch_id"] for row in found} == {"beginning-20261002T000000Z"}
    assert (counts.read, counts.written) == (2, 2) == (made["read"], made["written"])
    assert (made["run_id"], made["source"]) == ("run-1", "salesforce/accounts")
    assert (made["window_start"], made["window_end"]) == (None, "2026-10-02T00:00:00+00:00")
    assert staged() == []


def test_batch_read_again_replaces_itself_in_one_commit(spark: SparkSession, lake: str) -> None:
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    ingest_day(spark, 2, source([{"id": "b", "n": 1}, {"id": "c", "n": 1}]))
    before = version(ACCOUNTS)

    ingest_day(spark, 2, source([{"id": "b", "n": 2}]))

    assert by(ACCOUNTS, "id", "n") == {"a": 1, "b": 2}
    assert version(ACCOUNTS) == before + 1


def test_kill_between_commit_and_watermark_reads_the_window_again_and_doubles_nothing(
    spark: SparkSession, lake: str
) -> None:
    extract = source([{"id": "a", "n": 1}])
    with killed_at(watermark, "save"):
        ingest_day(spark, 1, extract)
    assert len(rows(ACCOUNTS)) == 1

    ingest_day(spark, 1, extract)

    assert len(rows(ACCOUNTS)) == 1
    assert [commit.record.batch_id for commit in commits()[:2]] == ["beginning-20261002T000000Z"] * 2
    assert objects.read_json(WATERMARK)["end"] == "2026-10-02T00:00:00+00:00"


def test_watermark_never_moves_before_the_commit(spark: SparkSession, lake: str) -> None:
    with killed_at(writes, "replace_batch"):
        ingest_day(spark, 1, source([{"id": "a", "n": 1}]))

    assert objects.read_json(WATERMARK) is None


def test_source_that_breaks_off_writes_nothing(spark: SparkSession, lake: str) -> None:
    def broken(_: Window) -> Iterator[pa.Table]:
        yield pa.Table.from_pylist([{"id": "a", "n": 1}], ARROW)
        raise TransientError("gone")

    with pytest.raises(TransientError, match="gone"):
        ingest_day(spark, 1, broken)

    assert log.version(settings.lake().uri(ACCOUNTS)) is None
    assert objects.read_json(WATERMARK) is None


def test_window_without_rows_is_committed_and_moves_the_watermark(spark: SparkSession, lake: str) -> None:
    ingest_day(spark, 1, source([]))

    assert rows(ACCOUNTS) == []
    assert (record(ACCOUNTS)["read"], record(ACCOUNTS)["run_id"]) == (0, "run-1")
    assert objects.read_json(WATERMARK)["end"] == "2026-10-02T00:00:00+00:00"


def test_new_column_is_added_and_older_rows_have_null_there(spark: SparkSession, lake: str) -> None:
    wider = ARROW.append(pa.field("more", pa.string()))
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))

    ingest_day(spark, 2, source([{"id": "b", "n": 2, "more": "x"}], schema=wider))
    ingest_day(spark, 3, source([{"id": "c", "n": 3, "more": "y"}], schema=wider))

    assert by(ACCOUNTS, "id", "more") == {"a": None, "b": "x", "c": "y"}


@pytest.mark.parametrize(
    ("schema", "row", "message"),
    [
        (pa.schema([("id", pa.string()), ("n", pa.string())]), {"id": "b", "n": "2"}, "n was bigint and is string"),
        (pa.schema([("id", pa.string())]), {"id": "b"}, r"n \(bigint\) is gone"),
    ],
    ids=["type change", "lost column"],
)
def test_other_schema_stops_the_batch_and_nothing_is_written(
    spark: SparkSession, lake: str, schema: pa.Schema, row: dict[str, Any], message: str
) -> None:
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    before, saved = version(ACCOUNTS), objects.read_json(WATERMARK)

    with pytest.raises(SchemaContractError, match=message):
        ingest_day(spark, 2, source([row], schema=schema))

    assert version(ACCOUNTS) == before
    assert by(ACCOUNTS, "id", "n") == {"a": 1}
    assert objects.read_json(WATERMARK) == saved
    assert staged() == []


def test_column_that_is_gone_is_kept_once_it_is_retired_and_new_rows_have_null_there(
    spark: SparkSession, lake: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrower = source([{"id": "b"}], schema=pa.schema([("id", pa.string())]))
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    schema = StructType([SCHEMA["id"]])
    with pytest.raises(SchemaContractError, match=r"n \(bigint\) is gone.* move its name from SCHEMA to RETIRED"):
        ingest_day(spark, 2, narrower, schema=schema)

    monkeypatch.setattr(salesforce_accounts, "RETIRED", ("n",), raising=False)
    ingest_day(spark, 2, narrower, schema=schema)
    ingest_day(spark, 2, narrower, schema=schema)  # and when the batch replaces itself
    ingest_day(spark, 3, source([]), schema=schema)

    assert by(ACCOUNTS, "id", "n") == {"a": 1, "b": None}


def test_new_column_of_the_schema_keeps_its_comment_and_class(spark: SparkSession, lake: str) -> None:
    wider = ARROW.append(pa.field("more", pa.string()))
    more = text("more", "what is new", "confidential")
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    batch = source([{"id": "b", "n": 2, "more": "x"}], schema=wider)

    ingest_day(spark, 2, batch, schema=StructType([*SCHEMA, more]))

    assert by(ACCOUNTS, "id", "more") == {"a": None, "b": "x"}
    assert snapshot.read(spark, settings.lake().uri(ACCOUNTS)).schema["more"].metadata == more.metadata


def test_schema_of_another_type_stops_the_batch_and_its_staged_rows_are_gone(spark: SparkSession, lake: str) -> None:
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    schema = StructType([SCHEMA["id"], StructField("n", StringType())])

    with pytest.raises(SchemaContractError, match="column n was bigint and is string"):
        ingest_day(spark, 2, source([{"id": "b", "n": 2}]), schema=schema)

    assert staged() == []


def test_column_that_suddenly_turns_null_stops_the_batch_until_that_is_accepted(spark: SparkSession, lake: str) -> None:
    lost: list[dict[str, Any]] = [{"id": str(number), "n": None} for number in range(20)]
    ingest_day(spark, 1, source([{"id": "a", "n": 1}]))
    before, saved = version(ACCOUNTS), objects.read_json(WATERMARK)

    with pytest.raises(SchemaContractError, match="column n is null in all 20 rows; of the newest 1 rows before, 0"):
        ingest_day(spark, 2, source(lost[:15], lost[15:]))

    assert (version(ACCOUNTS), objects.read_json(WATERMARK)) == (before, saved)
    assert staged() == []

    ingest_day(spark, 2, source(lost), accept=("null_column",))
    ingest_day(spark, 3, source(lost))  # what was accepted once is not refused again

    assert len(rows(ACCOUNTS)) == 41


def test_column_that_was_never_filled_is_accepted_even_in_a_first_batch(spark: SparkSession, lake: str) -> None:
    nothing: list[dict[str, Any]] = [{"id": str(number), "n": None} for number in range(20)]

    ingest_day(spark, 1, source(nothing))
    ingest_day(spark, 1, source(nothing))  # and when it replaces itself

    assert len(rows(ACCOUNTS)) == 20
