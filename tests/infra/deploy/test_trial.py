"""A release that does not work is found out, whatever of it does not; and told in Airflow's own words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from infra.deploy import trial
from infra.deploy.airflow import Airflow
from infra.deploy.errors import DeployError
from infra.deploy.trial import Trial
from tests.infra.deploy.airflow_of_stubs import StubAthena, StubMwaa, rest_error

NAME, DAGS = "aaaaaaaaaaaa", ["canary", "daily_lakehouse"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("SEEN_WITHIN", "RUN_WITHIN", "READ_WITHIN"):
        monkeypatch.setattr(trial, limit, 0.05)
    monkeypatch.setattr(trial, "PAUSE", 0.001)


def tried(mwaa: StubMwaa, athena: StubAthena | None = None) -> list[str]:
    said: list[str] = []
    found = Trial(Airflow(mwaa, "sluice"), athena or StubAthena(mwaa), "sluice", said.append)
    found.await_release(NAME, DAGS)
    found.set_pools()
    found.run_canary(NAME)
    return said


def test_release_that_works_is_tried_to_the_end() -> None:
    mwaa = StubMwaa(away=2, states=["queued", "running", "success"])
    athena = StubAthena(mwaa)
    said = tried(mwaa, athena)
    assert said[0] == "waiting: no answer: Service Unavailable"
    assert said[-1] == "the canary's row was read through Athena, and its notice was sent"
    assert mwaa.run_id.startswith(f"{NAME[:6]}-")
    assert "PATCH /dags/canary" in mwaa.asked
    assert athena.asked == [f"'{mwaa.run_id}'"]


def test_start_whose_answer_was_lost_is_no_failure_and_starts_nothing_twice() -> None:
    mwaa = StubMwaa(answer_lost=True)
    tried(mwaa)
    assert mwaa.asked.count("POST /dags/canary/dagRuns") == 1


NOWHERE = "https://airflow.invalid"
STUMBLES: dict[str, Exception] = {
    "502": rest_error(502, "Bad Gateway"),
    "504": rest_error(504, "Gateway Timeout"),
    "throttled": ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "InvokeRestApi"),
    "too many": ClientError({"Error": {"Code": "TooManyRequestsException", "Message": "no"}}, "StartQueryExecution"),
    "silent": ReadTimeoutError(endpoint_url=NOWHERE),
    "unreachable": ConnectTimeoutError(endpoint_url=NOWHERE),
    "no address": EndpointConnectionError(endpoint_url=NOWHERE),
    "hung up": ConnectionClosedError(endpoint_url=NOWHERE),
}


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize("stumble", STUMBLES)
def test_one_answer_that_is_lost_at_any_moment_takes_no_good_release_back(stumble: str, taken: bool) -> None:
    quiet = StubMwaa()
    tried(quiet)
    assert len(quiet.asked) > 8
    for number in range(len(quiet.asked)):
        mwaa = StubMwaa(stumbles={number: (STUMBLES[stumble], taken)})
        assert tried(mwaa)[-1].startswith("the canary's row was read"), number
        starts = [n for n, asked in enumerate(mwaa.asked) if asked == "POST /dags/canary/dagRuns"]
        assert len(starts) == (2 if number in starts and not taken else 1), "a run was started twice, or never"
    queries = StubAthena(quiet)
    tried(quiet, queries)
    for number in range(queries.calls):
        mwaa = StubMwaa()
        athena = StubAthena(mwaa, stumbles={number: STUMBLES[stumble]})
        assert tried(mwaa, athena)[-1].startswith("the canary's row was read"), number


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"release": "bbbbbbbbbbbb"}, "has the tags operations, release:bbbbbbbbbbbb"),
        ({"dag_ids": ["canary"]}, "DAGs are missing: daily_lakehouse"),
        ({"dag_ids": []}, "there is no DAG canary; no import errors"),
        ({"import_errors": ["NameError: typo"]}, r"x\.py: NameError: typo"),
        ({"dag_ids": [], "import_errors": ["SyntaxError: oops"]}, r"no DAG canary; x\.py: SyntaxError: oops"),
        ({"plugin_errors": ["ImportError: gone"]}, r"p\.py: ImportError: gone"),
        ({"states": ["failed"], "log": ["canary: NameError: typo"]}, "failed: canary: NameError: typo"),
        ({"states": ["failed"]}, "logs say no more"),
        ({"states": ["running"]}, r"has not ended within .* it is running"),
        ({"away": 10_000}, "no answer: Service Unavailable"),
    ],
)
def test_release_that_does_not_work_is_told(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(DeployError, match=said):
        tried(StubMwaa(**changed))


def test_row_of_another_release_or_run_is_not_enough() -> None:
    mwaa = StubMwaa()
    with pytest.raises(DeployError, match=r"says release .*cccccccccccc"):
        tried(mwaa, StubAthena(mwaa, release="cccccccccccc"))
    with pytest.raises(DeployError, match="says release nothing"):
        tried(mwaa, StubAthena(StubMwaa()))


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "QUEUED"])
def test_query_that_does_not_succeed_is_told(state: str) -> None:
    mwaa = StubMwaa()
    with pytest.raises(DeployError, match=r"can't read ops\.canary: no such table|query is QUEUED"):
        tried(mwaa, StubAthena(mwaa, state=state))
