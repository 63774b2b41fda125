"""The errors of failed queries, in Athena's words."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError


class QueryError(Exception):
    """A query FAILED. The message is its StateChangeReason.

    Attributes:
        by_user: whether the statement is wrong, and not the platform.
    """

    def __init__(self, code: str, message: str, at: tuple[int, int] | None = None, *, by_user: bool = True) -> None:
        where = f"line {at[0]}:{at[1]}: " if at else ""
        super().__init__(f"{code}: {where}{message}")
        self.by_user = by_user


def line_and_column(node: exp.Expr, sql: str) -> tuple[int, int] | None:
    """Line and column of a node's name in the statement, counted from 1."""
    starts = [part.meta["start"] for part in node.find_all(exp.Identifier) if "start" in part.meta]
    if not starts:
        return None
    before = sql[: min(starts)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def of_syntax(error: SqlglotError) -> QueryError:
    """From the parser's error."""
    if isinstance(error, ParseError) and error.errors:
        first = error.errors[0]
        message = f"mismatched input '{first['highlight']}'. {first['description']}"
        return QueryError("SYNTAX_ERROR", message, (first["line"], first["col"]))
    return QueryError("SYNTAX_ERROR", str(error))


_UNRESOLVED = "Column '{0}' cannot be resolved or requester is not authorized to access requested resources"
# DuckDB's wording, Trino's code, Trino's wording. {0} is the first group of the pattern.
_WORDINGS = (
    (r'Referenced column "(.+?)" not found', "COLUMN_NOT_FOUND", _UNRESOLVED),
    (r'does not have a column named "(.+?)"', "COLUMN_NOT_FOUND", _UNRESOLVED),
    (r'Referenced table "(.+?)" not found', "COLUMN_NOT_FOUND", _UNRESOLVED),
    (r'Ambiguous reference to column name "(.+?)"', "AMBIGUOUS_NAME", "Column '{0}' is ambiguous"),
    (r"Function with name (\S+) does not exist", "FUNCTION_NOT_FOUND", "Function '{0}' not registered"),
    (
        r'column "(.+?)" must appear in the GROUP BY',
        "EXPRESSION_NOT_AGGREGATE",
        "'{0}' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (r"(Cannot compare values .*)", "TYPE_MISMATCH", "{0}"),
    (r"(No function matches [^\n]*)", "TYPE_MISMATCH", "{0}"),
    (r"(Could not choose a best candidate function [^\n]*)", "TYPE_MISMATCH", "{0}"),
    # What the rewritten statement raises: a text that is no number, and begins with Trino's code.
    (r"Could not convert string '(?:INVALID_FUNCTION_ARGUMENT: )(.*)' to INT64", "INVALID_FUNCTION_ARGUMENT", "{0}"),
    (r"Could not convert string '(?:INVALID_CAST_ARGUMENT: )(.*)' to INT64", "INVALID_CAST_ARGUMENT", "{0}"),
    (r"Conversion Error: ([^\n]*)", "INVALID_CAST_ARGUMENT", "{0}"),
    (r"(Division by zero) in expression", "DIVISION_BY_ZERO", "{0}"),
    (r"Out of Range Error: ([^\n]*)", "NUMERIC_VALUE_OUT_OF_RANGE", "{0}"),
    (r"(Malformed JSON[^\n]*|JSON transform error[^\n]*)", "HIVE_BAD_DATA", "{0}"),
    (r"CSV Error [^\n]*?: ?([^\n]*)", "HIVE_BAD_DATA", "{0}"),
    (r"Interrupt Error: ([^\n]*)", "USER_CANCELED", "Query was canceled"),
)


def of_engine(error: duckdb.Error, tree: exp.Expr | None = None, sql: str = "") -> QueryError:
    """From DuckDB's error. The statement gives the line and column of the name in it."""
    text = str(error)
    for pattern, code, wording in _WORDINGS:
        if found := re.search(pattern, text):
            node = _named(found[1], tree)
            return QueryError(code, wording.format(found[1]), line_and_column(node, sql) if node else None)
    return QueryError("GENERIC_INTERNAL_ERROR", text.split("\n\nLINE ")[0].strip(), by_user=False)


def _named(name: str, tree: exp.Expr | None) -> exp.Expr | None:
    if tree is None:
        return None
    named = (exp.Column, exp.Identifier)
    return next((node for node in tree.find_all(*named) if node.name.lower() == name.lower()), None)
