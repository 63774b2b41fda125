"""Functions of Trino that DuckDB has not, or under another name: each in DuckDB's own words.

What can be said by the form of a call is here; what depends on types is in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.failures import call, failure

_ZERO, _ONE = exp.Literal.number(0), exp.Literal.number(1)
_SPECIFIER = re.compile(r"%(?:(?P<kind>[sd%]|(?:\.\d+)?f)|.?)")


def translate(tree: exp.Expr) -> exp.Expr:
    """The statement with all such calls replaced.

    Raises:
        QueryError: a call can't be said in DuckDB's words.
    """
    return tree.transform(_translated, copy=False)


def _translated(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Anonymous() if made := _BY_NAME.get(node.name.lower()):
            return made(*node.expressions) if len(node.expressions) == 2 else node
        case exp.ArraySlice():
            return _slice(node.this, node.args["start"], node.args["end"])
        case exp.Format():
            return _format(node)
        case exp.Reduce() if node.args.get("finish") is not None:
            return _reduce(node)
        case exp.Struct() if not isinstance(node.parent, exp.Cast | exp.TryCast):  # a cast names the fields
            return _row(node)
        case exp.Unnest() if len(node.expressions) > 1:
            return _unnest(node)
    return node


def _any_match(array: exp.Expr, test: exp.Expr) -> exp.Expr:
    """True if the test is true for an element; else NULL if it is NULL for one; else false."""
    one = exp.to_identifier("v")
    unknown = exp.Lambda(this=exp.Is(this=one, expression=exp.null()), expressions=[one.copy()])

    def some(found: exp.Expr) -> exp.Expr:
        return exp.GT(this=call("len", found), expression=_ZERO.copy())

    return exp.Case(
        ifs=[
            exp.If(this=exp.Is(this=array.copy(), expression=exp.null()), true=exp.null()),
            exp.If(this=some(call("list_filter", array, test)), true=exp.true()),
            exp.If(this=some(call("list_filter", call("list_transform", array, test), unknown)), true=exp.null()),
        ],
        default=exp.false(),
    )


def _none_match(array: exp.Expr, test: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.paren(_any_match(array, test)))


def _all_match(array: exp.Expr, test: exp.Expr) -> exp.Expr:
    opposite = test.copy()
    opposite.set("this", exp.Not(this=exp.paren(opposite.this)))
    return _none_match(array, opposite)


def _map_agg(key: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Rows without a key don't count. A key that is there twice fails, where Trino keeps one of its values."""
    known = exp.Not(this=exp.Is(this=key.copy(), expression=exp.null()))
    lists = [exp.Filter(this=call("list", each), expression=exp.Where(this=known.copy())) for each in (key, value)]
    return call("map", *lists)


def _array_union(first: exp.Expr, second: exp.Expr) -> exp.Expr:
    """Each element once, in the order in which it comes first."""
    both = call("list_concat", first, second)
    at = exp.to_identifier("i")
    element = call("list_extract", both, at)
    is_first = exp.EQ(this=call("list_position", both, element), expression=at.copy())
    places = call("list_filter", call("range", _ONE, exp.Add(this=call("len", both), expression=_ONE.copy())),
                  exp.Lambda(this=is_first, expressions=[at.copy()]))  # fmt: skip
    return call("list_transform", places, exp.Lambda(this=element, expressions=[at.copy()]))


_BY_NAME: dict[str, Callable[[exp.Expr, exp.Expr], exp.Expr]] = {
    "all_match": _all_match,
    "any_match": _any_match,
    "array_union": _array_union,
    "at_timezone": lambda time, zone: exp.AtTimeZone(this=exp.paren(time.copy()), zone=zone.copy()),
    "map_agg": _map_agg,
    "none_match": _none_match,
}


def _slice(array: exp.Expr, start: exp.Expr, length: exp.Expr) -> exp.Expr:
    """From an element on, counted from 1, or from the end if negative; then so many."""
    size = call("len", array)
    from_end = exp.Add(this=exp.Add(this=size, expression=exp.paren(start.copy())), expression=_ONE.copy())
    begin = exp.Case(
        ifs=[
            exp.If(
                this=exp.EQ(this=start.copy(), expression=_ZERO.copy()), true=failure("SQL array indices start at 1")
            ),
            exp.If(
                this=exp.LT(this=length.copy(), expression=_ZERO.copy()),
                true=failure("length must be greater than or equal to 0"),
            ),
            exp.If(this=exp.GT(this=start.copy(), expression=_ZERO.copy()), true=start.copy()),
            exp.If(this=exp.GT(this=exp.paren(from_end), expression=_ZERO.copy()), true=from_end.copy()),
        ],
        default=exp.Add(this=size.copy(), expression=_ONE.copy()),
    )
    end = exp.Sub(this=exp.Add(this=begin.copy(), expression=exp.paren(length.copy())), expression=_ONE.copy())
    return call("list_slice", array, begin, end)


def _format(node: exp.Format) -> exp.Expr:
    """Java's `%s`, `%d`, `%f` and `%.2f` are those of C."""
    pattern, values = node.this, list(node.expressions)
    kinds = [found["kind"] for found in _SPECIFIER.finditer(pattern.name)] if pattern.is_string else [None]
    if None in kinds:
        raise QueryError("NOT_SUPPORTED", f"The local Athena does not know the format {pattern.sql('trino')}")
    texts = [kind == "s" for kind in kinds if kind != "%"]
    if len(texts) > len(values):
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"Format specifier without a value: {pattern.sql('trino')}")
    shown = [
        exp.func("coalesce", exp.cast(value.copy(), "VARCHAR"), exp.Literal.string("null")) if is_text else value
        for value, is_text in zip(values, texts, strict=False)
    ]
    return call("printf", pattern, *shown)


def _reduce(node: exp.Reduce) -> exp.Expr:
    """The last function is applied to what the second one made."""
    finish = node.args["finish"]
    node.set("finish", None)
    if not isinstance(finish, exp.Lambda):
        return node
    name, body = finish.expressions[0].name, finish.this.copy()
    if isinstance(body, exp.Identifier):
        return node if body.name == name else exp.column(body)
    for place in list(body.find_all(exp.Identifier)):
        if place.name == name and not isinstance(place.parent, exp.Dot):
            (place.parent if isinstance(place.parent, exp.Column) else place).replace(exp.paren(node.copy()))
    return exp.paren(body)


def _row(node: exp.Struct) -> exp.Expr:
    """A row's fields without a name are called field0, field1, …"""
    named = [
        each
        if isinstance(each, exp.PropertyEQ | exp.Alias)
        else exp.PropertyEQ(this=exp.to_identifier(f"field{number}"), expression=each)
        for number, each in enumerate(node.expressions)
    ]
    node.set("expressions", named)
    return node


def _unnest(node: exp.Unnest) -> exp.Expr:
    """Several arrays side by side; the shorter ones are filled with NULL."""
    alias = node.args.get("alias")
    names = [column.name for column in alias.columns] if alias is not None else []
    names += [f"_col{number}" for number in range(len(names), len(node.expressions))]
    arrays = [exp.alias_(call("unnest", each), name) for each, name in zip(node.expressions, names, strict=False)]
    if offset := node.args.get("offset"):
        longest = call("greatest", *[call("len", each) for each in node.expressions])
        places = call("range", _ONE, exp.Add(this=longest, expression=_ONE.copy()))
        arrays.append(exp.alias_(call("unnest", places), offset.name if isinstance(offset, exp.Expr) else "ordinality"))
    made = exp.Subquery(this=exp.select(*arrays))
    table = exp.TableAlias(this=alias.this.copy()) if alias is not None and alias.this is not None else None
    if isinstance(node.parent, exp.Join):
        return exp.Lateral(this=made, alias=table)
    made.set("alias", table)
    return made
