"""Text becomes a column's type exactly or not at all; a value that a silver column can't hold is never just null."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DataType,
    DateType,
    DecimalType,
    IntegerType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from jobs.lake import unfit
from tests.jobs.lakehouse import at, collect

MONEY = DecimalType(18, 2)
DRAWN = 400
NUMBERS = [
    "0", "-0", "12", " 12.30 ", "1.2E1", "+1e2", "1e15", "9999999999999999.99", "-9999999999999999.99", ".5", "5.",
    "1e16", "1E+16", "12345678901234567", "1.005", "0.001", "1e-3", "1e-99", "1E-999999999", "1E999999999", "1e", ".",
    "NaN", "nan", "Infinity", "-inf", "", " ", "1,000", "1_000", "0x10", "1\n2", "1d", "1f", "\u0661", "1" * 400,
    "0." + "0" * 30 + "1", "1234567890123456.78", "1234567890123456.781", "0.005", "-0.005", "None", "null",
]  # fmt: skip


def cast(spark: SparkSession, kind: DataType, texts: list[str]) -> list[Any]:
    rows = spark.createDataFrame([(text,) for text in texts], "text string").coalesce(1)
    return [row["made"] for row in collect(rows.select(unfit.cast("text", kind).alias("made")))]


def exactly(text: str) -> Decimal | None:
    """What two places and sixteen digits before them can hold of a number's text, by Python."""
    try:
        number = Decimal(text.strip()) if text.isascii() and "_" not in text else Decimal("NaN")
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > 15 or (number and number.adjusted() < -2):
        return None
    made = number.quantize(Decimal("0.01"))
    return made if made == number else None


def test_number_is_held_exactly_or_not_at_all(spark: SparkSession) -> None:
    drawing = random.Random(14)
    digits = [drawing.choice("-+ ") .strip() + "".join(drawing.choices("0123456789", k=drawing.randint(1, 18)))
              for _ in range(DRAWN)]  # fmt: skip
    drawn = [
        text[: (place := drawing.randint(1, len(text)))] + "." + text[place:] + drawing.choice(["", "e2", "E-1", "e+5"])
        for text in digits
    ]
    drawn += [repr(drawing.uniform(-1, 1) * 10 ** drawing.randint(-3, 20)) for _ in range(DRAWN)]
    texts = [*NUMBERS, *drawn]

    found = cast(spark, MONEY, texts)

    expected = [exactly(text) for text in texts]
    assert dict(zip(texts, found, strict=True)) == dict(zip(texts, expected, strict=True))
    assert 100 < sum(made is None for made in found) < len(found) - 100  # both kinds were drawn


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (IntegerType(), {"12": 12, "-1": -1, "2147483648": None, "12.7": None, "few": None, "": None, "1e2": None}),
        (BooleanType(), {"true": True, "false": False, "maybe": None, "": None}),
        (DateType(), {"2026-10-01": date(2026, 10, 1), "2026": None, "2026-10": None, "01.10.2026": None,
                      "2026-10-01T23:30:00-05:00": None, "2026-02-30": None, "20226-10-01": None}),
        (TimestampType(), {
            "2026-10-01T08:00:00.123+0000": at("2026-10-01 08:00:00.123"),
            "2026-10-01T08:00:00.123Z": at("2026-10-01 08:00:00.123"),
            "2026-10-01T08:00:00-0500": at("2026-10-01 13:00:00"),
            "2026-10-01T08:00:00+02:00": at("2026-10-01 06:00:00"),
            "2026-10-01 08:00": at("2026-10-01 08:00:00"),
            "2026-10-01T23:59:59.9999999Z": at("2026-10-01 23:59:59.999999"),
            "12:30": None, "T12:30:00": None, "2026": None, "2026-10-01": None, "soon": None, "": None,
            "2026-02-30T00:00:00Z": None, "2026-10-01T24:00:00Z": None, "2026-12-31T23:59:60Z": None,
            "20226-10-01T00:00:00Z": None, "+20226-10-01T00:00:00Z": None, "-0001-10-01T00:00:00Z": None,
        }),
    ],
    ids=["integer", "boolean", "date", "time"],
)  # fmt: skip
def test_text_of_each_type_is_read_or_null(spark: SparkSession, kind: DataType, known: dict[str, Any]) -> None:
    assert dict(zip(known, cast(spark, kind, list(known)), strict=True)) == known


def test_lost_values_and_far_times_are_reasons_unless_a_rule_names_the_column(spark: SparkSession) -> None:
    schema = StructType([StructField("id", StringType()), StructField("money", MONEY), StructField("day", DateType()),
                         StructField("paid_day", DateType())])  # fmt: skip
    raw = spark.createDataFrame(
        [("fits", "1.50", "1", "2026-10-01"), ("null is no loss", None, "1", None), ("lost", "1e16", "1", "2026-10-01"),
         ("both", "NaN", "1", "soon"), ("far", "1", "7000000", None), ("before", "1", "-719163", None),
         ("known", "much", "-719163", None)],
        "id string, money string, days string, paid_day string",
    ).coalesce(1)  # fmt: skip
    raw = raw.withColumn("day", F.date_add(F.lit("1970-01-01").cast("date"), F.col("days").cast("int")))

    made = unfit.with_given(raw, schema).withColumns(
        {name: unfit.cast(name, schema[name].dataType) for name in ("money", "paid_day")}
    )
    broken = F.when(F.col("id") == "known", "paid_day be_between; money not_be_null").otherwise("")
    found = unfit.with_rule(made.select(*schema.names, unfit.column(schema)), schema, broken)

    assert {row["id"]: row["_rule"] for row in found.select("id", "_rule").collect()} == {
        "fits": "",
        "null is no loss": "",
        "lost": "money does_not_fit",
        "both": "money does_not_fit; paid_day does_not_fit",
        "far": "day does_not_fit",
        "before": "day does_not_fit",
        "known": "paid_day be_between; money not_be_null; day does_not_fit",
    }
    assert unfit.UNFIT not in found.columns


def test_value_that_bronze_could_not_hold_does_not_fit_either(spark: SparkSession) -> None:
    schema = StructType([StructField("id", StringType()), StructField("money", MONEY), StructField("day", DateType())])
    raw = spark.createDataFrame(
        [("fits", Decimal("1.50"), None), ("null is no loss", None, None), ("lost", None, '{"money": "1"}'),
         ("both", None, '{"money": "1", "day": "later"}')],
        "id string, money decimal(18, 2), unread string",
    ).coalesce(1).withColumn("day", F.lit(None).cast("date"))  # fmt: skip

    def found(raw: DataFrame) -> dict[str, str]:
        made = unfit.with_given(raw, schema).select(*schema.names, unfit.column(schema))
        ruled = unfit.with_rule(made, schema, F.lit(""))
        return {row["id"]: row["_rule"] for row in ruled.select("id", "_rule").collect()}

    reasons = {"lost": "money does_not_fit", "both": "money does_not_fit; day does_not_fit"}
    assert found(raw) == {"fits": "", "null is no loss": "", **reasons}
    wider = raw.withColumn("money", F.col("money").cast("decimal(20, 2)"))
    assert found(wider) == found(raw), "the reader has to bring it into another type"
    elsewhere = raw.withColumn("unread", F.regexp_replace("unread", "money|day", "renamed"))
    assert found(elsewhere) == {"fits": "", "null is no loss": "", **dict.fromkeys(reasons, "unread does_not_fit")}
    assert set(found(raw.drop("unread")).values()) == {""}, "bronze of a release that had no such column"
