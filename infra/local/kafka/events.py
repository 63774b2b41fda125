"""Order events as a shop's services would send them, some of them broken on purpose."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Any

STATES = ("PLACED", "PAID", "SHIPPED")
CURRENCIES = ("USD", "EUR", "GBP", "JPY")
OVERSIZE = 300_000  # bytes; the broker itself takes a million
Document = dict[str, Any]


class Broken(StrEnum):
    """What can be wrong with a message."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    NOT_UTF8 = "not_utf8"
    TOMBSTONE = "tombstone"
    OVERSIZE = "oversize"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_CURRENCY = "unknown_currency"
    UNKNOWN_STATUS = "unknown_status"
    NEGATIVE_AMOUNT = "negative_amount"
    NON_FINITE_AMOUNT = "non_finite_amount"
    UNPARSABLE_TIME = "unparsable_time"
    FUTURE_TIME = "future_time"


@dataclass(frozen=True)
class Message:
    """One message of the topic.

    Attributes:
        key: the order's id, so that the events of an order keep their sequence.
        value: JSON, unless that is what is broken.
        broken: what is wrong with it; None for a good one.
    """

    key: bytes
    value: bytes | None
    broken: Broken | None


def messages(
    number: int, *, broken: float, customers: Sequence[str], day: date, now: datetime, seed: int
) -> Iterator[Message]:
    """Messages of orders that are placed, then paid, then shipped, all mixed.

    Args:
        number: how many messages, broken ones included.
        broken: share of broken ones, 0 to 1, of each kind in turn.
        customers: account numbers to choose from.
        day: date of the orders.
        now: time of the last event, UTC. Events lie one second apart.
        seed: the same seed gives the same messages. It is part of the orders' ids.
    """
    random = Random(f"events {seed}")  # noqa: S311  # reproducible, nothing secret
    kinds = list(Broken)
    chosen = sorted(random.sample(range(number), round(number * broken)))
    wrong = {index: kinds[turn % len(kinds)] for turn, index in enumerate(chosen)}
    orders = -(-number // len(STATES))
    placed = [_placed(random, f"EV-{seed}-{index:07d}", customers, day) for index in range(orders)]
    for index in range(number):
        document = placed[index % orders] | {
            "status": STATES[index // orders],
            "event_timestamp": _iso(now - timedelta(seconds=number - 1 - index)),
        }
        kind = wrong.get(index)
        value = _json(document) if kind is None else _BREAK[kind](document)
        yield Message(str(document["order_id"]).encode(), value, kind)


def _placed(random: Random, order_id: str, customers: Sequence[str], day: date) -> Document:
    return {
        "order_id": order_id,
        "customer_id": random.choice(customers),
        "order_date": day.isoformat(),
        "currency": random.choice(CURRENCIES),
        "amount": random.randint(500, 90_000) / 100,
    }


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(document: object) -> bytes:
    return json.dumps(document).encode()


def _but(**other: object) -> Callable[[Document], bytes]:
    return lambda document: _json(document | other)


_BREAK: dict[Broken, Callable[[Document], bytes | None]] = {
    Broken.NOT_JSON: lambda document: _json(document)[:-1],
    Broken.NOT_AN_OBJECT: lambda document: _json([document]),
    Broken.NOT_UTF8: lambda document: b"\xff\xfe" + _json(document),
    Broken.TOMBSTONE: lambda document: None,
    Broken.OVERSIZE: _but(note="x" * OVERSIZE),
    Broken.MISSING_FIELD: lambda document: _json({key: document[key] for key in document if key != "currency"}),
    Broken.WRONG_TYPE: _but(customer_id={"id": 1}),
    Broken.UNKNOWN_CURRENCY: _but(currency="ZZZ"),
    Broken.UNKNOWN_STATUS: _but(status="LOST"),
    Broken.NEGATIVE_AMOUNT: _but(amount=-0.01),
    Broken.NON_FINITE_AMOUNT: _but(amount=float("nan")),
    Broken.UNPARSABLE_TIME: _but(event_timestamp="yesterday"),
    Broken.FUTURE_TIME: _but(event_timestamp="2999-01-01T00:00:00Z"),
}
