"""Snowflake orders of the seeds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from infra.local.seeds.model import Account, Defect, Order, Span, midnight

MINIMUM_ORDERS = 100

# ECB quotes these today. Share of the orders, and rough number of units per euro, so that amounts look right.
CURRENCIES = {
    "EUR": (30, 1),
    "USD": (28, 1),
    "GBP": (12, 1),
    "CHF": (6, 1),
    "PLN": (6, 4),
    "SEK": (6, 11),
    "JPY": (5, 170),
    "CAD": (4, 2),
    "BRL": (3, 6),
}
_RECENT_SHARE = 0.1  # of the orders: placed on each of the last three days
# Shares of the orders; each defect occurs at least once, and no order gets two of them.
_SHARES = {
    Defect.LATE_UPDATE: Decimal("0.03"),
    Defect.STATUS_HISTORY: Decimal("0.03"),
    Defect.WINDOW_EDGE: Decimal("0.005"),
    Defect.EXACT_DUPLICATE: Decimal("0.01"),
    Defect.UNKNOWN_CUSTOMER: Decimal("0.01"),
    Defect.LOWER_CASE_CURRENCY: Decimal("0.01"),
    Defect.UNKNOWN_CURRENCY: Decimal("0.005"),
    Defect.UNQUOTED_CURRENCY: Decimal("0.005"),
    Defect.OLD_RATE: Decimal("0.005"),
    Defect.REPLACED_CURRENCY: Decimal("0.005"),
    Defect.NULL_AMOUNT: Decimal("0.01"),
    Defect.NEGATIVE_AMOUNT: Decimal("0.01"),
}
_WRONG_VALUES: dict[Defect, dict[str, Any]] = {
    Defect.LOWER_CASE_CURRENCY: {"currency": "usd"},
    Defect.UNKNOWN_CURRENCY: {"currency": "XXX"},
    Defect.UNQUOTED_CURRENCY: {"currency": "VND"},
    Defect.OLD_RATE: {"currency": "RUB"},
    Defect.REPLACED_CURRENCY: {"currency": "BGN"},
    Defect.NULL_AMOUNT: {"amount": None},
}


def make_orders(number: int, accounts: Sequence[Account], span: Span, seed: int) -> tuple[Order, ...]:
    """Orders by date, then the additional rows of orders that have more than one."""
    random = Random(f"orders {seed}")  # noqa: S311  # reproducible, nothing secret
    dates = sorted(_order_date(random, span) for _ in range(number))
    customers = _Customers(accounts)
    orders = [_order(random, index, day, customers, span) for index, day in enumerate(dates)]
    further: list[Order] = []
    for ordinal, (index, defect) in enumerate(_planted(random, dates, span)):
        orders[index], *more = _with_defect(random, orders[index], defect, span, ordinal)
        further += more
    return tuple(_weekend(order) for order in (*orders, *further))


def _order_date(random: Random, span: Span) -> date:
    draw = random.random()
    if draw < 3 * _RECENT_SHARE:
        return span.back(int(draw / _RECENT_SHARE))
    return span.back(random.randrange(3, span.days))


class _Customers:
    """The accounts that an order of a given day can refer to: they have a number, and exist by then."""

    def __init__(self, accounts: Sequence[Account]) -> None:
        known = sorted(
            (account.created_date.date(), account.account_number)
            for account in accounts
            if account.account_number is not None
        )
        self._days = [day for day, _ in known]
        self._numbers = [number for _, number in known]

    def pick(self, random: Random, day: date) -> str:
        return self._numbers[random.randrange(bisect_right(self._days, day) or 1)]


def _order(random: Random, index: int, day: date, customers: _Customers, span: Span) -> Order:
    (currency,) = random.choices(list(CURRENCIES), [share for share, _ in CURRENCIES.values()])
    cents = random.randint(500, 60_000) * random.choice((1, 1, 1, 2, 10)) * CURRENCIES[currency][1]
    placed = midnight(day) + timedelta(microseconds=random.randrange(1, 80_000_000_000))
    status, updated = _state(random, placed, span)
    return Order(
        order_id=f"SO-{index + 1:07d}",
        customer_id=customers.pick(random, day),
        order_date=day,
        currency=currency,
        amount=Decimal(cents).scaleb(-2),
        status=status,
        updated_at=updated,
    )


def _state(random: Random, placed: datetime, span: Span) -> tuple[str, datetime]:
    """An order's status at the end of the span, and when it changed to that."""
    paid = placed + timedelta(minutes=random.randint(5, 1800), microseconds=random.randrange(1_000_000))
    shipped = paid + timedelta(minutes=random.randint(600, 5000), microseconds=random.randrange(1_000_000))
    steps = [("PLACED", placed), ("CANCELLED", paid)]
    if random.random() < 0.9:
        steps = [("PLACED", placed), ("PAID", paid), ("SHIPPED", shipped)]
    return max((step for step in steps if step[1] <= span.last_moment), key=lambda step: step[1])


def _planted(random: Random, dates: Sequence[date], span: Span) -> list[tuple[int, Defect]]:
    """Which order gets which defect. Defects that need an order of a certain age choose first."""
    free = set(range(len(dates)))
    planted: list[tuple[int, Defect]] = []
    for defect, share in _SHARES.items():
        eligible = sorted(index for index in free if _suits(defect, dates[index], span))
        for index in random.sample(eligible, max(1, int(share * len(dates)))):
            planted.append((index, defect))
            free.discard(index)
    return planted


def _suits(defect: Defect, day: date, span: Span) -> bool:
    if defect is Defect.LATE_UPDATE:
        return day <= span.back(10)
    if defect in (Defect.STATUS_HISTORY, Defect.WINDOW_EDGE):
        return span.back(3) <= day <= span.back(1)
    return True


def _with_defect(random: Random, order: Order, defect: Defect, span: Span, ordinal: int) -> list[Order]:
    """The order's row, and further rows, which are stored behind all orders."""
    marked = replace(order, defects=(defect,))
    if defect is Defect.LATE_UPDATE:
        changed = midnight(span.back(random.randrange(3))) + timedelta(seconds=random.randrange(1, 86_000))
        return [replace(marked, status=random.choice(("SHIPPED", "CANCELLED")), updated_at=changed)]
    if defect is Defect.STATUS_HISTORY:
        return _history(random, marked, span, reverse=bool(ordinal % 2))
    if defect is Defect.WINDOW_EDGE:
        return [replace(marked, status="PAID", updated_at=midnight(order.order_date + timedelta(days=1)))]
    if defect is Defect.EXACT_DUPLICATE:
        return [marked, marked]
    if defect is Defect.UNKNOWN_CUSTOMER:
        return [replace(marked, customer_id=f"X-{ordinal + 1:06d}")]
    if defect is Defect.NEGATIVE_AMOUNT:
        return [replace(marked, amount=-(order.amount or Decimal(1)))]
    return [replace(marked, **_WRONG_VALUES[defect])]


def _history(random: Random, order: Order, span: Span, *, reverse: bool) -> list[Order]:
    """PLACED on the order's day and PAID on a later one, stored in that order or in reverse."""
    placed = midnight(order.order_date) + timedelta(seconds=random.randrange(1, 86_000))
    later = random.randint(1, (span.newest - order.order_date).days)
    paid = midnight(order.order_date + timedelta(days=later)) + timedelta(seconds=random.randrange(1, 86_000))
    old = replace(order, status="PLACED", updated_at=placed)
    new = replace(order, status="PAID", updated_at=paid)
    if reverse:
        return [new, replace(old, defects=(*old.defects, Defect.OUT_OF_ORDER))]
    return [old, new]


def _weekend(order: Order) -> Order:
    if order.order_date.isoweekday() < 6:
        return order
    return replace(order, defects=(*order.defects, Defect.WEEKEND_ORDER))
