"""Customers by account number, with an inferred member for each number that appears only in orders."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DecimalType, IntegerType, StructType, TimestampType

from jobs.lake import computed
from jobs.lake.delta.changes import AFTER, BEFORE, after
from jobs.lake.publish import AffectedRows
from jobs.lake.schema import column, text

SCHEMA = StructType(
    [
        text("id", "account number; orders carry it as customer_id", "confidential"),
        text("salesforce_id", "record behind it; null when inferred"),
        text("name", "account name", "confidential"),
        text("type", "account type"),
        text("industry", "industry"),
        text("billing_country", "country of the billing address"),
        column("annual_revenue", DecimalType(18, 2), "US dollars a year", "confidential"),
        column("number_of_employees", IntegerType(), "employees"),
        column("is_deleted", BooleanType(), "in Salesforce's recycle bin"),
        column("is_inferred", BooleanType(), "known from orders only"),
        column("updated_at", TimestampType(), "Salesforce's last change, UTC"),
    ]
)


def compute(inputs: Mapping[str, DataFrame]) -> DataFrame:
    """One row per account number. Of several accounts with one number, a live one wins, and then the newest."""
    first = Window.partitionBy("account_number").orderBy(
        F.col("is_deleted").asc(), F.col("system_modstamp").desc(), F.col("id").desc()
    )
    known = (
        inputs["silver.salesforce_accounts"]
        .filter(F.col("account_number").isNotNull())
        .withColumn("_rank", F.row_number().over(first))
        .filter(F.col("_rank") == 1)
        .select(
            F.col("account_number").alias("id"),
            F.col("id").alias("salesforce_id"),
            "name",
            "type",
            "industry",
            "billing_country",
            "annual_revenue",
            "number_of_employees",
            "is_deleted",
            F.lit(False).alias("is_inferred"),
            F.col("system_modstamp").alias("updated_at"),
        )
    )
    seen = inputs["silver.orders"].select(F.col("customer_id").alias("id")).filter("id IS NOT NULL").distinct()
    inferred = seen.join(known.select("id"), "id", "left_anti").select(
        "id",
        F.concat(F.lit("Unknown customer "), F.col("id")).alias("name"),
        F.lit(False).alias("is_deleted"),
        F.lit(True).alias("is_inferred"),
    )
    return known.unionByName(inferred, allowMissingColumns=True)


def affected(changed: Mapping[str, DataFrame], inputs: Mapping[str, DataFrame]) -> AffectedRows:
    """Account numbers that a changed account or order has or had.

    Cost grows with these numbers and with the accounts, because several accounts may have one number. A number that
    no account and no changed order has now may still be in an unchanged order. Only for such numbers are all orders
    searched, by one column.
    """
    accounts, orders = inputs["silver.salesforce_accounts"], inputs["silver.orders"]
    numbers = [
        changed[table].select(F.col(f"{state}.{column}").alias("id"))
        for table, column in (("silver.salesforce_accounts", "account_number"), ("silver.orders", "customer_id"))
        for state in (BEFORE, AFTER)
    ]
    ids = computed.once(reduce(DataFrame.union, numbers).filter("id IS NOT NULL").distinct())
    known = computed.once(accounts.join(ids, accounts["account_number"] == ids["id"], "left_semi"))
    seen = after(changed["silver.orders"]).select(F.col("customer_id").alias("id")).distinct()
    unsure = ids.join(known.select(F.col("account_number").alias("id")), "id", "left_anti").join(
        seen, "id", "left_anti"
    )
    if not unsure.isEmpty():
        elsewhere = orders.join(unsure, orders["customer_id"] == unsure["id"], "left_semi")
        seen = seen.union(elsewhere.select(F.col("customer_id").alias("id")).distinct())
    ordering = seen.withColumnRenamed("id", "customer_id")
    return AffectedRows(ids, {"silver.salesforce_accounts": known, "silver.orders": ordering})
