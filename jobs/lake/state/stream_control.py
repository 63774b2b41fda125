"""What is wanted of a stream, and how it does: two small objects in the lake. Standard library only.

Airflow writes the desired state and reads the report; the stream's driver does the reverse. Neither needs the other to
be alive.
"""

from __future__ import annotations

from dataclasses import dataclass

RUNNING, STOPPED = "running", "stopped"


@dataclass(frozen=True)
class DesiredState:
    """What a person or a DAG wants of a stream. Without an object it is: run, with any code.

    Its fields are the object's JSON keys. Drivers of other releases read and write the same object, so they stay.

    Attributes:
        wanted: `running` or `stopped`.
        code: hash of the release that is to run; a stream of another release drains and ends. Empty for any.
        by: who asked: a run id.
    """

    wanted: str = RUNNING
    code: str = ""
    by: str = ""

    def keeps(self, code: str) -> bool:
        """Whether a stream of this release is to go on."""
        return self.wanted == RUNNING and self.code in ("", code)


def desired_state_key(table: str) -> str:
    """Object key of the desired state of the stream that writes this table."""
    return f"_control/{table}.json"


def report_key(table: str) -> str:
    """Object key of the newest report of the stream that writes this table."""
    return f"ops/streams/{table}.json"


@dataclass(frozen=True)
class Report:
    """How a stream does, written every few seconds, also while nothing arrives.

    Attributes:
        reported_at: ISO 8601, UTC.
        run_id: of the stream.
        job: name of its job run.
        code: hash of its release.
        state: `running`, `waiting` (another job has its tables) or `ended`.
        lag: messages in Kafka that are in no table yet; None when the broker does not answer.
        lag_before: the same ten minutes ago; None when that is not known.
        events_per_second: read in the last minute.
        batch_seconds: of the newest batch.
        read: messages read in the last ten minutes.
        dead_lettered: of these, dead-lettered ones.
        committed_at: of the newest batch, ISO 8601, UTC; None before the first.
    """

    reported_at: str
    run_id: str
    job: str
    code: str
    state: str
    lag: int | None
    lag_before: int | None
    events_per_second: float
    batch_seconds: float | None
    read: int
    dead_lettered: int
    committed_at: str | None
