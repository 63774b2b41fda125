"""Registers the lake's tables in the Glue catalog, from their Delta logs: no Spark.

`python -m jobs.catalog.register_glue_tables --db silver --lake-bucket B --region R`

Athena reads a Delta table's schema from its log, but views, DESCRIBE and Lake Formation read Glue's columns, so
both are kept equal on every run, and drift is reported.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.exceptions import ClientError

from jobs.catalog import ops_tables
from jobs.lake import errors, settings, tables
from jobs.lake.delta import log
from jobs.lake.registry import LAYERS as LAKE_LAYERS
from jobs.lake.registry import Table
from jobs.lake.run import Run

LAYERS = (*LAKE_LAYERS, "quarantine", "ops")
# Where Delta's type names and Hive's, which Glue uses, differ; the rest are the same words.
_HIVE_TYPES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
# Spark reads its schema back from table parameters of at most 4,000 characters.
_PART = 4000


@dataclass(frozen=True)
class Catalog:
    """One Glue catalog and the bucket whose tables it names."""

    glue: Any
    bucket: str

    def register(self, name: str, description: str) -> str | None:
        """Creates or updates one table.

        Returns:
            what was done, or None when the lake has no such table yet.
        """
        uri = f"s3://{self.bucket}/{name.replace('.', '/')}"
        found = log.open_table(uri)
        if found is None:
            return None
        short = name.partition(".")[2]
        return self.put(name, _table_input(short, description, uri, json.loads(found.schema().to_json())))

    def put(self, name: str, wanted: dict[str, Any]) -> str:
        """Makes the catalog's entry of a table what is wanted; tells what was done."""
        database, _, short = name.partition(".")
        self._database(database)
        present = self._table(database, short)
        if present is None:
            self.glue.create_table(DatabaseName=database, TableInput=wanted)
            return f"{name}: registered, {len(wanted['StorageDescriptor']['Columns'])} columns"
        drift = _drift(present, wanted)
        if drift:
            self.glue.update_table(DatabaseName=database, TableInput=wanted)
            return f"{name}: updated, Glue differed: {'; '.join(drift)}"
        return f"{name}: up to date"

    def _database(self, name: str) -> None:
        try:
            self.glue.get_database(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            # Trino and Spark refuse a database without a location.
            self.glue.create_database(DatabaseInput={"Name": name, "LocationUri": f"s3://{self.bucket}/{name}/"})

    def _table(self, database: str, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self.glue.get_table(DatabaseName=database, Name=name)["Table"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            return None
        return found


def register(catalog: Catalog, layers: tuple[str, ...]) -> list[str]:
    """Registers every table of these layers that the lake has, and what `ops` asks of it; gives a line for each."""
    lines = []
    for layer in layers:
        if layer == "ops":
            lines += [catalog.put(table.name, table.table_input(catalog.bucket)) for table in ops_tables.TABLES]
        for name, description in _names(layer):
            done = catalog.register(name, description)
            if done:
                lines.append(done)
    return lines


def register_all(_: Run) -> None:
    """Registers every layer of this process's lake."""
    print("\n".join(register(_catalog(), LAYERS)), flush=True)


def register_tables(wanted: Iterable[Table]) -> list[str]:
    """Registers these tables of this process's lake; gives a line for each that it has."""
    catalog = _catalog()
    return [done for table in wanted if (done := catalog.register(table.name, table.description))]


def _catalog() -> Catalog:
    return Catalog(boto3.client("glue"), settings.lake().bucket)


def _names(layer: str) -> list[tuple[str, str]]:
    if layer == "ops":
        return []
    if layer == "quarantine":
        return [(f"quarantine.{t.short}", f"Rows kept out of {t.name}.") for t in tables.layer("silver")]
    return [(t.name, t.description) for t in tables.layer(layer)]


def hive_type(delta_type: Any) -> str:
    """A Delta type, as its JSON schema has it, in Hive's words."""
    if isinstance(delta_type, str):
        return _HIVE_TYPES.get(delta_type, delta_type)
    if delta_type["type"] == "array":
        return f"array<{hive_type(delta_type['elementType'])}>"
    if delta_type["type"] == "map":
        return f"map<{hive_type(delta_type['keyType'])},{hive_type(delta_type['valueType'])}>"
    fields = ",".join(f"{field['name']}:{hive_type(field['type'])}" for field in delta_type["fields"])
    return f"struct<{fields}>"


def _table_input(name: str, description: str, uri: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The one form that Athena, EMR's Spark and Trino all accept (platform facts, measured on Trino 476)."""
    text = json.dumps(schema)
    parts = [text[begin : begin + _PART] for begin in range(0, len(text), _PART)]
    return {
        "Name": name,
        "Description": description,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {
            "EXTERNAL": "TRUE",
            "classification": "delta",
            "table_type": "delta",
            "spark.sql.sources.provider": "delta",
            "spark.sql.sources.schema.numParts": str(len(parts)),
            **{f"spark.sql.sources.schema.part.{number}": part for number, part in enumerate(parts)},
        },
        "StorageDescriptor": {
            "Columns": [
                {
                    "Name": field["name"],
                    "Type": hive_type(field["type"]),
                    "Comment": field.get("metadata", {}).get("comment", ""),
                }
                for field in schema["fields"]
            ],
            "Location": uri,
            "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"serialization.format": "1", "path": uri},
            },
        },
    }


def _drift(present: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What Glue has otherwise than the log, one phrase a column or place."""
    storage = present.get("StorageDescriptor", {})
    is_now = {column["Name"]: (column.get("Type"), column.get("Comment", "")) for column in storage.get("Columns", [])}
    should = {c["Name"]: (c["Type"], c["Comment"]) for c in wanted["StorageDescriptor"]["Columns"]}
    found = [f"column {name} is missing" for name in should if name not in is_now]
    found += [f"column {name} is not in the table" for name in is_now if name not in should]
    found += [
        f"column {name} is {is_now[name][0]}, the table has {should[name][0]}"
        if is_now[name][0] != should[name][0]
        else f"comment of column {name}"
        for name in should
        if name in is_now and is_now[name] != should[name]
    ]
    if list(is_now) != list(should) and not found:
        found.append("order of columns")
    for key in ("Location", "InputFormat", "OutputFormat", "SerdeInfo"):
        if storage.get(key) != wanted["StorageDescriptor"][key]:
            found.append(key)
    found += [key for key, value in wanted["Parameters"].items() if present.get("Parameters", {}).get(key) != value]
    if present.get("Description") != wanted["Description"]:
        found.append("description")
    return found


def main(arguments: list[str]) -> int:
    """The command line; exit code 1 when the lake has no table of the layer."""
    parser = argparse.ArgumentParser(prog="register_glue_tables", description=__doc__)
    parser.add_argument("--db", required=True, choices=LAYERS, help="layer, which is also the Glue database")
    parser.add_argument("--lake-bucket", required=True)
    parser.add_argument("--region", required=True)
    given = parser.parse_args(arguments)
    try:
        lines = register(Catalog(boto3.client("glue", region_name=given.region), given.lake_bucket), (given.db,))
    except Exception as error:
        code, line = errors.report(error)
        print(line, file=sys.stderr)
        return code
    if not lines:
        print(f"s3://{given.lake_bucket}/{given.db}/ holds no Delta table yet: run the pipeline first", file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
