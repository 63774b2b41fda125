"""Salesforce's text with types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from jobs.silver import salesforce_accounts
from tests.jobs.lakehouse import ACCOUNTS, account, at, build, collect, frame, land, rows, schema_of, silver_account

GOOD = [silver_account()]

SILVER = "silver.salesforce_accounts"


def typed(spark: SparkSession, **fields: Any) -> dict[str, Any]:
    (row,) = collect(salesforce_accounts.from_salesforce(frame(spark, [account(**fields)], schema_of(ACCOUNTS))))
    return row


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-10-01T08:00:00.123+0000", "2026-10-01 08:00:00.123"),  # REST
        ("2026-10-01T08:00:00.123Z", "2026-10-01 08:00:00.123"),  # Bulk 2.0
        ("2026-10-01T08:00:00.000+00:00", "2026-10-01 08:00:00"),
        ("2026-10-01T10:00:00.000+02:00", "2026-10-01 08:00:00"),
    ],
)
def test_both_ways_in_which_salesforce_writes_times_give_the_same_instant(
    spark: SparkSession, text: str, expected: str
) -> None:
    assert typed(spark, system_modstamp=text)["system_modstamp"] == at(expected)


def test_text_becomes_the_columns_types(spark: SparkSession) -> None:
    found = typed(spark, annual_revenue="1.5E7", number_of_employees="12", is_deleted="true")

    assert found["annual_revenue"] == Decimal("15000000.00")
    assert found["number_of_employees"] == 12
    assert found["is_deleted"] is True


def test_text_that_does_not_fit_its_type_becomes_null(spark: SparkSession) -> None:
    found = typed(spark, annual_revenue="much", number_of_employees="few", is_deleted="maybe", system_modstamp="soon")

    assert {found[name] for name in ("annual_revenue", "number_of_employees", "is_deleted", "system_modstamp")} == {
        None
    }


def test_newest_state_stays_and_broken_accounts_are_quarantined(spark: SparkSession, lake: str) -> None:
    one, two = "001000000000001AAA", "001000000000002AAA"
    land(spark, ACCOUNTS, "b1", [
        account(one, name="New", is_deleted="true", system_modstamp="2026-10-02T00:00:00.000Z"),
        account(one, name="Old", system_modstamp="2026-10-01T00:00:00.000+0000"),
        account(two),
        account("short"),
        account(None),
        account("001000000000003AAA", account_number=None),
        account("001000000000004AAA", system_modstamp="soon"),
        account("001000000000005AAA", is_deleted=None),
        account("001000000000006AAA\n"),
        account("001000000000007AAA", account_number="C1 "),
        account("001000000000008AAA", annual_revenue="1.0E16"),
        account("001000000000009AAA", annual_revenue="NaN", number_of_employees="2147483648"),
        account("00100000000000AAAA", created_date="20226-01-01T00:00:00.000+0000"),
    ])  # fmt: skip

    made = build(SILVER)

    assert rows(SILVER) == [
        silver_account(one, name="New", is_deleted=True, system_modstamp=at("2026-10-02")),
        silver_account(two),
    ]
    assert {row["rule"] for row in rows("quarantine.salesforce_accounts")} == {
        "id match_regex",
        "id not_be_null",
        "account_number not_be_null",
        "system_modstamp not_be_null",
        "is_deleted not_be_null",
        "account_number match_regex",
        "annual_revenue does_not_fit",
        "annual_revenue does_not_fit; number_of_employees does_not_fit",
        "created_date does_not_fit",
    }
    assert (made["read"], made["written"], made["superseded"], made["quarantined"]) == (13, 2, 1, 10)


@pytest.mark.slow
def test_deletion_for_good_wins_over_the_live_row_of_the_same_read_and_a_later_read_over_both(
    spark: SparkSession, lake: str
) -> None:
    last, first, together, back, early = (f"00100000000000{number}AAA" for number in range(1, 6))
    later = "2026-10-02T00:00:00.000+0000"

    def gone(record_id: str) -> dict[str, Any]:
        return account(record_id, is_deleted="true")

    land(spark, ACCOUNTS, "b1", [
        account(last), gone(first), account(together), gone(together), account(back), gone(back),
        account(early, system_modstamp=later),
    ])  # fmt: skip
    build(SILVER)
    land(spark, ACCOUNTS, "b2", [gone(last), account(first), account(back, system_modstamp=later), gone(early)])
    build(SILVER)

    assert {row["id"]: (row["is_deleted"], row["system_modstamp"]) for row in rows(SILVER)} == {
        **dict.fromkeys((last, together), (True, at("2026-10-01"))),
        first: (False, at("2026-10-01")),  # seen again by a later read
        **dict.fromkeys((back, early), (False, at("2026-10-02"))),
    }
