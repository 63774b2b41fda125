"""When a person is alerted about a stream, and when not."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.lake.state.stream_control import Report
from sluice_airflow.stream.health import Health, Limits
from sluice_airflow.stream.runs import StreamRun

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
HOUR_AGO = NOW - timedelta(hours=1)
LIMITS = Limits()
RUN = StreamRun(
    id="00live", name="lake/orders code new #0 start 7", code="new", number=7, state="RUNNING", details="", attempt=1,
    created_at=HOUR_AGO, changed_at=HOUR_AGO,
)  # fmt: skip
WELL = Report(
    reported_at=(NOW - timedelta(seconds=10)).isoformat(), run_id="stream__7__0", job=RUN.name, code="new",
    state="running", lag=120, lag_before=90, events_per_second=55.5, batch_seconds=4.2, read=30_000, dead_lettered=1500,
    committed_at=(NOW - timedelta(seconds=12)).isoformat(),
)  # fmt: skip


def problems(
    report: Report | None = WELL, *, run: StreamRun = RUN, began: datetime = HOUR_AGO, limits: Limits = LIMITS
) -> list[str]:
    health = Health.of([run], began, asdict(report) if report else None, "new", NOW)
    return health.problems(limits, dead_letters="bronze.orders_dlq", dag_id="orders_stream")


def alert(report: Report | None = WELL, **changes: Any) -> str:
    (problem,) = problems(report, **changes)
    return problem


def test_stream_that_does_well_gives_no_alert() -> None:
    assert problems() == []


def test_figures_are_on_one_line() -> None:
    figures = Health.of([RUN], HOUR_AGO, asdict(WELL), "new", NOW).figures
    assert figures == (
        "job run RUNNING, attempt 1; running, lag 120 (ten minutes ago 90), 55.5 events/s; in ten minutes 30000 read "
        "and 1500 dead-lettered, newest batch 2026-11-20T02:59:48+00:00 in 4.2 s; reported 2026-11-20T02:59:50+00:00"
    )


@pytest.mark.parametrize("state", ["FAILED", "SUCCESS", "CANCELLED", "CANCELLING"])
def test_job_run_that_is_over_is_reported_with_its_end(state: str) -> None:
    problem = alert(run=replace(RUN, state=state, details="ExitCode: 1."))
    assert (
        f"no job run is live; the newest, 00live, has been {state} since 2026-11-20 02:00:00 UTC. ExitCode: 1."
        in problem
    )
    assert "trigger orders_stream with action=run" in problem


def test_stream_that_has_never_run_is_reported() -> None:
    (problem,) = Health.of([], None, None, "new", NOW).problems(LIMITS, dead_letters="d", dag_id="g")
    assert "no job run is live; there has been none" in problem


@pytest.mark.parametrize(("seconds", "silent"), [(299, False), (301, True)])
def test_silence_is_reported(seconds: int, silent: bool) -> None:
    found = problems(replace(WELL, reported_at=(NOW - timedelta(seconds=seconds)).isoformat()))
    assert [f"it has not reported for {seconds} s" in problem for problem in found] == [True] * silent


@pytest.mark.parametrize(("seconds", "silent"), [(299, False), (301, True)])
def test_stream_that_has_not_reported_yet_gets_its_time(seconds: int, silent: bool) -> None:
    found = problems(None, began=NOW - timedelta(seconds=seconds))
    assert [f"it has not reported for {seconds} s" in problem for problem in found] == [True] * silent


def test_report_of_an_earlier_job_run_is_no_sign_of_life() -> None:
    assert "it has not reported for 3600 s" in alert(replace(WELL, job="lake/orders code old #0 start 6"))


def test_old_report_is_no_silence_of_a_driver_that_has_just_begun() -> None:
    before = replace(WELL, reported_at=(NOW - timedelta(minutes=30)).isoformat(), lag=None)
    assert "it has not reported" in alert(before)
    assert "it has not reported" not in " ".join(problems(before, began=NOW - timedelta(seconds=20)))


def test_job_run_that_finds_no_room_is_reported() -> None:
    problem = alert(None, run=replace(RUN, state="QUEUED"), began=NOW - timedelta(seconds=400))
    assert "job run 00live has been QUEUED for 400 s and has not begun" in problem


@pytest.mark.parametrize(
    ("lag", "before", "behind"),
    [
        (50_001, 50_000, True),
        (50_000, 10, False),  # few enough
        (90_000, 90_000, False),  # no more than there were
        (90_000, 400_000, False),  # it catches up
        (90_000, None, False),  # nobody knows
    ],
)
def test_lag_is_reported_when_it_is_large_and_grows(lag: int, before: int | None, behind: bool) -> None:
    found = problems(replace(WELL, lag=lag, lag_before=before))
    assert [f"{lag} messages wait (limit 50000), and ten minutes ago {before} did" in p for p in found] == [
        True
    ] * behind


def test_kafka_that_does_not_answer_is_reported() -> None:
    assert "Kafka does not answer" in alert(replace(WELL, lag=None))


@pytest.mark.parametrize(
    ("read", "dead", "many"), [(1000, 201, True), (1000, 200, False), (100, 21, True), (99, 99, False), (0, 0, False)]
)
def test_dead_letter_rate_is_reported_from_a_hundred_messages_on(read: int, dead: int, many: bool) -> None:
    found = problems(replace(WELL, read=read, dead_lettered=dead))
    assert [f"dead-letter rate: {dead} of {read} messages" in problem for problem in found] == [True] * many
    assert all("bronze.orders_dlq" in problem for problem in found)


def test_release_that_was_not_handed_over_is_reported() -> None:
    assert "release old runs, and new is deployed" in alert(run=replace(RUN, code="old"))


def test_several_problems_are_reported_together() -> None:
    found = problems(replace(WELL, lag=None, dead_lettered=30_000), run=replace(RUN, code="old"))
    assert [problem.split()[0] for problem in found] == ["release", "Kafka", "dead-letter"]


def test_limits_are_those_that_were_asked_for() -> None:
    report = replace(WELL, lag=120, lag_before=90, read=10, dead_lettered=2)
    assert problems(report) == []
    strict = Limits(silent_seconds=60, max_lag=100, share_from=10, max_dead_share=0.1)
    assert len(problems(report, limits=strict)) == 2
    assert "it has not reported" in alert(
        replace(WELL, reported_at=(NOW - timedelta(seconds=61)).isoformat()), limits=strict
    )
