"""The DAG that writes the daily report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jobs.lake.tables import DAILY_REPORT

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


def test_report_is_one_step_about_the_day_before_the_end_of_its_interval(bag: DagBag) -> None:
    dag = bag.dags[DAILY_REPORT.schedule.dag_id]
    (task,) = dag.tasks
    assert (task.step, task.windowed, task.execution_timeout_minutes) == ("report.daily", True, DAILY_REPORT.minutes)
    assert not dag.catchup
