from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from airflow.exceptions import AirflowTimetableInvalid
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable
from pendulum import DateTime, datetime, now

from sluice_airflow.bounded_timetable import NEVER_TOO_EARLY, BoundedTimetable

FIRST, LAST = date(2026, 11, 17), date(2026, 11, 19)
ANY_DATE = datetime(1970, 1, 1)


def days(timetable: Any, restriction: TimeRestriction, last: DataInterval | None = None, most: int = 50) -> list[str]:
    """The intervals that are scheduled one after another."""
    found: list[str] = []
    while len(found) < most:
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        last = info.data_interval
        assert info.run_after == last.end
        found.append(last.start.to_date_string())
    return found


def scheduler(*, catchup: bool = True, earliest: DateTime | None = ANY_DATE) -> TimeRestriction:
    return TimeRestriction(earliest, None, catchup)


def test_scheduler_gets_exactly_the_bounded_intervals() -> None:
    assert days(BoundedTimetable("0 0 * * *", first=FIRST, last=LAST), scheduler()) == [
        "2026-11-17", "2026-11-18", "2026-11-19",
    ]  # fmt: skip


def test_all_intervals_of_the_last_day_belong_to_it() -> None:
    found = days(BoundedTimetable("0 */8 * * *", first=LAST, last=LAST), scheduler())
    assert found == ["2026-11-19"] * 3


def test_schedule_without_a_last_day_goes_on() -> None:
    assert days(BoundedTimetable("0 0 * * *", first=FIRST), scheduler(), most=20)[-1] == "2026-12-06"


def test_runs_of_a_backfill_before_the_schedule_do_not_make_it_begin_earlier() -> None:
    past = DataInterval(datetime(2026, 3, 1), datetime(2026, 3, 2))
    assert days(BoundedTimetable("0 0 * * *", first=FIRST, last=LAST), scheduler(), past)[0] == "2026-11-17"


def test_backfill_gets_every_interval_that_it_names() -> None:
    asked = TimeRestriction(datetime(2026, 2, 27), datetime(2026, 3, 1), True)
    assert days(BoundedTimetable("0 0 * * *", first=FIRST, last=LAST), asked) == [
        "2026-02-27", "2026-02-28", "2026-03-01",
    ]  # fmt: skip


def test_dags_own_later_start_holds() -> None:
    later = scheduler(earliest=datetime(2026, 11, 18, 12))
    assert days(BoundedTimetable("0 0 * * *", first=FIRST, last=LAST), later) == ["2026-11-19"]


def test_without_catchup_only_the_newest_interval_is_scheduled_and_none_out_of_bounds() -> None:
    yesterday = now("UTC").subtract(days=1).date()
    open_end = BoundedTimetable("0 0 * * *", first=date(2026, 1, 1))
    assert days(open_end, scheduler(catchup=False), most=1) == [yesterday.isoformat()]
    over = BoundedTimetable("0 0 * * *", first=date(2024, 1, 1), last=date(2024, 1, 3))
    assert days(over, scheduler(catchup=False)) == []


def test_manual_runs_interval_is_the_one_of_a_plain_cron_schedule() -> None:
    asked = datetime(2026, 5, 4, 9, 30)
    plain = CronDataIntervalTimetable("0 0 * * *", "UTC").infer_manual_data_interval(run_after=asked)
    assert BoundedTimetable("0 0 * * *", first=FIRST).infer_manual_data_interval(run_after=asked) == plain


@pytest.mark.parametrize("last", [LAST, None])
def test_schedule_survives_the_way_through_the_database(last: date | None) -> None:
    timetable = BoundedTimetable("30 6 * * *", first=FIRST, last=last)
    again = BoundedTimetable.deserialize(timetable.serialize())
    assert again.serialize() == timetable.serialize()
    assert days(again, scheduler(), most=5) == days(timetable, scheduler(), most=5)


def test_person_sees_the_cron_expression_and_the_bounds() -> None:
    bounded = BoundedTimetable("0 0 * * *", first=FIRST, last=LAST)
    assert bounded.summary == "0 0 * * *"
    assert bounded.description == "At 00:00, for 2026-11-17 to 2026-11-19"
    assert BoundedTimetable("0 0 * * *", first=FIRST).description == "At 00:00, for 2026-11-17 on"


def test_bounds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="2026-11-17 is before its first, 2026-11-19"):
        BoundedTimetable("0 0 * * *", first=LAST, last=FIRST)


def test_wrong_expression_is_refused_when_the_dag_is_parsed() -> None:
    with pytest.raises(AirflowTimetableInvalid):
        BoundedTimetable("0 0 * *", first=FIRST).validate()


def test_no_date_is_too_early_for_a_task() -> None:
    assert NEVER_TOO_EARLY == ANY_DATE


def test_nothing_is_scheduled_until_a_start_is_given_and_a_backfill_gets_its_days() -> None:
    """Any start of our own would make runs for all days since."""
    unset = BoundedTimetable("0 0 * * *", first=None)
    again = BoundedTimetable.deserialize(unset.serialize())
    for timetable in (unset, again):
        assert days(timetable, scheduler()) == []
        assert days(timetable, scheduler(), DataInterval(datetime(2026, 11, 1), datetime(2026, 11, 2))) == []
        asked = TimeRestriction(datetime(2026, 10, 6), datetime(2026, 10, 7), catchup=True)
        assert days(timetable, asked) == ["2026-10-06", "2026-10-07"]
        assert timetable.description == "At 00:00, once SLUICE_SCHEDULE_START is set"
