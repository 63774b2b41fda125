"""Times at a named zone. Trino keeps the zone with the time; DuckDB has moments, and times on a zone's clocks.

A zoned expression is `AtTimeZone(moment, zone)`: in DuckDB the time on the clocks, so that its hour, date or text is
right. What compares moments gets the moment instead. A column of a subquery is the time on the clocks, without zone.
"""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlglot import exp

from infra.local.aws.athena import times
from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.failures import call

_UTC = ("UTC", "Z", "GMT", "ETC/UTC", "+00:00", "-00:00")
_LITERAL = re.compile(r"^(?P<time>.*\d)\s*?(?P<zone>[+-]\d\d?:\d\d|\s[A-Za-z][\w/+-]*)$")
_OFFSET = re.compile(r"^(?P<sign>[+-])(?P<hours>\d\d?)(?P<minutes>:\d\d)?$")
_ON_CLOCKS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")  # smaller units are the same on all clocks
_MOVED = (exp.Add, exp.Sub, exp.DateAdd, exp.DateSub, exp.DateTrunc, exp.TimestampTrunc)
_OF_MOMENTS = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In,
    exp.Coalesce, exp.Greatest, exp.Least, exp.Nullif, exp.If, exp.Case, exp.TimeToUnix,
)  # fmt: skip


def is_zoned(node: exp.Expr) -> bool:
    """Whether an expression is a time at a named zone."""
    return isinstance(node.unnest(), exp.AtTimeZone)


def translated(node: exp.Expr) -> exp.Expr:
    """The node in DuckDB's words, if it is about zones; its operands are in them already.

    Raises:
        QueryError: there is no such zone, or it can't be said here.
    """
    name = node.name.lower() if isinstance(node, exp.Anonymous) else ""
    match node:
        case exp.Cast() if node.to.is_type("timestamptz") and node.this.is_string:
            return _literal(node)
        case exp.AtTimeZone():
            return _at(_moment(node.this), node.args["zone"])
        case exp.Anonymous(expressions=[time, zone]) if name == "at_timezone":
            return _at(_moment(time), zone)
        case exp.Anonymous(expressions=[time, zone]) if name == "with_timezone":
            return _from_clocks(exp.cast(exp.paren(time.copy()), "TIMESTAMP"), zone)
        case exp.Anonymous(expressions=[time]) if name in ("timezone_hour", "timezone_minute") and is_zoned(time):
            return _offset(time, name)
        case exp.Extract(expression=time) if node.name.lower().startswith("timezone_") and is_zoned(time):
            return _offset(time, node.name.lower())
        case exp.DateDiff() if is_zoned(node.this) or is_zoned(node.expression):
            return _difference(node)
        case exp.Sub() if node.expression.find(exp.Interval) is None:  # of two times
            return _of_moments(node)
        case exp.Max() | exp.Min() if is_zoned(node.this):
            return _extreme(node)
        case exp.Add() if is_zoned(node.expression):  # an interval, and then the time
            return _moved(exp.Add(this=node.expression.copy(), expression=node.this.copy()))
        case _ if isinstance(node, _MOVED) and is_zoned(node.this):
            return _moved(node)
        case _ if isinstance(node, _OF_MOMENTS):
            return _of_moments(node)
    return node


def as_text(node: exp.Expr) -> exp.Expr:
    """A zoned expression as Trino prints it: the time on the clocks, and the zone."""
    pattern = exp.Literal.string("%Y-%m-%d %H:%M:%S.%g ")
    clocks = call("strftime", times.rounded(node), pattern)
    return exp.paren(exp.DPipe(this=clocks, expression=_zone(node.unnest()).copy()))


def print_columns(tree: exp.Expr) -> None:
    """Makes texts of a query's zoned columns."""
    for column in tree.selects if isinstance(tree, exp.Select) else ():
        if is_zoned(column.unalias()):
            column.unalias().replace(as_text(column.unalias()))


def _zone(node: exp.Expr) -> exp.Expr:
    """The zone of a zoned expression as the query names it."""
    return exp.Literal.string(node.meta["zone"]) if "zone" in node.meta else node.args["zone"]


def _literal(node: exp.Cast) -> exp.Expr:
    found = _LITERAL.match(node.this.name)
    if not found or found["zone"].strip().upper() in _UTC:
        return node
    clocks = exp.cast(exp.Literal.string(found["time"]), "TIMESTAMP")
    return _from_clocks(clocks, exp.Literal.string(found["zone"].strip()))


def _at(moment: exp.Expr, zone: exp.Expr) -> exp.Expr:
    if zone.name.upper() in _UTC:  # which is what a moment's zone is here
        return moment
    made = exp.AtTimeZone(this=moment, zone=_known(zone))
    if zone.is_string:
        made.meta["zone"] = zone.name
    return made


def _from_clocks(clocks: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """The zoned expression whose clocks show this time."""
    return _at(call("timezone", _known(zone), clocks), zone)


def _known(zone: exp.Expr) -> exp.Expr:
    """The zone as DuckDB names it. It knows no offsets; in its names of whole hours the sign is turned."""
    if not zone.is_string:
        return zone.copy()
    if zone.name.upper() in _UTC:
        return exp.Literal.string("UTC")
    found = _OFFSET.match(zone.name)
    if not found:
        try:
            return exp.Literal.string(ZoneInfo(zone.name).key)
        except (ValueError, ZoneInfoNotFoundError) as error:
            raise QueryError("INVALID_FUNCTION_ARGUMENT", f"'{zone.name}' is not a valid time zone") from error
    if found["minutes"] not in (None, ":00"):
        raise QueryError("NOT_SUPPORTED", f"The local Athena knows offsets of whole hours alone, not {zone.name}")
    hours = int(found["hours"])
    return exp.Literal.string(f"Etc/GMT{'-' if found['sign'] == '+' else '+'}{hours}" if hours else "UTC")


def _moment(time: exp.Expr) -> exp.Expr:
    """A time without a zone is one in UTC, the session's zone."""
    inner = time.unnest()
    return inner.this.copy() if isinstance(inner, exp.AtTimeZone) else exp.cast(exp.paren(time.copy()), "TIMESTAMPTZ")


def _of_moments(node: exp.Expr) -> exp.Expr:
    for operand in list(node.iter_expressions()):
        if is_zoned(operand):
            operand.replace(_moment(operand))
    return node


def _moved(node: exp.Expr) -> exp.Expr:
    """A time that is moved or truncated keeps its zone. Days and longer units are those of its clocks."""
    zoned = node.this.unnest()
    interval = node.find(exp.Interval)
    unit = node.args.get("unit") or (interval and interval.args.get("unit"))
    on_clocks = unit is None or unit.name.upper() in _ON_CLOCKS
    zone = _zone(zoned)
    if on_clocks or isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        return _from_clocks(exp.paren(node.copy()), zone)
    node.this.replace(_moment(node.this))
    return _at(exp.paren(node.copy()), zone)


def _extreme(node: exp.Max | exp.Min) -> exp.Expr:
    """The first or last of the moments. With FILTER or OVER it is shown in UTC: the zone stands outside of them."""
    zone = _zone(node.this.unnest())
    outside = isinstance(node.parent, exp.Window | exp.Filter)
    found = _of_moments(node)
    return found if outside else _at(found.copy(), zone)


def _difference(node: exp.DateDiff) -> exp.Expr:
    """Days and longer units are counted on the clocks of the first time, which the parser puts last."""
    unit = node.args.get("unit")
    first = node.expression
    if is_zoned(first) and unit is not None and unit.name.upper() in _ON_CLOCKS:
        node.this.replace(_at(_moment(node.this), _zone(first.unnest())))
        return node
    return _of_moments(node)


def _offset(time: exp.Expr, name: str) -> exp.Expr:
    """How far the clocks are from UTC: whole hours, and minutes beyond them."""
    minutes = call("date_sub", exp.Literal.string("minute"), exp.cast(_moment(time), "TIMESTAMP"), time)
    return call("divide" if name == "timezone_hour" else "mod", minutes, exp.Literal.number(60))
