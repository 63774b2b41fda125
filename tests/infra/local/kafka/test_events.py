"""Messages of the test producer: good ones in the runbook's shape, broken ones of every kind."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Producer
from confluent_kafka.admin import AdminClient

from infra.local.addresses import Addresses
from infra.local.kafka import certificates, topics
from infra.local.kafka.events import OVERSIZE, STATES, Broken, Message, messages

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def made(number: int, broken: float = 0.0, seed: int = 1) -> list[Message]:
    day = date(2026, 11, 20)
    return list(messages(number, broken=broken, customers=["C1", "C2"], day=day, now=NOW, seed=seed))


def document(message: Message) -> dict[str, Any]:
    assert message.value is not None
    return dict(json.loads(message.value))


def test_good_events_have_the_runbooks_shape_and_follow_each_order_through_its_states() -> None:
    found = made(9)
    states: dict[str, list[str]] = {}
    for message in found:
        event = document(message)
        assert list(event) == [
            "order_id", "customer_id", "order_date", "currency", "amount", "status", "event_timestamp"
        ]  # fmt: skip
        assert message.key.decode() == event["order_id"]
        states.setdefault(event["order_id"], []).append(event["status"])
    assert list(states.values()) == [list(STATES)] * 3
    assert document(found[-1])["event_timestamp"] == "2026-11-21T12:00:00.000000Z"


def test_share_of_broken_messages_is_met_and_every_kind_occurs() -> None:
    kinds = Counter(message.broken for message in made(2000, broken=0.05))

    assert kinds.pop(None) == 1900
    assert set(kinds) == set(Broken)
    assert sum(kinds.values()) == 100


def test_same_seed_sends_the_same_and_another_seed_other_orders() -> None:
    assert made(30, 0.5) == made(30, 0.5)
    assert {message.key for message in made(30)}.isdisjoint(message.key for message in made(30, seed=2))


@pytest.mark.parametrize("kind", Broken)
def test_each_kind_is_broken_in_its_own_way(kind: Broken) -> None:
    (value,) = {message.value for message in made(len(Broken), broken=1.0) if message.broken == kind}
    match kind:
        case Broken.TOMBSTONE:
            assert value is None
        case Broken.NOT_UTF8:
            with pytest.raises(UnicodeDecodeError):
                (value or b"").decode()
        case Broken.NOT_JSON:
            with pytest.raises(json.JSONDecodeError):
                json.loads(value or b"{}")
        case Broken.NOT_AN_OBJECT:
            assert isinstance(json.loads(value or b"{}"), list)
        case Broken.OVERSIZE:
            assert len(value or b"") > OVERSIZE
        case _:
            event = json.loads(value or b"")
            wrong = {
                Broken.MISSING_FIELD: "currency" not in event,
                Broken.WRONG_TYPE: isinstance(event["customer_id"], dict),
                Broken.UNKNOWN_CURRENCY: event.get("currency") == "ZZZ",
                Broken.UNKNOWN_STATUS: event["status"] == "LOST",
                Broken.NEGATIVE_AMOUNT: event["amount"] < 0,
                Broken.NON_FINITE_AMOUNT: event["amount"] != event["amount"],
                Broken.UNPARSABLE_TIME: event["event_timestamp"] == "yesterday",
                Broken.FUTURE_TIME: event["event_timestamp"].startswith("2999"),
            }
            assert [name for name, is_wrong in wrong.items() if is_wrong] == [kind]


def test_library_prints_nothing_of_its_own(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It would print `%6|…|BGQUEUE` in the middle of `make up`, and a line for each refused connection."""
    nobody = Addresses(tmp_path, 1)
    nobody.kafka_authority.parent.mkdir()
    certificates.ensure(nobody.kafka_authority, tmp_path / "broker.pem")
    for client in (AdminClient(topics.client_settings(nobody)), Producer(topics.client_settings(nobody))):
        with pytest.raises(KafkaException):
            client.list_topics(timeout=0.5)
    assert capfd.readouterr() == ("", "")
