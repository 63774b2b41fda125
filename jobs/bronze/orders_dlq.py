"""The dead-letter queue of the topic orders: messages as they came, each with its reason.

Written by the stream of `bronze.orders_events`; read, sampled and replayed by `jobs/operations/dlq.py`.
"""

from __future__ import annotations

from pyspark.sql.types import BinaryType, StructType

from jobs.sources.kafka.message import PLACE, VERDICT, column

SCHEMA = StructType([*PLACE, column("value", BinaryType(), "the message's bytes; null for a tombstone"), *VERDICT])
