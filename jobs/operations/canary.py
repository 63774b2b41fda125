"""What a deployment tries of a release: that all of its code can be loaded, and that a row of it reaches Athena.

The step changes no table of a pipeline. `ops.canary` has one row: that of the last canary run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module

import boto3
from pyspark.sql.types import StringType, StructField, StructType, TimestampType

from dq import suite
from jobs.catalog import ops_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import session, settings, table_module, tables
from jobs.lake.run import Run

TABLE = ops_tables.CANARY
DESCRIPTION = "One row: the last run in which a deployment tried its release."
SCHEMA = StructType(
    [
        StructField("run_id", StringType(), metadata={"comment": "DAG run of the deployment"}),
        StructField("release", StringType(), metadata={"comment": "hash of the code release that wrote the row"}),
        StructField("written_at", TimestampType(), metadata={"comment": "when, UTC"}),
    ]
)


def try_release(run: Run) -> None:
    """Loads the code of every step, then writes the row and registers its table. Costs one file and one commit.

    Raises:
        ConfigurationError: a table's module or suite lacks something that the kernel needs.
        ImportError: a step's module can't be loaded; so does what its import raises.
    """
    print(f"{_load()} modules of steps and tables can be loaded", flush=True)
    lake = settings.lake()
    row = (run.run_id, run.code, datetime.now(UTC))
    frame = session.spark(run.step).createDataFrame([row], SCHEMA)
    frame.write.format("delta").mode("overwrite").save(lake.uri(TABLE))
    print(Catalog(boto3.client("glue"), lake.bucket).register(TABLE, DESCRIPTION, tables.PLATFORM), flush=True)


def _load() -> int:
    """Imports what `run.py` would import for each step; gives the number of modules."""
    from jobs.run import STEPS

    modules = {target.partition(":")[0] for target in STEPS.values()} | {"jobs.steps"}
    for module in sorted(modules):
        import_module(module)
    for table in tables.every():
        table_module.load(table)
        if table.continuous:
            import_module(f"jobs.sources.{table.system}.stream")
        if table.layer != "bronze":
            suite.load(table.name)
    return len(modules) + len(tables.every())
