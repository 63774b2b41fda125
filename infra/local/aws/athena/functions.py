"""Functions of Trino that DuckDB has under the same name, and answers in another way."""

from __future__ import annotations

from sqlglot import exp

from infra.local.aws.athena import translations, zones
from infra.local.aws.athena.failures import call, failure
from infra.local.aws.athena.kinds import ARRAY, MAP, kind, name
from infra.local.aws.athena.types import split


def subscript(node: exp.Bracket, types: list[str]) -> exp.Expr | None:
    """`a[9]` fails without a ninth element, and `m['x']` without such a key, where `element_at` gives NULL."""
    if node.args.get("safe"):
        return None
    zero, one = exp.Literal.number(0), exp.Literal.number(1)
    if kind(types[0]) == ARRAY:
        found, index = node.this, _added(node.expressions[0])
        length = call("len", found)
        failures = [
            exp.If(this=exp.EQ(this=index, expression=zero), true=failure("SQL array indices start at 1")),
            exp.If(this=exp.LT(this=index, expression=one), true=failure("Array subscript is negative", index)),
            exp.If(this=exp.GT(this=index, expression=length), true=failure("Array subscript beyond the end", index)),
        ]
    elif kind(types[0]) == MAP:
        found, index = call("map_extract", node.this, node.expressions[0]), one  # an array of one value, or of none
        known = exp.Not(this=exp.Is(this=node.this.copy(), expression=exp.null()))
        missing = exp.and_(known, exp.EQ(this=call("len", found), expression=zero))
        failures = [exp.If(this=missing, true=failure("Key not present in map", node.expressions[0]))]
    else:
        return None
    return call("list_extract", found, exp.Case(ifs=failures, default=index.copy()))


def _added(index: exp.Expr) -> exp.Expr:
    """The parser counts subscripts from 0."""
    if isinstance(index, exp.Literal):
        return exp.Literal.number(int(index.name) + 1)
    return exp.paren(exp.Add(this=index.copy(), expression=exp.Literal.number(1)))


def joined(node: exp.DPipe, types: list[str]) -> exp.Expr | None:
    """An element is put before or behind an array."""
    if {kind(type_) == ARRAY for type_ in types} != {True, False}:
        return None
    sides = [
        side.copy() if kind(type_) == ARRAY else exp.Array(expressions=[side.copy()])
        for side, type_ in zip((node.this, node.expression), types, strict=True)
    ]
    return exp.DPipe(this=sides[0], expression=sides[1])


def part(node: exp.SplitPart, types: list[str]) -> exp.Expr | None:
    """NULL where a text has fewer parts. Parts are counted from 1, and only forwards."""
    pieces = call("string_split", node.this, node.args["delimiter"])
    index = node.args["part_index"]
    too_small = exp.LT(this=index.copy(), expression=exp.Literal.number(1))
    failing = exp.If(this=too_small, true=failure("Index must be greater than zero"))
    return call("list_extract", pieces, exp.Case(ifs=[failing], default=index.copy()))


def substring(node: exp.Substring, types: list[str]) -> exp.Expr | None:
    """Characters count from 1. From 0, or from before the first one, Trino takes nothing."""
    start, length = node.args["start"], call("length", node.this)
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
    if zones.is_zoned(node.this):
        return exp.Literal.string("timestamp(3) with time zone")
    return exp.Literal.string(name(types[0], node.this))


def without(node: exp.Replace, types: list[str]) -> exp.Expr | None:
    """`replace(text, search)` removes it."""
    if node.args.get("replacement") is not None:
        return None
    whole = node.copy()
    whole.set("replacement", exp.Literal.string(""))
    return whole


def cardinality(node: exp.ArraySize, types: list[str]) -> exp.Expr | None:
    """Of a map, the number of its keys."""
    return call("cardinality", node.this) if kind(types[0]) == MAP else None


def reverse(node: exp.Reverse, types: list[str]) -> exp.Expr | None:
    """Of an array, its elements backwards."""
    return call("list_reverse", node.this) if kind(types[0]) == ARRAY else None


def unnested(node: exp.Unnest, types: list[str]) -> exp.Expr | None:
    """A map gives two columns, and an array of rows one for each field."""
    if kind(types[0]) == MAP:
        columns = [call("map_keys", node.expressions[0]), call("map_values", node.expressions[0])]
    elif types[0].startswith("STRUCT") and kind(types[0]) == ARRAY:
        element = exp.to_identifier("_element")
        names = [_field(each) for each in split(types[0].removeprefix("STRUCT(").removesuffix(")[]"))]
        fields = [call("struct_extract", element, exp.Literal.string(name)) for name in names]
        columns = [
            call("list_transform", node.expressions[0], exp.Lambda(this=field, expressions=[element.copy()]))
            for field in fields
        ]
    else:
        return None
    return translations.side_by_side(columns, node)


def _field(definition: str) -> str:
    """The name of a field: of `"a b" INTEGER` it is `a b`."""
    name = definition.strip().rpartition('"')[0] if definition.strip().startswith('"') else definition.split()[0]
    return name.removeprefix('"').replace('""', '"')
