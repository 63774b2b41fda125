"""The figures that a stream sends to CloudWatch; no broker, no Spark."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from jobs.lake.run import Run
from jobs.lake.state import metrics
from jobs.sources.kafka.reporting import Reporter


@pytest.mark.parametrize(("lag", "batches"), [(5, 2), (None, 0)])
def test_stream_sends_figures_that_the_alarms_know(
    monkeypatch: pytest.MonkeyPatch, lag: int | None, batches: int
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # names are checked before it is called
    sent: list[dict[str, float]] = []
    send = metrics.send

    def noted(figures: dict[str, float], **dimensions: str) -> None:
        sent.append(figures)
        send(figures, **dimensions)

    monkeypatch.setattr(metrics, "send", noted)
    topic: Any = SimpleNamespace(events=SimpleNamespace(name="bronze.orders_events"))
    reporter = Reporter(Run("r", "bronze.orders_events"), topic)
    now = time.monotonic()
    for seconds in range(batches):
        reporter._batches.append(cast(Any, SimpleNamespace(at=now, read=10, dead=1, seconds=2.0 + seconds)))
    reporter._send(cast(Any, SimpleNamespace(lag=lag, events_per_second=1.5)), now)
    (figures,) = sent
    always = {"MessagesRead": 10 * batches, "MessagesDeadLettered": batches, "EventsPerSecond": 1.5}
    assert figures == (always | {"BatchSeconds": 3.0, "Lag": 5} if batches else always)
