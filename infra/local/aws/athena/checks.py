"""Trino's types: what it compares, adds and joins, and what it refuses. DuckDB would cast one side to the other."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.kinds import (
    ARRAY,
    BINARY,
    BOOLEAN,
    DATE,
    INTERVAL,
    NUMBER,
    TEXT,
    UNKNOWN,
    kind,
    mismatch,
    name,
    together,
)  # fmt: skip

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "IS DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
}  # fmt: skip
_SUMS = {(DATE, INTERVAL), (INTERVAL, DATE), (INTERVAL, INTERVAL), (NUMBER, NUMBER)}
_DIFFERENCES = {(DATE, INTERVAL), (DATE, DATE), (INTERVAL, INTERVAL), (NUMBER, NUMBER)}
_PRODUCTS = {(NUMBER, NUMBER), (INTERVAL, NUMBER), (NUMBER, INTERVAL)}
_QUOTIENTS = {(NUMBER, NUMBER), (INTERVAL, NUMBER)}
_ALLOWED: dict[type[exp.Expr], set[tuple[str, str]]] = {
    exp.Add: _SUMS, exp.Sub: _DIFFERENCES, exp.Mul: _PRODUCTS, exp.Div: _QUOTIENTS, exp.Mod: {(NUMBER, NUMBER)},
}  # fmt: skip


def operator(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses a comparison or calculation of types that don't go together.

    Raises:
        QueryError: TYPE_MISMATCH.
    """
    kinds_ = tuple(map(kind, types))
    if UNKNOWN in kinds_:
        return
    allowed = _ALLOWED.get(type(node))
    if not (together(types) if allowed is None else kinds_ in allowed):
        left, right = map(name, types, operands)
        raise mismatch(f"Cannot apply operator: {left} {_OPERATORS[type(node)]} {right}", node, sql)


def between(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses BETWEEN with other types than the value's."""
    if not together(types):
        value, low, high = map(name, types, operands)
        raise mismatch(f"Cannot check if {value} is BETWEEN {low} and {high}", node, sql)


def membership(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses IN with values of another type."""
    if not together(types):
        found = ", ".join(dict.fromkeys(map(name, types, operands)))
        message = f"IN value and list items must be the same type or coercible to a common type: {found}"
        raise mismatch(message, node, sql)


def alternatives(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses results of different types of CASE, IF, COALESCE and others, of which one is given."""
    if not together(types):
        found = ", ".join(dict.fromkeys(map(name, types, operands)))
        message = f"All {node.key.upper()} operands must be the same type or coercible to a common type: {found}"
        raise mismatch(message, node, sql)


def cases(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses a CASE that compares its value with another type."""
    if not together(types):
        value, *compared = map(name, types, operands)
        message = f"CASE operand type does not match WHEN clause operand type: {value} vs {', '.join(compared)}"
        raise mismatch(message, node, sql)


def union(node: exp.Expr, left: list[str], right: list[str], sql: str) -> None:
    """Refuses a UNION, EXCEPT or INTERSECT of columns whose types don't go together."""
    for number, pair in enumerate(zip(left, right, strict=False), start=1):
        if not together(list(pair)):
            found = ", ".join(map(name, pair))
            raise mismatch(f"column {number} in {node.key.upper()} query has incompatible types: {found}", node, sql)


def condition(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses a condition that is no boolean."""
    for type_, operand in zip(types, operands, strict=True):
        if kind(type_) not in (BOOLEAN, UNKNOWN):
            where = node.key.upper()
            message = f"{where} clause must evaluate to a boolean: actual type {name(type_, operand)}"
            raise mismatch(message, operand, sql)


def likeness(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses LIKE of anything but texts."""
    sides = ("Left side of LIKE expression", "Pattern for LIKE expression")
    for side, type_, operand in zip(sides, types, operands, strict=True):
        if kind(type_) not in (TEXT, UNKNOWN):
            raise mismatch(f"{side} must evaluate to a varchar (actual: {name(type_, operand)})", node, sql)


def concatenation(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses to join anything but texts, arrays with whatever, or bytes."""
    found = set(map(kind, types)) - {UNKNOWN}
    if ARRAY not in found and not (found <= {TEXT} or found <= {BINARY}):
        raise _unexpected(node, operands, types, "concat", sql)


# Kinds of the first argument, or of as many as there are.
_ARGUMENTS: dict[type[exp.Expr], tuple[str, tuple[tuple[str, ...], ...]]] = {
    exp.Lower: ("lower", ((TEXT,),)),
    exp.Upper: ("upper", ((TEXT,),)),
    exp.Trim: ("trim", ((TEXT,),)),
    exp.Length: ("length", ((TEXT, BINARY),)),
    exp.Substring: ("substr", ((TEXT, BINARY), (NUMBER,), (NUMBER,))),
    exp.SplitPart: ("split_part", ((TEXT,), (TEXT,), (NUMBER,))),
    exp.Split: ("split", ((TEXT,), (TEXT,))),
    exp.StrPosition: ("strpos", ((TEXT,), (TEXT,))),
    exp.StartsWith: ("starts_with", ((TEXT,), (TEXT,))),
    exp.RegexpLike: ("regexp_like", ((TEXT,), (TEXT,))),
    exp.RegexpExtract: ("regexp_extract", ((TEXT,), (TEXT,))),
    exp.RegexpReplace: ("regexp_replace", ((TEXT,), (TEXT,))),
    exp.Sum: ("sum", ((NUMBER, INTERVAL),)),
    exp.Avg: ("avg", ((NUMBER, INTERVAL),)),
    exp.Abs: ("abs", ((NUMBER,),)),
    exp.Round: ("round", ((NUMBER,),)),
    exp.Ceil: ("ceil", ((NUMBER,),)),
    exp.Floor: ("floor", ((NUMBER,),)),
    exp.Year: ("year", ((DATE,),)),
    exp.Month: ("month", ((DATE,),)),
    exp.Day: ("day", ((DATE,),)),
    exp.Week: ("week", ((DATE,),)),
    exp.Quarter: ("quarter", ((DATE,),)),
    exp.DayOfYear: ("day_of_year", ((DATE,),)),
    exp.DayOfWeekIso: ("day_of_week", ((DATE,),)),
    exp.LastDay: ("last_day_of_month", ((DATE,),)),
    exp.TimestampTrunc: ("date_trunc", ((DATE,),)),
    exp.DateTrunc: ("date_trunc", ((DATE,),)),
    exp.DateAdd: ("date_add", ((DATE,),)),
    exp.DateDiff: ("date_diff", ((DATE,), (DATE,))),
    exp.TimeToStr: ("date_format", ((DATE,),)),
}
CHECKED = tuple(_ARGUMENTS)


def arguments(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], sql: str) -> None:
    """Refuses a call with an argument of another kind than the function's.

    Raises:
        QueryError: FUNCTION_NOT_FOUND, as Trino finds none with these types.
    """
    function, wanted = _ARGUMENTS[type(node)]
    if any(kind(type_) not in (*allowed, UNKNOWN) for type_, allowed in zip(types, wanted, strict=False)):
        raise _unexpected(node, operands, types, function, sql)


def _unexpected(node: exp.Expr, operands: Sequence[exp.Expr], types: list[str], function: str, sql: str) -> QueryError:
    given = ", ".join(map(name, types, operands))
    return mismatch(f"Unexpected parameters ({given}) for function {function}", node, sql, "FUNCTION_NOT_FOUND")
