"""A job run that fails on the local EMR Serverless: its kind decides on a retry, its error says where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tests.plugins.sluice_airflow.airflow_task import Task

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws


@pytest.mark.parametrize("kind", ["data", pytest.param("configuration", marks=pytest.mark.slow)])
def test_bad_data_and_bad_setup_are_never_retried(aws: LocalAws, kind: str) -> None:
    with pytest.raises(AirflowFailException, match=f"PlantedError: planted {kind}"):
        Task(aws, f"bad-{kind}", step=f"report.{kind}").run()


@pytest.mark.parametrize("kind", ["transient", pytest.param("system", marks=pytest.mark.slow)])
def test_other_failures_are_retried(aws: LocalAws, kind: str) -> None:
    with pytest.raises(AirflowException, match=f"PlantedError: planted {kind}") as failure:
        Task(aws, f"bad-{kind}", step=f"report.{kind}").run()
    assert not isinstance(failure.value, AirflowFailException)


@pytest.mark.slow
def test_exit_code_gives_the_kind_of_a_job_that_reported_nothing(aws: LocalAws) -> None:
    with pytest.raises(AirflowFailException, match="ExitCode: 65"):
        Task(aws, "mute-data", step="exit.65").run()
    with pytest.raises(AirflowException, match="ExitCode: 3") as failure:
        Task(aws, "mute-system", step="exit.3").run()
    assert not isinstance(failure.value, AirflowFailException)


def test_error_names_the_log_and_the_task_log_has_its_last_lines(
    aws: LocalAws, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AirflowException) as failure:
        Task(aws, "told", step="exit.1").run()
    run = aws.runs("told")[-1]["id"]
    folder = f"s3://sluice-logs/applications/{aws.application_id}/jobs/{run}/SPARK_DRIVER"
    assert f"Logs: {folder}/" in str(failure.value)
    assert "last words" in capfd.readouterr().out


def test_job_run_over_its_own_time_limit_says_so_and_is_retried(aws: LocalAws) -> None:
    with pytest.raises(AirflowException, match="timed out after 5 minutes") as failure:
        Task(aws, "limit", step="sleep", execution_timeout_minutes=5).run()
    assert not isinstance(failure.value, AirflowFailException)
