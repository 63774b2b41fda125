"""The orders stream: what an event is, and the table of all valid ones."""

from jobs.bronze.orders_events.table import EVENT, SCHEMA, TOPIC, judge

__all__ = ["EVENT", "SCHEMA", "TOPIC", "judge"]
