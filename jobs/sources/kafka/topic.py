"""A topic, and the two tables that its messages go to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql.pandas.functions import arrow_udf
from pyspark.sql.types import StructField, StructType

from jobs.lake import table_module, tables
from jobs.lake.registry import Table
from jobs.sources.kafka.message import REASON


@dataclass(frozen=True)
class StreamedTopic:
    """What a stream has to know about its topic.

    Attributes:
        name: in Kafka.
        events: table of its valid events.
        dead: the dead-letter queue: table of all others.
        schema: of `events`, without the lineage columns.
        dead_schema: of `dead`, without them.
        event: columns of `schema` that `judged` fills.
        judged: makes a struct of `REASON` and `event` from a message's value and Kafka's time in milliseconds.
    """

    name: str
    events: Table
    dead: Table
    schema: StructType
    dead_schema: StructType
    event: tuple[StructField, ...]
    judged: Callable[[Column, Column], Column]


def of_table(table: Table) -> StreamedTopic:
    """The topic of a continuous table. Its module has `TOPIC`, `EVENT` and `judge`; one table is written with it."""
    (dead,) = [other for other in tables.every() if other.written_with == table.name]
    module = table_module.load(table)
    # Without the comments, which Arrow would have to return too.
    answer = StructType([StructField(field.name, field.dataType) for field in (*REASON, *module.EVENT)])
    # pyspark takes the kind of function from judge's type hints, as its docs and warnings prefer.
    judged = arrow_udf(module.judge, answer)  # type: ignore[call-overload]  # pyspark 4.1's stubs lack this form
    return StreamedTopic(
        name=module.TOPIC,
        events=table,
        dead=dead,
        schema=module.SCHEMA,
        dead_schema=table_module.load(dead).SCHEMA,
        event=module.EVENT,
        judged=judged,
    )
