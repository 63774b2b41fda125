"""A cron schedule with a first and a last run, for a DAG that can be run for any date."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from airflow.timetables.base import TimeRestriction, Timetable
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import instance

if TYPE_CHECKING:
    from airflow.timetables.base import DagRunInfo, DataInterval
    from pendulum import DateTime

NEVER_TOO_EARLY = datetime(1970, 1, 1, tzinfo=UTC)


class BoundedTimetable(Timetable):
    """The data intervals of a cron expression, UTC, scheduled only from a first to a last day.

    A DAG's own `start_date` and `end_date` bound its tasks too: a run by hand or a backfill outside of them gets no
    task, and succeeds. With this timetable a DAG needs no `end_date`. Its `start_date`, which Airflow wants when
    `catchup` is on, is `NEVER_TOO_EARLY`.

    It wraps Airflow's cron timetable instead of extending it: the calendar draws the coming runs of a cron timetable
    without asking it.
    """

    def __init__(self, expression: str, *, first: date | None, last: date | None = None) -> None:
        """Refuses bounds in the wrong order.

        Args:
            expression: of cron.
            first: day on which the first scheduled interval may begin; None while nobody has given one. Then nothing is
                scheduled: any day that we chose here would start runs for all days since, or move on with the clock.
            last: day on which the last one may begin; None for no end.
        """
        if first and last and last < first:
            raise ValueError(f"the schedule's last day {last} is before its first, {first}")
        self._expression, self._first, self._last = expression, first, last
        self._intervals = CronDataIntervalTimetable(expression, "UTC")
        days = f"for {first}{f' to {last}' if last else ' on'}" if first else "once SLUICE_SCHEDULE_START is set"
        self.description = f"{self._intervals.description}, {days}"

    @property
    def summary(self) -> str:
        return self._expression

    def validate(self) -> None:
        self._intervals.validate()

    def serialize(self) -> dict[str, Any]:
        last = self._last.isoformat() if self._last else None
        first = self._first.isoformat() if self._first else None
        return {"expression": self._expression, "first": first, "last": last}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        last = date.fromisoformat(data["last"]) if data["last"] else None
        first = date.fromisoformat(data["first"]) if data["first"] else None
        return cls(data["expression"], first=first, last=last)

    def infer_manual_data_interval(self, *, run_after: DateTime) -> DataInterval:
        return self._intervals.infer_manual_data_interval(run_after=run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """The run after the last one.

        A restriction with an end comes from a backfill, which names its days: it gets them all. The scheduler gives
        no end, as the DAG has no `end_date`: it gets the days of the schedule.
        """
        if restriction.latest is None:
            if self._first is None:
                return None
            restriction = self._within_schedule(restriction, self._first)
        return self._intervals.next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )

    def _within_schedule(self, restriction: TimeRestriction, begin: date) -> TimeRestriction:
        first = _midnight(begin)
        return TimeRestriction(
            earliest=max(restriction.earliest, first) if restriction.earliest else first,
            # All intervals that begin before the end of the last day.
            latest=_midnight(self._last).end_of("day") if self._last else None,
            catchup=restriction.catchup,
        )


def _midnight(day: date) -> DateTime:
    return instance(datetime.combine(day, time(), UTC))
