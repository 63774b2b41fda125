"""The newest state of each Salesforce account, typed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, DecimalType, IntegerType, StringType, StructType, TimestampType

from jobs.lake import unfit
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
    """Salesforce's text with types. A text that does not fit its type becomes null: the row goes to quarantine.

    REST writes 2026-10-01T00:00:00.000+0000, and Bulk 2.0 ends in Z.
    """
    typed = [field for field in SCHEMA if not isinstance(field.dataType, StringType)]
    rows = raw.withColumns({field.name: unfit.cast(field.name, field.dataType) for field in typed})
    # A record that was deleted for good keeps the time of its last change. Within one read, it was live before it was
    # found to be gone.
    found_gone = F.col("_ingested_at") + F.expr("INTERVAL 1 MICROSECOND")
    return rows.withColumn("_ingested_at", F.when(F.col("is_deleted"), found_gone).otherwise(F.col("_ingested_at")))


READERS = {"bronze.salesforce_accounts": from_salesforce}
