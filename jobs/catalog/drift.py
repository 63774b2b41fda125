"""How an entry of the Glue catalog differs from what it has to be, and the entry that puts it right.

What Sluice says of a table is compared, piece by piece. Whatever else others have put into the entry stays: parameters
of the table, of its storage, its SerDe and its columns, its retention, and settings that Glue may still invent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jobs.catalog.entry import SPARK_SCHEMA

Entry = Mapping[str, Any]
# A table with one of these is a view or a link to another table for whoever reads the entry. A view has the first two.
NO_TABLE = ("ViewOriginalText", "ViewExpandedText", "TargetTable", "FederatedTable", "ViewDefinition")
# What an update may say of a table; the rest of what Glue tells of it is Glue's own.
_KEPT = ("Retention", "LastAccessTime", "LastAnalyzedTime")
_PLAIN = ("InputFormat", "OutputFormat")
# Parameters that tell how the files of a table are read.
_OF_FILES = ("EXTERNAL", "classification", "projection.", "spark.sql.sources.", "storage.location.", "table_type")


def found(present: Entry, wanted: Entry) -> list[str]:
    """How the entry differs: one phrase for each column or setting."""
    storage, should = present.get("StorageDescriptor") or {}, wanted["StorageDescriptor"]
    return [
        *_columns(storage.get("Columns") or [], should["Columns"]),
        *_partition_keys(present.get("PartitionKeys") or [], wanted["PartitionKeys"]),
        *(["table type"] if present.get("TableType") != wanted["TableType"] else []),
        *(key for key in NO_TABLE if (present.get(key) or None) != wanted.get(key)),
        *(key for key in ("Location", *_PLAIN) if (storage.get(key) or "") != should.get(key, "")),
        *(f"SerDe: {phrase}" for phrase in _serde(storage.get("SerdeInfo") or {}, should["SerdeInfo"])),
        *_values(present.get("Parameters") or {}, wanted["Parameters"]),
        *(f"{key} is left over" for key in sorted(_left_over(present, wanted))),
        *(key.lower() for key in ("Description", "Owner") if present.get(key) != wanted.get(key)),
    ]


def mended(present: Entry, wanted: Entry) -> dict[str, Any]:
    """The entry as it has to be, with what others have put into it."""
    storage, should = present.get("StorageDescriptor") or {}, wanted["StorageDescriptor"]
    serde = storage.get("SerdeInfo") or {}
    parameters = {**(present.get("Parameters") or {}), **wanted["Parameters"]}
    left_over = _left_over(present, wanted)
    if _is_view(wanted):
        storage, serde = {}, {}  # nothing of a table's files is left in a view
    return {
        **{key: present[key] for key in _KEPT if key in present},
        **wanted,
        "PartitionKeys": _merged(present.get("PartitionKeys") or [], wanted["PartitionKeys"]),
        "Parameters": {key: value for key, value in parameters.items() if key not in left_over},
        "StorageDescriptor": {
            **storage,
            **should,
            "Columns": _merged((present.get("StorageDescriptor") or {}).get("Columns") or [], should["Columns"]),
            "SerdeInfo": {
                **serde,
                **should["SerdeInfo"],
                **_serde_parameters(serde, should["SerdeInfo"]),
            },
        },
    }


def _columns(present: Sequence[Entry], wanted: Sequence[Entry]) -> list[str]:
    is_now = {column["Name"]: _facts(column) for column in present}
    should = {column["Name"]: _facts(column) for column in wanted}
    phrases = [f"column {name} is missing" for name in should if name not in is_now]
    phrases += [f"column {name} is not in the table" for name in is_now if name not in should]
    phrases += [
        f"column {name} is {is_now[name][0]}, the table has {should[name][0]}"
        if is_now[name][0] != should[name][0]
        else f"comment or class of column {name}"
        for name in should
        if name in is_now and is_now[name] != should[name]
    ]
    if [column["Name"] for column in present] != list(should) and not phrases:
        phrases.append("order of columns")
    return phrases


def _partition_keys(present: Sequence[Entry], wanted: Sequence[Entry]) -> list[str]:
    is_now, should = ([(column["Name"], *_facts(column)) for column in columns] for columns in (present, wanted))
    return ["partition keys"] if is_now != should else []


def _serde(present: Entry, wanted: Entry) -> Iterator[str]:
    if (present.get("SerializationLibrary") or None) != wanted.get("SerializationLibrary"):
        yield "SerializationLibrary"
    yield from _values(present.get("Parameters") or {}, wanted.get("Parameters") or {})


def _values(present: Entry, wanted: Entry) -> Iterator[str]:
    return (key for key, value in wanted.items() if present.get(key) != value)


def _serde_parameters(present: Entry, wanted: Entry) -> dict[str, Any]:
    known = {**(present.get("Parameters") or {}), **(wanted.get("Parameters") or {})}
    return {"Parameters": known} if known else {}


def _is_view(entry: Entry) -> bool:
    return bool(entry["TableType"] == "VIRTUAL_VIEW")


def _left_over(present: Entry, wanted: Entry) -> set[str]:
    """Parameters of an earlier schema for Spark, which would read it; for a view, all that speak of a table's files."""
    if _is_view(wanted):
        return {key for key in present.get("Parameters") or {} if key.startswith(_OF_FILES)}
    if not any(key.startswith(SPARK_SCHEMA) for key in wanted["Parameters"]):
        return set()
    return {
        key
        for key in present.get("Parameters") or {}
        if key.startswith(SPARK_SCHEMA) and key not in wanted["Parameters"]
    }


def _merged(present: Sequence[Entry], wanted: Sequence[Entry]) -> list[dict[str, Any]]:
    """The wanted columns, each with the parameters that others gave it."""
    known = {column["Name"]: column.get("Parameters") or {} for column in present}
    merged = []
    for column in wanted:
        others = {key: value for key, value in known.get(column["Name"], {}).items() if key != "class"}
        parameters = {**others, **column.get("Parameters", {})}
        merged.append({**column, **({"Parameters": parameters} if parameters else {})})
    return merged


def _facts(column: Entry) -> tuple[Any, ...]:
    return column.get("Type"), column.get("Comment", ""), (column.get("Parameters") or {}).get("class")
