"""Parses the text of a statement, after its parameters have been put in, and writes it for DuckDB."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError
from sqlglot.tokenizer_core import TokenType

from infra.local.aws.athena import errors
from infra.local.aws.athena.errors import QueryError

_HIVE = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/)*(?:ALTER|CREATE|DROP)\s+(?:EXTERNAL|DATABASE|SCHEMA|TABLE)\b",
    re.IGNORECASE | re.DOTALL,
)


def _dialect(sql: str) -> str:
    """Athena reads DDL as Hive does. In queries a backslash is no escape."""
    return "athena" if _HIVE.match(sql) else "trino"


def parse(sql: str) -> exp.Expr:
    """The one statement of a text.

    Raises:
        QueryError: the text is not SQL, or holds more or less than one statement.
    """
    try:
        statements = [tree for tree in sqlglot.parse(sql, read=_dialect(sql)) if tree is not None]
    except SqlglotError as error:
        raise errors.of_syntax(error) from error
    if len(statements) != 1:
        raise QueryError("SYNTAX_ERROR", f"Only one sql statement is allowed; this has {len(statements)}")
    return statements[0]


def for_engine(tree: exp.Expr) -> str:
    """A statement as DuckDB's SQL.

    Raises:
        QueryError: DuckDB has nothing for a part of it. Left out without a word, the answer would be another.
    """
    try:
        return tree.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise QueryError("NOT_SUPPORTED", f"The local Athena can't run this. {error}") from error


def bind(sql: str, parameters: Sequence[str]) -> str:
    """Replaces the question marks by execution parameters, which are SQL literals."""
    try:
        tokens = Dialect.get_or_raise(_dialect(sql)).tokenize(sql)
    except SqlglotError as error:
        raise errors.of_syntax(error) from error
    marks = [token for token in tokens if token.token_type == TokenType.PLACEHOLDER]
    if len(marks) != len(parameters):
        found = f"expected {len(marks)} but found {len(parameters)}"
        raise QueryError("INVALID_PARAMETER_USAGE", f"Incorrect number of parameters: {found}")
    for mark, parameter in reversed(list(zip(marks, parameters, strict=True))):
        sql = f"{sql[: mark.start]}{parameter}{sql[mark.end + 1 :]}"
    return sql
