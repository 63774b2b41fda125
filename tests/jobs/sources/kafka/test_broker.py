"""What brokers say of a topic, and where Spark's batches of it end."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from jobs.lake import s3
from jobs.lake.errors import ConfigurationError, TransientError
from jobs.sources.kafka import broker, offset_log


class FakeAdmin:
    """Answers with an id, or fails."""

    def __init__(self, answer: str | BaseException) -> None:
        self._answer = answer

    def describe_topics(self, topics: Any, request_timeout: float) -> dict[str, Future[Any]]:
        future: Future[Any] = Future()
        if isinstance(self._answer, BaseException):
            future.set_exception(self._answer)
        else:
            future.set_result(SimpleNamespace(topic_id=self._answer))
        return {"orders": future}


@pytest.mark.parametrize(
    ("answer", "expected"), [("zv3qj5ADQ6mraNNx9guQRA", "zv3qj5ADQ6mraNNx9guQRA"), ("AAAAAAAAAAAAAAAAAAAAAA", "")]
)
def test_topic_has_the_id_that_the_broker_says_if_it_has_one(answer: str, expected: str) -> None:
    admin: Any = FakeAdmin(answer)
    assert broker.topic_id(admin, "orders") == expected


@pytest.mark.parametrize("error", [KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)), TimeoutError()])
def test_broker_that_does_not_say_the_id_is_asked_again_later(error: BaseException) -> None:
    admin: Any = FakeAdmin(error)
    with pytest.raises(TransientError, match="the id of topic orders is not known"):
        broker.topic_id(admin, "orders")


def test_batch_ends_where_sparks_offset_log_says(tmp_path: Path) -> None:
    (tmp_path / "offsets").mkdir()
    (tmp_path / "offsets" / "7").write_text('v1\n{"batchWatermarkMs":0,"conf":{}}\n{"orders":{"0":7,"1":0}}')

    assert offset_log.ends(str(tmp_path), 7, "orders") == {0: 7, 1: 0}


@pytest.mark.parametrize("place", ["file", "s3"])
def test_authority_goes_to_the_clients_as_text_wherever_it_lies(
    place: str, lake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor has no file of the driver's; on EMR the driver has none of the deployment's either."""
    text = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    (tmp_path / "authority.pem").write_text(text)
    s3.client().put_object(Bucket=lake, Key="kafka/authority.pem", Body=text.encode())
    where = {"file": str(tmp_path / "authority.pem"), "s3": f"s3://{lake}/kafka/authority.pem"}[place]
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", where)
    monkeypatch.setattr(broker.credentials, "read", lambda *_: dict.fromkeys(broker.KEYS, "x"))

    options = broker.Login.from_secret().spark_options()

    assert options["kafka.ssl.truststore.certificates"] == text
    assert "kafka.ssl.truststore.location" not in options


@pytest.mark.parametrize("place", ["/no/such/authority.pem", "s3://{lake}/no/such.pem"])
def test_authority_that_is_not_there_is_named(place: str, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    named = place.format(lake=lake)
    monkeypatch.setenv("KAFKA_SSL_CA_FILE", named)
    monkeypatch.setattr(broker.credentials, "read", lambda *_: dict.fromkeys(broker.KEYS, "x"))
    with pytest.raises(ConfigurationError, match=f"KAFKA_SSL_CA_FILE is {named}, which can't be read"):
        broker.Login.from_secret()
