"""Athena's statements: queries, DDL, and statements that show the Glue catalog."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from sqlglot import exp

from infra.local.aws.athena import errors
from infra.local.aws.athena.catalog import View, ViewColumn, columns_of, is_view
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.parsing import bind, parse
from infra.local.aws.athena.query import Engine
from infra.local.aws.athena.results import Result, of_cursor, of_lines

_SHOW = re.compile(r"(SHOW|DESCRIBE|DESC)\s", re.IGNORECASE)
_IN = r"(?:\s+(?:IN|FROM)\s+(?P<database>\S+?))?(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?"
_TABLE = r"(?:(?P<database>[^\s.]+)\.)?(?P<table>[^\s.]+)"
_COLUMN_WIDTH = 20
_NOTHING = Result((), (), header=False)


_DDL = re.compile(r"(ALTER|CREATE|DESC|DESCRIBE|DROP|MSCK|SHOW)\s", re.IGNORECASE)


def is_ddl(sql: str) -> bool:
    """Whether Athena counts a statement as DDL. The output of DDL is a text file."""
    return bool(_DDL.match(_plain(sql)))


class Statement:
    """One statement of one request."""

    def __init__(self, sql: str, parameters: list[str], engine: Engine, database: str) -> None:
        self._sql = sql
        self._parameters = parameters
        self._catalog = engine.catalog
        self._engine = engine
        self._database = database.lower()

    def run(self) -> Result:
        """Runs it.

        Raises:
            QueryError: the statement fails.
        """
        if _SHOW.match(plain := _plain(self._sql)):
            return self._metadata(plain)
        sql = bind(self._sql, self._parameters)
        tree = parse(sql)
        match tree:
            case exp.Query() | exp.Values():
                return of_cursor(self._engine.execute(tree, sql, self._database))
            case exp.Create() if tree.kind == "VIEW":
                return self._create_view(tree, sql)
            case exp.Drop() if tree.kind in ("VIEW", "TABLE"):
                return self._drop(tree)
            case exp.Create() | exp.Drop() if tree.kind in ("SCHEMA", "DATABASE"):
                return self._change_database(tree)
        raise QueryError("NOT_SUPPORTED", f"Queries of this type are not supported: {tree.key.upper()}")

    def _metadata(self, statement: str) -> Result:
        if found := re.fullmatch(rf"SHOW\s+(?P<kind>TABLES|VIEWS){_IN}", statement, re.IGNORECASE):
            names = [
                table["Name"]
                for table in self._catalog.tables(self._known(found["database"]))
                if found["kind"].upper() == "TABLES" or is_view(table)
            ]
            return of_lines(["tab_name"], _like(names, found["pattern"]))
        if found := re.fullmatch(rf"SHOW\s+(?:DATABASES|SCHEMAS){_IN}", statement, re.IGNORECASE):
            return of_lines(["database_name"], _like(self._catalog.databases(), found["pattern"]))
        if found := re.fullmatch(rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{_TABLE}", statement, re.IGNORECASE):
            columns = columns_of(self._table(found["database"], found["table"]))
            return of_lines(["field"], [name.ljust(_COLUMN_WIDTH) for name, _, _ in columns])
        if found := re.fullmatch(rf"DESC(?:RIBE)?\s+{_TABLE}", statement, re.IGNORECASE):
            columns = columns_of(self._table(found["database"], found["table"]))
            lines = ["\t".join(part.ljust(_COLUMN_WIDTH) for part in column) for column in columns]
            return of_lines(["col_name", "data_type", "comment"], lines)
        raise QueryError("NOT_SUPPORTED", f"Queries of this type are not supported: {statement}")

    def _create_view(self, tree: exp.Create, sql: str) -> Result:
        database, name = self._target(tree.this)
        exists = self._catalog.table(self._known(database), name)
        if exists and not (tree.args.get("replace") and is_view(exists)):
            raise QueryError("TABLE_ALREADY_EXISTS", f"Table already exists: {database}.{name}")
        text = tree.expression.sql("trino")
        described = of_cursor(self._engine.execute(tree.expression, sql, self._database))
        columns = [ViewColumn(column.name, column.presto, column.hive) for column in described.columns]
        self._catalog.put_view(database, name, View(text, self._database), columns)
        return _NOTHING

    def _drop(self, tree: exp.Drop) -> Result:
        target = tree.args["tables"][0]
        database, name = self._target(target)
        known = self._catalog.table(self._known(database), name)
        if known is None or is_view(known) != (tree.kind == "VIEW"):
            if tree.args.get("exists"):
                return _NOTHING
            at = errors.line_and_column(target, self._sql)
            raise QueryError("TABLE_NOT_FOUND", f"{str(tree.kind).title()} '{database}.{name}' does not exist", at)
        self._catalog.drop(database, name)
        return _NOTHING

    def _change_database(self, tree: exp.Create | exp.Drop) -> Result:
        target = tree.this or tree.args["tables"][0]
        name = (target.db or target.name).lower()
        create, known = isinstance(tree, exp.Create), self._catalog.has_database(name)
        if create != known:
            (self._catalog.create_database if create else self._catalog.drop_database)(name)
        elif not tree.args.get("exists"):
            code, says = (
                ("SCHEMA_ALREADY_EXISTS", "already exists") if create else ("SCHEMA_NOT_FOUND", "does not exist")
            )
            raise QueryError(code, f"Schema '{name}' {says}")
        return _NOTHING

    def _target(self, table: exp.Table) -> tuple[str, str]:
        return (table.db or self._database).lower(), table.name.lower()

    def _known(self, database: str | None) -> str:
        name = _unquoted(database or self._database)
        if not self._catalog.has_database(name):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")
        return name

    def _table(self, database: str | None, table: str) -> dict[str, object]:
        name, schema = _unquoted(table), self._known(database)
        known = self._catalog.table(schema, name)
        if known is None:
            raise QueryError("TABLE_NOT_FOUND", f"Table 'awsdatacatalog.{schema}.{name}' does not exist")
        return known


def _plain(sql: str) -> str:
    """A statement without comments and its last semicolon."""
    return re.sub(r"--[^\n]*", " ", sql).strip().rstrip(";").strip()


def _unquoted(name: str) -> str:
    return name.strip('`"').lower()


def _like(names: list[str], pattern: str | None) -> list[str]:
    """Names that match Hive's pattern, in which | separates patterns and * stands for any text."""
    if not pattern:
        return names
    return [name for name in names if any(fnmatchcase(name, part) for part in pattern.lower().split("|"))]
