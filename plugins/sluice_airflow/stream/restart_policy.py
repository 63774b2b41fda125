"""When a stream that ended is started again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sluice_airflow.stream.runs import StreamRun


@dataclass(frozen=True)
class RestartPolicy:
    """How long a stream that keeps failing rests between its job runs.

    Attributes:
        first: rest after the first failure; it doubles with each further one.
        longest: the rest never grows beyond this.
        remembered: older failures no longer count.
    """

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(minutes=15)
    remembered: timedelta = timedelta(hours=1)

    def failures(self, runs: Sequence[StreamRun], code: str, now: datetime) -> int:
        """How many of the newest job runs failed in a row. Another release's don't count: this one may be repaired.

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
