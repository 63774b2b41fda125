"""The orders stream: what an event is, and the table of all valid ones."""

from jobs.bronze.orders_events.table import SCHEMA, source

__all__ = ["SCHEMA", "source"]
