"""The orders stream: valid events of the topic `orders` come here, all others to `bronze.orders_dlq`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql.types import DateType, DecimalType, StructType, TimestampType

from jobs.bronze.orders_events import contract
from jobs.bronze.orders_events.contract import DeadMessage
from jobs.lake.schema import column, text
from jobs.sources.kafka.message import MESSAGE, REASON

TOPIC = "orders"
EVENT = (
    text("order_id", "order number"),
    text("customer_id", "account number of the customer", "confidential"),
    column("order_date", DateType(), "day of the order"),
    text("currency", "ISO 4217 code"),
    column("amount", DecimalType(18, 2), "amount in the order's currency", "confidential"),
    text("status", "PLACED, PAID, SHIPPED or CANCELLED"),
    column("event_timestamp", TimestampType(), "when the order came to this state, UTC"),
)
SCHEMA = StructType([*EVENT, text("value", "the message as it came, JSON", "confidential"), *MESSAGE])
_ARROW = {
    "order_date": pa.date32(),
    "amount": pa.decimal128(18, 2),
    "event_timestamp": pa.int64(),  # microseconds; `judge` casts the whole column
}
_NO_EVENT = (None,) * len(EVENT)


def judge(value: pa.Array, kafka_time: pa.Array) -> pa.Array:
    """Judges each message: it is an event, or dead with reason and detail. The columns of the other kind are null.

    Args:
        value: binary, null for a tombstone.
        kafka_time: Kafka's time of the message, milliseconds since 1970, or whatever number the producer gave.
    """
    events: list[Sequence[Any]] = []
    reasons: list[str | None] = []
    details: list[str | None] = []
    for body, moment in zip(value.to_pylist(), kafka_time.to_pylist(), strict=True):
        try:
            events.append(contract.read(body, moment * 1000))
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
    return pa.StructArray.from_arrays(columns, [field.name for field in (*REASON, *EVENT)])
