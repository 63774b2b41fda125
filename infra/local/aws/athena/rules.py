"""Which kinds of expressions Trino judges or answers in its own way, and by which of their operands' types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from infra.local.aws.athena import arithmetic, casts, checks, functions, times

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
_BOOLEAN = (exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.Exists, exp.Null, exp.In, exp.Between)

Operands = Callable[[exp.Expr], Sequence[exp.Expr]]
Check = Callable[[exp.Expr, Sequence[exp.Expr], list[str], str], None]
Rewrite = Callable[[Any, list[str]], exp.Expr | None]  # each takes the class that its entry is for


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


def _whens(node: exp.Expr) -> Sequence[exp.Expr]:
    """The value of a CASE, and what it is compared with."""
    return [node.this, *(each.this for each in node.args["ifs"])] if node.this is not None else []


def _conditions(node: exp.Expr) -> Sequence[exp.Expr]:
    """Those that are not boolean by their form."""
    names = {exp.And: ("this", "expression"), exp.Or: ("this", "expression"), exp.Join: ("on",)}
    found = (each.unnest() for each in _given(*names.get(type(node), ("this",)))(node))
    return [each for each in found if not isinstance(each, _BOOLEAN)]


def _source(node: exp.Expr) -> Sequence[exp.Expr]:
    """What is cast, where the cast may differ: a question for each literal of a long list would take long."""
    to = node.args["to"]
    return [node.this] if to.is_type(*casts.DIFFERENT) and not (to.is_type("decimal") and to.expressions) else []


def _elements(node: exp.Expr) -> Sequence[exp.Expr]:
    return node.expressions


RULES: dict[type[exp.Expr], tuple[Rule, ...]] = {
    **dict.fromkeys(_COMPARISONS, (Rule(_binary, checks.operator),)),
    **dict.fromkeys((exp.Add, exp.Sub), (Rule(_binary, checks.operator, times.moved),)),
    exp.Mul: (Rule(_binary, checks.operator),),
    exp.Mod: (Rule(_binary, checks.operator, arithmetic.remainder),),
    exp.Div: (Rule(_binary, checks.operator, arithmetic.division),),
    exp.Between: (Rule(_given("this", "low", "high"), checks.between),),
    exp.In: (Rule(_membership, checks.membership),),
    exp.DPipe: (Rule(_binary, checks.concatenation, functions.joined),),
    exp.Concat: (Rule(_elements, checks.concatenation),),
    **dict.fromkeys((exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif), (Rule(_results, checks.alternatives),)),
    exp.Case: (Rule(_results, checks.alternatives), Rule(_whens, checks.cases)),
    exp.If: (Rule(_results, checks.alternatives),),
    **dict.fromkeys(
        (exp.Where, exp.Having, exp.Join, exp.And, exp.Or, exp.Not), (Rule(_conditions, checks.condition),)
    ),
    **dict.fromkeys(checks.CHECKED, (Rule(_given("this", "expression"), checks.arguments),)),
    exp.Avg: (Rule(_of_aggregate, checks.arguments, arithmetic.average),),
    exp.Sum: (Rule(_of_aggregate, checks.arguments),),
    exp.Typeof: (Rule(_given("this"), None, functions.type_name),),
    exp.Like: (Rule(_binary, checks.likeness),),
    exp.Round: (Rule(_given("this"), checks.arguments, arithmetic.rounding),),
    exp.Trunc: (Rule(_given("this"), None, arithmetic.truncation),),
    exp.DateDiff: (Rule(_binary, checks.arguments, times.difference),),
    **dict.fromkeys((exp.TimestampTrunc, exp.DateTrunc), (Rule(_given("this"), checks.arguments, times.moved),)),
    **dict.fromkeys((exp.DateAdd, exp.DateSub), (Rule(_given("this"), checks.arguments, times.moved),)),
    exp.GenerateSeries: (Rule(_given("start", "end"), None, times.sequence),),
    exp.Bracket: (Rule(_given("this"), None, functions.subscript),),
    exp.SplitPart: (Rule(_given("this", "delimiter", "part_index"), checks.arguments, functions.part),),
    exp.Substring: (Rule(_given("this", "start", "length"), checks.arguments, functions.substring),),
    exp.RegexpExtract: (Rule(_given("this", "expression"), checks.arguments, functions.extracted),),
    exp.RegexpReplace: (Rule(_given("this", "expression"), checks.arguments, functions.replaced),),
    exp.ArraySize: (Rule(_given("this"), None, functions.cardinality),),
    exp.Reverse: (Rule(_given("this"), None, functions.reverse),),
    exp.Unnest: (Rule(_elements, None, functions.unnested),),
    exp.Replace: (Rule(_given("this"), None, functions.without),),
    **dict.fromkeys((exp.Cast, exp.TryCast), (Rule(_source, None, casts.cast),)),
}
