"""The newest state of each Salesforce account, typed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import (
    BooleanType,
    DecimalType,
    IntegerType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

from dq import rules, suite
from jobs.lake import session, tables, upsert
from jobs.lake.run import Run

SCHEMA = StructType(
    [
        StructField("id", StringType(), metadata={"comment": "Salesforce record id"}),
        StructField("account_number", StringType(), metadata={"comment": "number that orders carry"}),
        StructField("name", StringType(), metadata={"comment": "account name"}),
        StructField("type", StringType(), metadata={"comment": "account type"}),
        StructField("industry", StringType(), metadata={"comment": "industry"}),
        StructField("billing_country", StringType(), metadata={"comment": "country of the billing address"}),
        StructField("annual_revenue", DecimalType(18, 2), metadata={"comment": "US dollars a year"}),
        StructField("number_of_employees", IntegerType(), metadata={"comment": "employees"}),
        StructField("created_date", TimestampType(), metadata={"comment": "when created, UTC"}),
        StructField("last_modified_date", TimestampType(), metadata={"comment": "when a user changed it, UTC"}),
        StructField("system_modstamp", TimestampType(), metadata={"comment": "when anything changed it, UTC"}),
        StructField("is_deleted", BooleanType(), metadata={"comment": "in the recycle bin"}),
    ]
)


def build(run: Run) -> None:
    """Merges new states of accounts."""
    spark = session.spark(run.step)
    broken = rules.broken(suite.load(run.step))
    readers = {"bronze.salesforce_accounts": from_salesforce}
    upsert.upsert(spark, run, tables.table(run.step), SCHEMA, readers, broken)


def from_salesforce(raw: DataFrame) -> DataFrame:
    """Salesforce's text, typed; what is no value of its type becomes null and meets the suite's rules."""
    typed = {
        field.name: F.expr(f"try_cast(`{field.name}` AS {field.dataType.simpleString()})")
        for field in SCHEMA
        if not isinstance(field.dataType, (StringType, TimestampType))
    }
    # REST writes 2026-10-01T00:00:00.000+0000, Bulk 2.0 ends in Z: the cast reads both once +0000 is Z.
    times = {
        field.name: F.expr(f"try_cast(regexp_replace(`{field.name}`, '[+]0000$', 'Z') AS TIMESTAMP)")
        for field in SCHEMA
        if isinstance(field.dataType, TimestampType)
    }
    return raw.withColumns({**typed, **times})
