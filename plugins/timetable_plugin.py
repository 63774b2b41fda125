"""Makes our timetable known to Airflow, whose scheduler and API server read a DAG's schedule from the database."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

import bounded_timetable as release_0_1
from sluice_airflow.bounded_timetable import BoundedTimetable


class TimetablePlugin(AirflowPlugin):
    """Found by the plugins manager."""

    name = "sluice_timetable"
    timetables = [BoundedTimetable, release_0_1.BoundedTimetable]  # noqa: RUF012 - the base class has no ClassVar
