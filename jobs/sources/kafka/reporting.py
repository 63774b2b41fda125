"""What a stream says of itself: a report for Airflow, figures for CloudWatch, the ledger's record, the checkpoint."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from confluent_kafka import Consumer

from jobs.lake.errors import TransientError
from jobs.lake.run import Run
from jobs.lake.state import ledger, metrics, objects, stream_control
from jobs.lake.state.stream_control import Report
from jobs.sources.kafka import broker, position
from jobs.sources.kafka.batches import CommittedBatch
from jobs.sources.kafka.position import Position
from jobs.sources.kafka.topic import StreamedTopic

REPORT_SECONDS = 10.0
RECORD_SECONDS = 60.0
REMEMBERED_SECONDS = 600.0


@dataclass
class Reporter:
    """Remembers ten minutes of batches, and tells.

    Attributes:
        run: of the stream.
        topic: that it reads.
        consumer: of the present session, for the ends of the topic.
    """

    run: Run
    topic: StreamedTopic
    consumer: Consumer = field(init=False)
    _batches: deque[CommittedBatch] = field(default_factory=deque)
    _lags: deque[tuple[float, int]] = field(default_factory=deque)
    _committed_at: str | None = None
    _state: str = ""
    _reported: float = 0.0
    _recorded: float = field(default_factory=time.monotonic)

    def done(self, batch: CommittedBatch) -> None:
        """Notes a batch."""
        self._batches.append(batch)
        self._committed_at = datetime.now(UTC).isoformat()

    def report(self, reached: Position, state: str = "running") -> None:
        """Tells how the stream does, if it is time to, or its state is another than it was."""
        now = time.monotonic()
        if state == self._state and now - self._reported < REPORT_SECONDS:
            return
        self._reported, self._state = now, state
        while self._batches and now - self._batches[0].at > REMEMBERED_SECONDS:
            self._batches.popleft()
        while len(self._lags) > 1 and now - self._lags[1][0] >= REMEMBERED_SECONDS:
            self._lags.popleft()
        before = self._lags[0] if self._lags else (now, 0)
        lag = self._lag(reached)
        found = Report(
            reported_at=datetime.now(UTC).isoformat(),
            run_id=self.run.run_id,
            job=self.run.job,
            code=self.run.code,
            state=state,
            lag=lag,
            lag_before=before[1] if now - before[0] >= REMEMBERED_SECONDS else None,
            events_per_second=self._rate(now),
            batch_seconds=round(self._batches[-1].seconds, 2) if self._batches else None,
            read=sum(batch.read for batch in self._batches),
            dead_lettered=sum(batch.dead for batch in self._batches),
            committed_at=self._committed_at,
        )
        if lag is not None:
            self._lags.append((now, lag))
        objects.write_json(stream_control.report_key(self.topic.events.name), asdict(found))
        self._send(found, now)

    def record(self, reached: Position, *, last: bool = False) -> None:
        """Saves the checkpoint and writes the ledger's record, once a minute and at the end."""
        now = time.monotonic()
        if not last and now - self._recorded < RECORD_SECONDS:
            return
        self._recorded = now
        position.save_checkpoint(self.topic.events, reached.offsets)
        lag = self._lag(reached)
        ledger.record_stream(self.topic.events.name, lag=lag, events_per_second=self._rate(now))
        ledger.record_stream(self.topic.dead.name)

    def _lag(self, reached: Position) -> int | None:
        try:
            ends = broker.bounds(self.consumer, self.topic.name)
        except TransientError as error:
            print(f"{self.topic.name}: lag is not known: {error}", flush=True)
            return None
        offsets = reached.offsets if reached.is_of(self.topic.name) else {}
        return sum(max(0, found.end - offsets.get(number, found.first)) for number, found in ends.items())

    def _rate(self, now: float) -> float:
        return round(sum(batch.read for batch in self._batches if now - batch.at < RECORD_SECONDS) / RECORD_SECONDS, 1)

    def _send(self, found: Report, now: float) -> None:
        recent = [batch for batch in self._batches if now - batch.at < REPORT_SECONDS]
        figures: dict[str, float] = {
            "MessagesRead": sum(batch.read for batch in recent),
            "MessagesDeadLettered": sum(batch.dead for batch in recent),
            "EventsPerSecond": found.events_per_second,
        }
        if recent:
            figures["BatchSeconds"] = max(batch.seconds for batch in recent)
        if found.lag is not None:
            figures["Lag"] = found.lag
        metrics.send(figures, Table=self.topic.events.name)
