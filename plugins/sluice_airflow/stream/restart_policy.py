"""A stream's next job run: what it is called, and when it may start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sluice_airflow.stream.runs import StreamRun


@dataclass(frozen=True)
class Start:
    """The names of a stream's next job run.

    They follow from the job run before it: whoever submits again, not knowing that it had been submitted, asks for
    the same job run, and EMR Serverless answers with that one. Of two different ones no two are alike, also where a
    local EMR Serverless has forgotten the earlier ones: a lease is kept for whoever bears its owner's name.

    Attributes:
        name: of the job run.
        token: client token, 64 characters.
        run_id: in the records of what the stream writes.
    """

    name: str
    token: str
    run_id: str

    @classmethod
    def after(cls, previous: StreamRun | None, *, prefix: str, code: str, first_by: str) -> Start:
        """The start that follows a job run.

        Args:
            previous: the newest; None when there is none.
            prefix: of the names of the stream's job runs.
            code: hash of the release to start.
            first_by: who starts the first one.
        """
        origin = previous.id if previous else f"first {first_by}"
        digest = hashlib.sha256(json.dumps([prefix, origin, code]).encode()).hexdigest()
        mark, number = digest[:12], previous.number + 1 if previous else 1
        return cls(f"{prefix}code {code} #{mark} start {number}", digest, f"stream__{number}__{mark}")


@dataclass(frozen=True)
class Backoff:
    """How long a stream that fails again and again rests between its job runs.

    Attributes:
        first: rest after the first failure; it doubles with each further one.
        longest: and grows no longer than this.
        remembered: failures from before count no more.
    """

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    remembered: timedelta = timedelta(hours=1)

    def failures(self, runs: Sequence[StreamRun], code: str, now: datetime) -> int:
        """How many of the newest job runs have failed in a row; those of another release, perhaps mended, don't count.

        Args:
            runs: newest first.
            code: of the release that is to start.
            now: the time.
        """
        return sum(
            1
            for _ in takewhile(
                lambda run: run.state == "FAILED" and run.code == code and now - run.changed_at < self.remembered, runs
            )
        )

    def rest(self, runs: Sequence[StreamRun], code: str, now: datetime) -> timedelta:
        """What is left of the rest before the next start; zero or less when it is over. Args as `failures`."""
        failures = self.failures(runs, code, now)
        if not failures:
            return timedelta(0)
        pause = min(self.first * float(2 ** (failures - 1)), self.longest)
        return runs[0].changed_at + pause - now
