"""Newest-wins: of all rows of a key, the newest one stays, in whatever order they arrive.

Rows are ordered by the source's time, then by the source's own position, then by when they were read. Only where all of
these are equal, the hash of the content decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# A reader may add this column: the row's place at its source, numbers, most significant first.
POSITION = "_position"
READ_AT = "_ingested_at"
HASH = "_hash"
# By default, Spark's JSON cuts times to milliseconds: rows a microsecond apart would count as equal.
EXACT_TIMES = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}


def content_hash(columns: Sequence[str]) -> Column:
    """SHA-256 over names and values: rows have the same hash exactly when they are equal."""
    return F.sha2(F.to_json(F.struct(*sorted(columns)), EXACT_TIMES), 256)


def newest(rows: DataFrame, columns: Sequence[str], keys: Sequence[str], order_by: Sequence[str]) -> DataFrame:
    """The newest row of each key: `columns` and `_hash`.

    Args:
        rows: with `columns`, `_position`, `_ingested_at` and `_hash`, any number for each key.
        columns: of the table.
        keys: columns that identify a row, never null.
        order_by: the source's times, most significant first; null counts as oldest.
    """
    order = F.struct(*order_by, POSITION, READ_AT, HASH)
    best = F.max_by(F.struct(*columns, HASH), order).alias("_best")
    return rows.groupBy(*[F.col(key).alias(f"_k_{key}") for key in keys]).agg(best).select("_best.*")


def undecided(
    best: DataFrame, present: DataFrame, lost: DataFrame, keys: Sequence[str], order_by: Sequence[str]
) -> DataFrame:
    """Keys whose newest row can't be told from the new rows and the table. Only all rows of bronze can tell it.

    For a key of `best` the source's time is the table's, and the content is another: the table doesn't keep position
    and time of reading. A row that bronze lost is the one that the table holds.

    Args:
        best: the newest new row of each key, with `_hash`.
        present: the table's rows, with `_hash`.
        lost: keys and `_hash` of rows that bronze no longer has, or that break a rule now.
        keys: columns that identify a row.
        order_by: the source's times.

    Returns:
        The keys, each once; and `_since`, the time from which on rows can be the newest, null for all rows.
    """
    tie = F.struct(*[F.col(f"n.{name}") for name in order_by]).eqNullSafe(
        F.struct(*[F.col(f"p.{name}") for name in order_by])
    )
    same_key = [F.col(f"n.{key}") == F.col(f"p.{key}") for key in keys]
    ties = best.alias("n").join(present.alias("p"), same_key).filter(tie & (F.col(f"n.{HASH}") != F.col(f"p.{HASH}")))
    first = F.col(f"p.{order_by[0]}")
    tied = ties.select(*[F.col(f"p.{key}") for key in keys], first.alias("_since"))
    held = lost.join(present, [*keys, HASH], "left_semi").select(*keys, F.lit(None).cast("string").alias("_since"))
    # A key of both kinds needs all rows.
    since = F.when(F.count("_since") == F.count("*"), F.min("_since")).alias("_since")
    return (
        tied.unionByName(held.withColumn("_since", F.col("_since").cast(tied.schema["_since"].dataType)))
        .groupBy(*keys)
        .agg(since)
    )
