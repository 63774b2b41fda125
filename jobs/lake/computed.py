"""Rows that a step reads several times: computed once, so that what it counts is what it writes."""

from __future__ import annotations

from pyspark import StorageLevel
from pyspark.sql import DataFrame


def once(frame: DataFrame) -> DataFrame:
    """The frame's rows, computed by the first query that reads them, and never again.

    Not `persist`, which keeps the whole plan: each later query analyses it, and a MERGE of such rows looked seven times
    more through the log of the table. For some hundred rows that is a fifth to a third of a step. If an executor is
    lost with its rows, the step fails and begins anew, and no row is computed a second time that was counted before.
    """
    kept: DataFrame = frame.localCheckpoint(eager=False, storageLevel=StorageLevel.MEMORY_AND_DISK)
    return kept
