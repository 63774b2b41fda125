"""Why no source but Snowflake can cast a value to another kind: each hands bronze what it was given, or refuses it.

Snowflake's columns have types that may change; `tests/jobs/sources/snowflake/test_conform.py` has them all.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql.types import StringType, TimestampType

from jobs.bronze import fx_rates, orders_events, salesforce_accounts
from jobs.bronze.orders_events import contract
from jobs.lake.schema import arrow


def test_salesforce_and_ecb_are_text_in_bronze_except_for_a_time_of_our_own_parsing() -> None:
    assert {type(field.dataType) for field in salesforce_accounts.SCHEMA} == {StringType}
    assert {field.name: type(field.dataType) for field in fx_rates.SCHEMA} == {
        "as_of_date": StringType,
        "ccy": StringType,
        "rate": StringType,
        "published_at": TimestampType,  # an HTTP date; `parsedate_to_datetime` refuses anything else
        "withdrawn": StringType,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [(True, "true"), (12, "12"), (10**25, str(10**25)), (0.1, "0.1"), ("12.30", "12.30"), ("", None), (None, None)],
)
def test_salesforce_keeps_a_value_of_any_kind_as_its_text(value: object, text: str | None) -> None:
    record = {**dict.fromkeys(salesforce_accounts.FIELDS), "AnnualRevenue": value}

    (row,) = salesforce_accounts.ACCOUNT.rows([record]).to_pylist()

    assert row["annual_revenue"] == text


@pytest.mark.parametrize("rate", ["1.0850", "1e3", "true", "2026-10-01"])
def test_ecb_keeps_a_rate_as_it_is_printed(rate: str) -> None:
    found = list(fx_rates.parse(f"Date,USD,\n2026-10-01,{rate},\n", "feed"))

    assert [quote[2] for quote in found if quote[1] == "USD"] == [rate]


GOOD: dict[str, Any] = {
    "order_id": "O1",
    "customer_id": "C1",
    "order_date": "2026-10-01",
    "currency": "EUR",
    "amount": 10.5,
    "status": "PAID",
    "event_timestamp": "2026-10-01T09:00:00Z",
}
OTHERS: tuple[Any, ...] = ("x", 7, 1.5, True, {"a": 1}, [1])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in GOOD
        for value in OTHERS
        if type(value) not in ((int, float) if field == "amount" else (str,))
    ],
    ids=str,
)
def test_kafka_message_with_a_field_of_another_kind_is_dead_and_never_cast(field: str, value: Any) -> None:
    message = json.dumps({**GOOD, field: value}).encode()

    judged = orders_events.judge(pa.array([message]), pa.array([1_800_000_000_000]))

    assert judged.to_pylist()[0]["reason"] == contract.Reason.WRONG_TYPE


def test_kafka_columns_have_the_types_of_their_table_without_a_cast() -> None:
    judged = orders_events.judge(pa.array([json.dumps(GOOD).encode()]), pa.array([1_800_000_000_000]))
    own = arrow(orders_events.SCHEMA)
    for field in orders_events.EVENT:
        assert judged.type.field(field.name).type == own.field(field.name).type, field.name
