"""Trino's casts: to a text as Trino writes it, to an integer rounded, to a decimal without digits of its own."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp

from infra.local.aws.athena import times, zones
from infra.local.aws.athena.arithmetic import MAX_PRECISION
from infra.local.aws.athena.failures import call, failure
from infra.local.aws.athena.kinds import TEXT, decimal, is_integer, kind

_TEXTS, _INTEGERS = ("varchar", "char", "text"), ("tinyint", "smallint", "int", "bigint")
DIFFERENT = (*_TEXTS, *_INTEGERS, "decimal")  # types that DuckDB casts to in another way
_TIMES = {
    "DATE": "%Y-%m-%d",
    "TIMESTAMP": "%Y-%m-%d %H:%M:%S.%g",
    "TIMESTAMP WITH TIME ZONE": "%Y-%m-%d %H:%M:%S.%g UTC",
}
# A double as Trino casts it to a text: `1.0E0`, `3.333E1`, `Infinity`. DuckDB's text has the digits: `1.0`, `1e+20`.
_DOUBLE_TEXT = """
CREATE MACRO trino_double_text(number) AS list_transform(list_transform(list_transform(
    [CAST(number AS VARCHAR)],
    lambda t: {'text': t, 'sign': CASE WHEN starts_with(t, '-') THEN '-' ELSE '' END,
        'whole': ltrim(split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 1), '0'),
        'fraction': split_part(split_part(t, 'e', 1), '.', 2),
        'exponent': coalesce(TRY_CAST(split_part(t, 'e', 2) AS INTEGER), 0)}),
    lambda p: {'text': p['text'], 'sign': p['sign'], 'digits': rtrim(ltrim(p['whole'] || p['fraction'], '0'), '0'),
        'exponent': p['exponent'] + CASE WHEN p['whole'] <> '' THEN length(p['whole']) - 1
            ELSE length(ltrim(p['fraction'], '0')) - length(p['fraction']) - 1 END}),
    lambda d: CASE
        WHEN d['text'] IS NULL THEN NULL
        WHEN d['text'] = 'nan' THEN 'NaN'
        WHEN d['text'] IN ('inf', '-inf') THEN d['sign'] || 'Infinity'
        WHEN d['digits'] = '' THEN d['sign'] || '0.0E0'
        ELSE d['sign'] || left(d['digits'], 1) || '.' || coalesce(nullif(substr(d['digits'], 2), ''), '0')
            || 'E' || d['exponent'] END)[1]"""


def install(connection: duckdb.DuckDBPyConnection) -> None:
    """Gives a connection what the rewritten expressions call."""
    connection.execute(_DOUBLE_TEXT)


def cast(node: exp.Cast, types: list[str]) -> exp.Expr | None:
    """What DuckDB has to cast instead, if it differs."""
    to = node.args["to"]
    source = types[0]
    if to.is_type(*_TEXTS):
        return _as_text(node, source)
    if to.is_type("decimal") and not to.expressions:  # DuckDB's bare decimal has three digits after the point
        whole = node.copy()
        digits = re.fullmatch(r"[+-]?(\d*)\.?(\d*)", node.this.name) if isinstance(node.this, exp.Literal) else None
        scale = len(digits[2]) if digits and node.this.is_string else 0  # DECIMAL '0.35' is a literal
        whole.set("to", exp.DataType.build(f"DECIMAL({MAX_PRECISION}, {scale})"))
        return whole
    integer = to.is_type(*_INTEGERS)
    if integer and source in ("DOUBLE", "FLOAT"):
        whole = node.copy()
        whole.set("this", exp.Round(this=node.this.copy()))
        return whole
    return None


def _as_text(node: exp.Cast, source: str) -> exp.Expr | None:
    value, to = node.this, node.args["to"]
    if zones.is_zoned(value):
        text: exp.Expr = zones.as_text(value)
    elif source in ("DOUBLE", "FLOAT"):
        text = call("trino_double_text", value)
    elif source in _TIMES:
        text = call("strftime", value if source == "DATE" else times.rounded(value), exp.Literal.string(_TIMES[source]))
    elif kind(source) == TEXT or source == "BOOLEAN" or is_integer(source) or decimal(source):
        text = exp.cast(value.copy(), "VARCHAR")
    else:
        return None
    if not to.expressions:
        return text
    length = to.expressions[0].this
    if kind(source) == TEXT:  # a longer text is cut
        return call("left", text, length)
    refused = failure(f"a value cannot be represented as varchar({length.name})", code="INVALID_CAST_ARGUMENT")
    too_long = exp.GT(this=call("length", text), expression=length.copy())
    checked = exp.Case(ifs=[exp.If(this=too_long, true=exp.cast(refused, "VARCHAR"))], default=text)
    return exp.Try(this=checked) if isinstance(node, exp.TryCast) else checked
