"""Each message is an event, or dead for the reason that a person would give."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from dq import suite
from infra.local.kafka.events import Broken, messages
from jobs.bronze.orders_events import contract, table
from jobs.bronze.orders_events.contract import DeadMessage, OrderEvent, Reason
from jobs.sources.kafka.record_time import Fault
from tests.jobs.topics import event

KAFKA_TIME = datetime(2026, 10, 1, 8, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def reason(value: bytes | None) -> str:
    with pytest.raises(DeadMessage) as dead:
        contract.read(value, micros(KAFKA_TIME))
    return f"{dead.value.reason}: {dead.value.detail}"


def test_good_message_is_an_event_with_exact_values() -> None:
    assert contract.read(event(amount=0.1, event_timestamp="2026-10-01T09:00:00"), micros(KAFKA_TIME)) == OrderEvent(
        "O1", "C1", date(2026, 10, 1), "EUR", Decimal("0.10"), "PLACED", micros(datetime(2026, 10, 1, 9, tzinfo=UTC))
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "tombstone: the message has no value"),
        (b"x" * 262_145, "oversize: 262145 bytes, but only 262144 are allowed"),
        (b'{"a": "\xff"}', "not_utf8: byte 7 is not UTF-8"),
        (b"", "not_json: at character 0: Expecting value"),
        (b"{" * 100_000, "not_json: at character 1: Expecting property name enclosed in double quotes"),
        (b"[" * 100_000, "not_json: it can't be read: RecursionError"),
        (b"9" * 5000, "not_json: it can't be read: ValueError"),
        (b"null", "not_an_object: the message is null, not an object"),
        (b"[1]", "not_an_object: the message is a list, not an object"),
        (b"7", "not_an_object: the message is a number, not an object"),
        (event(status=None), "missing_field: status is missing or null"),
        (event(order_id=" "), "missing_field: order_id is blank"),
        (event(customer_id=7), "wrong_type: customer_id is a number, not a text"),
        (event(customer_id={"id": 1}), "wrong_type: customer_id is an object, not a text"),
        (event(customer_id="\ud800"), "not_utf8: customer_id holds half a character"),
        (event(amount="10.50"), "wrong_type: amount is a text, not a number"),
        (event().replace(b"10.5", '"\u00e9"'.encode()), "wrong_type: amount is a text, not a number"),
        (event().replace(b"10.5", b'"\xff"'), "not_utf8: byte 98 is not UTF-8"),
        (event().replace(b"10.5", b"[" * 5000 + b"]" * 5000), "not_json: it can't be read: RecursionError"),
        (event(amount=True), "wrong_type: amount is true or false, not a number"),
        (event(amount=0.125), "wrong_type: amount has more than two decimal places"),
        (event(amount=10**16), "wrong_type: amount has more than 16 digits before its decimal point"),
        (event().replace(b"10.5", b"1e-400"), "wrong_type: amount has more than two decimal places"),
        (event().replace(b"10.5", b"1e999999"), "wrong_type: amount has more than 16 digits before its decimal point"),
        (event().replace(b"10.5", b"1e" + b"9" * 20), "not_json: it can't be read: InvalidOperation"),
        (event(amount=-0.01), "negative_amount: amount is below 0"),
        (event(amount=float("nan")), "non_finite_amount: amount is not a finite number"),
        (event(amount=float("-inf")), "non_finite_amount: amount is not a finite number"),
        (event(order_date="2026-13-01"), "unparsable_time: order_date is not ISO 8601"),
        (event(order_date="2026-10-01T00:00:00Z"), "unparsable_time: order_date is not ISO 8601"),
        (event(event_timestamp="yesterday"), "unparsable_time: event_timestamp is not ISO 8601"),
        (event(event_timestamp="0001-01-01T00:00:00+10:00"), "unparsable_time: event_timestamp is not ISO 8601"),
        (event(currency="eur"), "unknown_currency: currency is not an ISO 4217 code"),
        (event(status="LOST"), "unknown_status: status is not one of CANCELLED, PAID, PLACED, SHIPPED"),
        (event(event_timestamp="2026-10-01T09:00:00.000001Z"),
         "future_time: event_timestamp lies more than an hour after Kafka's time of the message"),
    ],
)  # fmt: skip
def test_dead_message_has_the_reason_that_a_person_would_give(value: bytes | None, expected: str) -> None:
    assert reason(value) == expected


def test_every_reason_is_given_and_no_detail_quotes_a_value() -> None:
    given = set()
    for kind in Broken:
        made = messages(13, broken=1.0, customers=["Jane Doe"], day=date(2026, 10, 1), now=KAFKA_TIME, seed=1)
        for message in made:
            if message.broken is kind:
                found = reason(message.value)
                given.add(found.partition(":")[0])
                assert found.startswith(f"{kind.value}: ")
                assert not any(word in found for word in ("Jane", "EV-", "ZZZ", "LOST", "yesterday"))
    assert given == {known.value for known in Reason} - {fault.value for fault in Fault}


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (-1, "kafka_time_missing: the producer gave the message no time"),
        (0, "kafka_time_missing: the producer gave the message no time"),
        (1_790_000_000, "kafka_time_in_seconds: the producer gave the message a time in seconds; "),
        (1_790_000_000_000_000, "kafka_time_in_microseconds: the producer gave the message a time in microseconds; "),
        (1_790_000_000 * 10**9, "kafka_time_in_nanoseconds: the producer gave the message a time in nanoseconds; "),
        (-(10**16), "kafka_time_out_of_range: the producer gave the message a time that is not in the years 1973 to "),
        (2**63 - 1, "kafka_time_out_of_range: "),
        (1_700_000_000_000, "future_time: event_timestamp lies more than an hour after Kafka's time of the message"),
    ],
)
@pytest.mark.parametrize("other", [{}, {"x": 1}], ids=["in the usual form", "in another form"])
def test_message_whose_time_is_none_is_dead_for_what_is_wrong_with_it(
    created: int, expected: str, other: dict[str, int]
) -> None:
    (verdict,) = table.judge(pa.array([event(**other)]), pa.array([created], pa.int64())).to_pylist()

    assert f"{verdict['reason']}: {verdict['detail']}".startswith(expected)
    assert verdict["order_id"] is None


def test_every_fault_of_a_time_has_its_reason_and_its_words() -> None:
    assert set(contract.KAFKA_TIMES) == set(Fault)
    assert {fault.value for fault in Fault} < {reason.value for reason in Reason}


def test_statuses_are_those_of_silvers_rule() -> None:
    (rule,) = [
        r for r in suite.load("silver.orders").rules if r.kwargs.get("column") == "status" and "value_set" in r.kwargs
    ]
    assert set(rule.kwargs["value_set"]) == contract.STATUSES


def test_unknown_field_does_no_harm() -> None:
    document: dict[str, Any] = json.loads(event())
    assert contract.read(json.dumps({**document, "note": {"a": [1]}}).encode(), micros(KAFKA_TIME)).order_id == "O1"
