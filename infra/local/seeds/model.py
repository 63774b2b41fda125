"""The seeds' rows, and the defects that are planted in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar


class Defect(StrEnum):
    """What is odd about a row, and what has to come of it. A row may have several."""

    # Orders
    LATE_UPDATE = "late_update"
    """Ordered ten or more days before `newest`, changed on one of the last three: an old partition moves."""
    STATUS_HISTORY = "status_history"
    """One of two states of an order, each with its own UPDATED_AT, the later on one of the last three days:
    the newest wins."""
    OUT_OF_ORDER = "out_of_order"
    """Of a status history: stored behind a newer state of the same order. Never wins."""
    EXACT_DUPLICATE = "exact_duplicate"
    """The same row twice, both marked: one is enough."""
    UNKNOWN_CUSTOMER = "unknown_customer"
    """CUSTOMER_ID is no account's number: the fact stays, and gets an inferred dimension member."""
    LOWER_CASE_CURRENCY = "lower_case_currency"
    """`usd`."""
    UNKNOWN_CURRENCY = "unknown_currency"
    """`XXX`, ISO's code for no currency: there can't be a rate."""
    UNQUOTED_CURRENCY = "unquoted_currency"
    """`VND`: a real currency for which ECB has no rate."""
    NULL_AMOUNT = "null_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    WEEKEND_ORDER = "weekend_order"
    """ORDER_DATE is a Saturday or Sunday: the rate is that of the Friday before."""

    # Accounts
    MODSTAMP_TIE = "modstamp_tie"
    """SystemModstamp is that of other accounts too: a cursor on it alone loses rows."""
    DELETED_ACCOUNT = "deleted_account"
    """In the recycle bin: seen by queryAll only."""
    NO_ACCOUNT_NUMBER = "no_account_number"
    """AccountNumber is null: no order can refer to it."""
    RECREATED_ACCOUNT = "recreated_account"
    """One of two accounts with the same AccountNumber: the older is deleted, the newer is the customer."""

    # Both
    WINDOW_EDGE = "window_edge"
    """Changed at midnight sharp: belongs to the window that starts then, and to no other."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Salesforce Account. Times are aware, in UTC, in whole seconds."""

    id: str
    account_number: str | None
    name: str
    type: str
    industry: str | None
    billing_country: str
    annual_revenue: Decimal | None
    number_of_employees: int | None
    created_date: datetime
    last_modified_date: datetime
    system_modstamp: datetime
    is_deleted: bool
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """A row of Snowflake's ORDERS. `updated_at` is aware, in UTC, in microseconds."""

    order_id: str
    customer_id: str
    order_date: date
    currency: str
    amount: Decimal | None
    status: str
    updated_at: datetime
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True)
class Seeds:
    """All rows, each source's in the order in which it stores them."""

    accounts: tuple[Account, ...]
    orders: tuple[Order, ...]

    def counts(self) -> dict[Defect, int]:
        """Rows per defect, in the order of `Defect`."""
        rows: tuple[Account | Order, ...] = (*self.accounts, *self.orders)
        found = Counter(defect for row in rows for defect in row.defects)
        return {defect: found[defect] for defect in Defect}


@dataclass(frozen=True, slots=True)
class Span:
    """The days that the seeds cover; nothing in them is later than the end of `newest`."""

    MINIMUM_DAYS: ClassVar[int] = 21

    newest: date
    days: int

    @property
    def first(self) -> date:
        return self.newest - timedelta(days=self.days - 1)

    @property
    def last_moment(self) -> datetime:
        return midnight(self.newest) + timedelta(days=1) - timedelta(microseconds=1)

    def back(self, days: int) -> date:
        """The day so many days before the newest."""
        return self.newest - timedelta(days=days)


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime.combine(day, time(), UTC)
