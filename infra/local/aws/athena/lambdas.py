"""Functions of Trino that take a lambda, in DuckDB's own words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from sqlglot import exp

from infra.local.aws.athena.failures import call


def _inlined(function: exp.Expr, *values: exp.Expr) -> exp.Expr:
    """What a lambda gives, with these expressions for its parameters."""
    if not isinstance(function, exp.Lambda) or len(function.expressions) != len(values):
        return function
    given = {parameter.name: value for parameter, value in zip(function.expressions, values, strict=True)}
    whole = exp.paren(function.this.copy())
    for place in list(whole.find_all(exp.Identifier)):
        if place.name in given and not isinstance(place.parent, exp.Dot):
            (place.parent if isinstance(place.parent, exp.Column) else place).replace(given[place.name].copy())
    return whole


_number = count()


class _Each:
    """A lambda over the elements of a list, whose parameter has a name of its own: lambdas stand within lambdas."""

    def __init__(self) -> None:
        self._one = exp.to_identifier(f"_element{next(_number)}")

    def field(self, name: str | int) -> exp.Expr:
        """A field of the element, which is a row."""
        literal = exp.Literal.number(name) if isinstance(name, int) else exp.Literal.string(name)
        return call("struct_extract", self._one, literal)

    def gives(self, body: exp.Expr) -> exp.Lambda:
        """The lambda."""
        return exp.Lambda(this=body, expressions=[self._one.copy()])


def _pair(key: exp.Expr, value: exp.Expr) -> exp.Expr:
    return call("struct_pack", *(
        exp.PropertyEQ(this=exp.to_identifier(name), expression=each) for name, each in (("k", key), ("v", value))
    ))  # fmt: skip


def _map_filter(entries: exp.Expr, test: exp.Expr) -> exp.Expr:
    each = _Each()
    held = _inlined(test, each.field("key"), each.field("value"))
    return call("map_from_entries", call("list_filter", call("map_entries", entries), each.gives(held)))


def _transform_keys(entries: exp.Expr, function: exp.Expr) -> exp.Expr:
    each = _Each()
    made = _pair(_inlined(function, each.field("key"), each.field("value")), each.field("value"))
    return call("map_from_entries", call("list_transform", call("map_entries", entries), each.gives(made)))


def _transform_values(entries: exp.Expr, function: exp.Expr) -> exp.Expr:
    each = _Each()
    made = _pair(each.field("key"), _inlined(function, each.field("key"), each.field("value")))
    return call("map_from_entries", call("list_transform", call("map_entries", entries), each.gives(made)))


def _zip_with(first: exp.Expr, second: exp.Expr, function: exp.Expr) -> exp.Expr:
    """The shorter array is filled with NULL."""
    each = _Each()
    made = _inlined(function, each.field(1), each.field(2))
    return call("list_transform", call("list_zip", first, second), each.gives(made))


def _any_match(array: exp.Expr, test: exp.Expr) -> exp.Expr:
    """True if the test is true for an element; else NULL if it is NULL for one; else false."""
    one = exp.to_identifier("v")
    unknown = exp.Lambda(this=exp.Is(this=one, expression=exp.null()), expressions=[one.copy()])

    def some(found: exp.Expr) -> exp.Expr:
        return exp.GT(this=call("len", found), expression=exp.Literal.number(0))

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


BY_NAME: dict[tuple[str, int], Callable[..., exp.Expr]] = {
    ("all_match", 2): _all_match,
    ("any_match", 2): _any_match,
    ("map_filter", 2): _map_filter,
    ("none_match", 2): _none_match,
    ("transform_keys", 2): _transform_keys,
    ("transform_values", 2): _transform_values,
    ("zip_with", 3): _zip_with,
}
