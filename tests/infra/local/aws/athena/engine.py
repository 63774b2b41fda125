"""The local Athena's engine by itself: statements without a server, over the tables that they write themselves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import boto3
import duckdb

from infra.local.aws.athena import errors
from infra.local.aws.athena.catalog import Catalog
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.parsing import parse
from infra.local.aws.athena.query import Engine
from infra.local.aws.athena.results import of_cursor


class StoredCatalog:
    """A catalog that only has what it is given: database -> Glue tables."""

    def __init__(self, **databases: list[dict[str, Any]]) -> None:
        self._tables = databases

    def databases(self) -> list[str]:
        return sorted(self._tables)

    def has_database(self, database: str) -> bool:
        return database in self._tables

    def tables(self, database: str) -> list[dict[str, Any]]:
        return self._tables[database]

    def table(self, database: str, name: str) -> dict[str, Any] | None:
        return next((table for table in self._tables.get(database, []) if table["Name"] == name), None)


class GlueCatalog(StoredCatalog):
    """What the Glue of this process's environment has at this moment."""

    def __init__(self) -> None:
        glue: Any = boto3.client("glue")
        names = [database["Name"] for database in glue.get_databases()["DatabaseList"]]
        super().__init__(**{name: glue.get_tables(DatabaseName=name)["TableList"] for name in names})


class Athena:
    """Runs statements."""

    def __init__(self, scratch: Path, catalog: StoredCatalog | None = None) -> None:
        self.engine = Engine(cast(Catalog, catalog or StoredCatalog(silver=[])), scratch)

    def result(self, sql: str) -> tuple[list[str], list[Sequence[str | None]]]:
        """(types, rows)"""
        try:
            found = of_cursor(self.engine.execute(parse(sql), sql, "silver"))
            return [column.presto for column in found.columns], [list(row) for row in found.rows]
        except duckdb.Error as error:  # raised while rows are fetched
            raise errors.of_engine(error) from error

    def rows(self, sql: str) -> list[Sequence[str | None]]:
        return self.result(sql)[1]

    def failure(self, sql: str) -> str:
        """Why a statement fails; empty if it doesn't."""
        try:
            self.rows(sql)
        except QueryError as error:
            return str(error)
        return ""
