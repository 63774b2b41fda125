"""The seeds are the same every time, and have exactly the defects that mark them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from infra.local.addresses import REPOSITORY
from infra.local.seeds import Account, Defect, Order, Seeds, generate
from infra.local.seeds.accounts import salesforce_id
from infra.local.seeds.orders import CURRENCIES
from infra.local.sources.ecb.history import newest, quoted

NEWEST = date(2026, 10, 30)
LAST_THREE = {NEWEST, NEWEST - timedelta(days=1), NEWEST - timedelta(days=2)}


@pytest.fixture(scope="module", params=[100, 200, 3000])
def seeds(request: pytest.FixtureRequest) -> Seeds:
    return generate(request.param, NEWEST)


def orders(seeds: Seeds, defect: Defect) -> list[Order]:
    return [order for order in seeds.orders if defect in order.defects]


def accounts(seeds: Seeds, defect: Defect) -> list[Account]:
    return [account for account in seeds.accounts if defect in account.defects]


def test_seeds_are_the_same_for_every_python_hash_seed() -> None:
    code = (
        "import hashlib; from datetime import date; from infra.local.seeds import generate;"
        "print(hashlib.sha256(repr(generate(300, date(2026, 10, 30))).encode()).hexdigest())"
    )
    sums = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert sums == {hashlib.sha256(repr(generate(300, NEWEST)).encode()).hexdigest()}


def test_another_seed_or_day_gives_other_rows() -> None:
    assert generate(200, NEWEST, seed=8).orders != generate(200, NEWEST).orders
    assert generate(200, NEWEST - timedelta(days=1)).orders != generate(200, NEWEST).orders


def test_sizes_too_small_for_all_defects_are_refused() -> None:
    with pytest.raises(ValueError, match="each defect"):
        generate(99, NEWEST)
    with pytest.raises(ValueError, match="each defect"):
        generate(200, NEWEST, days=20)


@pytest.mark.parametrize("seed", range(20))
def test_every_defect_occurs_whatever_the_seed(seed: int) -> None:
    assert min(generate(200, NEWEST, seed=seed).counts().values()) > 0
    assert min(generate(100, NEWEST, days=21, seed=seed).counts().values()) > 0


def test_size_is_the_number_of_order_ids(seeds: Seeds) -> None:
    number = len({order.order_id for order in seeds.orders})
    assert number in (100, 200, 3000)
    assert len(seeds.accounts) == max(20, number // 10)
    assert len({account.id for account in seeds.accounts}) == len(seeds.accounts)


def test_nothing_is_later_than_the_newest_day(seeds: Seeds) -> None:
    end = datetime(2026, 10, 31, tzinfo=UTC)
    first = NEWEST - timedelta(days=59)
    for order in seeds.orders:
        assert first <= order.order_date <= order.updated_at.date()
        assert order.updated_at < end
    for account in seeds.accounts:
        assert account.created_date <= account.last_modified_date <= account.system_modstamp < end


def test_each_of_the_last_three_days_has_orders_and_account_changes(seeds: Seeds) -> None:
    placed = Counter(order.order_date for order in seeds.orders)
    updated = Counter(order.updated_at.date() for order in seeds.orders)
    for day in LAST_THREE:
        assert placed[day] >= 0.05 * len(seeds.orders)
        assert updated[day] >= 0.03 * len(seeds.orders)
    assert len(placed) > 30
    if len(seeds.accounts) >= 100:
        changed = Counter(account.system_modstamp.date() for account in seeds.accounts)
        assert all(changed[day] >= 0.08 * len(seeds.accounts) for day in LAST_THREE)


def test_currencies_are_quoted_on_the_newest_day_but_for_the_marked_ones(seeds: Seeds) -> None:
    assert set(CURRENCIES) - {"EUR"} <= quoted(newest())
    assert not {"VND", "RUB", "BGN"} & quoted(newest())
    odd = {
        Defect.LOWER_CASE_CURRENCY: "usd",
        Defect.UNKNOWN_CURRENCY: "XXX",
        Defect.UNQUOTED_CURRENCY: "VND",
        Defect.OLD_RATE: "RUB",
        Defect.REPLACED_CURRENCY: "BGN",
    }
    for order in seeds.orders:
        expected = [currency for defect, currency in odd.items() if defect in order.defects]
        assert [order.currency] == expected or (not expected and order.currency in CURRENCIES)


def test_amounts_are_positive_with_two_digits_but_for_the_marked_ones(seeds: Seeds) -> None:
    for order in seeds.orders:
        if Defect.NULL_AMOUNT in order.defects:
            assert order.amount is None
            continue
        assert order.amount is not None
        assert order.amount.as_tuple().exponent == -2
        assert (order.amount < 0) == (Defect.NEGATIVE_AMOUNT in order.defects)


def test_orders_refer_to_accounts_that_existed_but_for_the_marked_ones(seeds: Seeds) -> None:
    created: dict[str | None, date] = {}
    for account in seeds.accounts:
        day = account.created_date.date()
        created[account.account_number] = min(day, created.get(account.account_number, day))
    for order in seeds.orders:
        assert (order.customer_id not in created) == (Defect.UNKNOWN_CUSTOMER in order.defects)
        if order.customer_id in created:
            assert created[order.customer_id] <= order.order_date


def test_weekend_orders_are_marked(seeds: Seeds) -> None:
    for order in seeds.orders:
        assert (order.order_date.weekday() >= 5) == (Defect.WEEKEND_ORDER in order.defects)


def test_only_marked_orders_have_several_rows(seeds: Seeds) -> None:
    rows: dict[str, list[Order]] = defaultdict(list)
    for order in seeds.orders:
        rows[order.order_id].append(order)
    for same in rows.values():
        defects = {defect for order in same for defect in order.defects}
        if Defect.EXACT_DUPLICATE in defects:
            assert len(same) == 2
            assert same[0] == same[1]
        elif Defect.STATUS_HISTORY in defects:
            assert len(same) == 2
            old, new = sorted(same, key=lambda order: order.updated_at)
            assert (old.status, new.status) == ("PLACED", "PAID")
            assert old.updated_at < new.updated_at
            assert new.updated_at.date() in LAST_THREE
            assert (same == [new, old]) == (Defect.OUT_OF_ORDER in old.defects)
        else:
            assert len(same) == 1


def test_late_updates_are_of_old_orders_and_in_the_last_days(seeds: Seeds) -> None:
    for order in orders(seeds, Defect.LATE_UPDATE):
        assert order.order_date <= NEWEST - timedelta(days=10)
        assert order.updated_at.date() in LAST_THREE


def test_window_edges_are_at_midnight(seeds: Seeds) -> None:
    times = [order.updated_at for order in orders(seeds, Defect.WINDOW_EDGE)]
    times += [account.system_modstamp for account in accounts(seeds, Defect.WINDOW_EDGE)]
    assert len(times) >= 4
    assert all((at.hour, at.minute, at.second, at.microsecond) == (0, 0, 0, 0) for at in times)
    assert {at.date() for at in times} <= LAST_THREE


def test_modstamp_ties_are_shared_by_three_accounts(seeds: Seeds) -> None:
    groups = Counter(account.system_modstamp for account in accounts(seeds, Defect.MODSTAMP_TIE))
    assert len(groups) >= 2
    assert set(groups.values()) == {3}


def test_account_defects_are_what_they_say(seeds: Seeds) -> None:
    for account in seeds.accounts:
        assert (account.account_number is None) == (Defect.NO_ACCOUNT_NUMBER in account.defects)
        if account.is_deleted:
            assert set(account.defects) & {Defect.DELETED_ACCOUNT, Defect.RECREATED_ACCOUNT}
    assert all(account.is_deleted for account in accounts(seeds, Defect.DELETED_ACCOUNT))
    assert any(account.system_modstamp.date() in LAST_THREE for account in accounts(seeds, Defect.DELETED_ACCOUNT))


def test_a_recreated_account_follows_a_deleted_one_of_its_number(seeds: Seeds) -> None:
    pairs: dict[str | None, list[Account]] = defaultdict(list)
    for account in accounts(seeds, Defect.RECREATED_ACCOUNT):
        pairs[account.account_number].append(account)
    for pair in pairs.values():
        old, new = sorted(pair, key=lambda account: account.created_date)
        assert (old.is_deleted, new.is_deleted) == (True, False)
        assert old.system_modstamp < new.created_date
    numbers = Counter(account.account_number for account in seeds.accounts if account.account_number)
    assert {number for number, times in numbers.items() if times > 1} == set(pairs)


def test_account_ids_carry_salesforces_check_letters() -> None:
    # No capital: three A. A capital as the last of the third five letters: its bit is 16, and Q the letter.
    assert salesforce_id(1) == "001000000000001AAA"
    assert salesforce_id(10) == "00100000000000AAAQ"
