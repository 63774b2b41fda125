"""A small lake that deltalake writes and Glue knows, and a client of Athena on it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pyarrow as pa
from deltalake import write_deltalake

from infra.local.addresses import REGION
from infra.local.polling import wait_until
from tests.infra.local.aws.stand_in import BUCKET, Server

DONE = ("SUCCEEDED", "FAILED", "CANCELLED")
OUTPUT = f"s3://{BUCKET}/athena/"
UTC_MICROSECONDS = pa.timestamp("us", "UTC")

ORDERS = pa.table(
    {
        "order_id": ["o1", "o2", "o3"],
        "customer_id": ["c1", "c1", "c2"],
        "order_date": [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 3)],
        "currency": ["EUR", "USD", "GBP"],
        "amount": pa.array([Decimal("10.50"), Decimal("2.25"), None], pa.decimal128(18, 2)),
        "status": ["PAID", "PAID", "PLACED"],
        "updated_at": pa.array([dt.datetime(2026, 1, 5, 10, 0, 0, 123567, dt.UTC)] * 3, UTC_MICROSECONDS),
        "lines": pa.array([1, 2, 7], pa.int32()),
        "weight": [0.5, 33.333, 1e10],
        "gift": [True, False, None],
    }
)
RATES = pa.table(
    {"ccy": ["EUR", "GBP"], "as_of_date": [dt.date(2026, 1, 2), dt.date(2026, 1, 3)], "usd_rate": [1.1, 1.3]}
)
ACCOUNTS = pa.table({"id": ["001"], "account_number": ["c1"], "name": ["Ada"]})
FACTS = pa.table(
    {
        "order_id": ["o1", "o2", "o3"],
        "customer_id": ["c1", "c1", "c2"],
        "order_date": [dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 3)],
        "currency": ["EUR", "USD", "GBP"],
        "amount_native": pa.array([Decimal("10.50"), Decimal("2.25"), None], pa.decimal128(18, 2)),
        "amount_usd": pa.array([Decimal("11.555000"), Decimal("2.250000"), None], pa.decimal128(18, 6)),
        "status": ["PAID", "PAID", "PLACED"],
    }
)
CUSTOMERS = pa.table({"id": ["c1", "c2"], "name": ["Ada", "Bo"], "type": ["Customer", None]})


class Lake:
    """Writes tables and asks Athena."""

    def __init__(self, server: Server) -> None:
        self.glue = server.client("glue")
        self.athena = server.client("athena")
        self.s3 = server.client("s3")
        self._storage = {
            "AWS_ENDPOINT_URL": server.addresses.aws,
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
        }

    def fill(self) -> None:
        for database in ("silver", "gold", "ops"):
            self.glue.create_database(DatabaseInput={"Name": database})
        self.delta("silver", "orders", ORDERS)
        self.delta("silver", "fx_rates", RATES)
        self.delta("silver", "salesforce_accounts", ACCOUNTS)
        self.delta("gold", "fact_orders", FACTS)
        self.delta("gold", "dim_customers", CUSTOMERS)

    def delta(self, database: str, name: str, table: pa.Table) -> None:
        location = f"s3://{BUCKET}/{database}/{name}"
        write_deltalake(location, table, storage_options=self._storage)
        self.register(database, name, location, Parameters={"table_type": "DELTA"})

    def register(self, database: str, name: str, location: str, **table: Any) -> None:
        """Creates a Glue table. `table` has its other settings, with a StorageDescriptor without Location."""
        descriptor = {"Location": location, **table.pop("StorageDescriptor", {})}
        table = {"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": descriptor, **table}
        self.glue.create_table(DatabaseName=database, TableInput=table)

    def start(self, sql: str, database: str = "silver", **request: Any) -> str:
        request = {"ResultConfiguration": {"OutputLocation": OUTPUT}, **request}
        query_id: str = self.athena.start_query_execution(
            QueryString=sql, QueryExecutionContext={"Database": database}, **request
        )["QueryExecutionId"]
        return query_id

    def execution(self, query_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return found

    def is_running(self, query_id: str) -> bool:
        return bool(self.execution(query_id)["Status"]["State"] == "RUNNING")

    def wait(self, query_id: str) -> dict[str, Any]:
        wait_until(lambda: self.execution(query_id)["Status"]["State"] in DONE, seconds=60, pause=0.05)
        return self.execution(query_id)

    def result(self, sql: str, **request: Any) -> tuple[list[tuple[str, str]], list[list[str | None]]]:
        """(name, type) of the columns, and the rows, with the header if Athena gives one."""
        query_id = self.start(sql, **request)
        execution = self.wait(query_id)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        result = self.athena.get_query_results(QueryExecutionId=query_id)["ResultSet"]
        columns = [(info["Name"], info["Type"]) for info in result["ResultSetMetadata"]["ColumnInfo"]]
        return columns, [[cell.get("VarCharValue") for cell in row["Data"]] for row in result["Rows"]]

    def rows(self, sql: str, **request: Any) -> list[list[str | None]]:
        """The rows of a SELECT."""
        columns, rows = self.result(sql, **request)
        assert rows[0] == [name for name, _ in columns]
        return rows[1:]

    def failure(self, sql: str, **request: Any) -> str:
        """The reason why a statement fails."""
        execution = self.wait(self.start(sql, **request))
        assert execution["Status"]["State"] == "FAILED"
        assert execution["Status"]["AthenaError"]["ErrorMessage"] == execution["Status"]["StateChangeReason"]
        return str(execution["Status"]["StateChangeReason"])
