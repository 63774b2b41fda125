"""Gold's own conservation: exactly the keys of its gated inputs are in it. It is checked before the commit.

The registry says which columns of which inputs the keys come from (`keys_from`), so that a join or a filter that loses
rows can't pass for an equation that it makes true itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.lake.delta.changes import AFTER, BEFORE
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.registry import Table


def refuse_lost(table: Table, inputs: Mapping[str, DataFrame], computed: DataFrame) -> int:
    """Compares the keys of the inputs with those of the rows that were made of them.

    Args:
        table: the gold table.
        inputs: the rows that `compute` got.
        computed: the rows that it made.

    Returns:
        The number of keys.

    Raises:
        GateError: keys are missing, no input has them, or one has several rows.
    """
    wanted = _keys(table, [(inputs[source], columns) for source, *columns in table.key_sources])
    wanted = wanted.distinct().withColumn("_wanted", F.lit(1))
    made = computed.groupBy(*table.keys).agg(F.count("*").alias("_made"))
    both = wanted.join(made, list(table.keys), "full_outer")
    number, lost, strange, doubled = both.agg(
        F.count("_wanted"),
        F.count_if(F.col("_made").isNull()),
        F.count_if(F.col("_wanted").isNull()),
        F.count_if(F.col("_made") > 1),
    ).collect()[0]
    if lost or strange or doubled:
        raise GateError(
            f"{table.name}: of {number} keys of its inputs, {lost} are not in what was computed; {strange} are in it "
            f"that no input has; {doubled} have more than one row. Nothing was published. A join or a filter in "
            f"{table.module.replace('.', '/')}.py does that: mend it, and run the step again."
        )
    return int(number)


def refuse_missed(table: Table, changed: Mapping[str, DataFrame], affected: DataFrame) -> None:
    """Checks that each key of a changed input row, as it was and as it is, is among the affected keys.

    Args:
        table: the gold table.
        changed: the net changes of its inputs (`changes.net`).
        affected: the affected keys.

    Raises:
        GateError: keys are missing.
    """
    states = [
        (changed[source].select(f"{state}.*"), columns)
        for source, *columns in table.key_sources
        for state in (BEFORE, AFTER)
    ]
    missed = _keys(table, states).distinct().join(affected, list(table.keys), "left_anti").count()
    if missed:
        raise GateError(
            f"{table.name}: {missed} keys whose input rows changed are not among the affected rows. Nothing was "
            f"published. Mend `affected` in {table.module.replace('.', '/')}.py; meanwhile a run with full_refresh "
            "computes all rows."
        )


def _keys(table: Table, parts: list[tuple[DataFrame, list[str]]]) -> DataFrame:
    """The keys, those with a null left out.

    Raises:
        ConfigurationError: an input has no such column.
    """
    if absent := [name for frame, columns in parts for name in columns if name not in frame.columns]:
        raise ConfigurationError(
            f"{table.name}: no input column {absent[0]}: say in keys_from where its keys come from"
        )
    named = [
        frame.select(*[F.col(column).alias(key) for column, key in zip(columns, table.keys, strict=True)])
        for frame, columns in parts
    ]
    return reduce(DataFrame.union, named).dropna()
