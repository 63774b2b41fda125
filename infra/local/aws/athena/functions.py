"""Functions and casts of Trino that DuckDB has under the same name, and answers in another way."""

from __future__ import annotations

import duckdb
from sqlglot import exp

from infra.local.aws.athena.kinds import ARRAY, MAP, TEXT, decimal, is_integer, kind, name

_TIMES = {
    "DATE": "%Y-%m-%d", "TIMESTAMP": "%Y-%m-%d %H:%M:%S.%g", "TIMESTAMP WITH TIME ZONE": "%Y-%m-%d %H:%M:%S.%g UTC",
}  # fmt: skip


# A double as Trino casts it to a text: `1.0E0`, `3.333E1`, `Infinity`. DuckDB's text has the digits: `1.0`, `1e+20`.
_DOUBLE_TEXT = """
CREATE MACRO trino_double_text(number) AS list_transform(list_transform(list_transform(
    [CAST(number AS VARCHAR)],
    lambda t: {'text': t, 'sign': CASE WHEN starts_with(t, '-') THEN '-' ELSE '' END,
        'whole': ltrim(split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 1), '0'),
        'fraction': split_part(split_part(t, 'e', 1), '.', 2),
        'exponent': coalesce(TRY_CAST(split_part(t, 'e', 2) AS INTEGER), 0)}),
    lambda p: {'text': p.text, 'sign': p.sign, 'digits': rtrim(ltrim(p.whole || p.fraction, '0'), '0'),
        'exponent': p.exponent + CASE WHEN p.whole <> '' THEN length(p.whole) - 1
            ELSE length(ltrim(p.fraction, '0')) - length(p.fraction) - 1 END}),
    lambda d: CASE
        WHEN d.text IS NULL THEN NULL
        WHEN d.text = 'nan' THEN 'NaN'
        WHEN d.text IN ('inf', '-inf') THEN d.sign || 'Infinity'
        WHEN d.digits = '' THEN d.sign || '0.0E0'
        ELSE d.sign || left(d.digits, 1) || '.' || CASE WHEN length(d.digits) = 1 THEN '0' ELSE substr(d.digits, 2) END
            || 'E' || d.exponent END)[1]"""


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives a connection what the rewritten expressions call."""
    connection.execute(_DOUBLE_TEXT)


def subscript(node: exp.Bracket, types: list[str]) -> exp.Expr | None:
    """`a[9]` fails where there is no ninth element, and `m['x']` where there is no such key. `element_at` gives NULL."""
    if node.args.get("safe"):
        return None
    one = exp.Literal.number(1)
    if kind(types[0]) == ARRAY:
        found, index = node.this, _added(node.expressions[0])
        length = _call("len", found)
        failures = [
            exp.If(this=exp.EQ(this=index, expression=exp.Literal.number(0)), true=_failure("SQL array indices start at 1")),
            exp.If(this=exp.LT(this=index, expression=one), true=_failure("Array subscript is negative", index)),
            exp.If(this=exp.GT(this=index, expression=length), true=_failure("Array subscript is beyond the end", index)),
        ]
    elif kind(types[0]) == MAP:
        found, index = _call("map_extract", node.this, node.expressions[0]), one  # an array of one value, or of none
        known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
        missing = exp.and_(known, exp.EQ(this=_call("len", found), expression=exp.Literal.number(0)))
        failures = [exp.If(this=missing, true=_failure("Key not present in map", node.expressions[0]))]
    else:
        return None
    return _call("list_extract", found, exp.Case(ifs=failures, default=index.copy()))


def _failure(message: str, value: exp.Expr | None = None, code: str = "INVALID_FUNCTION_ARGUMENT") -> exp.Expr:
    """A number that can't be computed: a cast of an error's text. DuckDB's `error` can't be in a TRY."""
    text: exp.Expr = exp.Literal.string(f"{code}: {message}")
    if value is not None:
        shown = exp.func("coalesce", exp.cast(value.copy(), "VARCHAR"), exp.Literal.string("null"), dialect="duckdb")
        text = exp.DPipe(this=exp.Literal.string(f"{code}: {message}: "), expression=shown)
    return exp.cast(exp.paren(text), "BIGINT")


def _added(index: exp.Expr) -> exp.Expr:
    """The parser counts subscripts from 0."""
    if isinstance(index, exp.Literal):
        return exp.Literal.number(int(index.name) + 1)
    return exp.paren(exp.Add(this=index.copy(), expression=exp.Literal.number(1)))


def part(node: exp.SplitPart, types: list[str]) -> exp.Expr | None:
    """NULL where a text has fewer parts. Parts are counted from 1, and only forwards."""
    pieces = _call("string_split", node.this, node.args["delimiter"])
    index = node.args["part_index"]
    too_small = exp.LT(this=index.copy(), expression=exp.Literal.number(1))
    failing = exp.If(this=too_small, true=_failure("Index must be greater than zero"))
    return _call("list_extract", pieces, exp.Case(ifs=[failing], default=index.copy()))


def substring(node: exp.Substring, types: list[str]) -> exp.Expr | None:
    """Characters count from 1. From 0, or from before the first one, Trino takes nothing."""
    start, length = node.args["start"], _call("length", node.this)
    zero = exp.Literal.number(0)
    outside = exp.or_(
        exp.EQ(this=start.copy(), expression=zero),
        exp.LT(this=start.copy(), expression=exp.Neg(this=length)),
        *([exp.LTE(this=node.args["length"].copy(), expression=zero)] if node.args.get("length") else []),
    )
    whole = node.copy()
    nothing = exp.Case(ifs=[exp.If(this=outside, true=exp.Literal.string(""))], default=whole)
    known = exp.Is(this=node.this.copy(), expression=exp.null())
    return exp.Case(ifs=[exp.If(this=known, true=exp.null())], default=nothing)


def extracted(node: exp.RegexpExtract, types: list[str]) -> exp.Expr | None:
    """NULL where nothing matches. DuckDB gives an empty text."""
    matches = exp.RegexpLike(this=node.this.copy(), expression=node.expression.copy())
    return exp.Case(ifs=[exp.If(this=matches, true=node.copy())])


def replaced(node: exp.RegexpReplace, types: list[str]) -> exp.Expr | None:
    r"""Java names a group `$1`, DuckDB `\1`."""
    replacement = node.args.get("replacement")
    if not isinstance(replacement, exp.Literal) or "$" not in replacement.name:
        return None
    whole = node.copy()
    whole.set("replacement", exp.Literal.string(replacement.name.replace("$", "\\")))
    return whole


def type_name(node: exp.Typeof, types: list[str]) -> exp.Expr:
    """Trino's name of a type."""
    return exp.Literal.string(name(types[0], node.this))


def without(node: exp.Replace, types: list[str]) -> exp.Expr | None:
    """`replace(text, search)` removes it."""
    if node.args.get("replacement") is not None:
        return None
    whole = node.copy()
    whole.set("replacement", exp.Literal.string(""))
    return whole


def cast(node: exp.Cast, types: list[str]) -> exp.Expr | None:
    """To a text as Trino writes it, and to an integer rounded half away from zero."""
    to = node.args["to"]
    source = types[0]
    if to.is_type("varchar", "char", "text"):
        return _as_text(node, source)
    integer = to.is_type("tinyint", "smallint", "int", "bigint")
    if integer and source in ("DOUBLE", "FLOAT"):
        whole = node.copy()
        whole.set("this", exp.Round(this=node.this.copy()))
        return whole
    return None


def _as_text(node: exp.Cast, source: str) -> exp.Expr | None:
    value, to = node.this, node.args["to"]
    if source in ("DOUBLE", "FLOAT"):
        text: exp.Expr = _call("trino_double_text", value)
    elif source in _TIMES:
        text = _call("strftime", value if source == "DATE" else _rounded(value), exp.Literal.string(_TIMES[source]))
    elif kind(source) == TEXT or source == "BOOLEAN" or is_integer(source) or decimal(source):
        text = exp.cast(value.copy(), "VARCHAR")
    else:
        return None
    if not to.expressions:
        return text
    length = to.expressions[0].this
    if kind(source) == TEXT:  # a longer text is cut
        return _call("left", text, length)
    failure = _failure("a value cannot be represented as varchar(" + length.name + ")", code="INVALID_CAST_ARGUMENT")
    too_long = exp.GT(this=_call("length", text), expression=length.copy())
    checked = exp.Case(ifs=[exp.If(this=too_long, true=exp.cast(failure, "VARCHAR"))], default=text)
    return exp.Try(this=checked) if isinstance(node, exp.TryCast) else checked


def _rounded(time: exp.Expr) -> exp.Expr:
    return exp.Add(this=exp.paren(time.copy()), expression=exp.Interval(this=exp.Literal.string("500"), unit=exp.var("MICROSECONDS")))


def _call(function: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=function, expressions=[argument.copy() for argument in arguments])
