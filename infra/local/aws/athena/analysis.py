"""Gives a parsed query Trino's meaning: refuses what Trino refuses, and rewrites what DuckDB would answer otherwise.

Both depend on types, for which DuckDB is asked. Operands come before what uses them, and what a SELECT reads before
the SELECT, so that each question is about expressions that have Trino's types already.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
from sqlglot import exp

from infra.local.aws.athena import arithmetic, checks, refusals
from infra.local.aws.athena.probe import Probe
from infra.local.aws.athena.rules import RULES, Rule

_FIRST = ("with_", "from_", "joins", "laterals", "where", "group")  # clauses of a SELECT that others rely on


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
        for rule in RULES.get(type(node), ()):
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
    if not rule.rewrite:
        return
    for each in equals:
        if (replacement := rule.rewrite(each, types)) is not None:
            (arithmetic.with_window(each) if isinstance(each, exp.Avg) else each).replace(replacement)


def _equals(node: exp.Expr) -> list[exp.Expr]:
    """The node and its equals in the same SELECT: a grouped query repeats its keys. A lambda's names are its own."""
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
