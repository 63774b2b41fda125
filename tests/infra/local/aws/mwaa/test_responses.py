"""The protocol, through the real client: what is refused and how, tags, pages, and Airflow's REST API."""

from __future__ import annotations

import http.client
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.infra.local.aws.mwaa.conftest import BUCKET, ROLE, Service

NAME = "answers"


@pytest.fixture(scope="module")
def environment(service: Service) -> dict[str, Any]:
    return service.create(NAME)


def refused(call: Any, **asked: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**asked)
    response: dict[str, Any] = error.value.response
    return response


def test_missing_environment_is_not_found(service: Service) -> None:
    mwaa = service.mwaa
    missing = "arn:aws:airflow:eu-west-1:123456789012:environment/missing"
    for call, asked in (
        (mwaa.get_environment, {"Name": "missing"}),
        (mwaa.update_environment, {"Name": "missing"}),
        (mwaa.delete_environment, {"Name": "missing"}),
        (mwaa.invoke_rest_api, {"Name": "missing", "Path": "/dags", "Method": "GET"}),
        (mwaa.list_tags_for_resource, {"ResourceArn": missing}),
    ):
        answer = refused(call, **asked)
        assert answer["Error"]["Code"] == "ResourceNotFoundException"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 404


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"Name": "9lives"}, "'Name' failed to satisfy constraint: Member must satisfy regular expression pattern"),
        ({"Name": "n" * 81}, "'Name' failed to satisfy constraint: Member must have length less than or equal to 80"),
        ({"ExecutionRoleArn": "sluice-airflow"}, "'ExecutionRoleArn' failed"),
        (
            {"NetworkConfiguration": {"SubnetIds": ["subnet-1", "net-2"]}},
            "'NetworkConfiguration.SubnetIds.2.member' failed",
        ),
        ({"AirflowConfigurationOptions": {"Core.X": "1"}}, "'AirflowConfigurationOptions.key' failed"),
        ({"WebserverAccessMode": "OPEN"}, "enum value set: [PRIVATE_ONLY, PUBLIC_ONLY, PUBLIC_AND_PRIVATE]"),
        (
            {"Schedulers": 6},
            "'Schedulers' failed to satisfy constraint: Member must have value less than or equal to 5",
        ),
        ({"Tags": {"é ü": "{"}}, "'Tags.é ü' failed"),
        ({"AirflowVersion": "2.10.3"}, "has Airflow 3.2.1 alone, not 2.10.3"),
    ],
)
def test_request_that_mwaa_refuses_is_refused(asked: dict[str, Any], reason: str, service: Service) -> None:
    whole = {
        "Name": "never-made",
        "ExecutionRoleArn": ROLE,
        "SourceBucketArn": f"arn:aws:s3:::{BUCKET}",
        "DagS3Path": "dags",
        "NetworkConfiguration": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
    }
    answer = refused(service.mwaa.create_environment, **{**whole, **asked})
    assert answer["Error"]["Code"] == "ValidationException"
    assert reason in answer["Error"]["Message"]
    assert "never-made" not in service.mwaa.list_environments()["Environments"]


def test_second_environment_of_a_name_is_refused(service: Service, environment: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="already exists"):
        service.create(NAME)


def test_region_has_its_own_environments_in_pages(service: Service, environment: dict[str, Any]) -> None:
    service.create("another")
    pages = list(service.mwaa.get_paginator("list_environments").paginate(PaginationConfig={"PageSize": 1}))
    assert [page["Environments"] for page in pages] == [["another"], ["answers"]]


def test_tags_are_added_changed_and_removed(service: Service, environment: dict[str, Any]) -> None:
    mwaa, arn = service.mwaa, environment["Arn"]
    mwaa.tag_resource(ResourceArn=arn, Tags={"a": "1", "b": "2"})
    mwaa.tag_resource(ResourceArn=arn, Tags={"b": "3", "c": "4"})
    mwaa.untag_resource(ResourceArn=arn, tagKeys=["a", "c"])
    assert mwaa.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"b": "3"}
    assert service.get(NAME)["Tags"] == {"b": "3"}


def test_rest_api_passes_the_call_on_and_gives_airflow_s_answer(service: Service, environment: dict[str, Any]) -> None:
    answer = service.mwaa.invoke_rest_api(
        Name=NAME, Path="/dags/x", Method="PATCH", QueryParameters={"state": ["a", "b"]}, Body={"is_paused": False}
    )
    assert answer["RestApiStatusCode"] == 200
    assert answer["RestApiResponse"] == {
        "method": "PATCH", "path": "/api/v2/dags/x?state=a&state=b", "body": {"is_paused": False},
    }  # fmt: skip
    assert service.mwaa.invoke_rest_api(Name=NAME, Path="/answer/204", Method="DELETE")["RestApiStatusCode"] == 204


@pytest.mark.parametrize(
    ("status", "code"),
    [(404, "RestApiClientException"), (409, "RestApiClientException"), (500, "RestApiServerException")],
)
def test_refusal_of_airflow_is_an_exception_with_its_answer(
    status: int, code: str, service: Service, environment: dict[str, Any]
) -> None:
    answer = refused(service.mwaa.invoke_rest_api, Name=NAME, Path=f"/answer/{status}", Method="GET")
    assert (answer["Error"]["Code"], answer["RestApiStatusCode"]) == (code, status)
    assert answer["RestApiResponse"]["method"] == "GET"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_path_longer_than_mwaa_takes_is_refused(service: Service, environment: dict[str, Any]) -> None:
    answer = refused(service.mwaa.invoke_rest_api, Name=NAME, Path="/" + "x" * 64, Method="GET")
    assert "'Path' failed to satisfy constraint: Member must have length less than or equal to 64" in str(answer)


def test_unsigned_call_is_denied(service: Service) -> None:
    with pytest.raises(urllib.error.HTTPError) as denied:
        urllib.request.urlopen(f"{service.address}/environments", timeout=10)
    assert denied.value.code == 403
    assert denied.value.headers["x-amzn-ErrorType"] == "AccessDeniedException"


def test_call_through_a_proxy_arrives(service: Service, environment: dict[str, Any]) -> None:
    """As Terraform's provider makes it, which can't be told to leave `api.` away from the host's name."""
    host, port = service.address.removeprefix("http://").split(":")
    signed = "AWS4-HMAC-SHA256 Credential=AK/20261129/eu-west-1/airflow/aws4_request, SignedHeaders=host, Signature=0"
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("GET", "http://api.mwaa.local/environments/answers", headers={"Authorization": signed})
    assert connection.getresponse().status == 200


def test_tags_of_other_services_are_not_mwaa_s(service: Service) -> None:
    emr = service.client("emr-serverless")
    with pytest.raises(ClientError) as error:
        emr.list_tags_for_resource(resourceArn="arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00a")
    assert error.value.response["Error"]["Code"] != "ValidationException"


def test_operation_that_is_not_there_says_so(service: Service, environment: dict[str, Any]) -> None:
    answer = refused(service.mwaa.create_web_login_token, Name=NAME)
    assert answer["Error"]["Message"] == "The local MWAA has no CreateWebLoginToken"
