"""Functions of Trino that DuckDB has not, or under another name: each in DuckDB's own words.

What can be said by the form of a call is here; what depends on types is in `rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from infra.local.aws.athena import joda, lambdas, zones
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.failures import call, failure

_ZERO, _ONE = exp.Literal.number(0), exp.Literal.number(1)
_ELEMENT = exp.to_identifier("_element")
_MODE = re.compile(r"^\s*(lax|strict)\s+")
_SPECIFIER = re.compile(r"%(?:(?P<kind>[sd%]|(?:\.\d+)?f)|.?)")


def translate(tree: exp.Expr) -> exp.Expr:
    """The statement with all such calls replaced.

    Raises:
        QueryError: a call can't be said in DuckDB's words.
    """
    for node in reversed(list(tree.dfs())):  # arguments before their calls
        made = _translated(zones.translated(node))
        if made is not node:
            node.replace(made)
            tree = made if node is tree else tree
    return tree


def _translated(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Anonymous() if made := _BY_NAME.get((node.name.lower(), len(node.expressions))):
            return made(*node.expressions)
        case exp.ArrayDistinct():
            return call("trino_distinct", node.this)
        case exp.ArrayToString() if shown := node.args.get("null"):
            texts = exp.func("coalesce", exp.cast(_ELEMENT.copy(), "VARCHAR"), shown.copy())
            listed = call("list_transform", node.this, exp.Lambda(this=texts, expressions=[_ELEMENT.copy()]))
            return call("array_to_string", listed, node.expression)
        case exp.JSONValue():
            return call("json_extract_string", node.this, _path(node.args["path"]))
        case exp.ParseDatetime() if given := node.args.get("format"):
            return joda.parse_datetime(node.this, given)
        case exp.LimitOptions() if node.args.get("with_ties"):
            raise QueryError("NOT_SUPPORTED", "The local Athena knows no WITH TIES: keep the rows whose rank() is <= n")
        case exp.Skewness():
            return call("trino_skewness", node.this)
        case exp.Split() if limit := node.args.get("limit"):
            return call("trino_split", node.this, node.expression, limit)
        case exp.StrToMap():
            return call("trino_split_to_map", node.this, node.args["pair_delim"], node.args["key_value_delim"])
        case exp.ArraySlice():
            return _slice(node.this, node.args["start"], node.args["end"])
        case exp.Format():
            return _format(node)
        case exp.Reduce() if node.args.get("finish") is not None:
            return _reduce(node)
        case exp.Struct() if not isinstance(node.parent, exp.Cast | exp.TryCast):  # a cast names the fields
            return _row(node)
        case exp.Unnest() if len(node.expressions) > 1:
            return side_by_side(node.expressions, node)
    return node


def _map_agg(key: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Rows without a key don't count. A key that is there twice fails, where Trino keeps one of its values."""
    known = _known(key.copy())
    lists = [exp.Filter(this=call("list", each), expression=exp.Where(this=known.copy())) for each in (key, value)]
    return call("map", *lists)


def _array_union(first: exp.Expr, second: exp.Expr) -> exp.Expr:
    """Each element once, in the order in which it comes first."""
    both = call("list_concat", first, second)
    at = exp.to_identifier("_place")  # no name of the query's own
    element = call("list_extract", both, at)
    is_first = exp.EQ(this=call("list_position", both, element), expression=at.copy())
    places = call("list_filter", call("range", _ONE, exp.Add(this=call("len", both), expression=_ONE.copy())),
                  exp.Lambda(this=is_first, expressions=[at.copy()]))  # fmt: skip
    return call("list_transform", places, exp.Lambda(this=element, expressions=[at.copy()]))


def _zip(*arrays: exp.Expr) -> exp.Expr:
    """Rows of the elements side by side; the shorter arrays are filled with NULL."""
    fields = [call("struct_extract", _ELEMENT, exp.Literal.number(number + 1)) for number in range(len(arrays))]
    row = _row(exp.Struct(expressions=fields))
    return call("list_transform", call("list_zip", *arrays), exp.Lambda(this=row, expressions=[_ELEMENT.copy()]))


_BY_NAME: dict[tuple[str, int], Callable[..., exp.Expr]] = {
    **lambdas.BY_NAME,
    ("array_union", 2): _array_union,
    ("entropy", 1): lambda count: call("trino_entropy", count),
    ("format_datetime", 2): joda.format_datetime,
    ("json_exists", 2): lambda text, path: _known(call("json_extract", text, _path(path))),
    ("map_agg", 2): _map_agg,
    ("map_entries", 1): lambda entries: _zip(call("map_keys", entries), call("map_values", entries)),
    ("to_base", 2): lambda number, base: call("lower", call("to_base", number, base)),
    ("url_encode", 1): lambda text: call("replace", call("url_encode", text), *map(exp.Literal.string, ("%20", "+"))),
    **{("zip", number): _zip for number in range(2, 6)},
}


def _known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value, expression=exp.null()))


def _path(path: exp.Expr) -> exp.Expr:
    """A path of SQL/JSON names a mode first; DuckDB reads each path as `lax`, the default."""
    return exp.Literal.string(_MODE.sub("", path.name)) if path.is_string else path


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


def side_by_side(columns: Sequence[exp.Expr], node: exp.Unnest) -> exp.Expr:
    """What is in the place of UNNEST if it gives several arrays; the shorter ones are filled with NULL."""
    alias = node.args.get("alias")
    names = [column.name for column in alias.columns] if alias is not None else []
    names += [f"_col{number}" for number in range(len(names), len(columns))]
    arrays = [exp.alias_(call("unnest", each), name) for each, name in zip(columns, names, strict=False)]
    if offset := node.args.get("offset"):
        longest = call("greatest", *[call("len", each) for each in columns])
        places = call("range", _ONE, exp.Add(this=longest, expression=_ONE.copy()))
        arrays.append(exp.alias_(call("unnest", places), offset.name if isinstance(offset, exp.Expr) else "ordinality"))
    made = exp.Subquery(this=exp.select(*arrays))
    table = exp.TableAlias(this=alias.this.copy()) if alias is not None and alias.this is not None else None
    if isinstance(node.parent, exp.Join):
        return exp.Lateral(this=made, alias=table)
    made.set("alias", table)
    return made
