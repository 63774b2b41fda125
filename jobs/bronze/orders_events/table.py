"""The orders stream: valid events of the topic `orders` come here, all others to `bronze.orders_dlq`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.types import DateType, DecimalType, StringType, StructField, StructType, TimestampType

from jobs.bronze.orders_events import contract
from jobs.bronze.orders_events.contract import DeadMessage
from jobs.lake import session, tables
from jobs.lake.run import Run
from jobs.sources.kafka import stream
from jobs.sources.kafka.batches import Source
from jobs.sources.kafka.message import PLACE, VERDICT, column

TOPIC = "orders"
EVENT = (
    column("order_id", StringType(), "order number"),
    column("customer_id", StringType(), "account number of the customer"),
    column("order_date", DateType(), "day of the order"),
    column("currency", StringType(), "ISO 4217 code"),
    column("amount", DecimalType(18, 2), "amount in the order's currency"),
    column("status", StringType(), "PLACED, PAID, SHIPPED or CANCELLED"),
    column("event_timestamp", TimestampType(), "when the order came to this state, UTC"),
)
SCHEMA = StructType([*EVENT, column("value", StringType(), "the message as it came, JSON"), *PLACE])
_ARROW = {
    "order_date": pa.date32(),
    "amount": pa.decimal128(18, 2),
    "event_timestamp": pa.int64(),  # microseconds, cast as a whole
}
_NO_EVENT = (None,) * len(EVENT)


def build(run: Run) -> None:
    """Streams messages into both tables until the stream is asked to end."""
    stream.run(session.spark(run.step), run, source())


def source() -> Source:
    """The topic and where its messages go."""
    # Without the comments, which Arrow would have to bring back as well.
    answer = StructType([StructField(field.name, field.dataType) for field in (*VERDICT, *EVENT)])
    # The kind is taken from judge's hints, as pyspark's docs and warnings prefer.
    judged = arrow_udf(judge, answer)  # type: ignore[call-overload]  # pyspark 4.1's stubs lack this form
    return Source(TOPIC, tables.table("bronze.orders_events"), SCHEMA, EVENT, judged)


def judge(value: pa.Array, kafka_time: pa.Array) -> pa.Array:
    """What each message is: an event, or dead with reason and detail; the columns of the other are null.

    Args:
        value: binary, null for a tombstone.
        kafka_time: Kafka's time of the message.
    """
    events: list[Sequence[Any]] = []
    reasons: list[str | None] = []
    details: list[str | None] = []
    for body, moment in zip(value.to_pylist(), kafka_time.cast(pa.int64()).to_pylist(), strict=True):
        try:
            events.append(contract.read(body, moment))
            reasons.append(None)
            details.append(None)
        except DeadMessage as dead:
            events.append(_NO_EVENT)
            reasons.append(dead.reason.value)
            details.append(dead.detail)
    columns = [pa.array(reasons, pa.string()), pa.array(details, pa.string())]
    for field, content in zip(EVENT, zip(*events, strict=True), strict=True):
        columns.append(pa.array(content, _ARROW.get(field.name, pa.string())))
    columns[-1] = columns[-1].cast(pa.timestamp("us", "UTC"))
    return pa.StructArray.from_arrays(columns, [field.name for field in (*VERDICT, *EVENT)])
