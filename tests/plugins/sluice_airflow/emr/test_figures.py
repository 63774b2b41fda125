"""What CloudWatch is told of a job run that has ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from jobs.lake.state.metrics import BY_NAME
from sluice_airflow.emr.figures import of_job_run
from tests.plugins.sluice_airflow.airflow_task import Task

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws

CREATED = datetime(2026, 11, 20, tzinfo=UTC)
BILLED = {"vCPUHour": 0.5, "memoryGBHour": 1.0, "storageGBHour": 10.0}


@pytest.mark.parametrize(
    ("run", "figures"),
    [
        (
            {
                "totalExecutionDurationSeconds": 90,
                "queuedDurationMilliseconds": 1500,
                "billedResourceUtilization": BILLED,
            },
            {"JobSeconds": 90.0, "QueueSeconds": 1.5, "VcpuHours": 0.5, "MemoryGbHours": 1.0},
        ),
        ({"totalResourceUtilization": BILLED}, {"VcpuHours": 0.5, "MemoryGbHours": 1.0}),
        ({"createdAt": CREATED, "startedAt": CREATED + timedelta(seconds=7)}, {"QueueSeconds": 7.0}),
        ({}, {}),
    ],
)
def test_figures_are_those_that_emr_serverless_knows(run: dict[str, Any], figures: dict[str, float]) -> None:
    assert of_job_run(run) == figures
    assert {BY_NAME[name].dimension for name in figures} <= {"Dag"}


@pytest.mark.slow
def test_job_run_s_figures_reach_cloudwatch(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_PROJECT", "figures")
    Task(aws, "counted", step="exit.0").run()
    sent = boto3.client("cloudwatch").list_metrics(
        Namespace="Sluice", Dimensions=[{"Name": "Project", "Value": "figures"}]
    )["Metrics"]
    assert {one["MetricName"] for one in sent} == {"JobSeconds", "QueueSeconds", "VcpuHours", "MemoryGbHours"}
