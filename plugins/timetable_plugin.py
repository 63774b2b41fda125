"""Makes our timetable known to Airflow, whose scheduler and API server read a DAG's schedule from the database."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from sluice_airflow.bounded_timetable import BoundedTimetable


class TimetablePlugin(AirflowPlugin):
    """Found by the plugins manager."""

    name = "sluice_timetable"
    timetables = [BoundedTimetable]  # noqa: RUF012 - no ClassVar in the base class, so mypy refuses one
