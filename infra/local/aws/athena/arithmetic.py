"""Trino's arithmetic where DuckDB's differs: in divisions, decimals and dates.

In Trino 7 / 2 is 3. A decimal that is divided, averaged or rounded stays a decimal, and its scale follows from the
operands: `COUNT(*) * 100.0 / SUM(COUNT(*)) OVER ()` has one digit after the point, whatever ROUND says. DuckDB makes
doubles of these, and it makes timestamps of dates that are moved or truncated.
The rewrite depends on the operands' types, for which we ask DuckDB: the operands replace the SELECT's list, and the
statement is described, not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import duckdb
from sqlglot import exp

# (precision, scale) of Trino's integers in decimal arithmetic.
_INTEGERS = {"TINYINT": (3, 0), "SMALLINT": (5, 0), "INTEGER": (10, 0), "BIGINT": (19, 0), "HUGEINT": (19, 0)}
MAX_PRECISION = 38
_MOVES_DATE = (exp.TimestampTrunc, exp.DateTrunc, exp.DateAdd, exp.DateSub)
_ADDS = (exp.Add, exp.Sub)  # of an interval
_TYPED = (exp.Div, exp.Avg, exp.Round, *_MOVES_DATE, *_ADDS)

Describe = Callable[[str], list[str]]


def as_trino(tree: exp.Expr, connection: duckdb.DuckDBPyConnection) -> None:
    """Rewrites such expressions of a query in place. An expression of unknown types stays as it is.

    All that the query reads must exist in the connection.
    """

    def describe(sql: str) -> list[str]:
        return [str(row[1]) for row in connection.execute(f"DESCRIBE {sql}").fetchall()]

    for select in reversed(list(tree.find_all(exp.Select))):
        nodes = [node for node in select.find_all(*_TYPED) if node.parent_select is select]
        for node in sorted(nodes, key=lambda node: node.depth, reverse=True):  # operands before what uses them
            _rewrite(node, select, describe)


def _rewrite(node: exp.Expr, select: exp.Select, describe: Describe) -> None:
    if isinstance(node, _ADDS) and not isinstance(node.expression, exp.Interval):
        return
    operands = [node.this, node.expression] if isinstance(node, exp.Div) else [node.this]
    types = _types_of(operands, select, describe)
    if types is None:
        return
    whole = _with_window(node)
    placeholder = exp.Placeholder()
    whole.replace(placeholder)
    placeholder.replace(_trino_form(node, whole, types))


def _trino_form(node: exp.Expr, whole: exp.Expr, types: list[str]) -> exp.Expr:
    if isinstance(node, (*_MOVES_DATE, *_ADDS)):
        return exp.cast(exp.paren(whole), "DATE") if types[0] == "DATE" else whole
    left = _decimal(types[0])
    if isinstance(node, exp.Div):
        right = _decimal(types[1])
        if left is None or right is None:
            return whole
        return _division(node, types, left, right)
    if not types[0].startswith("DECIMAL") or left is None:
        return whole
    precision, scale = left
    if isinstance(node, exp.Avg):
        return _as_decimal(exp.Round(this=whole, decimals=exp.Literal.number(scale)), precision, scale)
    if node.args.get("decimals") is None:
        return _as_decimal(whole, min(MAX_PRECISION, precision - scale + 1), 0)
    return _as_decimal(whole, min(MAX_PRECISION, precision + 1), scale)


def _division(node: exp.Div, types: list[str], left: tuple[int, int], right: tuple[int, int]) -> exp.Expr:
    dividend, divisor = node.this, node.expression
    result: exp.Expr
    if all(type_ in _INTEGERS for type_ in types):
        result = exp.Paren(this=exp.IntDiv(this=dividend.copy(), expression=divisor.copy()))
        if "HUGEINT" in types:
            result = exp.cast(result, "BIGINT")
    else:
        scale = max(left[1], right[1])
        precision = min(MAX_PRECISION, left[0] + right[1] + max(0, right[1] - left[1]))
        quotient = exp.Div(this=exp.cast(dividend.copy(), "DOUBLE"), expression=divisor.copy())
        result = _as_decimal(exp.Round(this=quotient, decimals=exp.Literal.number(scale)), precision, scale)
    zero = exp.EQ(this=divisor.copy(), expression=exp.Literal.number(0))
    error = exp.Anonymous(this="error", expressions=[exp.Literal.string("DIVISION_BY_ZERO: / by zero")])
    return exp.Case(ifs=[exp.If(this=zero, true=error)], default=result)


def _types_of(operands: list[exp.Expr], select: exp.Select, describe: Describe) -> list[str] | None:
    """DuckDB types of expressions at their place in a SELECT."""
    for probe in _probes(operands, select):
        try:
            return describe(probe.sql("duckdb"))
        except duckdb.Error:  # it does not work this way; errors of the statement itself show when it runs
            continue
    return None


def _probes(operands: list[exp.Expr], select: exp.Select) -> Iterator[exp.Select]:
    """The SELECT with the operands as its list: first grouped, then not, for operands in an aggregate or WHERE."""
    probe: exp.Select = select.copy()
    projections = select.expressions
    for clause in ("distinct", "having", "qualify", "order", "limit", "offset", "with_"):
        probe.set(clause, None)
    probe.set("expressions", [exp.alias_(node.copy(), f"operand{i}") for i, node in enumerate(operands)])
    group = probe.args.get("group")
    if group is not None:
        keys = [
            projections[int(key.name) - 1].unalias().copy() if isinstance(key, exp.Literal) else key
            for key in group.expressions
        ]
        group.set("expressions", keys)
    if ctes := _ctes(select):
        probe.set("with_", exp.With(expressions=list(ctes.values()), recursive=_recursive(select)))
    yield probe
    if group is not None:
        probe.set("group", None)
        yield probe


def _withs(select: exp.Expr) -> Iterator[exp.With]:
    """The WITH clauses around a SELECT, innermost first."""
    node: exp.Expr | None = select
    while node is not None:
        if isinstance(found := node.args.get("with_"), exp.With):
            yield found
        node = node.parent


def _ctes(select: exp.Select) -> dict[str, exp.Expr]:
    found: dict[str, exp.Expr] = {}
    for clause in reversed(list(_withs(select))):
        found |= {cte.alias: cte.copy() for cte in clause.expressions}
    return found


def _recursive(select: exp.Select) -> bool:
    return any(clause.args.get("recursive") for clause in _withs(select))


def _with_window(node: exp.Expr) -> exp.Expr:
    """The node with its FILTER and OVER, if it is an aggregate."""
    while isinstance(node.parent, exp.Window | exp.Filter) and node.parent.this is node:
        node = node.parent
    return node


def _decimal(type_: str) -> tuple[int, int] | None:
    """(precision, scale) of an exact type."""
    if decimal := re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", type_):
        return int(decimal[1]), int(decimal[2])
    return _INTEGERS.get(type_)


def _as_decimal(node: exp.Expr, precision: int, scale: int) -> exp.Expr:
    return exp.cast(node, f"DECIMAL({precision}, {scale})")
