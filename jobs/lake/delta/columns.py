"""Brings the columns of a table in the lake to those that its module says, before a step reads or writes data."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from jobs.lake import contract
from jobs.lake.delta import log
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.errors import SchemaContractError
from jobs.lake.run import Run

# The commit's step. It is not the table's own, which would then seem to have read nothing.
STEP = "add_columns"


def follow(
    spark: SparkSession,
    uri: str,
    schema: StructType,
    partition_by: str | None,
    *,
    run: Run | None = None,
    retired: Collection[str] | None = (),
) -> None:
    """Adds the columns that the schema has and the table lacks; refuses every other difference.

    It costs a look at the table's log. A new column has its comment and its class; rows from before have null there.

    Args:
        spark: the session.
        uri: of the table, which exists.
        schema: what its module says.
        partition_by: its partition column; None without one.
        run: named by the commit.
        retired: columns that the table keeps although the schema no longer has them; None to judge no such column.

    Raises:
        SchemaContractError: a column is gone, or has another type, or the table has another partition column.
    """
    found = log.open_table(uri)
    if found is None:
        return
    name = ".".join(uri.rstrip("/").split("/")[-2:])
    present = StructType.fromJson(json.loads(found.schema().to_json()))
    added = contract.new_columns(name, present, schema, present.names if retired is None else retired)
    _refuse_other_partitions(name, uri, found.metadata().partition_columns, partition_by)
    if not added:
        return
    record = CommitRecord.of(replace(run, step=STEP)) if run else CommitRecord(step=STEP)
    # ALTER TABLE can't give a column its class.
    nothing = spark.createDataFrame([], StructType([*present, *(schema[column] for column in added)]))
    writer = nothing.write.format("delta").mode("append").option("mergeSchema", "true")
    writer.option("userMetadata", record.to_json()).save(uri)
    columns = ", ".join(f"{column} ({schema[column].dataType.simpleString()})" for column in added)
    print(f"{name}: new column {columns}; rows from before have null there until a full refresh", flush=True)


def _refuse_other_partitions(name: str, uri: str, present: Collection[str], wanted: str | None) -> None:
    if list(present) != [wanted] and (present or wanted):
        raise SchemaContractError(
            f"{name}: the table is partitioned by {', '.join(present) or 'nothing'}, the registry says "
            f"{wanted or 'nothing'}. Nothing was written. Set partition_by back; or move {uri}/ and the lake's "
            f"ops/run_ledger/{name}/ away, and run the step with --full-refresh."
        )
