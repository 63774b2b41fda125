"""Small frames, and a suite of given rules to judge them by."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import IntegerType, StringType, StructField, StructType

from dq import validate
from dq.suite import Rule, Suite
from tests.jobs.lakehouse import frame

SCHEMA = StructType([StructField("id", StringType()), StructField("n", IntegerType())])
NOT_NULL = "expect_column_values_to_not_be_null"
UNIQUE = "expect_column_values_to_be_unique"
BOTH_UNIQUE = "expect_compound_columns_to_be_unique"


def table(spark: SparkSession, *ids: str | None) -> DataFrame:
    return frame(spark, [{"id": id_, "n": number} for number, id_ in enumerate(ids)], SCHEMA)


def judge(rows: DataFrame, *rules: Rule, whole: DataFrame | None = None) -> list[validate.Judgement]:
    return validate.validate(Suite("silver.x", rules, "d"), rows, whole if whole is not None else rows)
