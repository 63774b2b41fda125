"""Job runs whose task instance has ended are ended by the next task that starts, and no others are."""

from __future__ import annotations

import pytest
from airflow.sdk import TaskInstanceState

from sluice_airflow.emr.orphans import end_orphans
from sluice_airflow.emr.runs import JobRuns
from tests.plugins.sluice_airflow.emr.fake_emr import STUMBLES, FakeEmr, WorkerTask, refused

RUN = "scheduled__2026-11-20"
WAITED_FOR = {"scheduled", "queued", "running", "restarting", "up_for_retry", "up_for_reschedule", "deferred"}


def sweep(emr: FakeEmr, states: dict[str, str | None], *, project: str = "sluice") -> None:
    other = WorkerTask(emr, "other")
    other.states = {RUN: states}
    end_orphans(JobRuns(emr, "00app"), other.context()["ti"], project=project)


@pytest.mark.parametrize("state", [*TaskInstanceState, None])
def test_job_run_lives_as_long_as_its_task_answers_for_it(emr: FakeEmr, state: TaskInstanceState | None) -> None:
    job = WorkerTask(emr).job()
    sweep(emr, {"load": state.value if state else None, "other": "running"})
    assert emr.cancelled == ([] if state and state.value in WAITED_FOR else [job])


def test_job_run_of_a_deleted_dag_run_or_task_is_ended(emr: FakeEmr) -> None:
    job = WorkerTask(emr).job()
    sweep(emr, {"other": "running"})
    assert emr.cancelled == [job]


@pytest.mark.parametrize("ended", [3, 13])
def test_mapped_task_is_known_by_its_map_index(emr: FakeEmr, ended: int) -> None:
    jobs = {}
    for index in (3, 13):
        task = WorkerTask(emr)
        task.map_index = index
        jobs[index] = task.job()
    sweep(emr, {f"load_{index}": "failed" if index == ended else "deferred" for index in jobs})
    assert emr.cancelled == [jobs[ended]]


def test_task_whose_name_ends_like_a_map_index_is_itself(emr: FakeEmr) -> None:
    job = WorkerTask(emr, "load_3").job()
    sweep(emr, {"load_3": "deferred"})
    assert emr.cancelled == []
    sweep(emr, {"load_3": "failed"})
    assert emr.cancelled == [job]


@pytest.mark.parametrize("run_id", ["-1", "manual~2026#1", "r" * 250], ids=["a dash", "odd characters", "long"])
def test_run_is_found_whatever_it_is_called(emr: FakeEmr, run_id: str) -> None:
    task = WorkerTask(emr)
    task.run_id = run_id
    job = task.job()
    task.states = {run_id: {"load": "success"}}
    end_orphans(JobRuns(emr, "00app"), task.context()["ti"], project="sluice")
    assert emr.cancelled == [job]


def test_job_runs_of_people_of_streams_and_of_other_projects_are_left_alone(emr: FakeEmr) -> None:
    emr.add("by-hand/lineage 1764.1", jobDriver={"sparkSubmit": {"entryPointArguments": ["lineage"]}})
    emr.add("orders_stream/orders_events.keep_alive code abc #0123456789ab start 1", mode="STREAMING")
    WorkerTask(emr).job()
    sweep(emr, {}, project="another")
    assert emr.cancelled == []


def test_job_run_of_release_0_1_that_does_not_name_its_dag_is_left_alone(emr: FakeEmr) -> None:
    words = ["silver.orders", "--run-id", RUN]
    emr.add(
        f"lake/load {RUN} #0123456789ab clear 0 try 1", tags={"project": "sluice"},
        jobDriver={"sparkSubmit": {"entryPointArguments": words}},
    )  # fmt: skip
    sweep(emr, {})
    assert emr.cancelled == []


def test_cancel_of_an_orphan_is_asked_for_again(emr: FakeEmr) -> None:
    job = WorkerTask(emr).job()
    emr.spoilt["cancel_job_run"] = [STUMBLES["throttled"]] * 2
    sweep(emr, {"load": "failed"})
    assert emr.cancelled == [job]


@pytest.mark.parametrize("silent", ["Airflow", "EMR Serverless"])
def test_sweep_that_gets_no_answer_ends_nothing_and_fails_no_task(emr: FakeEmr, silent: str) -> None:
    neighbour = WorkerTask(emr, "neighbour")
    left = neighbour.job()
    task = WorkerTask(emr)
    if silent == "EMR Serverless":
        task.states = {RUN: {"neighbour": "failed", "load": "running"}}
        emr.spoilt["get_job_run"] = [refused("AccessDeniedException", 403)] * 9
    assert task.job() != left
    assert emr.cancelled == []


def test_task_that_starts_ends_what_another_has_left(emr: FakeEmr) -> None:
    left = WorkerTask(emr, "marked.by.a.person").job()
    task = WorkerTask(emr)
    task.states = {RUN: {"marked.by.a.person": "failed", "load": "running"}}
    assert task.job() != left
    assert emr.cancelled == [left]
