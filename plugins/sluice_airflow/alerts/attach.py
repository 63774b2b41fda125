"""The one place where a DAG gets its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice_airflow.alerts import callbacks, deadline

if TYPE_CHECKING:
    from jobs.lake.settings import Deployment

TASK: dict[str, Any] = {
    "on_failure_callback": callbacks.task_failed,
    "on_success_callback": callbacks.task_succeeded,
}


def arguments(cron: str | None, deployment: Deployment) -> dict[str, Any]:
    """Arguments of `DAG` besides `default_args`, where `TASK` belongs.

    Args:
        cron: of its schedule; None for a DAG that only people start, whose runs have no deadline.
        deployment: in whose environment it runs.
    """
    found: dict[str, Any] = {
        "on_failure_callback": callbacks.run_failed,
        "on_success_callback": callbacks.run_succeeded,
    }
    return {**found, "deadline": deadline.alert(cron, deployment)} if cron else found
