"""The columns that every message has, whatever it carries: where Kafka has it, and what came with it."""

from __future__ import annotations

from pyspark.sql.types import (
    ArrayType,
    BinaryType,
    DataType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

HEADERS = ArrayType(StructType([StructField("key", StringType()), StructField("value", BinaryType())]))


def column(name: str, kind: DataType, comment: str) -> StructField:
    """A column with its comment."""
    return StructField(name, kind, metadata={"comment": comment})


PLACE = (
    column("topic", StringType(), "topic that the message is of"),
    column("partition", IntegerType(), "its partition"),
    column("offset", LongType(), "its number within the partition"),
    column("key", BinaryType(), "its key"),
    column("headers", HEADERS, "its headers"),
    column("timestamp", TimestampType(), "Kafka's time of the message, UTC"),
)
# By these, queries leave files out. Statistics of all columns were a quarter of what writing a batch takes.
STATISTICS = ("partition", "offset", "timestamp", "_batch_id", "_ingested_at")
# What a judgement says of a message beside the event's own columns: null for a valid one.
VERDICT = (
    column("reason", StringType(), "code of what is wrong with the message"),
    column("detail", StringType(), "field and what is wrong with it, without its value"),
)
