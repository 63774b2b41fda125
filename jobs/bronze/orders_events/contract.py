"""What an order event must be: each message is either an event or dead, and if dead, for one reason.

This is pure Python over one message, without Spark. `json` keeps amounts exact (as Decimal) and recognises NaN, while
Spark's `from_json` gives null for anything that it can't read. None of our own clocks plays a part, so that a message
is judged the same whenever it is read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from jobs.bronze.orders_events import currencies, event
from jobs.bronze.orders_events.event import (
    CENT,
    EPOCH,
    FUTURE,
    LARGEST,
    LARGEST_AMOUNT,
    MICROSECOND,
    STATUSES,
    OrderEvent,
)
from jobs.sources.kafka import record_time
from jobs.sources.kafka.record_time import Fault

Value = TypeVar("Value")

FIRST, LAST = ((moment.replace(tzinfo=UTC) - EPOCH) // MICROSECOND for moment in (datetime.min, datetime.max))
TEXTS = ("order_id", "customer_id", "order_date", "currency", "status", "event_timestamp")
FIELDS = (*TEXTS, "amount")
# An event whose time can't be compared with Kafka's is dead: one from the future would hide every later state of its
# order. The producer's clock or unit has to be mended, and its messages sent again.
KAFKA_TIMES = {
    Fault.MISSING: "the producer gave the message no time",
    Fault.SECONDS: "the producer gave the message a time in seconds; Kafka's are in milliseconds",
    Fault.MICROSECONDS: "the producer gave the message a time in microseconds; Kafka's are in milliseconds",
    Fault.NANOSECONDS: "the producer gave the message a time in nanoseconds; Kafka's are in milliseconds",
    Fault.OUT_OF_RANGE: "the producer gave the message a time that is not in the years 1973 to 2099, in no unit",
}


class Reason(StrEnum):
    """Why a message is dead; `reason` of the dead-letter queue."""

    TOMBSTONE = "tombstone"
    OVERSIZE = "oversize"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNPARSABLE_TIME = "unparsable_time"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNKNOWN_STATUS = "unknown_status"
    NON_FINITE_AMOUNT = "non_finite_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    FUTURE_TIME = "future_time"
    KAFKA_TIME_MISSING = Fault.MISSING.value
    KAFKA_TIME_IN_SECONDS = Fault.SECONDS.value
    KAFKA_TIME_IN_MICROSECONDS = Fault.MICROSECONDS.value
    KAFKA_TIME_IN_NANOSECONDS = Fault.NANOSECONDS.value
    KAFKA_TIME_OUT_OF_RANGE = Fault.OUT_OF_RANGE.value


class DeadMessage(Exception):
    """A message that is not an event.

    Attributes:
        reason: its code.
        detail: names the field and what is wrong with it, never a value: it may be personal.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


_decode = json.JSONDecoder(parse_float=Decimal).decode  # made once: `json.loads` makes one for each message


def read(value: bytes | None, kafka_time: int) -> OrderEvent:
    """The event that a message carries.

    Args:
        value: the message's bytes; None for a tombstone.
        kafka_time: the time that Kafka has for the message, microseconds since 1970, UTC.

    Raises:
        DeadMessage: the message carries none.
    """
    return event.plain(value, kafka_time) or read_in_full(value, kafka_time)


def read_in_full(value: bytes | None, kafka_time: int) -> OrderEvent:
    """`read` without the quick way, some 6 microseconds a message."""
    document = _object(value)
    for name in FIELDS:
        if document.get(name) is None:
            raise DeadMessage(Reason.MISSING_FIELD, f"{name} is missing or null")
    for name in TEXTS:
        text = document[name]
        if type(text) is not str or not text or text.isspace() or not text.isascii():
            _text(name, text)
    amount = _amount(document["amount"])
    order_date = _parsed("order_date", document["order_date"], date.fromisoformat)
    event_timestamp = _parsed("event_timestamp", document["event_timestamp"], _micros)
    if not currencies.in_use(document["currency"], order_date, _day(event_timestamp)):
        known = document["currency"] in currencies.USED
        wrong = "was in use neither on order_date nor at event_timestamp" if known else "is not an ISO 4217 code"
        raise DeadMessage(Reason.UNKNOWN_CURRENCY, f"currency {wrong}")
    if document["status"] not in STATUSES:
        raise DeadMessage(Reason.UNKNOWN_STATUS, f"status is not one of {', '.join(sorted(STATUSES))}")
    if fault := record_time.fault(kafka_time // 1000):
        raise DeadMessage(Reason(fault.value), KAFKA_TIMES[fault])
    if event_timestamp > kafka_time + FUTURE:
        raise DeadMessage(
            Reason.FUTURE_TIME, "event_timestamp lies more than an hour after Kafka's time of the message"
        )
    order_id, customer_id = document["order_id"], document["customer_id"]
    return OrderEvent(
        order_id, customer_id, order_date, document["currency"], amount, document["status"], event_timestamp
    )


def _object(value: bytes | None) -> dict[str, Any]:
    if value is None:
        raise DeadMessage(Reason.TOMBSTONE, "the message has no value")
    if len(value) > LARGEST:
        raise DeadMessage(Reason.OVERSIZE, f"{len(value)} bytes, but only {LARGEST} are allowed")
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise DeadMessage(Reason.NOT_UTF8, f"byte {error.start} is not UTF-8") from None
    try:
        document = _decode(text)
    except json.JSONDecodeError as error:
        raise DeadMessage(Reason.NOT_JSON, f"at character {error.pos}: {error.msg}") from None
    except (ValueError, RecursionError, InvalidOperation) as error:  # a number of thousands of digits, deep nesting
        raise DeadMessage(Reason.NOT_JSON, f"it can't be read: {type(error).__name__}") from None
    if not isinstance(document, dict):
        raise DeadMessage(Reason.NOT_AN_OBJECT, f"the message is {_kind(document)}, not an object")
    return document


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise DeadMessage(Reason.WRONG_TYPE, f"{name} is {_kind(value)}, not a text")
    if not value.strip():
        raise DeadMessage(Reason.MISSING_FIELD, f"{name} is blank")
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can spell and no table can hold
        raise DeadMessage(Reason.NOT_UTF8, f"{name} holds half a character") from None


def _amount(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, float)):
        raise DeadMessage(Reason.WRONG_TYPE, f"amount is {_kind(value)}, not a number")
    amount = Decimal(value)
    if not amount.is_finite():
        raise DeadMessage(Reason.NON_FINITE_AMOUNT, "amount is not a finite number")
    if amount < 0:
        raise DeadMessage(Reason.NEGATIVE_AMOUNT, "amount is below 0")
    if amount >= LARGEST_AMOUNT:
        raise DeadMessage(Reason.WRONG_TYPE, "amount has more than 16 digits before its decimal point")
    exact = amount.quantize(CENT)
    if exact != amount:
        raise DeadMessage(Reason.WRONG_TYPE, "amount has more than two decimal places")
    return exact


def _micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    micros = ((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment) - EPOCH) // MICROSECOND
    if not FIRST <= micros <= LAST:
        raise OverflowError("its zone takes it out of the years 1 to 9999")
    return micros


def _day(micros: int) -> date:
    return (EPOCH + micros * MICROSECOND).date()


def _parsed(name: str, text: str, parse: Callable[[str], Value]) -> Value:
    try:
        return parse(text)
    except (ValueError, OverflowError):
        raise DeadMessage(Reason.UNPARSABLE_TIME, f"{name} is not ISO 8601") from None


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
