"""The deployment's values as Airflow fills them into an operator, renders them and shows them."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import date
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException

from jobs.lake.settings import Deployment
from sluice_airflow.emr.operator import EmrJobOperator
from sluice_airflow.job_settings import UNSET, VARIABLES, JobSettings
from sluice_airflow.stream.keep_alive import EmrStreamOperator
from sluice_airflow.stream.watch import StreamWatchOperator

SETTINGS = JobSettings(
    application_id="00app",
    execution_role_arn="arn:aws:iam::123456789012:role/{{ params.role }}",
    release="s3://code/releases/abc",
    log_uri="s3://logs/",
    lake_bucket="lake",
    project="other",
    python_archive="python-arm64.tar.gz",
    jars=("kafka.jar",),
    driver_variables={"AWS_REGION": "eu-west-1", "FX_RATES_URL": "https://mirror"},
)
OPERATORS: dict[type, dict[str, Any]] = {
    EmrJobOperator: {"step": "gate", "execution_timeout_minutes": 60},
    EmrStreamOperator: {"step": "bronze.orders_events", "desired_state_key": "k"},
    StreamWatchOperator: {"keeper": "k", "desired_state_key": "k", "report_key": "r", "dead_letters": "d"},
}


def made(operator: type, **default_args: Any) -> Any:
    with DAG("lake", schedule=None, default_args=default_args):
        return operator(task_id="task", **OPERATORS[operator])


@pytest.mark.parametrize("operator", OPERATORS)
def test_default_args_fill_the_settings_of_every_operator(operator: type) -> None:
    task = made(operator, job_settings=SETTINGS)
    assert {name: getattr(task, name) for name in asdict(SETTINGS)} == asdict(SETTINGS)
    assert task.code == "abc"


def test_settings_that_were_templates_are_still_rendered_and_shown() -> None:
    for operator in (EmrJobOperator, EmrStreamOperator):
        task = made(operator, job_settings=SETTINGS)
        assert {"application_id", "execution_role_arn", "release", "step"} <= set(task.template_fields)
        task._do_render_template_fields(
            task, ["execution_role_arn"], {"params": {"role": "job"}}, task.get_template_env(), set()
        )
        assert task.execution_role_arn.endswith(":role/job")


def test_operator_without_settings_parses_and_names_the_missing_ones_when_it_runs() -> None:
    with pytest.raises(AirflowFailException) as refusal:
        made(EmrJobOperator).refuse_unset()
    assert str(refusal.value).endswith(": " + ", ".join(VARIABLES.values()))


def test_every_setting_comes_from_the_deployment() -> None:
    deployment = Deployment(
        "p",
        "lake",
        "code",
        "logs",
        "s3://code/releases/abc",
        "00app",
        "role",
        20.0,
        date(2026, 1, 1),
        None,
        alert_topics="topics",
        openlineage_url="http://marquez",
        python_archive="python-arm64.tar.gz",
        jars=("kafka.jar",),
        driver_variables={"AWS_REGION": "eu-west-1"},
    )
    settings = JobSettings.of(deployment)
    assert settings == JobSettings(
        "00app", "role", "s3://code/releases/abc", "s3://logs/", "lake", "p", 20.0, "topics", "http://marquez",
        "python-arm64.tar.gz", ("kafka.jar",), {"AWS_REGION": "eu-west-1"},
    )  # fmt: skip
    # May be left out; what is of the release's tree can't be unset.
    others = {
        "project", "worker_wait_seconds", "alert_topics", "openlineage_url", "python_archive", "jars",
        "driver_variables",
    }  # fmt: skip
    assert {field.name for field in fields(JobSettings)} == {*VARIABLES, *others}


def test_log_address_without_a_bucket_counts_as_unset() -> None:
    assert JobSettings.of(Deployment("sluice", "", "", "", "", "", "", 0.0, date(2026, 1, 1), None)) == UNSET


def test_driver_gets_region_addresses_and_what_names_the_deployment() -> None:
    asked = made(EmrJobOperator, job_settings=SETTINGS).job_request(["gate"], {}, None)
    words = asked["jobDriver"]["sparkSubmit"]["sparkSubmitParameters"].split()
    prefix = "spark.emr-serverless.driverEnv."
    given = dict(word.removeprefix(prefix).split("=", 1) for word in words if word.startswith(prefix))
    assert {name: value for name, value in given.items() if not name.startswith("PY")} == {
        "AWS_REGION": "eu-west-1", "FX_RATES_URL": "https://mirror", "SLUICE_PROJECT": "other",
        "SLUICE_LAKE_BUCKET": "lake", "SLUICE_EMR_APPLICATION_ID": "00app", "SLUICE_ALERT_TOPICS": "",
        "SLUICE_OPENLINEAGE_URL": "",
    }  # fmt: skip
    assert "spark.archives=s3://code/releases/abc/python-arm64.tar.gz#environment" in words


def test_step_without_a_time_limit_of_its_own_is_refused() -> None:
    """A default would end some step in the middle: a full refresh of years takes hours."""
    with pytest.raises(TypeError, match="execution_timeout_minutes"), DAG("lake", schedule=None):
        EmrJobOperator(task_id="task", step="gate")  # type: ignore[call-arg]  # what is missing is what is tested
