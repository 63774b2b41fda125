"""Newest-wins: of all rows of a key, the one with the newest source time stays, in whatever order they arrive."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

NEW, CHANGED, UNCHANGED, SUPERSEDED = "new", "changed", "unchanged", "superseded"
# By default, Spark's JSON cuts times to milliseconds: rows a microsecond apart would count as equal.
EXACT_TIMES = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"}


def content_hash(columns: Sequence[str], of: str | None = None) -> Column:
    """SHA-256 over names and values: rows have the same hash exactly when they are equal."""
    fields = [F.col(f"{of}.{name}" if of else name).alias(name) for name in sorted(columns)]
    return F.sha2(F.to_json(F.struct(*fields), EXACT_TIMES), 256)


def classify(
    incoming: DataFrame,
    target: DataFrame,
    *,
    keys: Sequence[str],
    order_by: Sequence[str],
) -> DataFrame:
    """Adds `_class` to each incoming row: new, changed, unchanged or superseded.

    Rows are ordered by `order_by`, newest first, then by the hash of their content. So a tie has the same winner in
    whatever order the rows arrive. None of our own clocks plays a part.

    Args:
        incoming: rows with the target's columns, more than one per key allowed.
        target: the table's rows with these keys, one per key; more rows do no harm.
        keys: columns that identify a row, never null.
        order_by: source times, most significant first; null counts as oldest.

    Returns:
        `incoming` with `_class` and `_hash`. At most one row of each key is `new` or `changed`.
    """
    content = target.columns
    ranked = incoming.withColumn("_hash", content_hash(content)).withColumn(
        "_rank", F.row_number().over(_newest_first(keys, order_by))
    )
    best = F.first("_hash").over(_newest_first(keys, order_by))
    ranked = ranked.withColumn("_best", best)
    present = target.select(
        *[F.col(name).alias(f"_t_{name}") for name in keys],
        F.struct(*[F.col(name) for name in order_by], content_hash(content).alias("_hash")).alias("_present"),
    )
    joined = ranked.join(present, on=[ranked[name] == present[f"_t_{name}"] for name in keys], how="left").drop(
        *[f"_t_{name}" for name in keys]
    )
    arriving = F.struct(*[F.col(name) for name in order_by], F.col("_hash"))
    wins = F.coalesce(arriving > F.col("_present"), F.lit(False))
    first = F.col("_rank") == 1
    same = F.col("_present._hash") == F.col("_hash")
    kind = (
        F.when(~first & (F.col("_hash") == F.col("_best")), UNCHANGED)
        .when(~first, SUPERSEDED)
        .when(F.col("_present").isNull(), NEW)
        .when(same, UNCHANGED)
        .when(wins, CHANGED)
        .otherwise(SUPERSEDED)
    )
    return joined.withColumn("_class", kind).drop("_rank", "_best", "_present")


def _newest_first(keys: Sequence[str], order_by: Sequence[str]):  # type: ignore[no-untyped-def]  # pyspark names WindowSpec in a private module
    return Window.partitionBy(*keys).orderBy(*[F.col(name).desc_nulls_last() for name in order_by], F.desc("_hash"))
