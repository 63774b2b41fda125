"""The registry: every table of the lake, once. Standard library only, so that DAGs can import it.

A table's name is its registry key, its Glue name, its module (`jobs/silver/orders.py`), its suite
(`dq/suites/silver/orders.yaml`), its test (`tests/jobs/silver/test_orders.py`) and its folder in the lake.
Adding a table means adding a row here and those four files: never a DAG, the operator or the catalog.
"""

from __future__ import annotations

from dataclasses import dataclass

LAYERS = ("bronze", "silver", "gold")


@dataclass(frozen=True)
class Table:
    """One Delta table.

    Attributes:
        name: `<layer>.<table>`.
        description: one sentence for the catalog and the UI.
        depends_on: tables that its step reads.
        keys: columns that identify a row; bronze has none, but for messages.
        partition_by: partition columns, coarse enough to give files of useful size.
        zorder_by: columns by which housekeeping clusters files.
        order_by: columns, most significant first, by which the newest version of a key wins.
        source: for bronze: `<source>/<object>`, the folder of its watermark under `_checkpoints/`.
        overlap_hours: for bronze: how far before the watermark a scheduled run reads again.
        retention_days: history that housekeeping keeps.
        continuous: written by a stream that runs all the time; no task of a pipeline run builds it, and a table that
            reads it does so from when it is there.
        written_with: the table whose step writes this one as well; None for a step of its own.
        pipeline: the DAG family that the table belongs to.
    """

    name: str
    description: str
    depends_on: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    zorder_by: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    source: str | None = None
    overlap_hours: int = 0
    retention_days: int = 30
    continuous: bool = False
    written_with: str | None = None
    pipeline: str = "lakehouse"

    def __post_init__(self) -> None:
        if self.layer not in LAYERS or not self.short.isidentifier():
            raise ValueError(f"{self.name}: a table's name is <layer>.<table>, the layer one of {LAYERS}")
        if (self.layer == "bronze") != (self.source is not None):
            raise ValueError(f"{self.name}: exactly the bronze tables have a source")
        if (self.layer != "bronze" or self.continuous) != bool(self.keys):
            raise ValueError(f"{self.name}: silver and gold tables and streams have keys, bronze batches have none")

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def short(self) -> str:
        return self.name.partition(".")[2]

    @property
    def module(self) -> str:
        """The Python module that builds the table."""
        return f"jobs.{self.name}"


TABLES: tuple[Table, ...] = (
    Table(
        name="bronze.fx_rates",
        description="ECB euro reference rates as published: one row per day and currency, text.",
        source="ecb/fx_rates",
        # ECB corrects a published rate within days; a week of overlap reads corrections again.
        overlap_hours=7 * 24,
        partition_by=("_batch_id",),
    ),
    Table(
        name="bronze.salesforce_accounts",
        description="Salesforce accounts as read, deleted ones included: one row per account and read, text.",
        source="salesforce/accounts",
        # Rows stamped before the cursor become visible late while long transactions commit.
        overlap_hours=1,
        partition_by=("_batch_id",),
    ),
    Table(
        name="bronze.snowflake_orders",
        description="Snowflake ORDERS as read: one row per order and read.",
        source="snowflake/orders",
        overlap_hours=1,
        partition_by=("_batch_id",),
    ),
    Table(
        name="bronze.orders_events",
        description="Valid order events of the Kafka topic orders: one row per message.",
        source="kafka/orders",
        keys=("topic", "partition", "offset"),
        continuous=True,
    ),
    Table(
        name="bronze.orders_dlq",
        description="The dead-letter queue of the topic orders: messages that are no event, each with its reason.",
        source="kafka/orders",
        keys=("topic", "partition", "offset"),
        continuous=True,
        written_with="bronze.orders_events",
    ),
    Table(
        name="silver.fx_rates",
        description="US dollars per unit of a currency, by day of publication.",
        depends_on=("bronze.fx_rates",),
        keys=("ccy", "as_of_date"),
        order_by=("published_at",),
    ),
    Table(
        name="silver.salesforce_accounts",
        description="The newest state of each Salesforce account.",
        depends_on=("bronze.salesforce_accounts",),
        keys=("id",),
        zorder_by=("id",),
        # A record that was deleted for good keeps the time of its last change: deleted wins over live then.
        order_by=("system_modstamp", "is_deleted"),
    ),
    Table(
        name="silver.orders",
        description="The newest state of each order.",
        depends_on=("bronze.snowflake_orders", "bronze.orders_events"),
        keys=("order_id",),
        partition_by=("order_month",),
        zorder_by=("order_id",),
        order_by=("updated_at",),
    ),
    Table(
        name="gold.dim_customers",
        description="Customers by account number; one inferred member for each number seen only in orders.",
        depends_on=("silver.salesforce_accounts", "silver.orders"),
        keys=("id",),
    ),
    Table(
        name="gold.fact_orders",
        description="Orders in their own currency and in US dollars at the last rate on or before the order date.",
        depends_on=("silver.orders", "silver.fx_rates"),
        keys=("order_id",),
        partition_by=("order_month",),
        zorder_by=("order_date", "customer_id"),
    ),
)


def table(name: str) -> Table:
    """The table of this name.

    Raises:
        KeyError: no such table; the message lists those there are.
    """
    for candidate in TABLES:
        if candidate.name == name:
            return candidate
    raise KeyError(f"no table {name!r}; the registry has {', '.join(t.name for t in TABLES)}")


def reached_by_streams() -> tuple[str, ...]:
    """Names of the tables that a stream's messages come to: those that read a continuous table, and so on."""
    reached = {table.name for table in TABLES if table.continuous}
    for table in TABLES:  # dependencies come before their dependents
        if reached & set(table.depends_on):
            reached.add(table.name)
    return tuple(table.name for table in TABLES if table.name in reached and not table.continuous)


def layer(name: str, pipeline: str | None = None) -> tuple[Table, ...]:
    """The tables of a layer, in registry order; of one pipeline if named."""
    return tuple(t for t in TABLES if t.layer == name and pipeline in (None, t.pipeline))
