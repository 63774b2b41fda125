"""What the guard notes and refuses, for real clients of a real server, and for both kinds of servers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from werkzeug.test import Client
from werkzeug.wrappers import Response

from infra.local.addresses import REGION
from infra.local.aws.access import policies, record
from infra.local.aws.access.asgi import Guarded as GuardedAsgi
from infra.local.aws.access.guard import Guard
from infra.local.aws.access.policies import Policy
from infra.local.aws.access.use import Use
from infra.local.aws.access.wsgi import Guarded
from tests.infra.local.aws.stand_in import BUCKET, Server

ROLE = "sluice-job-gold"
SIGNED = "AWS4-HMAC-SHA256 Credential={}/20261129/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def policy(*statements: tuple[str | list[str], str | list[str]]) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": action, "Resource": on} for action, on in statements]}


def enforce(home: Path, document: dict[str, Any]) -> None:
    policies.file(home).write_text(json.dumps({ROLE: document}))


def of_role(server: Server, service: str, key: str = ROLE) -> Any:
    return boto3.client(
        service,
        endpoint_url=server.addresses.aws,
        region_name=REGION,
        aws_access_key_id=key,
        aws_secret_access_key=key,
        config=Config(inject_host_prefix=False),
    )


@pytest.fixture
def limited(server: Server) -> Iterator[Server]:
    enforce(server.addresses.home, policy(("s3:GetObject", f"arn:aws:s3:::{BUCKET}/gold/*")))
    yield server
    policies.file(server.addresses.home).unlink()


CALLS: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("s3", "put_object", {"Bucket": BUCKET, "Key": "gold/a", "Body": b""}, "AccessDenied", "s3:PutObject"),
    ("s3", "list_objects_v2", {"Bucket": BUCKET}, "AccessDenied", "s3:ListBucket"),
    ("secretsmanager", "get_secret_value", {"SecretId": "x"}, "AccessDeniedException", "secretsmanager:GetSecretValue"),
    ("glue", "get_table", {"DatabaseName": "gold", "Name": "x"}, "AccessDeniedException", "glue:GetTable"),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:x", "Message": "x"}, "AuthorizationError", "sns:Publish"),
    (
        "cloudwatch", "put_metric_data", {"Namespace": "S", "MetricData": []}, "AccessDeniedException",
        "cloudwatch:PutMetricData",
    ),
    (
        "emr-serverless", "list_job_runs", {"applicationId": "00a"}, "AccessDeniedException",
        "emr-serverless:ListJobRuns",
    ),
    (
        "mwaa", "invoke_rest_api", {"Name": "sluice", "Path": "/dags", "Method": "GET"}, "AccessDeniedException",
        "airflow:InvokeRestApi",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("service", "call", "request_", "code", "action"), CALLS, ids=[call[1] for call in CALLS])
def test_what_no_policy_allows_is_refused_as_the_service_does_it(
    limited: Server, service: str, call: str, request_: dict[str, Any], code: str, action: str
) -> None:
    with pytest.raises(ClientError) as refusal:
        getattr(of_role(limited, service), call)(**request_)
    said = refusal.value.response["Error"]
    assert said["Code"] == code
    assert f"assumed-role/{ROLE}/{ROLE} is not authorized to perform: {action}" in said["Message"]


def test_role_does_what_its_policy_allows_and_a_person_does_all(limited: Server) -> None:
    limited.client("s3").put_object(Bucket=BUCKET, Key="gold/there", Body=b"x")
    read = of_role(limited, "s3").get_object(Bucket=BUCKET, Key="gold/there")["Body"].read()
    assert read == b"x"
    assert (ROLE, Use("s3:GetObject", f"arn:aws:s3:::{BUCKET}/gold/*")) in record.read(limited.addresses.home)


def test_missing_object_is_forbidden_for_who_may_not_list(limited: Server) -> None:
    with pytest.raises(ClientError, match="s3:ListBucket on resource"):
        of_role(limited, "s3").get_object(Bucket=BUCKET, Key="gold/none")
    with pytest.raises(ClientError, match="403"):
        of_role(limited, "s3").head_object(Bucket=BUCKET, Key="gold/none")
    with pytest.raises(ClientError, match="NoSuchKey"):
        limited.client("s3").get_object(Bucket=BUCKET, Key="gold/none")


def test_job_runs_of_a_role_call_by_that_role(server: Server) -> None:
    from tests.infra.local.aws.stand_in import Jobs

    jobs = Jobs(server)
    role = "arn:aws:iam::123456789012:role/sluice-job-silver"
    # Spark copies a driver's output in a thread that its exit does not wait for.
    program = "import os, time; print(os.environ['AWS_ACCESS_KEY_ID'], flush=True); time.sleep(1)"
    run = jobs.wait(jobs.start(program, executionRoleArn=role))["jobRunId"]
    assert jobs.log(run).split() == ["sluice-job-silver"]
    used = {use for caller, use in record.read(server.addresses.home) if caller == "sluice-job-silver"}
    assert Use("s3:PutObject", f"arn:aws:s3:::{BUCKET}/logs/*") in used


def test_job_run_whose_role_may_not_read_its_code_fails_and_names_the_action(server: Server) -> None:
    from tests.infra.local.aws.stand_in import Jobs

    jobs = Jobs(server)
    enforce(server.addresses.home, policy(("s3:PutObject", f"arn:aws:s3:::{BUCKET}/logs/*")))
    try:
        run = jobs.wait(jobs.start("", executionRoleArn=f"arn:aws:iam::123456789012:role/{ROLE}"))
    finally:
        policies.file(server.addresses.home).unlink()
    assert run["state"] == "FAILED"
    assert "(403)" in run["stateDetails"]


async def store(scope: Any, receive: Any, send: Any) -> None:
    """An S3 that has no object: it answers each request with the body that came."""
    body = (await receive()).get("body", b"")
    await send({"type": "http.response.start", "status": 404 if scope["method"] == "GET" else 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def asked(home: Path, method: str, path: str, query: str = "", body: bytes = b"") -> tuple[int, bytes]:
    """What the guard before MiniStack answers."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"authorization", SIGNED.format(ROLE).encode())]
    scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": headers}
    asyncio.run(GuardedAsgi(store, Guard(home, "s3"))(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_guard_before_ministack_does_the_same(tmp_path: Path) -> None:
    enforce(tmp_path, policy((["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::lake/gold/*")))
    assert asked(tmp_path, "PUT", "/lake/gold/a", body=b"content") == (200, b"content")
    status, said = asked(tmp_path, "PUT", "/lake/silver/a")
    assert status == 403
    assert b"is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::lake/silver/a" in said
    status, said = asked(tmp_path, "GET", "/lake/gold/a")
    assert (status, b"s3:ListBucket on resource: arn:aws:s3:::lake " in said) == (403, True)
    several = b"<Delete><Object><Key>gold/a</Key></Object><Object><Key>silver/b</Key></Object></Delete>"
    assert asked(tmp_path, "POST", "/lake", "delete", several)[0] == 403
    one = b"<Delete><Object><Key>gold/a</Key></Object></Delete>"
    assert asked(tmp_path, "POST", "/lake", "delete", one) == (200, one)
    policies.file(tmp_path).unlink()
    assert asked(tmp_path, "PUT", "/lake/silver/a")[0] == 200, "what is no longer there is no longer enforced"


def test_each_use_is_noted_once_also_by_the_next_server(tmp_path: Path) -> None:
    for _ in range(2):
        for key in range(100):
            asked(tmp_path, "PUT", f"/lake/gold/{key}")
    lines = (record.folder(tmp_path) / "s3.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [[ROLE, "s3:PutObject", "arn:aws:s3:::lake/gold/*"]]


def test_record_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "MOST", 2)
    kept = record.Record(tmp_path / "used" / "x.jsonl")
    kept.add(ROLE, [Use("s3:PutObject", str(number)) for number in range(5)])
    assert len(record.read(tmp_path)) == 2


def test_unsigned_request_passes(tmp_path: Path) -> None:
    enforce(tmp_path, policy(("s3:GetObject", "arn:aws:s3:::lake/*")))
    client = Client(Guarded(Response("page"), Guard(tmp_path, "aws")))
    assert client.get("/job-run").text == "page"
    assert client.put("/lake/a", headers={"Authorization": SIGNED.format(ROLE)}).status_code == 403


def test_stars_and_question_marks_match_as_in_iam_and_nothing_else_is_a_pattern() -> None:
    name = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sluice/kafka/credentials"
    drawn = Policy(policy(("secretsmanager:GetSecretValue", [f"{name}-aB3dEf"])))
    assert drawn.allows(Use("secretsmanager:GetSecretValue", name))
    assert not drawn.allows(Use("secretsmanager:GetSecretValue", name.replace("kafka", "snowflake")))
    some = Policy(policy(("s3:Get*", ["arn:aws:s3:::a.b/x?/*"])))
    assert some.allows(Use("s3:GetObject", "arn:aws:s3:::a.b/x1/y/z"))
    assert not some.allows(Use("s3:GetObject", "arn:aws:s3:::a-b/x1/y/z"))
    assert not some.allows(Use("s3:GetObject", "arn:aws:s3:::a.b/x/y"))
    assert not some.allows(Use("s3:PutObject", "arn:aws:s3:::a.b/x1/y/z"))


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ({"StringEquals": {"cloudwatch:namespace": "Sluice"}}, True),
        ({"StringEquals": {"cloudwatch:namespace": ["Other", "Sluice"]}}, True),
        ({"StringEquals": {"cloudwatch:namespace": "Other"}}, False),
        ({"StringEquals": {"cloudwatch:namespace": "S*"}}, False),
        ({"StringLike": {"cloudwatch:namespace": "S*"}}, True),
        ({"StringLike": {"cloudwatch:namespace": ["A*", "sluice"]}}, False),
        ({"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}, True),
        ({}, True),
    ],
)
def test_condition_on_what_a_request_says_has_to_hold(condition: dict[str, Any], held: bool) -> None:
    statement = {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*", "Condition": condition}
    use = Use("cloudwatch:PutMetricData", "*", (("cloudwatch:namespace", "Sluice"),))
    assert Policy({"Statement": [statement]}).allows(use) is held


def test_metrics_go_to_the_namespace_that_the_policy_names(server: Server) -> None:
    statement = policy(("cloudwatch:PutMetricData", "*"))["Statement"][0]
    statement["Condition"] = {"StringEquals": {"cloudwatch:namespace": "Sluice"}}
    enforce(server.addresses.home, {"Statement": [statement]})
    metric = [{"MetricName": "rows", "Value": 1.0}]
    try:
        of_role(server, "cloudwatch").put_metric_data(Namespace="Sluice", MetricData=metric)
        with pytest.raises(ClientError, match="not authorized to perform: cloudwatch:PutMetricData"):
            of_role(server, "cloudwatch").put_metric_data(Namespace="Other", MetricData=metric)
    finally:
        policies.file(server.addresses.home).unlink()


def test_condition_that_is_not_understood_is_refused() -> None:
    condition = {"StringNotEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    statement = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": condition}
    with pytest.raises(ValueError, match="condition StringNotEquals on iam:PassedToService"):
        Policy({"Statement": [statement]})


@pytest.mark.parametrize("odd", [{"Effect": "Deny"}, {"NotAction": "s3:*"}])
def test_policy_that_is_not_understood_is_refused(odd: dict[str, str]) -> None:
    statement = {"Sid": "Odd", "Effect": "Allow", "Action": "s3:*", "Resource": "*", **odd}
    with pytest.raises(ValueError, match="statement Odd"):
        Policy({"Statement": [statement]})
