r"""Values of bronze that a silver column can't hold: their rows go to quarantine. None is nulled or rounded quietly.

A reader makes types of text with `cast`, which gives null for a text that its type can't hold. The kernel compares
each row before and after the reader: a typed column that lost its value does not fit. Neither does a date or a time
beyond the years 1 to 9999, wherever it comes from: Spark and Delta hold it, Python, JSON and Athena do not.

A source with types of its own may have a value that bronze's type can't hold. Bronze keeps it in `unread`, as JSON of
column to text: what stands there does not fit either, and its row is refused whatever a reader makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, DateType, DecimalType, StringType, StructType, TimestampType

GIVEN, UNFIT = "_given", "_unfit"
UNREAD = "unread"
REASON = "does_not_fit"
_LARGEST_PRECISION = 38
# `(?![\s\S])` is the end: in Java, `$` also matches before a final line end.
# Longer numbers and exponents don't fit any column, and Spark would compute for hours on 1E-999999999.
_NUMBER = r"^\s*[+-]?[0-9]{0,38}\.?[0-9]{0,38}([eE][+-]?[0-9]{1,2})?\s*(?![\s\S])"
# Otherwise Spark takes 12:30 for a time of today, and 2026 for its first day.
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?![\s\S])"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}"
_ZONE = r"([+-][0-9]{2})([0-9]{2})(?![\s\S])"


def cast(name: str, kind: DataType) -> Column:
    """A column of text in another type; null where the type can't hold exactly what the text says.

    Numbers may have an exponent. A time without a zone is UTC; digits beyond its microseconds are cut.
    """
    text = F.col(name)
    if isinstance(kind, DecimalType):
        exact = text.try_cast(kind)
        # The cast rounds. The wide number shows lost decimals, and the double one that is too small even for that.
        wide = text.try_cast(DecimalType(_LARGEST_PRECISION, _LARGEST_PRECISION - kind.precision + kind.scale))
        held = F.when((exact == wide) & (exact.cast("double") == text.try_cast("double")), exact)
        return F.when(text.rlike(_NUMBER), held)  # a branch is not looked at before its condition
    if isinstance(kind, DateType):
        return F.when(text.rlike(_DATE), text.try_cast(kind))
    if isinstance(kind, TimestampType):  # Spark wants a colon in +0000
        return F.when(text.rlike(_TIME), F.regexp_replace(text, _ZONE, "$1:$2").try_cast(kind))
    return text.try_cast(kind)


def with_given(raw: DataFrame, schema: StructType) -> DataFrame:
    """Bronze rows with `_given`: which columns have a value that is of another type, or could not be read."""
    changed = [
        name for name in _typed(schema) if name in raw.columns and raw.schema[name].dataType != schema[name].dataType
    ]
    # Rows that an earlier release has read, and those of other sources, have no such column.
    unread = F.col(UNREAD) if UNREAD in raw.columns else F.lit(None).cast("string")
    given = {
        name: (F.col(name).isNotNull() if name in changed else F.lit(False))
        | F.get_json_object(unread, f"$.{name}").isNotNull()
        for name in _typed(schema)
    }
    return raw.withColumn(GIVEN, _struct({**given, UNREAD: unread.isNotNull()}))


def column(schema: StructType) -> Column:
    """Of the rows that the reader made, `_unfit`: which typed columns do not fit; and `unread`, if any was not read."""
    found = {}
    for name in _typed(schema):
        is_lost = F.col(f"{GIVEN}.{name}") & F.col(name).isNull()
        if isinstance(schema[name].dataType, (DateType, TimestampType)):
            is_lost |= F.coalesce(~F.year(name).between(1, 9999), F.lit(False))
        found[name] = is_lost
    return _struct({**found, UNREAD: F.col(f"{GIVEN}.{UNREAD}")}).alias(UNFIT)


def with_rule(rows: DataFrame, schema: StructType, broken_rules: Column) -> DataFrame:
    """Rows with `_rule`: why they can't be in the table, joined by `; `; empty for a good row.

    A column that one of the suite's rules names already gets no second reason.

    Args:
        rows: with `_unfit`.
        schema: of the table.
        broken_rules: names of the suite's row rules that a row breaks, each beginning with its column.
    """
    known = F.concat(F.lit("; "), F.col("_rule"))
    reasons = [
        F.when(F.col(f"{UNFIT}.{name}") & ~known.contains(f"; {name} "), F.lit(f"{name} {REASON}"))
        for name in _typed(schema)
    ]
    named = F.concat_ws("; ", F.nullif("_rule", F.lit("")), *reasons)
    whole = F.when(F.col(f"{UNFIT}.{UNREAD}") & (named == ""), F.lit(f"{UNREAD} {REASON}")).otherwise(named)
    return rows.withColumn("_rule", broken_rules).withColumn("_rule", whole).drop(UNFIT)


def _struct(columns: Mapping[str, Column]) -> Column:
    return F.struct(*[one.alias(name) for name, one in columns.items()])


def _typed(schema: StructType) -> list[str]:
    return [field.name for field in schema if not isinstance(field.dataType, StringType)]
