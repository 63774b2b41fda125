"""Patterns of Joda-Time, which `format_datetime` and `parse_datetime` take, as those of DuckDB's `strftime`."""

from __future__ import annotations

import re

from sqlglot import exp

from infra.local.aws.athena.errors import QueryError
from infra.local.aws.athena.failures import call

_PARTS = re.compile(r"'(?P<text>(?:[^']|'')*)'|(?P<letters>([a-zA-Z])\3*)|(?P<other>.)", re.DOTALL)
_KNOWN = {
    "yyyy": "%Y", "YYYY": "%Y", "y": "%-Y", "yy": "%y", "MM": "%m", "M": "%-m", "MMM": "%b", "MMMM": "%B", "dd": "%d",
    "d": "%-d", "DDD": "%j", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S",
    "s": "%-S", "SSS": "%g", "a": "%p", "E": "%a", "EEE": "%a", "EEEE": "%A", "e": "%u", "Z": "%z",
}  # fmt: skip


def _pattern(given: exp.Expr) -> exp.Expr:
    """Raises QueryError for what has no such pattern here."""
    if not given.is_string:
        raise QueryError("NOT_SUPPORTED", "The local Athena wants a format that stands in the query")
    words = []
    for found in _PARTS.finditer(given.name):
        if letters := found["letters"]:
            if letters not in _KNOWN:
                raise QueryError("NOT_SUPPORTED", f"The local Athena does not know '{letters}' in a format of times")
            words.append(_KNOWN[letters])
        else:
            text = found["other"] or found["text"].replace("''", "'") or "'"  # two quotes are one
            words.append(text.replace("%", "%%"))
    return exp.Literal.string("".join(words))


def format_datetime(time: exp.Expr, given: exp.Expr) -> exp.Expr:
    """A time as text."""
    return call("strftime", exp.cast(time.copy(), "TIMESTAMP"), _pattern(given))


def parse_datetime(text: exp.Expr, given: exp.Expr) -> exp.Expr:
    """A text as a time with a zone: UTC, if the text has none."""
    pattern = _pattern(given)
    parsed = call("strptime", text, pattern)
    return parsed if "%z" in pattern.name else call("timezone", exp.Literal.string("UTC"), parsed)
