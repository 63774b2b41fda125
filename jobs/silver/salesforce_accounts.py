"""The newest state of each Salesforce account, typed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DecimalType, IntegerType, StringType, StructType, TimestampType

from jobs.lake.schema import column, text

SCHEMA = StructType(
    [
        text("id", "Salesforce record id"),
        text("account_number", "number that orders carry", "confidential"),
        text("name", "account name", "confidential"),
        text("type", "account type"),
        text("industry", "industry"),
        text("billing_country", "country of the billing address"),
        column("annual_revenue", DecimalType(18, 2), "US dollars a year", "confidential"),
        column("number_of_employees", IntegerType(), "employees"),
        column("created_date", TimestampType(), "when created, UTC"),
        column("last_modified_date", TimestampType(), "when a user changed it, UTC"),
        column("system_modstamp", TimestampType(), "when anything changed it, UTC"),
        column("is_deleted", BooleanType(), "in the recycle bin"),
    ]
)


def from_salesforce(raw: DataFrame) -> DataFrame:
    """Salesforce's text with types. A text that does not fit its type becomes null, which the suite's rules judge."""
    typed = {
        field.name: F.expr(f"try_cast(`{field.name}` AS {field.dataType.simpleString()})")
        for field in SCHEMA
        if not isinstance(field.dataType, (StringType, TimestampType))
    }
    # REST writes 2026-10-01T00:00:00.000+0000, and Bulk 2.0 ends in Z. The cast can read both after +0000 became Z.
    times = {
        field.name: F.expr(f"try_cast(regexp_replace(`{field.name}`, '[+]0000$', 'Z') AS TIMESTAMP)")
        for field in SCHEMA
        if isinstance(field.dataType, TimestampType)
    }
    rows = raw.withColumns({**typed, **times})
    # A record that was deleted for good keeps the time of its last change. Within one read, it was live before it was
    # found to be gone.
    found_gone = F.col("_ingested_at") + F.expr("INTERVAL 1 MICROSECOND")
    return rows.withColumn("_ingested_at", F.when(F.col("is_deleted"), found_gone).otherwise(F.col("_ingested_at")))


READERS = {"bronze.salesforce_accounts": from_salesforce}
