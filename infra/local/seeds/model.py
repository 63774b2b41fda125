"""The rows of the seeds, and their defects."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar


class Defect(StrEnum):
    """What is odd about a row, and what must become of it. A row may have several defects."""

    # Orders
    LATE_UPDATE = "late_update"
    """Ordered ten or more days before `newest`, and changed on one of the last three: an old partition changes."""
    STATUS_HISTORY = "status_history"
    """One of two states of an order, each with its own UPDATED_AT. The later one is on one of the last three days,
    and wins."""
    OUT_OF_ORDER = "out_of_order"
    """The older state of a status history, stored behind the newer one. It never wins."""
    EXACT_DUPLICATE = "exact_duplicate"
    """The same row twice, both marked. One is enough."""
    UNKNOWN_CUSTOMER = "unknown_customer"
    """No account has this CUSTOMER_ID. The fact stays, and gets an inferred dimension member."""
    LOWER_CASE_CURRENCY = "lower_case_currency"
    """`usd`."""
    UNKNOWN_CURRENCY = "unknown_currency"
    """`XXX`, ISO's code for no currency, which has no rate."""
    UNQUOTED_CURRENCY = "unquoted_currency"
    """`VND`: a real currency for which ECB has no rate."""
    OLD_RATE = "old_rate"
    """`RUB`: ECB's last rate is of 1 March 2022. It values nothing."""
    REPLACED_CURRENCY = "replaced_currency"
    """`BGN`: the euro replaced it on 1 January 2026. It is worth its fixed part of a euro."""
    NULL_AMOUNT = "null_amount"
    NEGATIVE_AMOUNT = "negative_amount"
    WEEKEND_ORDER = "weekend_order"
    """ORDER_DATE is a Saturday or Sunday. The rate of the Friday before counts."""

    # Accounts
    MODSTAMP_TIE = "modstamp_tie"
    """Other accounts have the same SystemModstamp. A cursor on it alone would lose rows."""
    DELETED_ACCOUNT = "deleted_account"
    """In the recycle bin. Only queryAll sees it."""
    NO_ACCOUNT_NUMBER = "no_account_number"
    """AccountNumber is null, so no order can refer to it."""
    RECREATED_ACCOUNT = "recreated_account"
    """One of two accounts with the same AccountNumber. The older one is deleted, the newer one is the customer."""

    # Both
    WINDOW_EDGE = "window_edge"
    """Changed exactly at midnight. It belongs only to the window that starts then."""


@dataclass(frozen=True, slots=True)
class Account:
    """A Salesforce Account. Times have a zone, UTC, and whole seconds."""

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
    """A row of Snowflake's ORDERS. `updated_at` has a zone, UTC, and microseconds."""

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
    """All rows, in the sequence in which the sources store them."""

    accounts: tuple[Account, ...]
    orders: tuple[Order, ...]

    def counts(self) -> dict[Defect, int]:
        """Number of rows by defect, in the sequence of `Defect`."""
        rows: tuple[Account | Order, ...] = (*self.accounts, *self.orders)
        found = Counter(defect for row in rows for defect in row.defects)
        return {defect: found[defect] for defect in Defect}


@dataclass(frozen=True, slots=True)
class Span:
    """The days that the seeds cover. Nothing in them is later than the end of `newest`."""

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
