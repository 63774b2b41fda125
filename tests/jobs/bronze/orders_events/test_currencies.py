"""A currency is judged by the days of its event, not by today's list."""

from __future__ import annotations

import re
from datetime import date

import pytest

from dq import suite
from jobs.bronze.orders_events import contract, currencies
from jobs.bronze.orders_events.contract import DeadMessage
from tests.jobs.topics import event

KAFKA_TIME = 4_000_000_000_000_000  # in 2096: later than all that is tried


@pytest.mark.parametrize(
    ("code", "first", "last"),
    [
        ("BGN", "1999-07-05", "2026-01-31"),
        ("HRK", "1994-05-30", "2023-01-14"),
        ("LTL", "1993-06-25", "2014-12-31"),
        ("SLL", "1964-08-04", "2023-12-31"),
        ("EUR", "1999-01-01", "9999-12-31"),
        ("XAF", "1973-04-01", "9999-12-31"),
        ("XOF", "1958-11-24", "9999-12-31"),
        ("XCD", "1965-10-06", "9999-12-31"),
        ("XPF", "1945-12-26", "9999-12-31"),
        ("XCG", "2025-03-31", "9999-12-31"),
        ("XAU", "0001-01-01", "9999-12-31"),
    ],
)
def test_currency_is_in_use_from_its_first_day_to_its_last(code: str, first: str, last: str) -> None:
    assert currencies.USED[code] == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("code", "ordered", "at", "alive"),
    [
        ("BGN", "2025-06-01", "2025-06-01T08:00:00Z", True),
        ("BGN", "2025-12-30", "2026-02-03T08:00:00Z", True),  # paid after the euro had come
        ("BGN", "2026-03-01", "2026-03-01T08:00:00Z", False),
        ("HRK", "2022-12-30", "2026-03-01T08:00:00Z", True),
        ("HRK", "2023-02-01", "2023-02-01T08:00:00Z", False),
        ("XCG", "2020-01-01", "2020-01-01T08:00:00Z", False),
        ("XCG", "2026-01-01", "2026-01-01T08:00:00Z", True),
        ("XAF", "2026-01-01", "2026-01-01T08:00:00Z", True),
        ("CNH", "2026-01-01", "2026-01-01T08:00:00Z", False),
        ("ZZZ", "2026-01-01", "2026-01-01T08:00:00Z", False),
    ],
)
@pytest.mark.parametrize("quick", [True, False], ids=["quick", "in full"])
def test_event_is_judged_by_its_own_days(code: str, ordered: str, at: str, alive: bool, quick: bool) -> None:
    message = event(currency=code, order_date=ordered, event_timestamp=at)
    judge = contract.read if quick else contract.read_in_full

    if alive:
        assert judge(message, KAFKA_TIME).currency == code
        return
    with pytest.raises(DeadMessage) as dead:
        judge(message, KAFKA_TIME)
    known = code in currencies.USED
    wrong = "was in use neither on order_date nor at event_timestamp" if known else "is not an ISO 4217 code"
    assert (dead.value.reason, dead.value.detail) == ("unknown_currency", f"currency {wrong}")


@pytest.mark.parametrize(
    ("code", "doubted"),
    [*[(code, False) for code in ("XAF", "XCD", "XCG", "XOF", "XPF", "EUR", "MXN")],
     *[(code, True) for code in ("XAU", "XDR", "XTS", "XXX", "XAD", "XUA")]],
)  # fmt: skip
def test_silvers_rule_doubts_metals_and_funds_and_no_money(code: str, doubted: bool) -> None:
    (rule,) = [r for r in suite.load("silver.orders").rules if r.type == "expect_column_values_to_not_match_regex"]

    assert bool(re.search(rule.kwargs["regex"], code)) == doubted
    assert code in currencies.USED
