"""What Athena refuses, and the parser or DuckDB would take: other dialects' syntax, and aliases out of sight."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import Token, TokenType

from infra.local.aws.athena.errors import QueryError, line_and_column
from infra.local.aws.athena.probe import Probe

_TOKENS = (
    TokenType.AMP, TokenType.CARET, TokenType.DCOLON, TokenType.DIV, TokenType.ILIKE, TokenType.L_BRACE,
    TokenType.NULLSAFE_EQ, TokenType.PIPE, TokenType.RLIKE, TokenType.TILDE,
)  # fmt: skip
# After these a bracket opens an array in other dialects. Elsewhere it is a subscript, or follows ARRAY.
_BEFORE_ARRAY = (
    TokenType.AND, TokenType.COMMA, TokenType.DPIPE, TokenType.ELSE, TokenType.EQ, TokenType.L_BRACKET,
    TokenType.L_PAREN, TokenType.NEQ, TokenType.OR, TokenType.SELECT, TokenType.THEN, TokenType.WHEN, TokenType.WHERE,
)  # fmt: skip
# Functions of other dialects that the parser translates, or that DuckDB has itself.
_FUNCTIONS = frozenset(
    [
        "charindex",
        "date_part",
        "dateadd",
        "datediff",
        "datetrunc",
        "getdate",
        "group_concat",
        "iff",
        "ifnull",
        "instr",
        "isnull",
        "len",
        "list_contains",
        "list_sum",
        "list_value",
        "nvl",
        "regexp_matches",
        "strftime",
        "string_agg",
        "string_split",
        "strptime",
        "to_varchar",
        "zeroifnull",
    ]
)
_NODES: tuple[tuple[Callable[[exp.Expr], bool], str], ...] = (
    (lambda node: isinstance(node, exp.Distinct) and bool(node.args.get("on")), "ON"),
    (lambda node: isinstance(node, exp.Glob), "GLOB"),
    (lambda node: isinstance(node, exp.Group) and bool(node.args.get("all")), "ALL"),
    (lambda node: isinstance(node, exp.Is) and isinstance(node.expression, exp.Boolean), "IS"),
    (lambda node: isinstance(node, exp.Join) and node.kind in ("SEMI", "ANTI"), "JOIN"),
    (lambda node: isinstance(node, exp.Join) and node.method == "ASOF", "ASOF"),
    (lambda node: isinstance(node, exp.LimitOptions) and bool(node.args.get("percent")), "PERCENT"),
    (lambda node: isinstance(node, exp.Slice), ":"),
    (lambda node: isinstance(node, exp.Star) and bool(node.args.get("except_") or node.args.get("replace")), "*"),
)


def of_syntax(sql: str, tree: exp.Expr) -> None:
    """Refuses what the parser takes from other dialects.

    Raises:
        QueryError: a syntax error at its place.
    """
    tokens = Dialect.get_or_raise("trino").tokenize(sql)
    for token in _strange(tokens):
        raise QueryError("SYNTAX_ERROR", f"mismatched input '{token.text}'", _place(token, sql))
    for token, following in pairwise(tokens):
        if token.text.lower() in _FUNCTIONS and following.token_type == TokenType.L_PAREN:
            raise QueryError(
                "FUNCTION_NOT_FOUND", f"Function '{token.text.lower()}' not registered", _place(token, sql)
            )
    for node in tree.walk():
        for is_strange, word in _NODES:
            if is_strange(node):
                raise QueryError("SYNTAX_ERROR", f"mismatched input '{word}'", line_and_column(node, sql))


def _place(token: Token, sql: str) -> tuple[int, int]:
    before = sql[: token.start]
    return before.count("\n") + 1, token.start - (before.rfind("\n") + 1) + 1


def _strange(tokens: list[Token]) -> Iterator[Token]:
    for index, token in enumerate(tokens):
        before, two_before = (tokens[index - back] if index >= back else None for back in (1, 2))
        opens_array = token.token_type == TokenType.L_BRACKET and before and before.token_type in _BEFORE_ARRAY
        # In Athena OFFSET comes before LIMIT.
        limited = two_before is not None and two_before.token_type == TokenType.LIMIT
        after_limit = limited and token.token_type in (TokenType.OFFSET, TokenType.COMMA)
        if token.token_type in _TOKENS or token.text == "==" or opens_array or after_limit:
            yield token


def of_aliases(tree: exp.Expr, probe: Probe, sql: str) -> None:
    """Refuses a SELECT's alias in its own list, WHERE, GROUP BY and HAVING. Only ORDER BY sees it.

    Raises:
        QueryError: the column isn't there.
    """
    for select in tree.find_all(exp.Select):
        aliases = {each.alias.lower() for each in select.expressions if isinstance(each, exp.Alias)}
        clauses = [*select.expressions, *(select.args.get(clause) for clause in ("where", "group", "having"))]
        for column in (column for clause in clauses if clause for column in list(clause.find_all(exp.Column))):
            own = column.parent_select is select and not column.table and column.name.lower() in aliases
            if own and not column.find_ancestor(exp.Lambda) and not probe.is_input(column, select):
                message = (
                    f"Column '{column.name}' cannot be resolved or requester is not authorized to access "
                    "requested resources"
                )
                raise QueryError("COLUMN_NOT_FOUND", message, line_and_column(column, sql))
