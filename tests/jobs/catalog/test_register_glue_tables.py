"""Glue says what the Delta logs say, on every run."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pyarrow as pa
import pytest
from deltalake import write_deltalake
from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from jobs.catalog import entry, ops_tables, register_glue_tables
from jobs.catalog.catalog import Catalog
from jobs.lake import settings, tables
from jobs.lake.delta import writes
from jobs.lake.delta.commit_record import ENDS
from jobs.lake.errors import ConfigurationError
from jobs.lake.run import Run
from jobs.lake.schema import text
from jobs.silver import orders
from tests.jobs.lakehouse import land, order, put, silver_order

SILVER = "silver.orders"


@pytest.fixture
def glue(lake: str) -> Any:
    """An empty catalog: all tests share moto's catalog."""
    client: Any = boto3.client("glue")
    for database in client.get_databases()["DatabaseList"]:
        client.delete_database(Name=database["Name"])
    return client


def register(lake: str, glue: Any, layer: str = "silver") -> list[str]:
    return register_glue_tables.register_layers(Catalog(glue, lake), (layer,), tables.every())


def columns(glue: Any, table: str = SILVER) -> dict[str, tuple[str, str]]:
    database, _, name = table.partition(".")
    found = glue.get_table(DatabaseName=database, Name=name)["Table"]["StorageDescriptor"]["Columns"]
    return {column["Name"]: (column["Type"], column["Comment"]) for column in found}


def update(glue: Any, **changes: Any) -> None:
    """Someone changes the table's entry by hand."""
    entry = glue.get_table(DatabaseName="silver", Name="orders")["Table"]
    wanted = ("Name", "Description", "Owner", "TableType", "Parameters", "StorageDescriptor", "PartitionKeys")
    glue.update_table(DatabaseName="silver", TableInput={**{key: entry[key] for key in wanted}, **changes})


def test_table_is_registered_with_types_and_comments_of_its_log(spark: SparkSession, lake: str, glue: Any) -> None:
    writes.create(spark, settings.lake().uri(SILVER), orders.SCHEMA, "order_month", "d")

    assert register(lake, glue) == ["silver.orders: registered, 9 columns"]
    assert {name: kind for name, (kind, _) in columns(glue).items()} == {
        "order_id": "string",
        "customer_id": "string",
        "order_date": "date",
        "currency": "string",
        "amount": "decimal(18,2)",
        "status": "string",
        "updated_at": "timestamp",
        "source": "string",
        "order_month": "string",
    }
    assert columns(glue)["order_month"][1] == "YYYY-MM of order_date; partition"


def test_entry_has_the_form_that_athena_spark_and_trino_accept(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    register(lake, glue)

    table = glue.get_table(DatabaseName="silver", Name="orders")["Table"]
    place = f"s3://{lake}/silver/orders"
    assert (table["TableType"], table["PartitionKeys"]) == ("EXTERNAL_TABLE", [])
    assert table["Description"] == "The newest state of each order."
    expected = {
        "EXTERNAL": "TRUE",
        "classification": "delta",
        "table_type": "delta",
        "spark.sql.sources.provider": "delta",
    }
    assert expected.items() <= table["Parameters"].items()
    storage = table["StorageDescriptor"]
    assert storage["Location"] == storage["SerdeInfo"]["Parameters"]["path"] == place
    assert glue.get_database(Name="silver")["Database"]["LocationUri"] == f"s3://{lake}/silver/"
    parts = int(table["Parameters"]["spark.sql.sources.schema.numParts"])
    text = "".join(table["Parameters"][f"spark.sql.sources.schema.part.{part}"] for part in range(parts))
    assert StructType.fromJson(json.loads(text)).names == orders.SCHEMA.names


def test_second_run_finds_it_up_to_date(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    register(lake, glue)
    before = glue.get_table(DatabaseName="silver", Name="orders")["Table"]

    assert register(lake, glue) == ["silver.orders: up to date"]
    assert glue.get_table(DatabaseName="silver", Name="orders")["Table"] == before


def test_new_column_of_the_table_is_added(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    register(lake, glue)
    wider = pa.table({"order_id": ["O2"], "order_month": ["2026-10"], "channel": ["web"]})
    write_deltalake(
        settings.lake().uri(SILVER), wider, mode="append", schema_mode="merge",
        storage_options=settings.storage_options(),
    )  # fmt: skip

    assert register(lake, glue) == ["silver.orders: updated, Glue differed: column channel is missing; " + _SCHEMA_PART]
    assert columns(glue)["channel"] == ("string", "")
    assert register(lake, glue) == ["silver.orders: up to date"]


def test_column_that_a_release_adds_to_a_schema_reaches_the_catalog_with_comment_and_class(
    spark: SparkSession, lake: str, glue: Any
) -> None:
    uri = settings.lake().uri(SILVER)
    writes.create(spark, uri, orders.SCHEMA, "order_month", "d")
    register(lake, glue)
    wider = StructType([*orders.SCHEMA, text("channel", "where it was ordered", "confidential")])
    writes.create(spark, uri, wider, "order_month", "d")

    assert register(lake, glue) == ["silver.orders: updated, Glue differed: column channel is missing; " + _SCHEMA_PART]
    (entry,) = [
        column
        for column in glue.get_table(DatabaseName="silver", Name="orders")["Table"]["StorageDescriptor"]["Columns"]
        if column["Name"] == "channel"
    ]
    assert entry["Comment"] == "where it was ordered"
    assert entry["Parameters"] == {"class": "confidential"}


_SCHEMA_PART = "spark.sql.sources.schema.part.0"


def test_drift_is_reported_and_repaired(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    register(lake, glue)
    good = columns(glue)
    storage = glue.get_table(DatabaseName="silver", Name="orders")["Table"]["StorageDescriptor"]
    first, *rest = storage["Columns"]
    storage["Columns"] = [{**first, "Type": "int"}, *rest[:-1], {"Name": "ghost", "Type": "string", "Comment": ""}]
    storage["Location"] = "s3://elsewhere/orders"
    update(glue, StorageDescriptor=storage, Description="changed by hand")

    (line,) = register(lake, glue)

    for phrase in (
        "column order_month is missing",
        "column ghost is not in the table",
        "column order_id is int, the table has string",
        "Location",
        "description",
    ):
        assert phrase in line
    assert columns(glue) == good
    assert register(lake, glue) == ["silver.orders: up to date"]


def test_description_that_changed_in_the_registry_is_brought_up_to_date(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    Catalog(glue, lake).register(SILVER, "before", "team")

    assert (
        Catalog(glue, lake).register(SILVER, "after", "others")
        == "silver.orders: updated, Glue differed: description; owner"
    )


def test_owner_and_classes_of_columns_are_in_the_catalog_and_their_loss_is_repaired(
    spark: SparkSession, lake: str, glue: Any
) -> None:
    writes.create(spark, settings.lake().uri(SILVER), orders.SCHEMA, "order_month", "d")
    register(lake, glue)

    def classes() -> dict[str, str]:
        storage = glue.get_table(DatabaseName="silver", Name="orders")["Table"]["StorageDescriptor"]
        return {c["Name"]: c.get("Parameters", {}).get("class", "") for c in storage["Columns"]}

    entry = glue.get_table(DatabaseName="silver", Name="orders")["Table"]
    assert entry["Owner"] == tables.table(SILVER).owner
    assert classes() == {field.name: field.metadata["class"] for field in orders.SCHEMA}

    storage = entry["StorageDescriptor"]
    bare = [{key: value for key, value in c.items() if key != "Parameters"} for c in storage["Columns"]]
    update(glue, StorageDescriptor={**storage, "Columns": bare})
    (line,) = register(lake, glue)
    assert "comment or class of column amount" in line
    assert classes()["amount"] == "confidential"


def test_order_of_columns_is_drift(lake: str, glue: Any) -> None:
    put(SILVER, [silver_order()])
    register(lake, glue)
    storage = glue.get_table(DatabaseName="silver", Name="orders")["Table"]["StorageDescriptor"]
    update(glue, StorageDescriptor={**storage, "Columns": storage["Columns"][::-1]})

    assert register(lake, glue) == ["silver.orders: updated, Glue differed: order of columns"]


def test_every_layer_is_registered_with_the_quarantine(
    spark: SparkSession, lake: str, glue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    land(spark, "bronze.snowflake_orders", "b1", [order()])
    put(SILVER, [silver_order()])
    quarantine = pa.table({"row_id": ["1"]})
    write_deltalake(settings.lake().uri("quarantine.orders"), quarantine, storage_options=settings.storage_options())

    register_glue_tables.register(Run("run", "register"))
    with pytest.raises(ConfigurationError, match="no pipeline 'nowhere'; there are lakehouse"):
        register_glue_tables.register(Run("run", "register", subject="nowhere"))

    registered = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    ops = [f"{table.name}{end}" for table in ops_tables.TABLES for end in ("_history", "_recent", "")]
    assert registered == ["bronze.snowflake_orders", SILVER, "quarantine.orders", *ops]


@pytest.mark.parametrize(
    ("delta_type", "hive"),
    [
        ("string", "string"),
        ("long", "bigint"),
        ("integer", "int"),
        ("short", "smallint"),
        ("byte", "tinyint"),
        ("decimal(18,2)", "decimal(18,2)"),
        ("timestamp", "timestamp"),
        ({"type": "array", "elementType": "long"}, "array<bigint>"),
        ({"type": "map", "keyType": "string", "valueType": "integer"}, "map<string,int>"),
        (
            {"type": "struct", "fields": [{"name": "a", "type": "long"}, {"name": "b", "type": "string"}]},
            "struct<a:bigint,b:string>",
        ),
    ],
    ids=str,
)
def test_delta_types_become_hives_types(delta_type: Any, hive: str) -> None:
    assert entry.hive_type(delta_type) == hive


def command(lake: str, layer: str = "silver") -> int:
    return register_glue_tables.main(["--db", layer, "--lake-bucket", lake, "--region", "eu-west-1"])


def test_what_happened_is_registered_as_views_over_objects_and_history(lake: str, glue: Any) -> None:
    assert command(lake, "ops") == 0

    ledger, recent, history = (
        glue.get_table(DatabaseName="ops", Name=f"run_ledger{end}")["Table"] for end in ("", "_recent", "_history")
    )
    columns = [column["Name"] for column in ledger["StorageDescriptor"]["Columns"]]
    assert {"read", *ENDS, "dag_id", "inputs", "window_start", "window_end", "run_id", "bytes_written"} <= set(columns)
    assert recent["StorageDescriptor"]["Location"] == f"s3://{lake}/ops/run_ledger/"
    assert columns == [column["Name"] for column in recent["StorageDescriptor"]["Columns"]] + ["day"]
    assert history["StorageDescriptor"]["Location"] == f"s3://{lake}/ops/run_ledger_history"
    assert {*columns, "month", "object_key", "content"} == {c["Name"] for c in history["StorageDescriptor"]["Columns"]}
    types = {column["Name"]: column["Type"] for column in history["StorageDescriptor"]["Columns"]}
    assert all(types[c["Name"]] == c["Type"] for c in ledger["StorageDescriptor"]["Columns"])
    assert command(lake, "ops") == 0  # again


def test_what_happened_is_partitioned_by_day_without_anyone_adding_a_partition(lake: str, glue: Any) -> None:
    command(lake, "ops")

    for name, folder in (("run_ledger_recent", "ops/run_ledger"), ("dq_results_recent", "gold/quality")):
        table = glue.get_table(DatabaseName="ops", Name=name)["Table"]
        assert [key["Name"] for key in table["PartitionKeys"]] == ["day"]
        projection = table["Parameters"]
        assert projection["projection.enabled"] == "true"
        assert (projection["projection.day.type"], projection["projection.day.format"]) == ("date", "yyyy-MM-dd")
        assert projection["projection.day.range"].endswith(",NOW+1DAYS")
        assert projection["storage.location.template"] == f"s3://{lake}/{folder}/day=${{day}}/"


EARLIER: dict[str, dict[str, Any]] = {
    "0.1.0": {"PartitionKeys": [], "Parameters": {"EXTERNAL": "TRUE", "classification": "json"}},
    "0.2.0": {},
}


@pytest.mark.parametrize("entry", EARLIER.values(), ids=EARLIER)
def test_table_of_an_earlier_release_becomes_a_view_and_stays_one(lake: str, glue: Any, entry: dict[str, Any]) -> None:
    glue.create_database(DatabaseInput={"Name": "ops"})
    for table in ops_tables.TABLES:
        earlier = {**table.table_input(lake), "Name": table.name.partition(".")[2], "Description": table.description}
        parameters = {**earlier["Parameters"], "lake.owner": "someone"}
        glue.create_table(DatabaseName="ops", TableInput={**earlier, "Parameters": parameters, **entry})

    first, again = (register(lake, glue, "ops") for _ in range(2))

    assert [line.split(";")[0] for line in first if ", Glue differed" in line] == [
        "ops.run_ledger: updated, Glue differed: column day is missing",
        "ops.dq_results: updated, Glue differed: column day is missing",
    ]
    assert all(line.endswith(": up to date") for line in again)
    assert len(again) == 6
    found = glue.get_table(DatabaseName="ops", Name="run_ledger")["Table"]
    assert found["TableType"] == "VIRTUAL_VIEW"
    assert found["PartitionKeys"] == []
    assert {key for key in found["Parameters"] if key not in ("lake.owner", "sluice.first_open_day")} == {
        "presto_view",
        "comment",
    }, "nothing that Athena would take for a table of files"
    assert "SerializationLibrary" not in found["StorageDescriptor"]["SerdeInfo"]


def test_command_line_registers_one_layer_without_spark(
    lake: str, glue: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(SILVER, [silver_order()])
    monkeypatch.delenv("SLUICE_LAKE_BUCKET")

    assert command(lake) == 0
    assert capsys.readouterr().out == "silver.orders: registered, 9 columns\n"


def test_layer_without_any_table_exits_with_one_and_says_so(
    lake: str, glue: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(lake, "gold") == 1
    assert f"s3://{lake}/gold/ holds no Delta table" in capsys.readouterr().err
    assert glue.get_databases()["DatabaseList"] == []
