"""Conditions of a query on a view go into the view, as Trino's planner moves them: fewer partitions and files are read.

Only a condition that names columns of the view alone is moved. It stays where it was too, so that a condition which
goes nowhere changes no answer.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlglot import exp
from sqlglot.optimizer.scope import traverse_scope

_BOUNDARIES = ("group", "having", "distinct", "limit", "offset", "windows", "qualify")


def conditions(tree: exp.Expr, table: exp.Table, columns: Collection[str]) -> list[exp.Expr]:
    """The parts of the WHERE, joined by AND, beside one place that reads a view, which are about the view alone.

    Args:
        tree: the query.
        table: the place.
        columns: the view's, in lower case.
    """
    for scope in traverse_scope(tree):
        for alias, source in scope.sources.items():
            if source is table and isinstance(scope.expression, exp.Select):
                return _about(scope.expression, alias, columns)
    return []


def _about(select: exp.Select, alias: str, columns: Collection[str]) -> list[exp.Expr]:
    where = select.args.get("where")
    # An outer join makes rows of what is not there: a condition about them says nothing about what to read.
    if where is None or any(join.side for join in select.args.get("joins") or []):
        return []
    parts = where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    return [part.copy() for part in parts if _is_about(part, alias, columns)]


def _is_about(part: exp.Expr, alias: str, columns: Collection[str]) -> bool:
    named = list(part.find_all(exp.Column))
    known = all(one.name.lower() in columns and one.table.lower() in ("", alias.lower()) for one in named)
    return bool(named) and known and not part.find(exp.Select, exp.Lambda)


def push(view: exp.Expr, parts: Sequence[exp.Expr]) -> None:
    """Adds conditions to each SELECT of a view, as far as they are about plain columns there."""
    selects = [view] if isinstance(view, exp.Select) else _branches(view)
    names = [column.alias_or_name.lower() for column in selects[0].expressions] if selects else []
    for select in selects:
        if any(select.args.get(clause) for clause in _BOUNDARIES) or select.is_star:
            continue
        plain = {
            name: column.unalias()
            for name, column in zip(names, select.expressions, strict=False)
            if isinstance(column.unalias(), exp.Column)
        }
        for part in parts:
            if all(column.name.lower() in plain for column in part.find_all(exp.Column)):
                _add(select, _renamed(part, plain))


def _add(select: exp.Select, part: exp.Expr) -> None:
    """Adds a condition to the WHERE, so that each part that an AND joins still stands by itself."""
    where = select.args.get("where")
    parts = [where.this, part] if where else [part]
    alone = [exp.paren(each) if isinstance(each, exp.Or) else each for each in parts]
    select.set("where", exp.Where(this=exp.And(this=alone[0], expression=alone[1]) if where else part))


def _branches(view: exp.Expr) -> list[exp.Select]:
    """The SELECTs whose rows a UNION ALL puts together; none where rows are compared with each other."""
    if not isinstance(view, exp.Union) or view.args.get("distinct") or view.args.get("limit"):
        return []
    found: list[exp.Select] = []
    for side in (view.this, view.expression):
        inner = [side] if isinstance(side, exp.Select) else _branches(side)
        if not inner:
            return []
        found += inner
    return found


def _renamed(part: exp.Expr, plain: dict[str, exp.Expr]) -> exp.Expr:
    return part.transform(
        lambda node: plain[node.name.lower()].copy() if isinstance(node, exp.Column) else node, copy=True
    )
