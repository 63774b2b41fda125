"""Partition projection: a table's parameters say which partitions there are and where. Glue knows none of them.

As Athena does, a query reads the folders of the partitions that its WHERE leaves, and nothing beside them. Only the
type `date` with days is known here, for one partition key: it is what the lake's own tables have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import sqlglot
from duckdb import DuckDBPyConnection
from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

from infra.local.aws.athena import analysis
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.parsing import for_engine

_NOW = re.compile(r"NOW(?:([+-]\d+)DAYS?)?")


@dataclass(frozen=True)
class Partition:
    """A projected partition: the key's value, and its folder in S3."""

    column: str
    value: str
    location: str


def is_projected(table: dict[str, Any]) -> bool:
    """Whether Athena derives the table's partitions from its parameters."""
    return str((table.get("Parameters") or {}).get("projection.enabled", "")).lower() == "true"


def partitions(table: dict[str, Any]) -> list[Partition]:
    """Every partition of the table's range.

    Raises:
        QueryError: the table's parameters are not understood.
    """
    (column,) = [key["Name"] for key in table["PartitionKeys"]]
    known = {key.removeprefix(f"projection.{column}."): value for key, value in table["Parameters"].items()}
    if (known.get("type"), known.get("format")) != ("date", "yyyy-MM-dd"):
        raise QueryError("INVALID_TABLE_PROPERTY", f"projection of {column} is not supported here: {known}")
    first, last = (_day(text.strip()) for text in known["range"].split(","))
    days = [(first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)]
    template, mark = known["storage.location.template"], f"${{{column}}}"
    return [Partition(column, day, template.replace(mark, day)) for day in days]


def _day(text: str) -> date:
    if found := _NOW.fullmatch(text):
        return datetime.now(UTC).date() + timedelta(days=int(found[1] or 0))
    return date.fromisoformat(text)


def needed(
    tree: exp.Expr, table: tuple[str, str], default: str, known: Sequence[Partition], connection: DuckDBPyConnection
) -> list[Partition]:
    """The partitions that a query needs of a table: for each place that reads it, what the WHERE beside it leaves.

    Args:
        tree: the query.
        table: its database and name.
        default: database of the names in the query that give none.
        known: all partitions of the table.
        connection: evaluates the conditions.
    """
    wanted: set[str] = set()
    for scope in traverse_scope(tree):
        for alias, source in scope.sources.items():
            names = isinstance(source, exp.Table) and ((source.db or default).lower(), source.name.lower())
            if names == table:
                conditions = _conditions(scope.expression, alias, known[0].column)
                wanted |= _left(conditions, known, connection)
    return [partition for partition in known if partition.value in wanted]


def _conditions(select: exp.Expr, alias: str, column: str) -> list[exp.Expr]:
    """The parts of the WHERE, joined by AND, that are about the partition key alone."""
    where = select.args.get("where")
    # An outer join makes rows of what is not there: a condition about them says nothing about what to read.
    if where is None or any(join.side for join in select.args.get("joins") or []):
        return []
    parts = where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    return [part.copy() for part in parts if _is_about(part, alias, column)]


def _is_about(part: exp.Expr, alias: str, column: str) -> bool:
    columns = list(part.find_all(exp.Column))
    named = all(each.name.lower() == column and each.table.lower() in ("", alias.lower()) for each in columns)
    return bool(columns) and named and not part.find(exp.Select)


def _left(conditions: Iterable[exp.Expr], known: Sequence[Partition], connection: DuckDBPyConnection) -> set[str]:
    values = [partition.value for partition in known]
    connection.execute("CREATE OR REPLACE TEMP TABLE _projected AS SELECT UNNEST(?) AS v", [values])
    tree = sqlglot.parse_one("SELECT v FROM _projected WHERE true", read="duckdb")
    for condition in conditions:
        for column in list(condition.find_all(exp.Column)):
            column.replace(exp.column("v"))
        tree.args["where"].set("this", exp.and_(tree.args["where"].this, condition))
    try:
        analysis.as_trino(tree, connection)
        return {str(row[0]) for row in connection.execute(for_engine(tree)).fetchall()}
    except (duckdb.Error, QueryError):
        return set(values)  # the query itself will say what is wrong
