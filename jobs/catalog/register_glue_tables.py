"""Registers the lake's tables in the Glue catalog, from their Delta logs: no Spark.

`python -m jobs.catalog.register_glue_tables --db silver --lake-bucket B --region R`

Athena reads a Delta table's schema from its log, but views, DESCRIBE and Lake Formation read Glue's columns. So every
run makes both equal again, and reports where they differed.
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

from jobs.catalog import earlier_objects, ops_tables
from jobs.lake import errors, settings, tables
from jobs.lake.delta import log
from jobs.lake.registry import LAYERS as LAKE_LAYERS
from jobs.lake.registry import Table
from jobs.lake.run import Run

LAYERS = (*LAKE_LAYERS, "quarantine", "ops")
# Delta's type names that differ from Hive's, which Glue uses.
_HIVE_TYPES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
# Spark reads its schema from table parameters of at most 4,000 characters each.
_PART = 4000


@dataclass(frozen=True)
class Catalog:
    """One Glue catalog, and the bucket whose tables it lists."""

    glue: Any
    bucket: str

    def register(self, name: str, description: str, owner: str) -> str | None:
        """Creates or updates one table.

        Returns:
            What was done; None when the lake has no such table yet.
        """
        uri = f"s3://{self.bucket}/{name.replace('.', '/')}"
        found = log.open_table(uri)
        if found is None:
            return None
        short = name.partition(".")[2]
        return self.put(name, _table_input(short, description, owner, uri, json.loads(found.schema().to_json())))

    def put(self, name: str, wanted: dict[str, Any]) -> str:
        """Makes the catalog's entry of a table what is wanted; returns what was done."""
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


def register(run: Run) -> None:
    """Registers the ops tables, and the tables of the pipeline that the run names; of all pipelines if it names none.

    Raises:
        ConfigurationError: there is no such pipeline.
    """
    if run.subject not in ("", *(pipeline.name for pipeline in tables.PIPELINES)):
        known = ", ".join(pipeline.name for pipeline in tables.PIPELINES)
        raise errors.ConfigurationError(f"no pipeline {run.subject!r}; there are {known}")
    chosen = [pipeline for pipeline in tables.PIPELINES if run.subject in ("", pipeline.name)]
    print("\n".join(register_layers(_catalog(), LAYERS, [t for p in chosen for t in p.tables])), flush=True)


def register_layers(catalog: Catalog, layers: Iterable[str], of: Iterable[Table]) -> list[str]:
    """Registers those of these tables that the lake has, layer by layer; returns a line for each.

    The quarantine of a silver table belongs to the layer `quarantine`; `ops` has tables of its own.
    """
    lines: list[str | None] = []
    for layer in layers:
        if layer == "ops":
            for table in ops_tables.TABLES:
                lines.append(earlier_objects.move(catalog.bucket, table.folder))
                lines.append(catalog.put(table.name, table.table_input(catalog.bucket)))
        if layer == "quarantine":
            held = [
                (f"quarantine.{t.short}", f"Rows kept out of {t.name}.", t.owner) for t in of if t.layer == "silver"
            ]
            lines += [catalog.register(*named) for named in held]
        lines += [catalog.register(t.name, t.description, t.owner) for t in of if t.layer == layer]
    return [line for line in lines if line]


def register_tables(wanted: Iterable[Table]) -> list[str]:
    """Registers those of these tables that this process's lake has; returns a line for each."""
    return register_layers(_catalog(), LAKE_LAYERS, list(wanted))


def _catalog() -> Catalog:
    return Catalog(boto3.client("glue"), settings.lake().bucket)


def hive_type(delta_type: Any) -> str:
    """A Delta type of a JSON schema as Hive's type."""
    if isinstance(delta_type, str):
        return _HIVE_TYPES.get(delta_type, delta_type)
    if delta_type["type"] == "array":
        return f"array<{hive_type(delta_type['elementType'])}>"
    if delta_type["type"] == "map":
        return f"map<{hive_type(delta_type['keyType'])},{hive_type(delta_type['valueType'])}>"
    fields = ",".join(f"{field['name']}:{hive_type(field['type'])}" for field in delta_type["fields"])
    return f"struct<{fields}>"


def _table_input(name: str, description: str, owner: str, uri: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The only form that Athena, EMR's Spark and Trino all accept (measured on Trino 476)."""
    text = json.dumps(schema)
    parts = [text[begin : begin + _PART] for begin in range(0, len(text), _PART)]
    return {
        "Name": name,
        "Description": description,
        "Owner": owner,
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
            "Columns": [_column(field) for field in schema["fields"]],
            "Location": uri,
            "InputFormat": "org.apache.hadoop.mapred.SequenceFileInputFormat",
            "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            "SerdeInfo": {
                "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                "Parameters": {"serialization.format": "1", "path": uri},
            },
        },
    }


def _column(field: dict[str, Any]) -> dict[str, Any]:
    """A column with its comment and, where the table has one, its class."""
    metadata = field.get("metadata", {})
    class_ = {"Parameters": {"class": metadata["class"]}} if "class" in metadata else {}
    return {"Name": field["name"], "Type": hive_type(field["type"]), "Comment": metadata.get("comment", ""), **class_}


def _drift(present: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """How Glue differs from the log: one phrase for each column or setting."""
    storage = present.get("StorageDescriptor", {})
    is_now = {column["Name"]: _facts(column) for column in storage.get("Columns", [])}
    should = {column["Name"]: _facts(column) for column in wanted["StorageDescriptor"]["Columns"]}
    found = [f"column {name} is missing" for name in should if name not in is_now]
    found += [f"column {name} is not in the table" for name in is_now if name not in should]
    found += [
        f"column {name} is {is_now[name][0]}, the table has {should[name][0]}"
        if is_now[name][0] != should[name][0]
        else f"comment or class of column {name}"
        for name in should
        if name in is_now and is_now[name] != should[name]
    ]
    if list(is_now) != list(should) and not found:
        found.append("order of columns")
    keys = [
        [(column["Name"], *_facts(column)) for column in table.get("PartitionKeys") or []]
        for table in (present, wanted)
    ]
    if keys[0] != keys[1]:
        found.append("partition keys")
    for key in ("Location", "InputFormat", "OutputFormat", "SerdeInfo"):
        if storage.get(key) != wanted["StorageDescriptor"][key]:
            found.append(key)
    found += [key for key, value in wanted["Parameters"].items() if present.get("Parameters", {}).get(key) != value]
    found += [key.lower() for key in ("Description", "Owner") if present.get(key) != wanted.get(key)]
    return found


def _facts(column: dict[str, Any]) -> tuple[Any, ...]:
    return column.get("Type"), column.get("Comment", ""), (column.get("Parameters") or {}).get("class")


def main(arguments: list[str]) -> int:
    """The command line; exit code 1 when the lake has no table of the layer."""
    parser = argparse.ArgumentParser(prog="register_glue_tables", description=__doc__)
    parser.add_argument("--db", required=True, choices=LAYERS, help="layer, which is also the Glue database")
    parser.add_argument("--lake-bucket", required=True)
    parser.add_argument("--region", required=True)
    given = parser.parse_args(arguments)
    try:
        catalog = Catalog(boto3.client("glue", region_name=given.region), given.lake_bucket)
        lines = register_layers(catalog, (given.db,), tables.every())
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
