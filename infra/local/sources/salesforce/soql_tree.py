"""What a SOQL query says, as a tree."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Value:
    """A literal; `type` is string, datetime, number, boolean or null."""

    type: str
    value: str | float | bool | None


@dataclass(frozen=True)
class Comparison:
    """`field operator value`; the operator in upper case, `<>` as `!=`."""

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
    """One field of ORDER BY. Nulls come first unless told otherwise, in both directions."""

    field: str
    descending: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A parsed query; no fields means COUNT()."""

    fields: tuple[str, ...]
    entity: str
    where: Condition | None
    order_by: tuple[Order, ...]
    limit: int | None
    offset: int
