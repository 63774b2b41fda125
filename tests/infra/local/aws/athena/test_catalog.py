"""Views, metadata statements, and external tables of files."""

from __future__ import annotations

import base64
import json

from tests.infra.local.aws.athena.lake import Lake
from tests.infra.local.aws.stand_in import BUCKET

JSON_SERDE = {"SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe"}


def texts(lake: Lake, sql: str) -> list[str]:
    """The lines of a SHOW or DESCRIBE, which have no header and one cell."""
    return [str(row[0]) for row in lake.result(sql)[1]]


def test_view_is_stored_in_glue_as_athena_stores_it_and_can_be_queried(lake: Lake) -> None:
    assert lake.result(
        "CREATE VIEW gold.paid AS SELECT order_id, amount / 2 AS half FROM orders WHERE status = 'PAID'"
    ) == ([], [])
    table = lake.glue.get_table(DatabaseName="gold", Name="paid")["Table"]
    assert table["TableType"] == "VIRTUAL_VIEW"
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("order_id", "string"),
        ("half", "decimal(18,2)"),
    ]
    definition = json.loads(base64.b64decode(table["ViewOriginalText"].split()[3]))
    assert definition["schema"] == "silver"
    assert definition["columns"][1] == {"name": "half", "type": "decimal(18,2)"}
    # Read from another database: a view's names belong to the one that it was made in.
    assert lake.rows("SELECT * FROM gold.paid ORDER BY 1", database="gold") == [["o1", "5.25"], ["o2", "1.13"]]
    assert "TABLE_ALREADY_EXISTS" in lake.failure("CREATE VIEW gold.paid AS SELECT 1 AS x")
    lake.result("CREATE OR REPLACE VIEW gold.paid AS SELECT count(*) AS n FROM orders")
    lake.result("CREATE OR REPLACE VIEW paid_again AS SELECT n + 1 AS n FROM gold.paid")
    assert lake.rows("SELECT n FROM paid_again") == [["4"]]
    assert texts(lake, "SHOW VIEWS IN gold") == ["paid"]
    lake.result("DROP VIEW gold.paid")
    assert lake.failure("SELECT * FROM paid_again").startswith("INVALID_VIEW: ")
    lake.result("DROP VIEW paid_again")
    assert "TABLE_NOT_FOUND" in lake.failure("DROP VIEW gold.paid")
    lake.result("DROP VIEW IF EXISTS gold.paid")


def test_show_and_describe_read_the_glue_catalog(lake: Lake) -> None:
    assert {"silver", "gold"} <= set(texts(lake, "SHOW DATABASES;"))
    assert texts(lake, "-- all of it\nSHOW TABLES IN gold") == ["dim_customers", "fact_orders"]
    assert texts(lake, "SHOW TABLES 'fx*'") == ["fx_rates"]
    assert "SCHEMA_NOT_FOUND" in lake.failure("SHOW TABLES IN nope")
    columns = [{"Name": "id", "Type": "string", "Comment": "the key"}, {"Name": "n", "Type": "bigint"}]
    lake.register("ops", "described", f"s3://{BUCKET}/x/", StorageDescriptor={"Columns": columns})
    assert lake.result("DESCRIBE ops.described") == (
        [("col_name", "string"), ("data_type", "string"), ("comment", "string")],
        [
            ["id                  \tstring              \tthe key             "],
            ["n                   \tbigint              \t                    "],
        ],
    )
    assert [line.strip() for line in texts(lake, "SHOW COLUMNS IN ops.described")] == ["id", "n"]
    execution = lake.wait(lake.start("SHOW DATABASES"))
    assert execution["StatementType"] == "DDL"
    assert execution["ResultConfiguration"]["OutputLocation"].endswith(".txt")
    lake.result("DROP TABLE ops.described")
    assert "TABLE_NOT_FOUND" in lake.failure("DESCRIBE ops.described")


def test_databases_can_be_created_and_dropped(lake: Lake) -> None:
    lake.result("CREATE DATABASE scratch")
    assert "SCHEMA_ALREADY_EXISTS" in lake.failure("CREATE SCHEMA scratch")
    lake.result("CREATE DATABASE IF NOT EXISTS scratch")
    assert lake.glue.get_database(Name="scratch")["Database"]["Name"] == "scratch"
    lake.result("DROP SCHEMA scratch")
    assert "SCHEMA_NOT_FOUND" in lake.failure("DROP SCHEMA scratch")


def test_json_lines_are_read_as_the_ledger_needs(lake: Lake) -> None:
    records = [
        {"step": "silver.orders", "read": 3, "inputs": {"bronze.orders": 7}, "ended_at": "2026-01-01 10:00:00.249600"},
        {"step": "gate", "windows": [{"start": "2026-01-01"}], "extra": 1},
    ]
    for index, record in enumerate(records):
        key = f"ops/run_ledger/{index}/{index}.json"
        lake.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(record) + "\n")
    lake.s3.put_object(Bucket=BUCKET, Key="ops/run_ledger/_tmp/x.json", Body=b"not to be read")
    types = {
        "step": "string",
        "read": "bigint",
        "inputs": "map<string,bigint>",
        "windows": "array<struct<start:date>>",
        "ended_at": "timestamp",
    }
    lake.register(
        "ops",
        "run_ledger",
        f"s3://{BUCKET}/ops/run_ledger/",
        StorageDescriptor={"Columns": [{"Name": k, "Type": v} for k, v in types.items()], "SerdeInfo": JSON_SERDE},
    )
    assert lake.rows("SELECT * FROM ops.run_ledger ORDER BY step DESC") == [
        ["silver.orders", "3", "{bronze.orders=7}", None, "2026-01-01 10:00:00.250"],
        ["gate", None, None, "[{start=2026-01-01}]", None],
    ]
    found = "SELECT step FROM ops.run_ledger WHERE ended_at = timestamp '2026-01-01 10:00:00.250'"
    assert lake.rows(found) == [["silver.orders"]]
    assert lake.rows("SELECT inputs['bronze.orders'] AS version FROM ops.run_ledger WHERE read > 0") == [["7"]]
    lake.s3.put_object(Bucket=BUCKET, Key="ops/run_ledger/bad.json", Body=b'{"step": \n')
    assert lake.failure("SELECT step FROM ops.run_ledger").startswith("HIVE_BAD_DATA: ")
    lake.s3.delete_object(Bucket=BUCKET, Key="ops/run_ledger/bad.json")


def test_external_table_without_files_is_empty(lake: Lake) -> None:
    columns = [{"Name": "step", "Type": "string"}, {"Name": "read", "Type": "bigint"}]
    lake.register(
        "ops", "empty", f"s3://{BUCKET}/ops/empty/", StorageDescriptor={"Columns": columns, "SerdeInfo": JSON_SERDE}
    )
    assert lake.result("SELECT * FROM ops.empty") == ([("step", "varchar"), ("read", "bigint")], [["step", "read"]])


def test_partitioned_csv_is_read_with_its_partitions(lake: Lake) -> None:
    for day, body in (("2026-01-01", 'id,text\n1,"a, b"\n'), ("2026-01-02", "id,text\n2,\n")):
        lake.s3.put_object(Bucket=BUCKET, Key=f"drops/day={day}/part.csv", Body=body)
    lake.register(
        "ops",
        "drops",
        f"s3://{BUCKET}/drops/",
        Parameters={"skip.header.line.count": "1"},
        PartitionKeys=[{"Name": "day", "Type": "date"}],
        StorageDescriptor={
            "Columns": [{"Name": "id", "Type": "int"}, {"Name": "text", "Type": "string"}],
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde"},
        },
    )
    columns, rows = lake.result("SELECT * FROM ops.drops WHERE day < date '2026-01-02'")
    assert columns == [("id", "integer"), ("text", "varchar"), ("day", "date")]
    assert rows[1:] == [["1", "a, b", "2026-01-01"]]
