"""One value never stops the rest: a day with an odd row of every kind is green, and each row is found by its name.

Real clients read the sources' stand-ins; bronze, silver, the gate and gold run as in production. The next day is
green too: what is in bronze is read again.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from infra.local.sources.ecb.history import newest
from infra.local.sources.seed import connect
from jobs import run as run_py
from jobs.bronze import snowflake_orders
from jobs.lake import tables
from jobs.lake.run import Run
from jobs.sources.snowflake import conform
from tests import lakes
from tests.faults.conftest import Sources
from tests.jobs.lakehouse import RATES, by, record, rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

END = datetime.combine(newest() + timedelta(days=1), time(), UTC)
GOOD_ORDERS, GOOD_ACCOUNTS = 400, 200
NUL = "O-NUL\0"
# Order id: order date, amount (a FLOAT in the source), currency, last change; and the rule that it breaks.
ODD_ORDERS: dict[str, tuple[str, str, str, str, str]] = {
    "O-20226": ("20226-10-01", "1.00", "EUR", "2026-10-01 08:00:00", "order_date be_between"),
    "O-0": ("0000-01-01", "1.00", "EUR", "2026-10-01 08:00:00", "order_date be_between"),
    "O-BC": ("-0001-06-01", "1.00", "EUR", "2026-10-01 08:00:00", "order_date be_between"),
    "O-CHANGED-0": ("2026-10-01", "1.00", "EUR", "0000-01-01 08:00:00", "updated_at does_not_fit"),
    "O-CENTS": ("2026-10-01", "1.005", "EUR", "2026-10-01 08:00:00", "amount not_be_null"),
    "O-LARGE": ("2026-10-01", "123456789012345.67", "EUR", "2026-10-01 08:00:00", "amount not_be_null"),
    "O-LINE": ("2026-10-01", "1.00", "EUR\r", "2026-10-01 08:00:00", "currency match_regex"),
    NUL: ("2026-10-01", "1.00", "EUR", "2026-10-01 08:00:00", "order_id match_regex"),
    " O-BLANK": ("2026-10-01", "1.00", "EUR", "2026-10-01 08:00:00", "order_id match_regex"),
    "": ("2026-10-01", "10.00", "EUR", "2026-10-01 08:00:00", "order_id match_regex"),
    " ": ("2026-10-01", "10.00", "EUR", "2026-10-01 09:00:00", "order_id match_regex"),
}
# Account id: what is odd about it; and the rule that it breaks.
ODD_ACCOUNTS: dict[str, tuple[dict[str, Any], str]] = {
    "001900000000001AAA": ({"AnnualRevenue": 1e16}, "annual_revenue does_not_fit"),
    "001900000000002AAA": ({"AnnualRevenue": 1.005}, "annual_revenue does_not_fit"),
    "001900000000003AAA": ({"NumberOfEmployees": 2**31}, "number_of_employees does_not_fit"),
    "001900000000004AAA": ({"AccountNumber": " C1"}, "account_number match_regex"),
}
ODD_RATES = {"JPY": "NaN", "GBP": "1E999999999", "CHF": "1e400", "SEK": "0.123456789"}
_INSERT = """INSERT INTO PUBLIC.FED SELECT VALUE[0]::VARCHAR, VALUE[1]::DATE, VALUE[2]::FLOAT, VALUE[3]::VARCHAR,
    VALUE[4]::TIMESTAMP_NTZ, VALUE[5]::TIMESTAMP_TZ FROM TABLE(FLATTEN(INPUT => PARSE_JSON(%s)))"""


def advice(column: str, is_now: pa.DataType, wanted: pa.DataType) -> str:
    """The cast that the error of a column of another kind gives."""
    found = re.search(r"(IFF|CAST)\(.*\)", conform._advice(column, is_now, wanted).partition(": ")[2])
    assert found is not None
    return found[0].partition(" or another zone")[0]


def fill(sources: Sources, patch: pytest.MonkeyPatch) -> None:
    """Good rows, and an odd one of each kind. The orders' source has a FLOAT and a TIMESTAMP_TZ, behind a view."""
    amount = advice("AMOUNT", pa.float64(), pa.decimal128(18, 2))
    day = advice("PLACED_AT", pa.timestamp("ns", "UTC"), pa.date32()).replace("'UTC'", "'America/New_York'")
    good = [[f"G{number}", "2026-10-01", 12.3, "EUR", "2026-10-01 08:00:00", None] for number in range(GOOD_ORDERS)]
    odd = [[name, *values[:4], None] for name, values in ODD_ORDERS.items() if name != NUL]
    late = ["O-ZONE", None, 12.3, "EUR", "2026-10-01 08:00:00", "2026-10-01 23:30:00-04:00"]
    with connect(sources.addresses) as connection:
        cursor = connection.cursor()
        cursor.execute(
            "CREATE OR REPLACE TABLE PUBLIC.FED (ORDER_ID VARCHAR, ORDER_DATE DATE, AMOUNT FLOAT, CURRENCY VARCHAR,"
            " UPDATED_AT TIMESTAMP_NTZ(9), PLACED_AT TIMESTAMP_TZ)"
        )
        cursor.execute(_INSERT, (json.dumps([*good, *odd, late]),))
        cursor.execute(
            "INSERT INTO PUBLIC.FED SELECT 'O-NUL' || CHR(0), '2026-10-01', 1, 'EUR', '2026-10-01 08:00:00', NULL"
        )
        cursor.execute(
            f"CREATE OR REPLACE VIEW PUBLIC.ORDERS_CAST AS SELECT ORDER_ID, 'C1' AS CUSTOMER_ID,"
            f" COALESCE(ORDER_DATE, {day}) AS ORDER_DATE, {amount} AS AMOUNT, CURRENCY, 'PAID' AS STATUS, UPDATED_AT"
            " FROM PUBLIC.FED"
        )
    patch.setattr(snowflake_orders, "ORDERS", replace(snowflake_orders.ORDERS, name="ORDERS_CAST"))
    sources.control("salesforce", "POST", "records/purge", {})
    usual = {"AccountNumber": "C1", "Name": "One", "CreatedDate": "2026-09-01T00:00:00Z",
             "SystemModstamp": "2026-10-01T00:00:00Z", "IsDeleted": False}  # fmt: skip
    accounts = [{**usual, "Id": f"001{number:012d}AAA"} for number in range(GOOD_ACCOUNTS)]
    accounts += [{**usual, "Id": record_id, **values} for record_id, (values, _) in ODD_ACCOUNTS.items()]
    sources.control("salesforce", "POST", "records", {"records": accounts})
    sources.control("ecb", "PATCH", "overrides", {"rates": {newest().isoformat(): ODD_RATES}})


def build(day: int) -> None:
    """One run of all steps but the catalog's, in the order of the DAG."""
    end = END + timedelta(days=day)
    whole = [table.name for table in tables.pipeline("lakehouse").tables if not table.continuous]
    steps = (
        [step for step in whole if not step.startswith("gold.")],
        [step for step in whole if step.startswith("gold.")],
    )
    for step in (*steps[0], "gate", *steps[1]):
        subject = "lakehouse" if step == "gate" else ""
        # ECB's history of 27 years costs minutes: its last weeks do.
        begin = end - timedelta(days=40 if step == RATES else 1)
        run_py.perform(
            Run(f"day-{day}", step, window_start=begin, window_end=end, exact=step == RATES, subject=subject)
        )
        lakes.forget_frames()


def kept_out(spark: SparkSession, name: str, key: str) -> dict[Any, str]:
    """The rule of each row in quarantine, by a field of the raw row."""
    found = [(json.loads(row["raw_row"])[key], row["rule"]) for row in rows(f"quarantine.{name}")]
    assert len(dict(found)) == len(found)
    return dict(found)


def test_day_with_an_odd_row_of_each_kind_is_green_and_so_is_the_day_after_it(
    spark: SparkSession, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sources, monkeypatch)

    build(0)

    assert kept_out(spark, "orders", "order_id") == {name: values[-1] for name, values in ODD_ORDERS.items()}
    accounts = {record_id: rule for record_id, (_, rule) in ODD_ACCOUNTS.items()}
    assert kept_out(spark, "salesforce_accounts", "id") == accounts
    assert kept_out(spark, "fx_rates", "ccy") == dict.fromkeys(ODD_RATES, "usd_rate not_be_null")
    orders = record("silver.orders")
    assert (orders["read"], orders["written"], orders["quarantined"]) == (
        GOOD_ORDERS + 1 + len(ODD_ORDERS), GOOD_ORDERS + 1, len(ODD_ORDERS),
    )  # fmt: skip
    amounts = by("gold.fact_orders", "order_id", "amount_native")
    assert amounts == dict.fromkeys(["O-ZONE", *(f"G{number}" for number in range(GOOD_ORDERS))], Decimal("12.30"))
    assert by("gold.fact_orders", "order_id", "order_date")["O-ZONE"] == date(2026, 10, 1)

    moment = END + timedelta(hours=8)
    sources.snowflake(
        "UPDATE PUBLIC.FED SET ORDER_DATE = '2026-10-01', AMOUNT = 12.3,"
        f" UPDATED_AT = '{moment:%Y-%m-%d %H:%M:%S}' WHERE ORDER_ID IN ('O-20226', 'O-0', 'O-CENTS')"
    )
    build(1)

    mended = by("gold.fact_orders", "order_id", "amount_native")
    assert mended.keys() - amounts.keys() == {"O-20226", "O-0", "O-CENTS"}
    assert set(mended.values()) == {Decimal("12.30")}
