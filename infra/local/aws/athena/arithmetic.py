"""Trino's arithmetic where DuckDB's differs: in divisions and decimals.

In Trino 7 / 2 is 3. A decimal that is divided, averaged or rounded stays a decimal, and its scale follows from the
operands: 0.35 / 10 is 0.04, and `COUNT(*) * 100.0 / SUM(COUNT(*)) OVER ()` has one digit after the point, whatever
ROUND says. DuckDB makes doubles of these. Here they are computed in integers, so that nothing is rounded twice.
"""

from __future__ import annotations

import duckdb
from sqlglot import exp

from infra.local.aws.athena import kinds

MAX_PRECISION = 38
# Quotients of integers, half away from zero. A list of one element evaluates each operand once. Fields are named by
# subscripts: in HAVING, DuckDB takes `q.a` for a column.
_QUOTIENT, _LONG_QUOTIENT = "trino_quotient", "trino_long_quotient"
_MACROS = (
    f"""
    CREATE MACRO {_QUOTIENT}(dividend, divisor) AS list_transform(
        [{{'a': CAST(dividend AS HUGEINT), 'b': CAST(divisor AS HUGEINT)}}],
        lambda q: q['a'] // q['b'] + CASE WHEN abs(q['a'] % q['b']) >= abs(q['b']) - abs(q['a'] % q['b'])
            THEN sign(q['a']) * sign(q['b']) ELSE 0 END)[1]""",
    # The same of dividend * 10^shift, where that product could leave 128 bits: one digit after another, as on paper.
    f"""
    CREATE MACRO {_LONG_QUOTIENT}(dividend, divisor, shift) AS list_transform(list_transform(
        [{{'a': CAST(dividend AS HUGEINT), 'b': CAST(divisor AS HUGEINT)}}],
        lambda q: {{'sign': sign(q['a']) * sign(q['b']), 'digits': list_reduce(
            list_transform(range(shift + 1), lambda i:
                {{'v': abs(q['a'] // q['b']), 'r': abs(q['a'] % q['b']), 'b': abs(q['b'])}}),
            lambda s, i: {{'v': s['v'] * 10 + s['r'] * 10 // s['b'], 'r': s['r'] * 10 % s['b'], 'b': s['b']}})}}),
        lambda q: q['sign'] * (q['digits']['v']
            + CASE WHEN q['digits']['r'] >= q['digits']['b'] - q['digits']['r'] THEN 1 ELSE 0 END))[1]""",
)


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives a connection what the rewritten expressions call."""
    for macro in _MACROS:
        connection.execute(macro)


def division(node: exp.Div, types: list[str]) -> exp.Expr | None:
    """Integers give an integer, cut; decimals a decimal, rounded; doubles are as in DuckDB."""
    if all(map(kinds.is_integer, types)):
        result = exp.Paren(this=exp.IntDiv(this=node.this.copy(), expression=node.expression.copy()))
        return exp.cast(result, "BIGINT") if "HUGEINT" in types else result
    left, right = map(kinds.decimal, types)
    if left is None or right is None:
        return None
    scale = max(left[1], right[1])
    precision = min(MAX_PRECISION, left[0] + right[1] + max(0, right[1] - left[1]))
    return _quotient((node.this, *left), (node.expression, right[1]), precision, scale)


def average(node: exp.Avg, types: list[str]) -> exp.Expr | None:
    """The average of decimals has their type. Other numbers have a double."""
    if not types[0].startswith("DECIMAL") or (operand := kinds.decimal(types[0])) is None:
        return None
    precision, scale = operand
    whole = with_window(node)
    parts = []
    for function in (exp.Sum, exp.Count):
        part = whole.copy()
        inner = part if part.key == "avg" else part.find(exp.Avg)
        called = function(this=node.this.copy())
        if inner is part:
            part = called
        elif inner is not None:
            inner.replace(called)
        parts.append(part)
    return _quotient((parts[0], MAX_PRECISION, scale), (parts[1], 0), precision, scale)


def rounding(node: exp.Round, types: list[str]) -> exp.Expr | None:
    """A rounded decimal keeps its scale if ROUND names one, and has none otherwise."""
    if not types[0].startswith("DECIMAL") or (operand := kinds.decimal(types[0])) is None:
        return None
    precision, scale = operand
    if node.args.get("decimals") is None:
        return _decimal(node.copy(), min(MAX_PRECISION, precision - scale + 1), 0)
    return _decimal(node.copy(), min(MAX_PRECISION, precision + 1), scale)


def truncation(node: exp.Trunc, types: list[str]) -> exp.Expr | None:
    """A truncated decimal keeps its scale if TRUNCATE names one, and has none otherwise."""
    if not types[0].startswith("DECIMAL") or (operand := kinds.decimal(types[0])) is None:
        return None
    precision, scale = operand
    named = node.args.get("decimals") is not None
    return _decimal(node.copy(), precision if named else max(precision - scale, 1), scale if named else 0)


def remainder(node: exp.Mod, types: list[str]) -> exp.Expr | None:
    """The remainder of decimals has the larger scale, however wide they are."""
    left, right = map(kinds.decimal, types)
    if left is None or right is None or all(map(kinds.is_integer, types)):
        return None
    scale = max(left[1], right[1])
    precision = min(MAX_PRECISION, min(left[0] - left[1], right[0] - right[1]) + scale)
    return _decimal(exp.paren(node.copy()), max(precision, 1), scale)


def with_window(node: exp.Expr) -> exp.Expr:
    """An aggregate with its FILTER and OVER."""
    while isinstance(node.parent, exp.Window | exp.Filter | exp.IgnoreNulls) and node.parent.this is node:
        node = node.parent
    return node


def _quotient(
    dividend: tuple[exp.Expr, int, int], divisor: tuple[exp.Expr, int], precision: int, scale: int
) -> exp.Expr:
    """The quotient of a decimal with its precision and scale, and one with its scale."""
    (above, above_precision, above_scale), (below, below_scale) = dividend, divisor
    shift = scale - above_scale + below_scale
    sides = [_unscaled(above, above_scale), _unscaled(below, below_scale)]
    if above_precision + shift > MAX_PRECISION and shift:
        whole = exp.Anonymous(this=_LONG_QUOTIENT, expressions=[*sides, exp.Literal.number(shift)])
    else:
        if shift:
            sides[0] = exp.Mul(this=sides[0], expression=exp.cast(exp.Literal.number(10**shift), "HUGEINT"))
        whole = exp.Anonymous(this=_QUOTIENT, expressions=sides)
    if not scale:
        return _decimal(whole, precision, 0)
    unit = _decimal(exp.Literal.string("0." + "1".rjust(scale, "0")), scale, scale)
    return _decimal(exp.Mul(this=_decimal(whole, MAX_PRECISION, 0), expression=unit), precision, scale)


def _unscaled(node: exp.Expr, scale: int) -> exp.Expr:
    """A decimal without its point: 0.35 as 35. By way of its text, as a product could leave the type's range."""
    if not scale:
        return exp.cast(node.copy(), "HUGEINT")
    digits = exp.Anonymous(
        this="replace", expressions=[exp.cast(node.copy(), "VARCHAR"), exp.Literal.string("."), exp.Literal.string("")]
    )
    return exp.cast(digits, "HUGEINT")


def _decimal(node: exp.Expr, precision: int, scale: int) -> exp.Expr:
    return exp.cast(node, f"DECIMAL({precision}, {scale})")
