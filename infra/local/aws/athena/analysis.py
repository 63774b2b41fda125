"""Gives a parsed query Trino's meaning: refuses what Trino refuses, and rewrites what DuckDB would answer otherwise.

Both depend on types, for which DuckDB is asked. Operands come before what uses them, and what a SELECT reads before
the SELECT, so that each question is about expressions that have Trino's types already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from infra.local.aws.athena import arithmetic, checks, functions, refusals, times
from infra.local.aws.athena.probe import Probe

_FIRST = ("with_", "from_", "joins", "laterals", "where", "group")  # clauses of a SELECT that others rely on
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_BOOLEAN = (exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Exists, exp.Paren, exp.Null, exp.In, exp.Between)

Operands = Callable[[exp.Expr], Sequence[exp.Expr]]
Check = Callable[[exp.Expr, Sequence[exp.Expr], list[str], str], None]
Rewrite = Callable[[exp.Expr, list[str]], exp.Expr | None]


@dataclass(frozen=True)
class Rule:
    """What becomes of a kind of expression.

    Attributes:
        operands: those whose types matter.
        check: raises if Trino refuses them.
        rewrite: the expression for DuckDB; None where it is fine as it is.
    """

    operands: Operands
    check: Check | None = None
    rewrite: Rewrite | None = None


def _binary(node: exp.Expr) -> Sequence[exp.Expr]:
    return [node.this, node.expression]


def _of_aggregate(node: exp.Expr) -> Sequence[exp.Expr]:
    """Its argument, also behind DISTINCT."""
    return node.this.expressions if isinstance(node.this, exp.Distinct) else [node.this]


def _given(*names: str) -> Operands:
    return lambda node: [each for name in names if isinstance(each := node.args.get(name), exp.Expr)]


def _membership(node: exp.Expr) -> Sequence[exp.Expr]:
    query = node.args.get("query")
    return [node.this, *node.expressions, *([query] if query is not None else [])]


def _results(node: exp.Expr) -> Sequence[exp.Expr]:
    """The expressions of which one is the result."""
    match node:
        case exp.Case():
            default = node.args.get("default")
            return [*(each.args["true"] for each in node.args["ifs"]), *([default] if default is not None else [])]
        case exp.If():
            return _given("true", "false")(node)
        case exp.Nullif():
            return _binary(node)
    return [node.this, *node.expressions]


def _conditions(node: exp.Expr) -> Sequence[exp.Expr]:
    """Those that are not boolean by their form."""
    found = _given("this", "expression")(node) if isinstance(node, exp.Connector) else [node.args.get("on") or node.this]
    return [each for each in found if isinstance(each, exp.Expr) and not isinstance(each, _BOOLEAN)]


def _elements(node: exp.Expr) -> Sequence[exp.Expr]:
    return node.expressions


_RULES: dict[type[exp.Expr], tuple[Rule, ...]] = {
    **dict.fromkeys(_COMPARISONS, (Rule(_binary, checks.operator),)),
    **dict.fromkeys((exp.Add, exp.Sub), (Rule(_binary, checks.operator, times.moved),)),
    exp.Mul: (Rule(_binary, checks.operator),),
    exp.Mod: (Rule(_binary, checks.operator, arithmetic.remainder),),
    exp.Div: (Rule(_binary, checks.operator, arithmetic.division),),
    exp.Between: (Rule(_given("this", "low", "high"), checks.between),),
    exp.In: (Rule(_membership, checks.membership),),
    exp.DPipe: (Rule(_binary, checks.concatenation),),
    exp.Concat: (Rule(_elements, checks.concatenation),),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif), (Rule(_results, checks.alternatives),)),
    exp.Case: (Rule(_results, checks.alternatives),),
    exp.If: (Rule(_results, checks.alternatives),),
    **dict.fromkeys((exp.Where, exp.Having, exp.And, exp.Or, exp.Not), (Rule(_conditions, checks.condition),)),
    **dict.fromkeys(checks.CHECKED, (Rule(_given("this", "expression"), checks.arguments),)),
    exp.Avg: (Rule(_of_aggregate, checks.arguments, arithmetic.average),),
    exp.Sum: (Rule(_of_aggregate, checks.arguments),),
    exp.Typeof: (Rule(_given("this"), None, functions.type_name),),
    exp.Like: (Rule(_binary, checks.likeness),),
    exp.Round: (Rule(_given("this"), checks.arguments, arithmetic.rounding),),
    exp.DateDiff: (Rule(_binary, checks.arguments, times.difference),),
    **dict.fromkeys((exp.TimestampTrunc, exp.DateTrunc), (Rule(_given("this"), checks.arguments, times.moved),)),
    **dict.fromkeys((exp.DateAdd, exp.DateSub), (Rule(_given("this"), checks.arguments, times.moved),)),
    exp.GenerateSeries: (Rule(_given("start", "end"), None, times.sequence),),
    exp.Bracket: (Rule(_given("this"), None, functions.subscript),),
    exp.SplitPart: (Rule(_given("this", "delimiter", "part_index"), checks.arguments, functions.part),),
    exp.Substring: (Rule(_given("this", "start", "length"), checks.arguments, functions.substring),),
    exp.RegexpExtract: (Rule(_given("this", "expression"), checks.arguments, functions.extracted),),
    exp.RegexpReplace: (Rule(_given("this", "expression"), checks.arguments, functions.replaced),),
    exp.Replace: (Rule(_given("this"), None, functions.without),),
    **dict.fromkeys((exp.Cast, exp.TryCast), (Rule(_given("this"), None, functions.cast),)),
}


def as_trino(tree: exp.Expr, connection: duckdb.DuckDBPyConnection, sql: str = "") -> None:
    """Rewrites a query in place. An expression of unknown types stays as it is.

    Args:
        tree: the query.
        connection: holds all that it reads, and what `arithmetic.install` puts there.
        sql: its text, for line and column in errors.

    Raises:
        QueryError: Trino refuses it.
    """
    probe = Probe(tree, connection)
    refusals.of_aliases(tree, probe, sql)
    for node in list(_in_order(tree)):
        if isinstance(node, exp.SetOperation):
            _check_union(node, probe, sql)
        for rule in _RULES.get(type(node), ()):
            if _is_in(tree, node):
                _apply(rule, node, probe, sql)


def _is_in(tree: exp.Expr, node: exp.Expr) -> bool:
    """Whether a node is still there: it may have been rewritten with an equal one, or with what it is part of."""
    found: exp.Expr | None = node
    while found is not None and found is not tree:
        found = found.parent
    return found is tree


def _apply(rule: Rule, node: exp.Expr, probe: Probe, sql: str) -> None:
    operands = list(rule.operands(node))
    if not operands:
        return
    equals = _equals(node)
    types = probe.types(operands, [rule.operands(each)[0] for each in equals])
    if types is None:
        return
    if rule.check:
        rule.check(node, operands, types, sql)
    for each in equals if rule.rewrite else ():
        if (replacement := rule.rewrite(each, types)) is not None:  # type: ignore[misc]  # seen two lines above
            (arithmetic.with_window(each) if isinstance(each, exp.Avg) else each).replace(replacement)


def _equals(node: exp.Expr) -> list[exp.Expr]:
    """The node and its equals in the same SELECT: a grouped query repeats its keys. In lambdas names differ by place."""
    select = node.parent_select
    if select is None or node.find_ancestor(exp.Lambda):
        return [node]
    same = [each for each in select.find_all(type(node)) if each is not node and each == node]
    return [node, *(each for each in same if each.parent_select is select and not each.find_ancestor(exp.Lambda))]


def _check_union(node: exp.SetOperation, probe: Probe, sql: str) -> None:
    sides = []
    for side in (node.this, node.expression):
        select = side.find(exp.Select) if not isinstance(side, exp.Select) else side
        if select is None or select.is_star:
            return
        columns = [each.unalias() for each in select.expressions]
        sides.append(probe.types(columns, [columns[0]]))
    left, right = sides
    if left is not None and right is not None:
        checks.union(node, left, right, sql)


def _in_order(node: exp.Expr) -> Iterator[exp.Expr]:
    """Every node after those that it relies on."""
    keys = sorted(node.args, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST))
    for key in keys:
        value = node.args[key]
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield from _in_order(child)
    yield node
