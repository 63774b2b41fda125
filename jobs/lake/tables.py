"""THE REGISTRY: every pipeline and every table of the lake, once. Standard library only, so that DAGs can import it.

A table's name is its registry key, its Glue name, its module (`jobs/silver/orders.py`), its suite
(`dq/suites/silver/orders.yaml`), its test (`tests/jobs/silver/test_orders.py`) and its folder in the lake.
To add a table, add a row here, and its module, suite and test. DAGs, the operator and the catalog stay as they are.
"""

from __future__ import annotations

from jobs.lake.registry import Pipeline, Schedule, Table, Upkeep, check

PLATFORM = "data-platform"

LAKEHOUSE = Pipeline(
    name="lakehouse",
    description="Orders, customers and exchange rates, from their sources to gold.",
    owner=PLATFORM,
    schedule=Schedule(
        "daily_lakehouse", "0 0 * * *", "Bronze, silver, gate, gold and catalog of the lakehouse, once a day."
    ),
    streams=Schedule(
        "orders_stream", "*/5 * * * *", "Keeps the Kafka stream of orders running, and fails when it does not do well."
    ),
    refresh=Schedule(
        "orders_refresh", "*/15 * * * *", "Streamed orders to silver, gate, gold and catalog, every 15 minutes."
    ),
    tables=(
        Table(
            name="bronze.fx_rates",
            description="ECB euro reference rates as published: one row per day and currency, text.",
            owner=PLATFORM,
            source="ecb/fx_rates",
            # ECB corrects a published rate within days; with a week of overlap, corrections are read.
            overlap_hours=7 * 24,
            minutes=20,
        ),
        Table(
            name="bronze.salesforce_accounts",
            description="Salesforce accounts as read, deleted ones included: one row per account and read, text.",
            owner=PLATFORM,
            source="salesforce/accounts",
            minutes=120,  # a first read waits for Salesforce's bulk jobs
            # A long transaction makes rows visible only when it commits, with stamps that were already read past.
            overlap_hours=1,
        ),
        Table(
            name="bronze.snowflake_orders",
            description="Snowflake ORDERS as read: one row per order and read.",
            owner=PLATFORM,
            source="snowflake/orders",
            minutes=180,  # a first read takes years of orders
            overlap_hours=1,
        ),
        Table(
            name="bronze.orders_events",
            description="Valid order events of the Kafka topic orders: one row per message.",
            owner=PLATFORM,
            source="kafka/orders",
            keys=("topic", "partition", "offset"),
            continuous=True,
        ),
        Table(
            name="bronze.orders_dlq",
            description="The dead-letter queue of the topic orders: messages that are not events, each with a reason.",
            owner=PLATFORM,
            source="kafka/orders",
            keys=("topic", "partition", "offset"),
            continuous=True,
            written_with="bronze.orders_events",
        ),
        Table(
            name="silver.fx_rates",
            description="US dollars per unit of a currency, by day of publication.",
            owner=PLATFORM,
            depends_on=("bronze.fx_rates",),
            keys=("ccy", "as_of_date"),
            zorder_by=("ccy", "as_of_date"),
            order_by=("published_at",),
            # Longer than ECB ever rests, shorter than a currency may move far. A change values all orders anew.
            valid_days=10,
        ),
        Table(
            name="silver.salesforce_accounts",
            description="The newest state of each Salesforce account.",
            owner=PLATFORM,
            depends_on=("bronze.salesforce_accounts",),
            keys=("id",),
            zorder_by=("account_number", "id"),
            order_by=("system_modstamp",),
        ),
        Table(
            name="silver.orders",
            description="The newest state of each order.",
            owner=PLATFORM,
            depends_on=("bronze.snowflake_orders", "bronze.orders_events"),
            keys=("order_id",),
            partition_by="order_month",
            zorder_by=("customer_id", "order_date"),
            order_by=("updated_at",),
            minutes=120,
        ),
        Table(
            name="gold.dim_customers",
            description="Customers by account number; one inferred member for each number seen only in orders.",
            owner=PLATFORM,
            depends_on=("silver.salesforce_accounts", "silver.orders"),
            keys=("id",),
            zorder_by=("id",),
            keys_from=(("silver.salesforce_accounts", "account_number"), ("silver.orders", "customer_id")),
        ),
        Table(
            name="gold.fact_orders",
            description="Orders in their own currency and in US dollars at the last rate on or before the order date.",
            owner=PLATFORM,
            depends_on=("silver.orders", "silver.fx_rates"),
            keys=("order_id",),
            partition_by="order_month",
            zorder_by=("customer_id", "order_date"),
            minutes=120,
        ),
    ),
)

PIPELINES: tuple[Pipeline, ...] = (LAKEHOUSE,)

DAILY_REPORT = Upkeep(
    name="report",
    owner=PLATFORM,
    schedule=Schedule(
        "daily_report", "0 6 * * *", "How the lakehouse did in the last 24 hours, as a page and as JSON."
    ),
    minutes=30,
)
HOUSEKEEPING = Upkeep(
    name="housekeeping",
    owner=PLATFORM,
    schedule=Schedule("weekly_housekeeping", "0 3 * * 0", "OPTIMIZE and VACUUM of every table, on Sundays."),
    minutes=360,
)
UPKEEP: tuple[Upkeep, ...] = (DAILY_REPORT, HOUSEKEEPING)
check(PIPELINES, UPKEEP)


def every() -> tuple[Table, ...]:
    """The tables of all pipelines."""
    return tuple(table for pipeline in PIPELINES for table in pipeline.tables)


def table(name: str) -> Table:
    """The table of this name.

    Raises:
        KeyError: no such table; the message lists those that exist.
    """
    for candidate in every():
        if candidate.name == name:
            return candidate
    raise KeyError(f"no table {name!r}; the registry has {', '.join(t.name for t in every())}")


def pipeline(name: str) -> Pipeline:
    """The pipeline of this name.

    Raises:
        KeyError: no such pipeline; the message lists those that exist.
    """
    for candidate in PIPELINES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no pipeline {name!r}; the registry has {', '.join(p.name for p in PIPELINES)}")


def pipeline_of(table: str) -> Pipeline:
    """The pipeline that a table belongs to."""
    return next(candidate for candidate in PIPELINES if table in {each.name for each in candidate.tables})


def layer(name: str) -> tuple[Table, ...]:
    """The tables of a layer, of all pipelines, in registry order."""
    return tuple(table for table in every() if table.layer == name)
