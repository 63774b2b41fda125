"""The dead-letter queue of the topic orders: messages as they came, each with its reason.

Written by the stream of `bronze.orders_events`; read, sampled and replayed by `jobs/operations/dlq.py`.
"""

from __future__ import annotations

from pyspark.sql.types import BinaryType, StructType

from jobs.lake.schema import column
from jobs.sources.kafka.message import CREATED, MESSAGE, REASON

SCHEMA = StructType(
    [
        *MESSAGE,
        column("value", BinaryType(), "the message's bytes; null for a tombstone", "restricted"),
        *REASON,
        CREATED,
    ]
)
