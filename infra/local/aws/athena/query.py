"""Runs Athena's SELECT: sqlglot translates Trino's dialect, and DuckDB reads the catalog's tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from infra.local.aws.athena import (
    analysis,
    arithmetic,
    casts,
    errors,
    information_schema,
    macros,
    projection,
    pushdown,
    refusals,
    staleness,
    translations,
    zones,
)
from infra.local.aws.athena.catalog import CATALOG, Catalog, View, view_of
from infra.local.aws.athena.errors import QueryError, line_and_column
from infra.local.aws.athena.parsing import for_engine, parse
from infra.local.aws.athena.projection import Partition
from infra.local.aws.athena.tables import attach
from infra.local.aws.athena.types import quoted

UNNAMED = "_unnamed_"  # a column that gets its name from its number in the result
_ENGINE: dict[str, str | int | float | list[str]] = {
    "threads": 2,
    "memory_limit": "1GB",
    # DuckDB must not download anything, nor read variables of this process as tables.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}


class Engine:
    """Runs one statement.

    Attributes:
        catalog: describes its tables.
        connection: DuckDB's. `interrupt()` ends the statement.
        scanned: size in bytes of the tables that it reads.
    """

    def __init__(self, catalog: Catalog, scratch: Path) -> None:
        self.connection = duckdb.connect(config={**_ENGINE, "temp_directory": str(scratch / "spill")})
        self.connection.execute("SET TimeZone = 'UTC'")
        # Presto writes lambdas with an arrow, which DuckDB takes only on request.
        self.connection.execute("SET lambda_syntax = 'ENABLE_SINGLE_ARROW'")
        arithmetic.install(self.connection)
        casts.install(self.connection)
        macros.install(self.connection)
        self.scanned = 0
        self.catalog = catalog
        self._scratch = scratch
        self._attached: set[str] = set()
        self._partitions: dict[str, frozenset[Partition]] = {}
        self._views: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []  # views that are being attached

    def execute(self, tree: exp.Expr, sql: str, database: str) -> duckdb.DuckDBPyConnection:
        """Starts a query and gives the cursor on its result.

        Args:
            tree: the query. It is changed.
            sql: its text, for line and column in errors.
            database: database of the names that give none.
        """
        self.prepare(tree, sql, database)
        zones.print_columns(tree)
        try:
            return self.connection.execute(for_engine(tree))
        except duckdb.Error as error:
            raise errors.of_engine(error, tree, sql) from error

    def prepare(self, tree: exp.Expr, sql: str, database: str) -> None:
        """Makes a query ready for DuckDB: attaches the tables that it reads, and gives it Trino's meaning."""
        refusals.of_syntax(sql, tree)
        tree = translations.translate(tree)
        for table in _tables(tree):
            self._resolve(table, sql, database, tree)
        for select in tree.find_all(exp.Select):
            _name_columns(select)
        analysis.as_trino(tree, self.connection, sql)

    def _resolve(self, table: exp.Table, sql: str, database: str, tree: exp.Expr) -> None:
        at = line_and_column(table, sql)
        if table.args.get("version"):
            raise QueryError("NOT_SUPPORTED", "This connector does not support versioned tables", at)
        if table.catalog and table.catalog.lower() != CATALOG:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{table.catalog}' does not exist", at)
        schema, name = (table.db or database).lower(), table.name.lower()
        if schema == information_schema.NAME and information_schema.has(name):
            if not table.alias:  # columns may be named by it
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            _rename(table, *information_schema.attach(self.connection, name, self.catalog))
            return
        known = self.catalog.table(schema, name)
        if known is None and schema != information_schema.NAME and not self.catalog.has_database(schema):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{schema}' does not exist", at)
        if known is None:
            raise QueryError("TABLE_NOT_FOUND", f"Table '{CATALOG}.{schema}.{name}' does not exist", at)
        if view := view_of(known):
            if not table.alias:  # columns may be named by it
                table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
            _rename(table, schema, self._attach_view(schema, name, view, pushdown.conditions(tree, table, view.names)))
            return
        engine_name = f"{quoted(schema)}.{quoted(name)}"
        if projection.is_projected(known):
            self._attach_partitions(engine_name, (schema, name), known, database, tree)
        elif engine_name not in self._attached:
            self._attached.add(engine_name)
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
            self.scanned += attach(self.connection, engine_name, known, self._scratch)
        _rename(table, schema, name)

    def _attach_partitions(
        self, engine_name: str, names: tuple[str, str], known: dict[str, Any], database: str, tree: exp.Expr
    ) -> None:
        """Attaches what this query needs of a table, beside what a view that it reads needs of it."""
        every, before = projection.partitions(known), self._partitions.get(engine_name, frozenset())
        needed = before.union(projection.needed(tree, names, database, every, self.connection))
        if engine_name not in self._partitions or needed != before:
            self._partitions[engine_name] = needed
            self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(names[0])}")
            scratch = self._scratch / f"{len(self._partitions)}-{len(needed)}"
            chosen = sorted(needed, key=lambda partition: partition.value)
            self.scanned += attach(self.connection, engine_name, known, scratch, chosen)

    def _attach_view(self, schema: str, name: str, view: View, parts: Sequence[exp.Expr]) -> str:
        """Attaches a view for one place that reads it, with that place's conditions. Returns its name in the engine."""
        key = " AND ".join([f"{schema}.{name}", *(part.sql("trino") for part in parts)])
        if (schema, name) in self._open:
            raise QueryError("VIEW_IS_RECURSIVE", "Statement would create a recursive view")
        if key in self._views:
            return self._views[key]
        self._open.append((schema, name))
        engine_name = f"{name}#{len(self._views)}"
        self._views[key] = engine_name
        place = f"{quoted(schema)}.{quoted(engine_name)}"
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
        try:
            tree = parse(view.sql)
            pushdown.push(tree, parts)
            self.prepare(tree, view.sql, view.database)
            self.connection.execute(f"CREATE VIEW {place} AS {for_engine(tree)}")
            described = self.connection.execute(f"SELECT * FROM {place} LIMIT 0").description or []  # noqa: S608  # quoted
        except (QueryError, duckdb.Error) as error:
            self._open.pop()
            if parts:  # perhaps the condition's fault: then the query itself tells it
                self._views[key] = self._attach_view(schema, name, view, ())
                return self._views[key]
            cause = errors.of_engine(error, tree, view.sql) if isinstance(error, duckdb.Error) else error
            whole = f"{quoted(schema)}.{quoted(name)}"
            raise QueryError("INVALID_VIEW", f"Failed analyzing stored view {whole}: {cause}") from error
        self._open.pop()
        staleness.check(f"{CATALOG}.{schema}.{name}", view, [(one[0], str(one[1])) for one in described])
        return engine_name


def _rename(table: exp.Table, schema: str, name: str) -> None:
    table.set("catalog", None)
    table.set("db", exp.to_identifier(schema, quoted=True))
    table.set("this", exp.to_identifier(name, quoted=True))


def _tables(tree: exp.Expr) -> list[exp.Table]:
    """The tables that a query reads, without the names of its WITH clauses."""
    found = {
        id(source): source
        for scope in traverse_scope(tree)
        for source in scope.sources.values()
        if isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier)
    }
    return list(found.values())


def _name_columns(select: exp.Select) -> None:
    """Names a SELECT's unnamed columns `_col0`, `_col1`, … as Athena does. Beside a star, after the run."""
    name = UNNAMED if select.is_star else "_col"
    for index, column in enumerate(select.expressions):
        if not column.alias and not column.is_star and not isinstance(column, exp.Column | exp.Dot):
            column.replace(exp.alias_(column.copy(), f"{name}{index}", quoted=True))
