"""Trino's dates and times where DuckDB's differ.

Trino's `date_diff` counts whole units: from 23:00 to 01:00 are 0 days. DuckDB makes timestamps of dates that are
moved, truncated or listed, and takes units of hours for dates.
"""

from __future__ import annotations

from sqlglot import exp

from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.kinds import DATE, NUMBER, kind

_OF_DATES = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
_UNITS = ("MILLISECOND", "SECOND", "MINUTE", "HOUR", *_OF_DATES)


def rounded(time: exp.Expr) -> exp.Expr:
    """A time whose first three digits of a second are rounded; a text then has no more of them."""
    return exp.Add(
        this=exp.paren(time.copy()),
        expression=exp.Interval(this=exp.Literal.string("500"), unit=exp.var("MICROSECONDS")),
    )


def unit(node: exp.Expr, types: list[str]) -> str:
    """The unit that a function names.

    Raises:
        QueryError: Trino lacks it, or has none such for dates.
    """
    given = node.args.get("unit")
    word = str(given.name if given is not None else "DAY").upper()
    on_dates = all(type_ == "DATE" for type_ in types)
    if word not in (_OF_DATES if on_dates else _UNITS):
        what = "DATE" if on_dates else "TIMESTAMP"
        raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{word.lower()}' is not a valid {what} field")
    return word


def difference(node: exp.DateDiff, types: list[str]) -> exp.Expr | None:
    """Whole units from one time to another."""
    if any(kind(type_) != DATE for type_ in types):
        return None
    part = exp.Literal.string(unit(node, types).lower())
    return exp.Anonymous(this="date_sub", expressions=[part, node.expression.copy(), node.this.copy()])


def moved(node: exp.Expr, types: list[str]) -> exp.Expr | None:
    """A date that is moved by an interval, or truncated, stays a date."""
    if "DATE" not in types[:2] or (len(types) > 1 and kind(types[1]) == DATE and types[1] != "DATE"):
        return None
    if not isinstance(node, exp.Add | exp.Sub):
        unit(node, ["DATE"])
    if isinstance(node, exp.Sub) and types[:2] == ["DATE", "DATE"]:  # DuckDB gives a number of days
        sides = [exp.cast(side.copy(), "TIMESTAMP") for side in (node.this, node.expression)]
        return exp.paren(exp.Sub(this=sides[0], expression=sides[1]))
    for interval in node.find_all(exp.Interval):
        if interval.parent is node and interval.unit and interval.unit.name.upper() not in _OF_DATES:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", "Cannot add hour, minutes or seconds to a date")
    return exp.cast(exp.paren(node.copy()), "DATE")


def sequence(node: exp.GenerateSeries, types: list[str]) -> exp.Expr | None:
    """Of dates it is an array of dates, day by day if no step is given. Numbers go down if the first is larger."""
    start, end, step = node.args["start"], node.args["end"], node.args.get("step")
    if types[0] == "DATE" and types[1] == "DATE":
        listed = node.copy()
        if step is None:
            listed.set("step", exp.Interval(this=exp.Literal.string("1"), unit=exp.var("DAY")))
        return exp.cast(listed, "DATE[]")
    rises = isinstance(start, exp.Literal) and isinstance(end, exp.Literal) and int(start.name) <= int(end.name)
    if step is None and kind(types[0]) == NUMBER and not rises:
        down = exp.Case(
            ifs=[exp.If(this=exp.LTE(this=start.copy(), expression=end.copy()), true=exp.Literal.number(1))],
            default=exp.Literal.number(-1),
        )
        return exp.GenerateSeries(start=start.copy(), end=end.copy(), step=down)
    return None
