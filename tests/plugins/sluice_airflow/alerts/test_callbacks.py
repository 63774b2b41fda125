"""What people are told of tasks that fail and succeed, received by queues that are subscribed to the topics."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowTaskTimeout
from botocore.exceptions import ClientError, EndpointConnectionError

from sluice_airflow.alerts import callbacks, storm
from tests.plugins.sluice_airflow.alerts.scene import NEXT, RUN, SECRET, reported

if TYPE_CHECKING:
    from tests.plugins.sluice_airflow.alerts.scene import Scene

GATE = reported("data", "GateError", "gate", "2 rules failed")
UNREACHABLE = EndpointConnectionError(endpoint_url="http://emr")
DENIED = ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "StartJobRun")
LONG_AGO = (datetime.now(UTC) - timedelta(days=1)).isoformat()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> int:
    """A storm begins after so many alerts, to be quick."""
    monkeypatch.setattr(storm, "MOST", 3)
    return 3


def different(number: int) -> Exception:
    return reported("data", "DataError", f"silver.t{number}")


@pytest.mark.parametrize(
    ("error", "severity", "kind", "name"),
    [
        (GATE, "critical", "data", "GateError"),
        (reported("data", "SchemaContractError", "silver.orders"), "high", "data", "SchemaContractError"),
        (reported("configuration", "ConfigurationError", "bronze.a"), "high", "configuration", "ConfigurationError"),
        (reported("transient", "TransientError", "bronze.a"), "medium", "transient", "TransientError"),
        (reported("system", "Py4JJavaError", "bronze.a", ours=False), "high", "system", "Py4JJavaError"),
        (reported("stream", "StreamDown", "bronze.orders_events"), "critical", "stream", "StreamDown"),
        (UNREACHABLE, "medium", "transient", "AwsUnreachable"),
        (DENIED, "high", "configuration", "AwsAccessDenied"),
        (AirflowFailException("not set"), "high", "configuration", "TaskRefused"),
        (AirflowTaskTimeout("10 min"), "high", "system", "TaskTimeout"),
        (AirflowException("its wait budget is used up"), "high", "system", "TaskFailed"),
        (ZeroDivisionError("x"), "high", "system", "ZeroDivisionError"),
        ("worker was killed", "high", "system", "TaskLost"),
        (None, "high", "system", "TaskLost"),
    ],
    ids=lambda value: "",
)
def test_failure_is_told_by_every_channel_of_its_severity(
    scene: Scene, error: Any, severity: str, kind: str, name: str
) -> None:
    scene.fails("silver.orders", error)
    (told,) = scene.inbox.received()
    assert (told["topic"], told["event"], told["kind"], told["error"]) == (severity, "alert", kind, name)
    assert told["source"] == "lake"
    assert told["meaning"]
    assert told["action"]
    assert [link["text"] for link in told["links"]] == ["Task and its log", "DAG run"]
    assert told["links"][0]["href"].endswith("/tasks/silver.orders")
    assert len(scene.inbox.received("slack")) == 1
    pages = [one["payload"]["severity"] for one in scene.inbox.received("pagerduty")]
    assert pages == {"critical": ["critical"], "high": ["error"]}.get(severity, [])


def test_twenty_tasks_that_fail_of_one_cause_make_one_alert_and_their_recovery_one(scene: Scene) -> None:
    tasks = [f"bronze.t{number}" for number in range(20)]
    scene.at_once(*(partial(scene.fails, task, UNREACHABLE) for task in tasks))
    (told,) = scene.inbox.received()
    assert told["error"] == "AwsUnreachable"

    for task in tasks[:19]:
        scene.succeeds(task)
    assert scene.told() == []
    scene.at_once(*[partial(scene.succeeds, tasks[19])] * 4)
    (recovered,) = scene.inbox.received()
    assert (recovered["event"], recovered["title"]) == ("recovery", told["title"])
    assert "20 task(s) failed of it" in recovered["what"]
    assert [one["event_action"] for one in scene.inbox.received("pagerduty")] == []  # medium does not page
    scene.succeeds(tasks[19])
    assert scene.told() == []
    assert scene.kept() == []


def test_recovery_closes_the_page(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.succeeds("gate.silver", NEXT)
    events = [(one["event_action"], one["dedup_key"]) for one in scene.inbox.received("pagerduty")]
    assert [action for action, _ in events] == ["trigger", "resolve"]
    assert len({key for _, key in events}) == 1


def test_errors_of_two_steps_that_each_say_what_is_wrong_are_two_causes(scene: Scene) -> None:
    scene.fails("silver.a", reported("data", "DataError", "silver.a"))
    scene.fails("silver.b", reported("data", "DataError", "silver.b"))
    assert scene.told() == ["alert lake: silver.a: DataError", "alert lake: silver.b: DataError"]


def test_cause_that_fails_again_in_the_next_run_is_not_told_again_until_a_day_has_passed(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.fails("gate.silver", GATE, NEXT)
    assert len(scene.told()) == 1
    (key,) = scene.kept()
    scene.change(key, told_at=LONG_AGO, claimed_at=LONG_AGO)
    scene.fails("gate.silver", GATE, "scheduled__3")
    assert scene.told() == ["alert lake: gate: GateError"]


def test_day_of_a_backfill_is_made_up_for_by_itself_alone(scene: Scene) -> None:
    scene.fails("silver.a", different(1), "backfill__1", exact=True)
    scene.succeeds("silver.a", "backfill__2", exact=True)
    scene.succeeds("silver.a", NEXT)
    assert scene.told() == ["alert lake: silver.t1: DataError"]
    scene.succeeds("silver.a", "backfill__1", exact=True)
    assert scene.told() == ["recovery lake: silver.t1: DataError"]


def test_success_of_another_task_recovers_nothing(scene: Scene) -> None:
    scene.fails("silver.a", different(1))
    scene.succeeds("silver.b")
    assert scene.told() == ["alert lake: silver.t1: DataError"]


def test_task_that_is_no_longer_in_the_dag_is_recovered_by_the_run(scene: Scene) -> None:
    scene.fails("silver.old", different(1))
    scene.run(failed=False, run_id=NEXT, tasks=["silver.new"])
    assert [line.split()[0] for line in scene.told()] == ["alert", "recovery"]


def test_storm_is_summed_up_and_what_is_held_follows(scene: Scene, few: int) -> None:
    for number in range(few + 6):
        scene.fails(f"silver.t{number}", different(number))
    told = scene.inbox.received()
    assert [one["event"] for one in told] == ["alert"] * few + ["summary"]
    summary = told[-1]
    assert (summary["topic"], summary["title"]) == ("high", f"{few + 1} alerts in a few minutes")
    assert f"lake: silver.t{few}: DataError" in summary["what"]

    scene.change(storm.KEY, summed_at=LONG_AGO)
    scene.succeeds("silver.other")
    (rest,) = scene.inbox.received()
    assert (rest["event"], rest["title"]) == ("summary", "5 alerts in a few minutes")
    scene.succeeds("silver.other")
    assert scene.told() == []


def test_something_worse_is_not_held_in_a_storm(scene: Scene, few: int) -> None:
    for number in range(few + 5):
        scene.fails(f"bronze.t{number}", reported("transient", "TransientError", f"bronze.t{number}"))
    assert [one["topic"] for one in scene.inbox.received()] == ["medium"] * (few + 1)
    scene.fails("gate.silver", GATE)
    (told,) = scene.inbox.received()
    assert (told["event"], told["topic"]) == ("summary", "critical")
    assert "gate: GateError" in told["what"]


def test_recovery_within_a_storm_still_closes_its_page(scene: Scene, few: int) -> None:
    scene.fails("gate.silver", GATE)
    for number in range(few):
        scene.fails(f"silver.t{number}", different(number))
    scene.inbox.received("pagerduty")
    scene.succeeds("gate.silver")
    assert [one["event_action"] for one in scene.inbox.received("pagerduty")] == ["trigger", "resolve"]


def test_lake_that_can_t_be_reached_does_not_silence_an_alert(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    scene.fails("bronze.a", UNREACHABLE)
    assert scene.told() == ["alert lake: bronze.a: AwsUnreachable"]
    assert "The lake can't say whether" in caplog.text
    # Airflow knows by now that this task has failed.
    scene.states = {"bronze.a": "failed", "bronze.b": "running"}
    scene.fails("bronze.b", UNREACHABLE)
    assert scene.told() == []
    scene.run(failed=True)
    assert scene.told() == ["alert lake: a run failed"]


def test_alert_that_sns_did_not_take_is_logged_and_told_by_the_next_task(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL_SNS", "http://127.0.0.1:9")
        scene.fails("gate.silver", GATE)
    assert "NOT SENT" in caplog.text
    assert "lake: gate: GateError" in caplog.text
    assert scene.told() == []
    scene.succeeds("silver.a")
    assert scene.told() == ["alert lake: gate: GateError"]
    scene.succeeds("silver.a")
    assert scene.told() == []


def test_alert_of_a_task_that_was_killed_before_it_told_is_told_by_the_next(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.told()
    (key,) = scene.kept()
    scene.change(key, told_at=None, claimed_at=LONG_AGO)
    scene.run(failed=True)
    assert scene.told() == ["alert lake: gate: GateError"]


def test_recovery_of_a_task_that_was_killed_before_it_told_is_told_by_the_next(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.told()
    (key,) = scene.kept()
    scene.change(key, failed=[], closed_at=LONG_AGO)
    scene.succeeds("silver.a")
    assert scene.told() == ["recovery lake: gate: GateError"]
    assert scene.kept() == []


def test_run_that_failed_without_a_failed_task_is_told_and_any_other_is_not(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.run(failed=True)
    assert scene.told() == ["alert lake: gate: GateError"]
    scene.run(failed=True, run_id=NEXT)
    assert scene.told() == ["alert lake: a run failed"]
    scene.run(failed=False, run_id="scheduled__3", tasks=["gate.silver"])
    assert scene.told() == ["recovery lake: a run failed"]


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        AirflowException(SECRET),
        AirflowFailException(SECRET),
        reported("system", "Py4JJavaError", "silver.orders", SECRET, ours=False),
        ClientError({"Error": {"Code": "ValidationException", "Message": SECRET}}, "StartJobRun"),
        SECRET,
    ],
    ids=lambda error: type(error).__name__,
)
def test_text_of_unknown_origin_is_never_repeated(scene: Scene, error: Any) -> None:
    scene.fails("silver.orders", error)
    told = [*scene.inbox.received(), *scene.inbox.received("slack"), *scene.inbox.received("pagerduty")]
    kept = scene.s3.get_object(Bucket=scene.bucket, Key=scene.kept()[0])["Body"].read().decode()
    assert len(told) >= 2
    for part in (SECRET, "ann.jones", "4711"):
        assert part not in json.dumps(told) + kept


def test_error_of_ours_is_repeated(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    assert "GateError: 2 rules failed" in scene.inbox.received()[0]["what"]


@pytest.mark.parametrize(
    "callback", [callbacks.task_failed, callbacks.task_succeeded, callbacks.run_failed, callbacks.run_succeeded]
)
def test_callback_fails_no_task_whatever_happens(callback: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        callback({})
    assert f"{callback.__name__} could not be told" in caplog.text


def test_run_of_another_dag_knows_nothing_of_a_cause(scene: Scene) -> None:
    scene.fails("gate.silver", GATE)
    scene.told()
    scene.dag_id = "other"
    scene.succeeds("gate.silver", RUN)
    assert scene.told() == []
