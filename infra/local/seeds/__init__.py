"""The data of the source systems on a laptop: accounts and orders, with the defects that real sources have.

The same arguments give the same rows on every machine. `infra.local.sources.seed` puts them into the stand-ins.
"""

from __future__ import annotations

import os
from datetime import date

from infra.local.seeds.accounts import MINIMUM_ACCOUNTS, make_accounts
from infra.local.seeds.model import Account, Defect, Order, Seeds, Span
from infra.local.seeds.orders import MINIMUM_ORDERS, make_orders

__all__ = ["MINIMUM_ORDERS", "Account", "Defect", "Order", "Seeds", "Span", "generate", "wanted_size"]


DEFAULT_SIZE = 1000


def wanted_size() -> int:
    """How many orders this platform's seeds have: SLUICE_SEED_SIZE, or 1000."""
    return int(os.environ.get("SLUICE_SEED_SIZE") or DEFAULT_SIZE)


def generate(size: int, newest: date, days: int = 60, seed: int = 7) -> Seeds:
    """Makes accounts and orders for a span of days.

    Args:
        size: number of order ids. Duplicates and older states of orders are further rows. There is one account for
            ten orders, and at least 20.
        newest: last day of the span. With ECB's newest day every order finds a rate.
        days: length of the span.
        seed: another seed gives other rows of the same kind.

    Raises:
        ValueError: there are too few orders or days for each defect to occur.
    """
    if size < MINIMUM_ORDERS or days < Span.MINIMUM_DAYS:
        minimum = f"{MINIMUM_ORDERS} orders and {Span.MINIMUM_DAYS} days"
        raise ValueError(f"seeds need {minimum}, so that each defect occurs")
    span = Span(newest, days)
    accounts = make_accounts(max(MINIMUM_ACCOUNTS, size // 10), span, seed)
    return Seeds(accounts, make_orders(size, accounts, span, seed))
