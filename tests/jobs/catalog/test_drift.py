"""Whatever changes in an entry is seen and mended, piece by piece; what others have put into it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs.catalog import drift, entry, ops_tables, ops_views

SCHEMA = {
    "type": "struct",
    "fields": [
        {"name": "id", "type": "string", "metadata": {"comment": "number", "class": "internal"}},
        {"name": "amount", "type": "decimal(18,2)", "metadata": {"comment": "euros", "class": "confidential"}},
        {"name": "note", "type": "string", "metadata": {}},
    ],
}
DELTA = entry.of_delta("orders", "Orders.", "team", "s3://lake/silver/orders", SCHEMA)
JSON = ops_tables.TABLES[0].table_input("lake")
VIEW = ops_views.of(ops_tables.TABLES[0], "2026-10-01")
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where the entry has a value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = False
    for key, part in items:
        found = True
        yield from places(part, (*place, key))
    if not found:
        yield place


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def changed(wanted: dict[str, Any], place: Place, *, gone: bool) -> dict[str, Any]:
    present = copy.deepcopy(wanted)
    parent = at(present, place[:-1])
    if gone:
        del parent[place[-1]]
    else:
        parent[place[-1]] = [{"Name": "day", "Type": "string"}] if parent[place[-1]] == [] else "other"
    return present


EVERY = [
    pytest.param(wanted, place, gone, id=f"{kind} {'.'.join(map(str, place))} {'gone' if gone else 'other'}")
    for kind, wanted in (("delta", DELTA), ("json", JSON), ("view", VIEW))
    for place in places(wanted)
    for gone in (False, True)
    # The name is how the entry is found. A column without its name is none, nor is one without its comment another.
    # A view has no place and no SerDe.
    if place != ("Name",) and not (gone and place[-1] in ("Name", "Comment", "PartitionKeys"))
    if not (wanted is VIEW and place[-1] in ("Location", "SerdeInfo"))
]


@pytest.mark.parametrize(("wanted", "place", "gone"), EVERY)
def test_every_piece_that_differs_is_seen_and_mended(wanted: dict[str, Any], place: Place, gone: bool) -> None:
    present = changed(wanted, place, gone=gone)

    assert drift.found(present, wanted) != []
    assert drift.mended(present, wanted) == wanted


def test_entry_as_it_has_to_be_does_not_differ() -> None:
    assert drift.found(DELTA, DELTA) == drift.found(JSON, JSON) == drift.found(VIEW, VIEW) == []


def test_table_becomes_a_view_with_nothing_of_its_files_and_a_view_becomes_a_table() -> None:
    assert drift.mended(JSON, VIEW) == VIEW
    back = drift.mended(VIEW, JSON)
    assert {key: back["Parameters"][key] for key in JSON["Parameters"]} == JSON["Parameters"]
    assert "ViewOriginalText" not in back


def foreign(wanted: dict[str, Any]) -> dict[str, Any]:
    """The entry with all that others may put into it."""
    present = copy.deepcopy(wanted)
    present["Retention"] = 30
    present["Parameters"]["lake.owner"] = "someone"
    storage = present["StorageDescriptor"]
    storage["Parameters"] = {"compressionType": "none"}
    storage["SerdeInfo"]["Parameters"]["field.delim"] = ","
    storage["SerdeInfo"]["Name"] = "by hand"
    storage["Columns"][0].setdefault("Parameters", {})["pii"] = "false"
    return present


@pytest.mark.parametrize("wanted", [DELTA, JSON], ids=["delta", "json"])
@pytest.mark.parametrize(
    "damage",
    [
        lambda e: e.update(TableType="VIRTUAL_VIEW", ViewOriginalText="SELECT 1"),
        lambda e: e.update(Description="other"),
        lambda e: e["StorageDescriptor"].update(Location="s3://elsewhere"),
        lambda e: e["StorageDescriptor"]["SerdeInfo"].update(SerializationLibrary="other"),
        lambda e: e["StorageDescriptor"]["Columns"].pop(),
        lambda e: e["Parameters"].pop("EXTERNAL"),
    ],
    ids=["type", "description", "location", "serde", "column", "parameter"],
)
def test_what_others_have_put_there_is_no_drift_and_stays_when_something_else_is_mended(
    wanted: dict[str, Any], damage: Callable[[dict[str, Any]], Any]
) -> None:
    good = foreign(wanted)
    assert drift.found(good, wanted) == []
    present = copy.deepcopy(good)
    damage(present)

    assert drift.found(present, wanted) != []
    assert drift.mended(present, wanted) == good


def test_what_glue_itself_tells_of_a_table_is_not_sent_back() -> None:
    told = {
        **DELTA,
        "Owner": "other",
        "VersionId": "3",
        "CreateTime": "now",
        "CatalogId": "1",
        "DatabaseName": "silver",
    }

    assert drift.mended(told, DELTA) == DELTA


def test_nothing_of_an_earlier_schema_is_left_for_spark() -> None:
    present = copy.deepcopy(DELTA)
    present["Parameters"] |= {f"{entry.SPARK_SCHEMA}.part.1": "…", entry.SPARK_SCHEMA: "…"}

    assert drift.found(present, DELTA) == [
        "spark.sql.sources.schema is left over",
        "spark.sql.sources.schema.part.1 is left over",
    ]
    assert drift.mended(present, DELTA) == DELTA


def test_order_of_what_a_column_says_is_no_drift() -> None:
    def of(metadata: dict[str, str]) -> dict[str, Any]:
        field = {"name": "id", "type": "string", "nullable": True, "metadata": metadata}
        return entry.of_delta("t", "d", "team", "s3://lake/t", {"type": "struct", "fields": [field]})

    present, wanted = of({"comment": "c", "class": "public"}), of({"class": "public", "comment": "c"})
    assert drift.found(present, wanted) == []
