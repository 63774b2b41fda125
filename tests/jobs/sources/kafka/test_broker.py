"""What brokers say of a topic, and where Spark's batches of it end."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from jobs.lake.errors import TransientError
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
