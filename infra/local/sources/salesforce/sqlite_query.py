"""Translates a SOQL tree into SQL over the org's records, with SOQL's rules for names, types, nulls and case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.fields import ENTITY, NUMBER_TYPES, TEXT_TYPES, Field, timestamp
from infra.local.sources.salesforce.soql_tree import Comparison, Condition, Membership, Not, Query, Value


@dataclass(frozen=True)
class Plan:
    """The fields of the answer (none for COUNT()), the SQL from WHERE on, and its parameters."""

    fields: tuple[Field, ...]
    clauses: str
    parameters: tuple[object, ...]


def plan(query: Query, fields: Mapping[str, Field], *, include_deleted: bool) -> Plan:
    """Checks a query against the object's fields and translates it.

    Args:
        query: parsed SOQL.
        fields: the object's fields by lower-case name.
        include_deleted: True for queryAll.

    Raises:
        ApiError: INVALID_TYPE, INVALID_FIELD, or NUMBER_OUTSIDE_VALID_RANGE.
    """
    if query.entity.lower() != ENTITY.lower():
        raise ApiError("INVALID_TYPE", f"sObject type '{query.entity}' is not supported.")
    if query.offset > 2000:
        raise ApiError("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
    translation = _Translation(fields)
    conditions = [] if include_deleted else ["NOT is_deleted"]
    selected = tuple(translation.field(name) for name in query.fields)
    if query.where is not None:
        conditions.append(translation.condition(query.where))
    clauses = f"WHERE {' AND '.join(conditions) or '1'}"
    orders = [
        f"{_column(translation.field(order.field))}{' DESC' if order.descending else ''}"
        f" NULLS {'LAST' if order.nulls_last else 'FIRST'}"
        for order in query.order_by
    ]
    if query.fields:
        clauses += f" ORDER BY {', '.join([*orders, 'id'])}"
    if query.limit is not None or query.offset:
        clauses += f" LIMIT {-1 if query.limit is None else query.limit} OFFSET {query.offset}"
    return Plan(selected, clauses, tuple(translation.parameters))


def _column(field: Field) -> str:
    collation = " COLLATE NOCASE" if field.type in TEXT_TYPES - {"id"} else ""
    return f"json_extract(body, '$.{field.name}'){collation}"


class _Translation:
    """Translates conditions and collects their parameters. To compare with a null field gives false, never NULL."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self.parameters: list[object] = []

    def field(self, name: str) -> Field:
        found = self._fields.get(name.lower())
        if found is None:
            raise ApiError(
                "INVALID_FIELD",
                f"No such column '{name}' on entity '{ENTITY}'. If you are attempting to use a custom field, "
                "be sure to append the '__c' after the custom field name. Please reference your WSDL or the "
                "describe call for the appropriate names.",
            )
        return found

    def condition(self, condition: Condition) -> str:
        if isinstance(condition, Not):
            return f"NOT ({self.condition(condition.condition)})"
        if isinstance(condition, Comparison):
            return self._comparison(condition)
        if isinstance(condition, Membership):
            field = self.field(condition.field)
            marks = ", ".join(self._parameter(field, value) for value in condition.values)
            found = f"coalesce({_column(field)} IN ({marks}), 0)"
            return f"NOT {found}" if condition.negated else found
        return f"({f' {condition.word} '.join(self.condition(part) for part in condition.conditions)})"

    def _comparison(self, condition: Comparison) -> str:
        field, operator = self.field(condition.field), condition.operator
        if operator in ("=", "!="):
            mark = self._parameter(field, condition.value)
            return f"{_column(field)} {'IS' if operator == '=' else 'IS NOT'} {mark}"
        if field.type == "boolean" or (operator == "LIKE" and field.type not in TEXT_TYPES - {"id"}):
            raise ApiError("INVALID_FIELD", f"invalid operator on {field.type} field '{field.name}'")
        if condition.value.type == "null":
            raise ApiError("MALFORMED_QUERY", f"null can only be compared with = and !=, not with {operator}")
        return f"coalesce({_column(field)} {operator} {self._parameter(field, condition.value)}, 0)"

    def _parameter(self, field: Field, value: Value) -> str:
        expected = "number" if field.type in NUMBER_TYPES else "string" if field.type in TEXT_TYPES else field.type
        if value.type not in (expected, "null"):
            quotes = " and should not be enclosed in quotes" if value.type == "string" else ""
            raise ApiError(
                "INVALID_FIELD",
                f"value of filter criterion for field '{field.name}' must be of type "
                f"{'dateTime' if field.type == 'datetime' else field.type}{quotes}",
            )
        if value.type == "datetime":
            try:
                self.parameters.append(timestamp(str(value.value)))
            except ValueError as error:
                raise ApiError("MALFORMED_QUERY", f"invalid dateTime: {value.value}") from error
        else:
            self.parameters.append(value.value)
        return "?"
