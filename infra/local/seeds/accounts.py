"""The Salesforce accounts of the seeds."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from infra.local.seeds.model import Account, Defect, Span, midnight

MINIMUM_ACCOUNTS = 20

_TYPES = ("Customer - Direct", "Customer - Direct", "Customer - Channel", "Prospect")
_INDUSTRIES = ("Banking", "Chemicals", "Energy", "Food & Beverage", "Retail", "Technology", None)
_COUNTRIES = ("Germany", "France", "Ireland", "Poland", "Spain", "Sweden", "United Kingdom", "United States")
# Some of these break careless CSV, SQL or encodings.
_NAMES = (
    "Aster",
    "Bräuer & Söhne",
    "Castell, Vidal",
    "O'Hara",
    'Dunord "Sud"',
    "Łódź Gears",
    "Novum",
    "Tideway",
)
_FORMS = ("GmbH", "SA", "Ltd", "plc", "AB", "Inc.")

# Shares of the accounts. Each defect occurs at least once. Ties come in groups of three.
_SHARES = {
    Defect.DELETED_ACCOUNT: Decimal("0.03"),
    Defect.NO_ACCOUNT_NUMBER: Decimal("0.02"),
    Defect.RECREATED_ACCOUNT: Decimal("0.01"),
    Defect.MODSTAMP_TIE: Decimal("0.04"),
}
_TIE = 3
_RECENT_SHARE = 0.12  # share of the accounts that changed on each of the last three days
_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECK_LETTERS = string.ascii_uppercase + "012345"


def make_accounts(number: int, span: Span, seed: int) -> tuple[Account, ...]:
    """Accounts with rising ids, in order of creation except for the re-created ones."""
    random = Random(f"accounts {seed}")  # noqa: S311  # reproducible, nothing secret
    created = sorted(_created(random, span) for _ in range(number))
    accounts = [_account(random, index, moment, span) for index, moment in enumerate(created)]
    return tuple(_plant(random, accounts, span))


def _created(random: Random, span: Span) -> datetime:
    """When an account was created: one in five within the span, the others up to three years before it."""
    day = span.first - timedelta(days=random.randint(1, 1000))
    if random.random() < 0.2:
        day = span.first + timedelta(days=random.randrange(span.days - 3))
    return midnight(day) + timedelta(seconds=random.randrange(86_000))


def _account(random: Random, index: int, created: datetime, span: Span) -> Account:
    day = span.back(random.randrange(3, span.days))
    if (draw := random.random()) < 3 * _RECENT_SHARE:
        day = span.back(int(draw / _RECENT_SHARE))
    # Never before its creation. The last minute of the day is left for the system's own change.
    modified = max(midnight(day) + timedelta(seconds=random.randrange(1, 86_300)), created)
    return Account(
        id=salesforce_id(index + 1),
        account_number=f"C-{index + 1:06d}",
        name=f"{random.choice(_NAMES)} {random.choice(_FORMS)} {index + 1}",
        type=random.choice(_TYPES),
        industry=random.choice(_INDUSTRIES),
        billing_country=random.choice(_COUNTRIES),
        annual_revenue=Decimal(random.randint(10, 90_000)) * 1000 if random.random() < 0.8 else None,
        number_of_employees=random.randint(1, 9000) if random.random() < 0.8 else None,
        created_date=created,
        last_modified_date=modified,
        system_modstamp=modified + timedelta(seconds=random.choice((0, 0, 0, 2))),
        is_deleted=False,
    )


def _plant(random: Random, accounts: list[Account], span: Span) -> list[Account]:
    wanted = {defect: max(1, int(share * len(accounts))) for defect, share in _SHARES.items()}
    # A deletion or a tie only changes an account that exists by then.
    old = [index for index, account in enumerate(accounts) if account.created_date < midnight(span.back(3))]
    free = iter(random.sample(old, len(old)))

    for number in range(wanted[Defect.DELETED_ACCOUNT]):
        index = next(free)
        # The first is in the last three days, so that daily runs meet a deletion.
        moment = _moment(random, span, newest_days=3 if number == 0 else span.days, not_before=accounts[index])
        accounts[index] = replace(_changed(accounts[index], moment, Defect.DELETED_ACCOUNT), is_deleted=True)
    for _ in range(wanted[Defect.NO_ACCOUNT_NUMBER]):
        index = next(free)
        accounts[index] = replace(accounts[index], account_number=None, defects=(Defect.NO_ACCOUNT_NUMBER,))
    for _ in range(wanted[Defect.RECREATED_ACCOUNT]):
        first, second = sorted((next(free), next(free)))
        moment = midnight(span.back(random.choice((1, 2)))) + timedelta(seconds=random.randrange(3600, 60_000))
        accounts[first] = replace(_changed(accounts[first], moment, Defect.RECREATED_ACCOUNT), is_deleted=True)
        again = _changed(accounts[second], moment + timedelta(hours=1), Defect.RECREATED_ACCOUNT)
        accounts[second] = replace(
            again,
            account_number=accounts[first].account_number,
            name=accounts[first].name,
            created_date=moment + timedelta(hours=1),
        )
    # The first group is at midnight, on the edge of two windows. There is at least one other.
    for group in range(max(2, wanted[Defect.MODSTAMP_TIE] // _TIE)):
        moment = midnight(span.newest) if group == 0 else _moment(random, span, newest_days=3)
        defects = (Defect.MODSTAMP_TIE, Defect.WINDOW_EDGE) if group == 0 else (Defect.MODSTAMP_TIE,)
        for _ in range(_TIE):
            index = next(free)
            accounts[index] = _changed(accounts[index], moment, *defects)
    return accounts


def _moment(random: Random, span: Span, *, newest_days: int, not_before: Account | None = None) -> datetime:
    """A moment of one of the newest days, not before an account's creation."""
    moment = midnight(span.back(random.randrange(newest_days))) + timedelta(seconds=random.randrange(1, 86_300))
    return max(moment, not_before.created_date) if not_before else moment


def _changed(account: Account, moment: datetime, *defects: Defect) -> Account:
    return replace(account, last_modified_date=moment, system_modstamp=moment, defects=defects)


def salesforce_id(number: int) -> str:
    """The Account id of a number: 15 characters, and the 3 that Salesforce adds for systems that ignore case."""
    digits = ""
    for _ in range(12):
        number, digit = divmod(number, 62)
        digits = _BASE_62[digit] + digits
    fifteen = "001" + digits
    checks = (
        sum(1 << bit for bit, letter in enumerate(fifteen[part : part + 5]) if letter.isupper()) for part in (0, 5, 10)
    )
    return fifteen + "".join(_CHECK_LETTERS[check] for check in checks)
