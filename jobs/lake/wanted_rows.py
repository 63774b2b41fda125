"""What a silver table is to hold: the newest good row of each key, by the new rows, the table, or all of bronze."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.lake import computed, newest_wins, settings
from jobs.lake.arrivals import Arrived, Bronze
from jobs.lake.delta import snapshot
from jobs.lake.newest_wins import HASH
from jobs.lake.registry import Table


@dataclass(frozen=True)
class Decided:
    """Rows that the table is to hold for certain keys, and rows that it holds for them now."""

    wanted: DataFrame
    present: DataFrame


def decide(bronze: Bronze, incoming: DataFrame, arrived: Arrived, table: Table) -> Decided:
    """What the table is to hold for the keys that the arrived rows are about.

    Cost grows with these rows and the partitions that they touch, and on a rebuild with all of bronze and the table.

    Args:
        bronze: reads its tables.
        incoming: the arrived rows, computed once.
        arrived: where they come from.
        table: the silver table.
    """
    columns, keys, order_by = bronze.schema.names, table.keys, table.order_by
    target = snapshot.read(bronze.spark, settings.lake().uri(table.name)).select(columns)
    good = incoming.filter(F.col("_rule") == "")
    best = newest_wins.newest(good, columns, keys, order_by)
    if arrived.rebuilds:
        return Decided(best, target)
    lost = incoming.filter(F.col("_rule") != "").select(*columns, HASH)
    if arrived.former is not None:
        lost = lost.unionByName(arrived.former.join(good, [*keys, HASH], "left_anti").select(*columns, HASH))
    best, lost = computed.once(best), computed.once(lost)
    present = _present_rows(target, best, lost, table)
    present = computed.once(present.withColumn(HASH, newest_wins.content_hash(columns)))
    undecided = computed.once(newest_wins.undecided(best, present, lost, keys, order_by))
    rows = best.unionByName(present)
    if again := _rows_of(bronze, undecided, arrived, table):
        rebuilt = newest_wins.newest(again.filter(F.col("_rule") == ""), columns, keys, order_by)
        rows = rows.join(undecided, list(keys), "left_anti").unionByName(rebuilt)
    # Between a new row and the table's, the source's time decides: otherwise the key is undecided.
    unknown = {newest_wins.POSITION: F.lit(None), newest_wins.READ_AT: F.lit(None)}
    return Decided(newest_wins.newest(rows.withColumns(unknown), columns, keys, order_by), present.select(columns))


def _rows_of(bronze: Bronze, undecided: DataFrame, arrived: Arrived, table: Table) -> DataFrame | None:
    """All rows that bronze has for these keys and that can be the newest; None if there are no keys.

    The bounds are literals, so that files without such rows are skipped.
    """
    key, time = table.keys[0], table.order_by[0]
    bounds = F.count("*"), F.min(key), F.max(key), F.count("_since"), F.min("_since")
    number, first, last, timed, since = undecided.agg(*bounds).collect()[0]
    if not number:
        return None
    print(f"{table.name}: looks up {number} keys in all of bronze: new rows and the table can't tell their newest row")
    rows = bronze.rows(arrived.inputs).filter(F.col(key).between(first, last))
    if timed == number:
        rows = rows.filter(F.col(time) >= since)
    return rows.join(undecided, list(table.keys), "left_semi")


def _present_rows(target: DataFrame, best: DataFrame, lost: DataFrame, table: Table) -> DataFrame:
    """The table's rows with the keys of new rows, and those that are rows which bronze lost.

    It looks first in the partitions that these rows belong to. The key of a new row that is missing there may have
    moved from another partition. So the others are searched too, but only for the range of the missing keys. File
    statistics make that cheap when new keys lie beyond old ones.
    """
    keys = list(table.keys)
    sought = best.unionByName(lost)
    wanted = sought.select(keys).distinct()
    if not table.partition_by:
        return target.join(wanted, keys, "left_semi")
    column = F.col(table.partition_by)
    partitions = [row[0] for row in sought.select(column).distinct().collect()]
    in_place = computed.once(target.filter(column.isin(partitions)).join(wanted, keys, "left_semi"))
    unseen = best.select(keys).join(in_place.select(keys), keys, "left_anti")
    bounds = unseen.agg(F.min(keys[0]), F.max(keys[0])).first()
    if bounds is None or bounds[0] is None:
        return in_place
    elsewhere = target.filter(~column.isin(partitions) & F.col(keys[0]).between(bounds[0], bounds[1]))
    return in_place.unionByName(elsewhere.join(unseen, keys, "left_semi"))
