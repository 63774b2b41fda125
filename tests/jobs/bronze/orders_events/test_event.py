"""The quick way accepts events in the usual form, and none that the contract reads differently."""

from __future__ import annotations

from datetime import UTC, date, datetime
from random import Random

import pytest

from infra.local.kafka.events import messages
from jobs.bronze.orders_events import contract
from jobs.bronze.orders_events import event as quick_event
from jobs.bronze.orders_events.contract import DeadMessage
from tests.jobs.bronze.orders_events.mutations import mutated
from tests.jobs.topics import event

MOMENT = datetime(2026, 10, 1, 8, tzinfo=UTC)
KAFKA_TIME = round(MOMENT.timestamp() * 1_000_000)


def test_good_messages_are_read_the_quick_way_with_the_contracts_values() -> None:
    made = messages(1000, broken=0, customers=["C1"], day=date(2026, 10, 1), now=MOMENT, seed=1)
    for value in [message.value for message in made]:
        quick = quick_event.plain(value, KAFKA_TIME)
        assert quick is not None
        assert quick == contract.read_in_full(value, KAFKA_TIME)


def test_whatever_the_quick_way_accepts_the_contract_reads_the_same() -> None:
    random = Random("quick 1")
    taken = 0
    for number in range(50_000):
        value = mutated(random, event(f"O{number}", amount=number / 100))
        quick = quick_event.plain(value, KAFKA_TIME)
        if quick is not None:
            taken += 1
            assert str(quick) == str(contract.read_in_full(value, KAFKA_TIME)), value
    assert taken > 1000


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"[]",
        event() + b"x" * 300_000,
        event(amount="10.50"),
        event(amount=True),
        event(amount=-1),
        event(amount=0.125),
        event(amount=10**16),
        event().replace(b"10.5", b"1e99999999999999999999"),
        event().replace(b"10.5", b"010.5"),
        event().replace(b"10.5", b"NaN"),
        event().replace(b"10.5", '"\u00e9"'.encode()),
        event().replace(b"10.5", "\uff11\uff10".encode()),
        event().replace(b"10.5", b'"\xff"'),
        event().replace(b"10.5", b'"\xff", "amount": 10.5'),
        event().replace(b"10.5", b"[" * 5000 + b"]" * 5000),
        event(note="x"),
        event(order_id=" "),
        event(customer_id=""),
        event(customer_id=7),
        event(currency="eur"),
        event(status="LOST"),
        event(order_date="2026-13-01"),
        event(event_timestamp="2026-10-01T09:00:00"),
        event(event_timestamp="2026-10-01T09:00:00+02:00"),
        event(event_timestamp="2026-10-01T09:00:00.000001Z"),
        event().replace(b"10.5", b'10.5, "amount": "x"'),
        event("\ud800"),
    ],
)
def test_message_in_another_form_is_left_to_the_contract(value: bytes | None) -> None:
    assert quick_event.plain(value, KAFKA_TIME) is None


def test_what_is_left_to_the_contract_may_be_an_event() -> None:
    for value in (event(note="x"), event(event_timestamp="2026-10-01T10:00:00+02:00"), event(amount=10)):
        assert contract.read(value, KAFKA_TIME).order_id == "O1"
    with pytest.raises(DeadMessage):
        contract.read(event(amount="10.50"), KAFKA_TIME)
