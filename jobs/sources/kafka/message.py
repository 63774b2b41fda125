"""The columns that every message has, whatever its content: where it is in Kafka, and what came with it."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.lake.schema import column, text
from jobs.sources.kafka.record_time import EARLIEST, LATEST

HEADERS = ArrayType(StructType([StructField("key", StringType()), StructField("value", BinaryType())]))


MESSAGE = (
    text("topic", "topic that the message is of"),
    column("partition", IntegerType(), "its partition"),
    column("offset", LongType(), "its number within the partition"),
    column("key", BinaryType(), "its key", "confidential"),
    column("headers", HEADERS, "its headers", "confidential"),
    column("timestamp", TimestampType(), "Kafka's time of the message, UTC"),
)
# Queries skip files by these columns. Statistics of all columns took a quarter of the time of writing a batch.
STATISTICS = ("partition", "offset", "timestamp", "_batch_id", "_ingested_at")
# What is wrong with a message, beside the event's own columns; null for a valid message.
REASON = (
    text("reason", "code of what is wrong with the message"),
    text("detail", "field and what is wrong with it, without its value"),
)
# Of dead letters alone: an event's time is always one that `timestamp` can hold.
CREATED = column(
    "created_ms",
    LongType(),
    "Kafka's time of the message as it came, milliseconds since 1970; if it can't be that, timestamp is null",
)


def created(messages: DataFrame) -> Column:
    """Kafka's time as it came. Spark's source, and dead letters of earlier releases, have it as `timestamp` alone."""
    told = F.unix_millis("timestamp")
    return F.coalesce(F.col(CREATED.name), told) if CREATED.name in messages.columns else told


def plausible() -> Column:
    """Whether `created_ms` is a time in milliseconds, by which messages can be dated."""
    return F.col(CREATED.name).between(EARLIEST, LATEST - 1)
