"""Asks DuckDB for the types of expressions at their place in a statement.

What an expression is depends on what surrounds it: columns of an outer query, a lambda's parameters, a group. So we
put it as the argument of a function that takes none. DuckDB then refuses to bind the statement, and its error lists
the types of the arguments. Nothing runs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb
from sqlglot import exp

from infra.local.aws.athena.parsing import for_engine
from infra.local.aws.athena.types import split

_TAKES_NOTHING = "pi"
_ANSWER = re.compile(rf"argument types '{_TAKES_NOTHING}\((.*)\)'\. You might", re.DOTALL)
_LITERALS = {"STRING_LITERAL": "VARCHAR", "INTEGER_LITERAL": "INTEGER"}
_INTEGERS = 1 << 31
_NO_COLUMN = "Binder Error: Referenced column"
_CLAUSES = ("where", "group", "having", "order", "limit", "offset", "distinct")


class Probe:
    """Asks about one statement, which is as it was after each question."""

    def __init__(self, tree: exp.Expr, connection: duckdb.DuckDBPyConnection) -> None:
        """All that the statement reads must exist in the connection."""
        self._tree = tree
        self._connection = connection

    def types(self, operands: Sequence[exp.Expr], places: Sequence[exp.Expr]) -> list[str] | None:
        """DuckDB's types of expressions.

        Args:
            operands: the expressions.
            places: where they are evaluated: one of them, and its equals, of which a grouped query has several.

        Returns:
            None if DuckDB finds another fault before it comes to them. It will show when the statement runs.
        """
        asked = [(place, _question(operands)) for place in places]
        for place, question in asked:
            place.replace(question)
        try:
            found = _ANSWER.search(self._refusal())
        finally:
            for place, question in asked:
                question.replace(place)
        if not found:
            return None
        return [_named(each.strip(), operand) for each, operand in zip(split(found[1]), operands, strict=True)]

    def is_input(self, column: exp.Column, select: exp.Select) -> bool:
        """Whether a name without a table is a column of what a SELECT reads, and not just one of its aliases.

        WHERE sees those columns. All that comes after it is left out, so that nothing else is found first.
        """
        aliases = [each for each in select.expressions if each.alias.lower() == column.name.lower()]
        names = [each.args["alias"] for each in aliases]
        clauses = {clause: select.args.get(clause) for clause in _CLAUSES}
        for each in aliases:
            each.set("alias", exp.to_identifier("_hidden_alias"))
        for clause in clauses:
            select.set(clause, None)
        select.set("where", exp.Where(this=_question([column])))
        try:
            return not self._refusal().startswith(_NO_COLUMN)
        finally:
            for each, name in zip(aliases, names, strict=True):
                each.set("alias", name)
            for clause, was in clauses.items():
                select.set(clause, was)

    def _refusal(self) -> str:
        """DuckDB's error; empty if the statement can be bound."""
        try:
            self._connection.execute(f"DESCRIBE {for_engine(self._tree)}")
        except duckdb.InterruptException:  # the query was cancelled
            raise
        except duckdb.Error as error:
            return str(error)
        return ""


def _question(operands: Sequence[exp.Expr]) -> exp.Anonymous:
    return exp.Anonymous(this=_TAKES_NOTHING, expressions=[each.copy() for each in operands])


def _named(type_: str, expression: exp.Expr) -> str:
    literal = expression.this if isinstance(expression, exp.Neg) else expression
    if type_ == "INTEGER_LITERAL" and isinstance(literal, exp.Literal) and int(literal.name) >= _INTEGERS:
        return "BIGINT"
    return _LITERALS.get(type_, type_)
