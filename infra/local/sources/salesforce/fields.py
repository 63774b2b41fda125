"""The fields of Account: their types, their form in JSON, and how describe shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

ENTITY = "Account"
TEXT_TYPES = frozenset({"id", "string", "picklist", "textarea", "phone", "url"})
NUMBER_TYPES = frozenset({"int", "double", "currency"})
TYPES = TEXT_TYPES | NUMBER_TYPES | {"boolean", "datetime"}


@dataclass(frozen=True)
class Field:
    """A field of Account. The type is one of TYPES."""

    name: str
    type: str

    def describe(self) -> dict[str, object]:
        """The part of describe's answer that clients read."""
        return {
            "name": self.name,
            "label": self.name,
            "type": self.type,
            "soapType": {"boolean": "xsd:boolean", "datetime": "xsd:dateTime", "int": "xsd:int"}.get(
                self.type, "xsd:double" if self.type in NUMBER_TYPES else "xsd:string"
            ),
            "length": 18 if self.type == "id" else 255 if self.type in TEXT_TYPES else 0,
            "precision": 18 if self.type in ("double", "currency") else 0,
            "scale": 0,
            "digits": 8 if self.type == "int" else 0,
            "nillable": self.type not in ("id", "boolean"),
            "custom": self.name.endswith("__c"),
            "filterable": True,
            "sortable": True,
        }


STANDARD_FIELDS = (
    Field("Id", "id"),
    Field("AccountNumber", "string"),
    Field("Name", "string"),
    Field("Type", "picklist"),
    Field("Industry", "picklist"),
    Field("BillingCountry", "string"),
    Field("AnnualRevenue", "currency"),
    Field("NumberOfEmployees", "int"),
    Field("CreatedDate", "datetime"),
    Field("LastModifiedDate", "datetime"),
    Field("SystemModstamp", "datetime"),
    Field("IsDeleted", "boolean"),
)


def to_stored(field: Field, value: object) -> object:
    """A value in the form in which the org keeps it. Times are in UTC, so that their texts sort as the times do.

    Raises:
        ValueError: the value doesn't have the field's type.
    """
    fits: bool
    if value is None:
        fits = field.type not in ("id", "boolean")
    elif field.type == "boolean":
        fits = isinstance(value, bool)
    elif field.type in NUMBER_TYPES:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise ValueError(f"{field.name} is a {field.type}, not {value!r}")
    return timestamp(str(value)) if field.type == "datetime" and value is not None else value


def timestamp(text: str) -> str:
    """Any ISO 8601 time with a zone -> `2026-10-30T08:00:00.000+0000`, REST's own form.

    Raises:
        ValueError: the text is not a time, or has no zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}+0000"
