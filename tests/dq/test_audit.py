"""A gold table's own gate, before its commit."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import boto3
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from dq import audit
from jobs.lake.errors import ConfigurationError, GateError
from jobs.lake.run import Run
from jobs.lake.state import objects
from tests.jobs.lakehouse import frame, schema_of

RUN = Run("run-1", "gold.fact_orders")


def facts(spark: SparkSession, **other: Any) -> DataFrame:
    row = {
        "order_id": "O1",
        "customer_id": "C1",
        "order_date": date(2026, 10, 1),
        "amount_native": Decimal("1.00"),
        "amount_usd": Decimal("1.10"),
        "fx_as_of_date": date(2026, 10, 1),
        **other,
    }
    return frame(spark, [row], schema_of("gold.fact_orders"))


def test_rows_that_keep_the_rules_pass_and_the_result_is_written(spark: SparkSession, lake: str) -> None:
    audit.of(RUN)(facts(spark), facts(spark))

    (entry,) = boto3.client("s3").list_objects_v2(Bucket=lake, Prefix="gold/quality/")["Contents"]
    assert "/fact_orders/" in entry["Key"]
    content = objects.read_json(entry["Key"])
    assert (content["table_name"], content["success"], content["version"]) == ("gold.fact_orders", True, None)


@pytest.mark.parametrize(
    ("broken", "rule"),
    [
        ({"customer_id": None}, "customer_id not_be_null"),
        ({"fx_as_of_date": date(2026, 10, 2)}, "order_date fx_as_of_date"),
    ],
    ids=["null customer", "a later day's rate"],
)
def test_rows_that_break_a_critical_rule_are_refused(
    spark: SparkSession, lake: str, broken: dict[str, Any], rule: str
) -> None:
    rows = facts(spark, **broken)

    with pytest.raises(GateError, match=rf"gold\.fact_orders was not published\. .*critical: {rule}"):
        audit.of(RUN)(rows, rows)


def test_table_without_a_suite_can_not_be_audited() -> None:
    with pytest.raises(ConfigurationError, match=r"gold\.nothing has no suite"):
        audit.of(Run("run-1", "gold.nothing"))


@pytest.mark.slow
@pytest.mark.usefixtures("lake")
def test_whole_table_is_judged_beside_the_rows_and_made_once(spark: SparkSession) -> None:
    rows, made = facts(spark), spark.sparkContext.accumulator(0)

    def count(order_id: str) -> str:
        made.add(1)
        return order_id

    whole = rows.withColumn("order_id", F.udf(count, "string")("order_id"))
    audit.of(RUN)(rows, whole)
    assert made.value == 1

    with pytest.raises(GateError, match=r"critical: order_id be_unique"):
        audit.of(RUN)(rows, whole.unionByName(rows))
