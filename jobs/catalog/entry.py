"""A Delta table as an entry of the Glue catalog."""

from __future__ import annotations

import json
from typing import Any

# Delta's type names that differ from Hive's, which Glue uses.
_HIVE_TYPES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
# Spark reads its schema from table parameters of at most 4,000 characters each.
_PART = 4000
# It takes the schema from whatever has this prefix, so that nothing of an earlier schema may be left.
SPARK_SCHEMA = "spark.sql.sources.schema"


def of_delta(name: str, description: str, owner: str, uri: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The only form that Athena, EMR's Spark and Trino all accept (measured on Trino 476).

    Args:
        name: without its database.
        description: one sentence.
        owner: the team.
        uri: of the table.
        schema: of its log.
    """
    text = json.dumps(schema, sort_keys=True)  # delta-rs gives a column's comment and class in any order
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
            f"{SPARK_SCHEMA}.numParts": str(len(parts)),
            **{f"{SPARK_SCHEMA}.part.{number}": part for number, part in enumerate(parts)},
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
