"""A SOQL query as a tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """A literal. Its type is string, datetime, number, boolean or null."""

    type: str
    value: str | float | bool | None


@dataclass(frozen=True)
class Comparison:
    """`field operator value`. The operator is in upper case, and `<>` becomes `!=`."""

    field: str
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    """`field [NOT] IN (values)`."""

    field: str
    values: tuple[Value, ...]
    negated: bool


@dataclass(frozen=True)
class Not:
    """A negated condition."""

    condition: Condition


@dataclass(frozen=True)
class Joined:
    """Two or more conditions joined by one word, AND or OR."""

    word: str
    conditions: tuple[Condition, ...]


Condition = Comparison | Membership | Not | Joined


@dataclass(frozen=True)
class Order:
    """One field of ORDER BY. By default nulls come first, in both directions."""

    field: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A parsed query. COUNT() has no fields."""

    fields: tuple[str, ...]
    entity: str
    where: Condition | None
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int
