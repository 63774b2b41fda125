"""Rows that a rule split off before silver: `quarantine.<table>`, the raw row with the reason.

Inserted by the identity of the raw row, so that a step that runs again adds nothing twice.
"""

from __future__ import annotations

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType, TimestampType

from jobs.lake import delta, settings
from jobs.lake.run import Run
from jobs.lake.tables import Table


def _text(name: str, comment: str) -> StructField:
    return StructField(name, StringType(), metadata={"comment": comment})


SCHEMA = StructType(
    [
        _text("row_id", "hash of source, batch and raw row"),
        _text("raw_row", "the bronze row as JSON"),
        _text("rule", "every rule that the row breaks, joined by '; '"),
        _text("source_table", "bronze table that the row came from"),
        _text("batch_id", "batch that brought it"),
        _text("run_id", "run that split it off"),
        StructField("quarantined_at", TimestampType(), metadata={"comment": "when, UTC"}),
    ]
)


def name(table: Table) -> str:
    """`silver.orders` -> `quarantine.orders`."""
    return f"quarantine.{table.short}"


def write(spark: SparkSession, run: Run, table: Table, bad: DataFrame, inputs: dict[str, int]) -> None:
    """Adds rows with `_raw`, `_rule`, `_source_table` and `_batch_id` that are not there yet."""
    uri = settings.lake().uri(name(table))
    delta.create(spark, uri, SCHEMA, (), f"Rows kept out of {table.name}, each with the rules that it breaks.")
    rows = bad.select(
        F.sha2(F.concat_ws("\x1f", "_source_table", "_batch_id", "_raw"), 256).alias("row_id"),
        F.col("_raw").alias("raw_row"),
        F.col("_rule").alias("rule"),
        F.col("_source_table").alias("source_table"),
        F.col("_batch_id").alias("batch_id"),
        F.lit(run.run_id).alias("run_id"),
        F.current_timestamp().alias("quarantined_at"),
    ).dropDuplicates(["row_id"])
    with delta.user_metadata(spark, run.commit_metadata(inputs)):
        (
            DeltaTable.forPath(spark, uri)
            .alias("t")
            .merge(rows.alias("s"), "t.row_id = s.row_id")
            .whenNotMatchedInsertAll()
            .execute()
        )
