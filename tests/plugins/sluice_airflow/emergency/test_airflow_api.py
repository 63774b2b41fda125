"""How a task asks Airflow's REST API: through AWS on MWAA, else at an address."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
from airflow.sdk.exceptions import AirflowException
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from sluice_airflow.emergency.airflow_api import AirflowApi

DAG = {"dag_id": "daily", "is_paused": False, "timetable_summary": "0 0 * * *"}


@pytest.fixture
def mwaa() -> Iterator[tuple[AirflowApi, Stubber]]:
    """MWAA as botocore knows it: a request that it would refuse fails."""
    client = boto3.client(
        "mwaa",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    with Stubber(client) as stub:
        hook: Any = SimpleNamespace(conn=client)
        yield AirflowApi.of_mwaa("sluice", hook), stub
        stub.assert_no_pending_responses()


def test_mwaa_is_asked_through_aws(mwaa: tuple[AirflowApi, Stubber]) -> None:
    api, stub = mwaa
    named = {"Name": "sluice", "Path": "/dags/daily"}
    stub.add_response("invoke_rest_api", {"RestApiStatusCode": 200, "RestApiResponse": DAG}, {**named, "Method": "GET"})
    stub.add_response(
        "invoke_rest_api",
        {"RestApiStatusCode": 200, "RestApiResponse": {**DAG, "is_paused": True}},
        {**named, "Method": "PATCH", "Body": {"is_paused": True}},
    )
    for state, tasks in (("queued", []), ("running", [{"task_id": "gate", "dag_run_id": "r1"}])):
        stub.add_response(
            "invoke_rest_api",
            {"RestApiStatusCode": 200, "RestApiResponse": {"task_instances": tasks}},
            {
                "Name": "sluice", "Path": "/dags/daily/dagRuns/~/taskInstances", "Method": "GET",
                "QueryParameters": {"state": state},
            },
        )  # fmt: skip
    assert api.dag("daily") == DAG
    api.pause("daily", True)
    assert api.on_workers(["daily"]) == ["daily.gate of r1"]


def test_refusal_of_mwaa_s_airflow_is_told_apart_from_one_of_aws(mwaa: tuple[AirflowApi, Stubber]) -> None:
    api, stub = mwaa

    def refuse(code: str, **extra: Any) -> None:
        stub.add_client_error("invoke_rest_api", code, modeled_fields=extra)

    refuse("RestApiClientException", RestApiStatusCode=404, RestApiResponse={"detail": "no such DAG"})
    assert api.dag("daily") is None
    refuse("RestApiServerException", RestApiStatusCode=500, RestApiResponse={"detail": "broken"})
    with pytest.raises(AirflowException, match=r"Airflow answered 500 to PATCH /dags/daily: .*broken"):
        api.pause("daily", True)
    refuse("AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        api.dag("daily")


def test_address_that_does_not_answer_is_named() -> None:
    with pytest.raises(AirflowException, match=r"Airflow does not answer at http://127\.0\.0\.1:1/api/v2/dags/daily"):
        AirflowApi.at("http://127.0.0.1:1").dag("daily")


def test_answers_by_http_are_judged_as_those_of_mwaa(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def request(method: str, url: str, **options: Any) -> Any:
        asked.append((method, url, options["params"], options["json"]))
        return SimpleNamespace(is_success=url.endswith("daily"), status_code=404, text="no such DAG", json=lambda: DAG)

    monkeypatch.setattr(httpx, "request", request)
    api = AirflowApi.at("http://airflow")
    assert api.dag("daily") == DAG
    assert api.dag("other") is None
    api.pause("daily", False)
    assert asked[-1] == ("PATCH", "http://airflow/api/v2/dags/daily", {}, {"is_paused": False})
