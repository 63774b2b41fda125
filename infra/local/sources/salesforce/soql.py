r"""Parses SOQL queries of one object.

    SELECT field, … | COUNT()  FROM object
    [WHERE condition]  [ORDER BY field [ASC|DESC] [NULLS FIRST|LAST], …]  [LIMIT n]  [OFFSET n]

A condition is `field = != <> < <= > >= value`, `field [NOT] IN (value, …)` or `field LIKE 'text'`, joined by
AND or OR, with NOT and parentheses. As in Salesforce, AND and OR don't mix without parentheses, times have no quotes
(2026-10-30T08:00:00Z), and texts are in single quotes with \' and \\ escaped. Date words (TODAY) are missing.
"""

from __future__ import annotations

import re
from typing import NoReturn

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.soql_tree import (
    Comparison,
    Condition,
    Joined,
    Membership,
    Not,
    Order,
    Query,
    Value,
)

_TOKENS = re.compile(
    r"""\s*(?:
    (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<number>[+-]?\d+(?:\.\d+)?(?![\w-]))
  | (?P<word>[A-Za-z_][\w.]*)
  | (?P<sign><=|>=|!=|<>|[=<>(),])
  | (?P<end>$)
    )""",
    re.VERBOSE,
)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def parse(text: str) -> Query:
    """The tree of a query.

    Raises:
        ApiError: MALFORMED_QUERY, with the line and column in the query.
    """
    return _Parser(text).query()


class _Parser:
    """Recursive descent, one method per rule."""

    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._next()

    def _next(self) -> None:
        start = getattr(self, "_end", 0)
        match = _TOKENS.match(self._text, start)
        if match is None or match.lastgroup is None:
            self._kind, self._token, self._start = "unknown", self._text[start:].lstrip()[:20], start
            self._malformed()
        self._kind, self._token = match.lastgroup, match[match.lastgroup]
        self._start, self._end = match.start(match.lastgroup), match.end()

    def _malformed(self) -> NoReturn:
        token = self._token if self._kind != "end" else "<EOF>"
        raise ApiError(
            "MALFORMED_QUERY",
            f"\n{self._text}\n{'^':>{self._start + 1}}\n"
            f"ERROR at Row:1:Column:{self._start + 1}\nunexpected token: '{token}'",
        )

    def _is(self, word: str) -> bool:
        return self._kind in ("word", "sign") and self._token.upper() == word

    def _accept(self, word: str) -> bool:
        found = self._is(word)
        if found:
            self._next()
        return found

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            self._malformed()

    def _name(self) -> str:
        if self._kind != "word":
            self._malformed()
        name = self._token
        self._next()
        return name

    def query(self) -> Query:
        self._expect("SELECT")
        fields = [self._name()]
        if fields[0].upper() == "COUNT" and self._accept("("):
            self._expect(")")
            fields = []
        while fields and self._accept(","):
            fields.append(self._name())
        self._expect("FROM")
        entity = self._name()
        where = self._condition() if self._accept("WHERE") else None
        order_by: list[Order] = []
        if self._accept("ORDER"):
            self._expect("BY")
            order_by.append(self._order())
            while self._accept(","):
                order_by.append(self._order())
        limit = self._whole_number() if self._accept("LIMIT") else None
        offset = self._whole_number() if self._accept("OFFSET") else 0
        if self._kind != "end":
            self._malformed()
        return Query(tuple(fields), entity, where, tuple(order_by), limit, offset)

    def _order(self) -> Order:
        field = self._name()
        descending = self._accept("DESC")
        if not descending:
            self._accept("ASC")
        nulls_last = False
        if self._accept("NULLS"):
            nulls_last = self._accept("LAST")
            if not nulls_last:
                self._expect("FIRST")
        return Order(field, descending, nulls_last)

    def _whole_number(self) -> int:
        if self._kind != "number" or not self._token.isdigit():
            self._malformed()
        number = int(self._token)
        self._next()
        return number

    def _condition(self) -> Condition:
        conditions = [self._term()]
        word = next((word for word in ("AND", "OR") if self._is(word)), None)
        while word and self._accept(word):
            conditions.append(self._term())
        if self._is("AND") or self._is("OR"):
            self._malformed()
        return Joined(word, tuple(conditions)) if word else conditions[0]

    def _term(self) -> Condition:
        if self._accept("NOT"):
            return Not(self._term())
        if self._accept("("):
            condition = self._condition()
            self._expect(")")
            return condition
        field = self._name()
        negated = self._accept("NOT")
        if negated or self._is("IN"):
            self._expect("IN")
            self._expect("(")
            values = [self._value()]
            while self._accept(","):
                values.append(self._value())
            self._expect(")")
            return Membership(field, tuple(values), negated)
        operator = self._token.upper()
        if operator not in ("=", "!=", "<>", "<", "<=", ">", ">=", "LIKE"):
            self._malformed()
        self._next()
        return Comparison(field, "!=" if operator == "<>" else operator, self._value())

    def _value(self) -> Value:
        kind, token = self._kind, self._token
        value: Value
        if kind == "string":
            text = re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), token[1:-1])
            value = Value("string", text)
        elif kind == "datetime":
            value = Value("datetime", token)
        elif kind == "number":
            value = Value("number", float(token) if "." in token else int(token))
        elif kind == "word" and token.upper() in ("TRUE", "FALSE"):
            value = Value("boolean", token.upper() == "TRUE")
        elif kind == "word" and token.upper() == "NULL":
            value = Value("null", None)
        else:
            self._malformed()
        self._next()
        return value
