"""Expressions of DuckDB that fail with Trino's words."""

from __future__ import annotations

from sqlglot import exp


def failure(message: str, value: exp.Expr | None = None, code: str = "INVALID_FUNCTION_ARGUMENT") -> exp.Expr:
    """A number that can't be computed: a cast of an error's text. DuckDB's `error` can't be in a TRY."""
    text: exp.Expr = exp.Literal.string(f"{code}: {message}")
    if value is not None:
        shown = exp.func("coalesce", exp.cast(value.copy(), "VARCHAR"), exp.Literal.string("null"), dialect="duckdb")
        text = exp.DPipe(this=exp.Literal.string(f"{code}: {message}: "), expression=shown)
    return exp.cast(exp.paren(text), "BIGINT")


def call(function: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of one of DuckDB's functions, or of a macro, with copies of the arguments."""
    return exp.Anonymous(this=function, expressions=[argument.copy() for argument in arguments])
