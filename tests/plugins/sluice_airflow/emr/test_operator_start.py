"""The operator against the local EMR Serverless: what a task starts, and what it refuses to start."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sluice_airflow.lineage.parent import lineage_parent
from tests.plugins.sluice_airflow.airflow_task import Task

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws


def test_job_runs_with_the_steps_arguments_and_its_output_is_in_the_task_log(
    aws: LocalAws, capfd: pytest.CaptureFixture[str]
) -> None:
    task = Task(aws, "done", step="done.orders", arguments={"--limit": 5})
    run = aws.job(task.run())
    assert run["state"] == "SUCCESS"
    assert run["jobDriver"]["sparkSubmit"]["entryPointArguments"] == [
        "done.orders", "--dag=lake", "--run-id=scheduled__2026-11-20", f"--job={run['name']}", "--code=test",
        "--window-start", "2026-11-19T00:00:00+00:00",
        "--window-end", "2026-11-20T00:00:00+00:00", "--lineage-parent", lineage_parent(task.context()), "--limit=5",
    ]  # fmt: skip
    task_log = capfd.readouterr().out
    assert "step done.orders arguments" in task_log
    assert f"environment sluice-lake sluice {aws.application_id}" in task_log


def test_subject_follows_the_step(aws: LocalAws) -> None:
    run = aws.job(Task(aws, "subject", step="done", subject="lakehouse").run())
    words = run["jobDriver"]["sparkSubmit"]["entryPointArguments"]
    assert words[:3] == ["done", "lakehouse", "--dag=lake"]


def test_rendered_templates_show_what_is_submitted(aws: LocalAws) -> None:
    task = Task(aws, "rendered", step="done", subject="{{ params.pipeline }}", arguments={"--limit": "{{ 2 + 3 }}"})
    task.params = {"pipeline": "lakehouse"}
    shown = task.operator()
    shown.render_template_fields(task.context())
    assert shown.subject == "lakehouse"
    words = shown.job_driver["sparkSubmit"]["entryPointArguments"]
    assert words[:3] == ["done", "lakehouse", "--dag=lake"]
    assert words[-1] == "--limit=5"


@pytest.mark.slow
def test_job_of_each_try_is_told_the_name_of_its_own_job_run(aws: LocalAws) -> None:
    task = Task(aws, "named", step="report.system")
    for task.try_number in (1, 2):
        with pytest.raises(AirflowException):
            task.run()
    for run in aws.runs("named"):
        words = aws.job(run["id"])["jobDriver"]["sparkSubmit"]["entryPointArguments"]
        assert f"--job={run['name']}" in words


def test_job_run_is_tagged_and_limited(aws: LocalAws) -> None:
    run = aws.job(Task(aws, "tagged", step="done", execution_timeout_minutes=77).run())
    assert run["executionTimeoutMinutes"] == 77
    assert run["tags"] == {
        "try": "1",
        "project": "sluice",
        "dag": "lake",
        "task": "tagged",
        "run": "scheduled__2026-11-20",
    }


def test_link_leads_to_the_page_of_the_job_run(aws: LocalAws) -> None:
    task = Task(aws, "linked", step="done")
    run = task.run()
    with urlopen(task.xcoms["job_run"]) as page:
        assert run in page.read().decode()


def test_step_that_was_not_chosen_is_skipped_without_a_job_run(aws: LocalAws) -> None:
    task = Task(aws, "unchosen", step="done", selected_by="tables")
    task.params = {"tables": ["silver.orders"]}
    with pytest.raises(AirflowSkipException, match="done is not among the chosen tables"):
        task.start()
    assert aws.runs("unchosen") == []


def test_empty_choice_runs_every_step(aws: LocalAws) -> None:
    task = Task(aws, "unlimited", step="done", selected_by="tables")
    task.params = {"tables": []}
    assert aws.job(task.run())["state"] == "SUCCESS"


def test_unset_setting_is_named_and_never_retried(aws: LocalAws) -> None:
    task = Task(aws, "unset", step="done", settings={"release": "", "log_uri": ""})
    with pytest.raises(AirflowFailException, match="SLUICE_RELEASE, SLUICE_LOGS_BUCKET"):
        task.start()


def test_impossible_window_is_refused_before_a_job_run_starts(aws: LocalAws) -> None:
    task = Task(aws, "backwards", step="done")
    task.params = {"window_start": "2026-11-21T00:00:00Z", "window_end": "2026-11-20T00:00:00Z"}
    with pytest.raises(AirflowFailException, match="is not before"):
        task.start()
    assert aws.runs("backwards") == []
