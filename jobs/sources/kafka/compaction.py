"""Joins a stream's small files, in the stream's own driver: nobody else may write its tables."""

from __future__ import annotations

from collections.abc import Mapping

from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from jobs.lake import settings
from jobs.lake.delta import writes
from jobs.lake.delta.commit_record import CommitRecord
from jobs.lake.run import Run
from jobs.lake.state.leases import Lease

EVERY = 200  # batches: a quarter of an hour of a busy stream
# Files of this size are left alone, so that the cost of one compaction is limited, and grows with the new data.
FILE_BYTES = 64 * 1024 * 1024
_SIZES = ("spark.databricks.delta.optimize.minFileSize", "spark.databricks.delta.optimize.maxFileSize")


class Compaction:
    """Counts batches, and compacts the tables after every `EVERY` of them."""

    def __init__(self, spark: SparkSession, run: Run, held: Mapping[str, Lease]) -> None:
        self._spark, self._run, self._held = spark, run, held
        self._batches = 0
        for name in _SIZES:
            spark.conf.set(name, str(FILE_BYTES))

    def after_batch(self) -> None:
        """Called after each commit, while no other commit runs."""
        self._batches += 1
        if self._batches % EVERY:
            return
        for table, lease in self._held.items():
            lease.renew()
            with writes.recorded(self._spark, CommitRecord.of(self._run, fencing=lease.fencing)):
                DeltaTable.forPath(self._spark, settings.lake().uri(table)).optimize().executeCompaction()
