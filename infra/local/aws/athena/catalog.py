"""The Glue catalog as Athena sees it: databases, tables, and views in Presto's encoding."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.glue.models import GlueBackend, glue_backends

CATALOG = "awsdatacatalog"
_VIEW = re.compile(r"/\* Presto View: (\S+) \*/")


@dataclass(frozen=True)
class View:
    """A stored view.

    Attributes:
        sql: its SQL.
        database: of the names in it that give none.
        columns: name and Presto type of its columns, as they were when it was stored.
    """

    sql: str
    database: str
    columns: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """The columns' names, in lower case."""
        return frozenset(name.lower() for name, _ in self.columns)


@dataclass(frozen=True)
class ViewColumn:
    """A view's column, typed for Presto and for Glue."""

    name: str
    presto_type: str
    glue_type: str


class Catalog:
    """Glue's databases of one account and region. moto holds them in this process."""

    def __init__(self, account_id: str, region: str) -> None:
        self._account_id = account_id
        self._region = region

    @property
    def _glue(self) -> GlueBackend:
        return glue_backends[self._account_id][self._region]

    def databases(self) -> list[str]:
        return sorted(database.name for database in self._glue.get_databases())

    def has_database(self, database: str) -> bool:
        return database in self.databases()

    def create_database(self, database: str) -> None:
        self._glue.create_database(database, {"Name": database})

    def drop_database(self, database: str) -> None:
        self._glue.delete_database(database)

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Glue's descriptions of a database's tables and views, by name."""
        tables = (table.as_dict() for table in self._glue.get_tables(database, None))
        return sorted(tables, key=lambda table: str(table["Name"]))

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's description of a table or view."""
        try:
            return self._glue.get_table(database, name).as_dict()
        except JsonRESTError:  # the database or the table is missing; the caller reports it
            return None

    def drop(self, database: str, name: str) -> None:
        self._glue.delete_table(database, name)

    def put_view(self, database: str, name: str, view: View, columns: Sequence[ViewColumn]) -> None:
        """Stores a view as Athena does, so that other readers of Glue recognise it."""
        definition = {
            "originalSql": view.sql,
            "catalog": CATALOG,
            "schema": view.database,
            "columns": [{"name": column.name, "type": column.presto_type} for column in columns],
        }
        encoded = base64.b64encode(json.dumps(definition).encode()).decode()
        table = {
            "Name": name,
            "TableType": "VIRTUAL_VIEW",
            "Parameters": {"presto_view": "true", "comment": "Presto View"},
            "PartitionKeys": [],
            "StorageDescriptor": {
                "Columns": [{"Name": column.name, "Type": column.glue_type} for column in columns],
                "Location": "",
                "SerdeInfo": {},
            },
            "ViewOriginalText": f"/* Presto View: {encoded} */",
            "ViewExpandedText": "/* Presto View */",
        }
        if self.table(database, name):
            self._glue.update_table(database, name, table)
        else:
            self._glue.create_table(database, name, table)


def view_of(table: dict[str, Any]) -> View | None:
    """The view that a Glue table holds; None if it isn't one."""
    stored = _VIEW.fullmatch(table.get("ViewOriginalText") or "")
    if not stored:
        return None
    definition = json.loads(base64.b64decode(stored[1]))
    columns = tuple((str(column["name"]), str(column["type"])) for column in definition["columns"])
    return View(definition["originalSql"], definition["schema"], columns)


def is_view(table: dict[str, Any]) -> bool:
    """Whether a Glue table is a view."""
    return bool(table.get("TableType") == "VIRTUAL_VIEW")


def columns_of(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(name, Glue type, comment) of a table's columns, partition keys last."""
    columns = [
        *(table.get("StorageDescriptor") or {}).get("Columns", []),
        *(table.get("PartitionKeys") or []),
    ]
    return [(column["Name"], column.get("Type", "string"), column.get("Comment", "")) for column in columns]
