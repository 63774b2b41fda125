"""One writer per table: a lease is exclusive, given back, and broken only when its owner is silent and dead."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from jobs.lake.errors import LeaseLostError, TableBusyError
from jobs.lake.run import Run
from jobs.lake.state import leases, objects

TABLE = "silver.orders"
JOB = "daily/silver.orders run-1 #abc clear 0 try 1"
KEY = f"_locks/{TABLE}.json"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No job waits for another one."""
    monkeypatch.setattr(leases, "PATIENCE", timedelta(0))


def run(number: int, job: str = "") -> Run:
    return Run(f"run-{number}", TABLE, job=job)


def left_behind(silent_for: timedelta, job: str = "") -> None:
    """The lease of a driver that was killed."""
    taken = {
        "table_name": TABLE,
        "run_id": "run-1",
        "step": TABLE,
        "job": job,
        "owner": "o",
        "fencing": 7,
        "held": True,
    }
    objects.write_json(KEY, {**taken, "heartbeat_at": (datetime.now(UTC) - silent_for).isoformat()})


def body() -> dict[str, Any]:
    return dict(objects.read_json(KEY) or {})


def test_second_writer_learns_who_writes_and_gets_the_table_when_it_is_given_back(lake: str) -> None:
    with leases.hold(run(1), TABLE) as held:
        assert held[TABLE].fencing == 1
        with (
            pytest.raises(
                TableBusyError, match=r"silver\.orders is being written by silver\.orders of run by_hand run-1"
            ),
            leases.hold(run(2), TABLE),
        ):
            pytest.fail("two writers")

    with leases.hold(run(2), TABLE) as held:
        assert held[TABLE].fencing == 2


def test_table_is_given_back_by_a_step_that_fails(lake: str) -> None:
    with pytest.raises(ZeroDivisionError), leases.hold(run(1), TABLE):
        raise ZeroDivisionError

    assert body()["held"] is False


def test_of_many_that_ask_at_once_exactly_one_gets_it(lake: str) -> None:
    got, start, done = [], threading.Barrier(8), threading.Event()

    def answered(number: int) -> None:
        got.append(number)
        if len(got) == 8:
            done.set()

    def ask(number: int) -> None:
        start.wait()
        try:
            with leases.hold(run(number), TABLE):
                answered(number)
                done.wait(30)
        except TableBusyError:
            answered(-number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len([number for number in got if number > 0]) == 1
    assert len(got) == 8


def test_next_attempt_of_the_same_job_run_takes_the_lease_at_once(job_runs: dict[str, str]) -> None:
    job_runs[JOB] = "RUNNING"
    left_behind(timedelta(seconds=1), JOB)

    with leases.hold(run(1, JOB), TABLE) as held:
        assert held[TABLE].fencing == 8
    left_behind(timedelta(seconds=1), JOB)
    with pytest.raises(TableBusyError), leases.hold(run(2, "another job run"), TABLE):
        pytest.fail("two writers")


def test_waiting_job_is_known_until_it_has_the_lease(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "PATIENCE", timedelta(seconds=30))
    done: list[int] = []

    def wait_for_it() -> None:
        with leases.hold(run(2), TABLE):
            done.append(2)

    with leases.hold(run(1), TABLE):
        assert not leases.awaited(TABLE)
        waiter = threading.Thread(target=wait_for_it)
        waiter.start()
        give_up = datetime.now(UTC) + timedelta(seconds=20)
        while not leases.awaited("silver.fx_rates", TABLE):
            assert datetime.now(UTC) < give_up
        assert done == []
    waiter.join(30)

    assert done == [2]
    assert not leases.awaited(TABLE)


def test_waiting_job_that_was_killed_is_forgotten(lake: str) -> None:
    long_ago = datetime.now(UTC) - leases.WAITING - timedelta(seconds=1)
    objects.write_json(f"_locks/{TABLE}.waiting.json", {"run_id": "r", "step": "s", "at": long_ago.isoformat()})

    assert not leases.awaited(TABLE)


def test_owner_whose_lease_was_taken_over_may_not_commit_and_fails(lake: str) -> None:
    def commit() -> None:
        with leases.hold(run(1), TABLE) as held:
            left_behind(timedelta(0))  # now another owner has it
            held[TABLE].renew()
            pytest.fail("it would commit")

    with pytest.raises(LeaseLostError, match="taken over"):
        commit()

    assert body()["owner"] == "o"


def test_renewal_whose_answer_was_lost_is_not_a_lost_lease(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = objects.write_json_if
    lost: list[str] = []

    def losing(*arguments: Any, **options: Any) -> str | None:
        etag = real(*arguments, **options)
        if not lost:
            lost.append(str(etag))
            raise EndpointConnectionError(endpoint_url="https://s3")
        return etag

    with leases.hold(run(1), TABLE) as held:
        monkeypatch.setattr(objects, "write_json_if", losing)
        with pytest.raises(EndpointConnectionError):
            held[TABLE].renew()
        held[TABLE].renew()  # the object is ours, by an ETag that we never heard of

    assert lost
    assert body()["held"] is False


def test_lease_whose_first_answer_was_lost_is_ours(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = objects.write_json_if
    answers: list[str | None] = []

    def answering(*arguments: Any, **options: Any) -> str | None:
        answers.append(real(*arguments, **options))
        return answers[-1] if len(answers) > 1 else None  # the SDK asked again, and its own object was in the way

    monkeypatch.setattr(objects, "write_json_if", answering)
    with leases.hold(run(1), TABLE) as held:
        held[TABLE].renew()

    assert answers[0]
    assert (body()["held"], body()["fencing"]) == (False, 1)


def test_heartbeat_says_that_the_owner_is_alive(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT", timedelta(milliseconds=20))
    with leases.hold(run(1), TABLE):
        first, give_up = body()["heartbeat_at"], time.monotonic() + 20
        while body()["heartbeat_at"] == first:
            assert time.monotonic() < give_up, "no heartbeat in 20 seconds"
            time.sleep(0.01)
        assert body()["heartbeat_at"] > first


def test_loss_that_the_heartbeat_finds_fails_the_step_at_its_end(lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT", timedelta(milliseconds=20))

    def write() -> None:
        with leases.hold(run(1), TABLE):
            left_behind(timedelta(0))
            for beat in threading.enumerate():  # it may have found the loss already, and ended
                if beat.name == f"lease-{TABLE}":
                    beat.join(20)

    with pytest.raises(LeaseLostError):
        write()


def test_several_tables_are_taken_in_one_order_and_all_given_back(lake: str) -> None:
    with leases.hold(run(1), "silver.orders", "quarantine.orders") as held:
        assert list(held) == ["quarantine.orders", "silver.orders"]

    listed = boto3.client("s3").list_objects_v2(Bucket=lake, Prefix="_locks/")["Contents"]
    read = [objects.read_json(entry["Key"]) for entry in listed]
    assert [json.dumps(entry["held"]) for entry in read if entry] == ["false", "false"]
