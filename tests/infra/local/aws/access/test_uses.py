"""Which actions and resources a request needs, by IAM's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.aws.access import s3_uses, service_uses
from infra.local.aws.access.policies import Policy
from infra.local.aws.access.use import UNKNOWN, Use

HERE = "eu-west-1:123456789012"
EMR = "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00app"
MWAA = "arn:aws:airflow:eu-west-1:123456789012:"
GLUE = "arn:aws:glue:eu-west-1:123456789012:"


@pytest.mark.parametrize(
    ("method", "path", "query", "action", "resource"),
    [
        ("GET", "/lake/silver/orders/a.parquet", "", "s3:GetObject", "lake/silver/orders/a.parquet"),
        ("HEAD", "/lake/silver/orders", "", "s3:GetObject", "lake/silver/orders"),
        ("PUT", "/lake/_locks/a.json", "", "s3:PutObject", "lake/_locks/a.json"),
        ("POST", "/lake/gold/a", "uploads=", "s3:PutObject", "lake/gold/a"),
        ("PUT", "/lake/gold/a", "partNumber=1&uploadId=x", "s3:PutObject", "lake/gold/a"),
        ("POST", "/lake/gold/a", "uploadId=x", "s3:PutObject", "lake/gold/a"),
        ("DELETE", "/lake/gold/a", "uploadId=x", "s3:AbortMultipartUpload", "lake/gold/a"),
        ("GET", "/lake/gold/a", "uploadId=x", "s3:ListMultipartUploadParts", "lake/gold/a"),
        ("DELETE", "/lake/gold/a", "", "s3:DeleteObject", "lake/gold/a"),
        ("GET", "/lake/gold/a", "versionId=x", "s3:GetObjectVersion", "lake/gold/a"),
        ("GET", "/lake", "list-type=2&prefix=gold%2F", "s3:ListBucket", "lake"),
        ("HEAD", "/lake", "", "s3:ListBucket", "lake"),
        ("GET", "/lake/", "location", "s3:GetBucketLocation", "lake"),
        ("GET", "/lake", "versioning", "s3:GetBucketVersioning", "lake"),
        ("PUT", "/lake", "", "s3:CreateBucket", "lake"),
        ("DELETE", "/lake", "", "s3:DeleteBucket", "lake"),
        ("PUT", "/lake", "lifecycle", "s3:PutLifecycleConfiguration", "lake"),
        ("GET", "/lake/", "publicAccessBlock&x-id=GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock", "lake"),
        ("DELETE", "/lake", "encryption", "s3:PutEncryptionConfiguration", "lake"),
        ("DELETE", "/lake", "policy", "s3:DeleteBucketPolicy", "lake"),
    ],
)
def test_request_to_s3(method: str, path: str, query: str, action: str, resource: str) -> None:
    assert s3_uses.uses(method, path, query, {}) == [Use(action, f"arn:aws:s3:::{resource}")]


def test_many_objects_are_deleted_one_by_one_and_a_copy_reads_its_source() -> None:
    body = b"<Delete><Object><Key>gold/a &amp; b</Key></Object><Object><Key>silver/c</Key></Object></Delete>"
    assert s3_uses.uses("POST", "/lake", "delete=", {}, body) == [
        Use("s3:DeleteObject", "arn:aws:s3:::lake/gold/a & b"),
        Use("s3:DeleteObject", "arn:aws:s3:::lake/silver/c"),
    ]
    copied = s3_uses.uses("PUT", "/lake/gold/b", "", {"x-amz-copy-source": "/lake/gold/a%20b?versionId=1"})
    assert copied[1] == Use("s3:GetObject", "arn:aws:s3:::lake/gold/a b")


def of_service(
    service: str, *, method: str = "POST", path: str = "/", target: str = "", body: object = ""
) -> list[Use]:
    text = body if isinstance(body, str) else json.dumps(body)
    headers = {"x-amz-target": target} if target else {}
    return service_uses.uses(
        service, "eu-west-1", method=method, path=path, query="", headers=headers, body=text.encode()
    )


PASSED = ("iam:PassedToService", "emr-serverless.amazonaws.com")


def test_job_run_passes_its_role_on_and_has_tags() -> None:
    asked = {"executionRoleArn": "arn:aws:iam::123456789012:role/sluice-job-gold", "tags": {"a": "b"}}
    assert of_service("emr-serverless", path="/applications/00app/jobruns", body=asked) == [
        Use("emr-serverless:StartJobRun", EMR),
        Use("iam:PassRole", "arn:aws:iam::123456789012:role/sluice-job-gold", (PASSED,)),
        Use("emr-serverless:TagResource", EMR),
    ]


@pytest.mark.parametrize(
    ("method", "path", "action", "resource"),
    [
        ("GET", "/applications/00app/jobruns", "ListJobRuns", EMR),
        ("GET", "/applications/00app/jobruns/00run", "GetJobRun", f"{EMR}/jobruns/00run"),
        ("GET", "/applications/00app/jobruns/00run/dashboard", "GetDashboardForJobRun", f"{EMR}/jobruns/00run"),
        ("DELETE", "/applications/00app/jobruns/00run", "CancelJobRun", f"{EMR}/jobruns/00run"),
        ("POST", f"/tags/{EMR}/jobruns/00run", "TagResource", f"{EMR}/jobruns/00run"),
        ("GET", "/applications", "ListApplications", "*"),
    ],
)
def test_request_to_emr_serverless(method: str, path: str, action: str, resource: str) -> None:
    assert of_service("emr-serverless", method=method, path=path) == [Use(f"emr-serverless:{action}", resource)]


@pytest.mark.parametrize(
    ("method", "path", "action", "resource"),
    [
        ("GET", "/environments/sluice", "GetEnvironment", f"{MWAA}environment/sluice"),
        ("DELETE", "/environments/sluice", "DeleteEnvironment", f"{MWAA}environment/sluice"),
        ("GET", "/environments", "ListEnvironments", "*"),
        ("POST", "/restapi/sluice", "InvokeRestApi", f"{MWAA}role/sluice/Op"),
        ("GET", f"/tags/{MWAA}environment/sluice", "ListTagsForResource", f"{MWAA}environment/sluice"),
    ],
)
def test_request_to_mwaa(method: str, path: str, action: str, resource: str) -> None:
    assert of_service("airflow", method=method, path=path) == [Use(f"airflow:{action}", resource)]


def test_environment_has_its_role_passed_on() -> None:
    role = "arn:aws:iam::123456789012:role/sluice-airflow"
    for method, action in (("PUT", "CreateEnvironment"), ("PATCH", "UpdateEnvironment")):
        body = {"ExecutionRoleArn": role, "Tags": {"project": "sluice"}}
        assert of_service("airflow", method=method, path="/environments/sluice", body=body) == [
            Use(f"airflow:{action}", f"{MWAA}environment/sluice"),
            Use("iam:PassRole", role, (("iam:PassedToService", "airflow.amazonaws.com"),)),
            Use("airflow:TagResource", f"{MWAA}environment/sluice"),
        ]


def test_requests_of_other_protocols() -> None:
    secret = of_service(
        "secretsmanager", target="secretsmanager.GetSecretValue", body={"SecretId": "sluice/kafka/credentials"}
    )
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:sluice/kafka/credentials"
    assert secret == [Use("secretsmanager:GetSecretValue", arn)]
    named = of_service("secretsmanager", target="secretsmanager.GetSecretValue", body={"SecretId": f"{arn}-aB3dEf"})
    assert named == secret
    assert of_service("sns", body="Action=PublishBatch&TopicArn=arn%3Aaws%3Asns%3Ax") == [
        Use("sns:Publish", "arn:aws:sns:x")
    ]
    path = "/service/GraniteServiceVersion20100801/operation/PutMetricData"
    assert of_service("monitoring", path=path) == [Use("cloudwatch:PutMetricData", "*")]
    target = "GraniteServiceVersion20100801.PutMetricData"
    named = of_service("monitoring", target=target, body={"Namespace": "Sluice", "MetricData": []})
    assert named == [Use("cloudwatch:PutMetricData", "*", (("cloudwatch:namespace", "Sluice"),))]
    assert named[0].general == Use("cloudwatch:PutMetricData", "*")
    table = of_service(
        "glue", target="AWSGlue.UpdateTable", body={"DatabaseName": "gold", "TableInput": {"Name": "fact_orders"}}
    )
    assert [use.resource.removeprefix(GLUE) for use in table] == ["catalog", "database/gold", "table/gold/fact_orders"]
    database = of_service("glue", target="AWSGlue.GetDatabase", body={"Name": "gold"})
    assert [use.resource.removeprefix(GLUE) for use in database] == ["catalog", "database/gold"]


@pytest.mark.parametrize(
    ("service", "request_of", "wanted"),
    [
        ("iam", "Action=GetRole&RoleName=a", [("iam:GetRole", "iam::123456789012:role/a")]),
        (
            "iam",
            "Action=CreatePolicy&PolicyName=a&Tags.member.1.Key=b",
            [("iam:CreatePolicy", "iam::123456789012:policy/a"), ("iam:TagPolicy", "iam::123456789012:policy/a")],
        ),
        ("iam", "Action=PutRolePolicy&PolicyName=b&RoleName=a", [("iam:PutRolePolicy", "iam::123456789012:role/a")]),
        ("sns", "Action=Subscribe&TopicArn=arn:aws:sns:x:1:a", [("sns:Subscribe", "sns:x:1:a")]),
        (
            "sns",
            "Action=CreateTopic&Name=a&Tags.member.1.Key=b",
            [("sns:CreateTopic", f"sns:{HERE}:a"), ("sns:TagResource", f"sns:{HERE}:a")],
        ),
        (
            "monitoring",
            "Action=PutMetricAlarm&AlarmName=a b",
            [("cloudwatch:PutMetricAlarm", f"cloudwatch:{HERE}:alarm:a b")],
        ),
        (
            "monitoring",
            "Action=DeleteAlarms&AlarmNames.member.1=a b",
            [("cloudwatch:DeleteAlarms", f"cloudwatch:{HERE}:alarm:a b")],
        ),
        (
            "monitoring",
            "Action=GetDashboard&DashboardName=a",
            [("cloudwatch:GetDashboard", "cloudwatch::123456789012:dashboard/a")],
        ),
        (
            "logs.CreateLogGroup",
            {"logGroupName": "a", "tags": {"b": "c"}},
            [("logs:CreateLogGroup", f"logs:{HERE}:log-group:a"), ("logs:TagResource", f"logs:{HERE}:log-group:a")],
        ),
        (
            "athena.CreateNamedQuery",
            {"Name": "a", "WorkGroup": "b"},
            [("athena:CreateNamedQuery", f"athena:{HERE}:workgroup/b")],
        ),
        (
            "cloudtrail.CreateTrail",
            {"Name": "a", "TagsList": [{}]},
            [
                ("cloudtrail:CreateTrail", f"cloudtrail:{HERE}:trail/a"),
                ("cloudtrail:AddTags", f"cloudtrail:{HERE}:trail/a"),
            ],
        ),
        ("sqs.DeleteQueue", {"QueueUrl": "http://x/123456789012/a"}, [("sqs:DeleteQueue", f"sqs:{HERE}:a")]),
        ("glue.GetTags", {"ResourceArn": "arn:aws:glue:x"}, [("glue:GetTags", "glue:x")]),
    ],
)
def test_request_of_a_deployment(service: str, request_of: str | dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    name, _, operation = service.partition(".")
    used = of_service(name, target=f"X.{operation}" if operation else "", body=request_of)
    assert [(use.action, use.resource.removeprefix("arn:aws:")) for use in used] == wanted


def test_what_is_named_by_an_id_alone_is_judged_by_its_action() -> None:
    (asked,) = of_service("athena", target="X.GetNamedQuery", body={"NamedQueryId": "0f"})
    assert asked == Use("athena:GetNamedQuery", UNKNOWN)
    document = {"Effect": "Allow", "Action": ["athena:GetNamedQuery"], "Resource": ["arn:aws:athena:x:workgroup/a"]}
    assert Policy({"Statement": [document]}).allows(asked)
    assert not Policy({"Statement": [document]}).allows(asked._replace(action="athena:DeleteNamedQuery"))


def test_what_a_network_is_made_of_says_the_region_and_passes_the_role_of_its_log() -> None:
    body = "Action=CreateFlowLogs&DeliverLogsPermissionArn=arn:aws:iam::1:role/a&TagSpecification.1.Tag.1.Key=b"
    region = ("aws:RequestedRegion", "eu-west-1")
    assert of_service("ec2", body=body) == [
        Use("ec2:CreateFlowLogs", "*", (region,)),
        Use("ec2:CreateTags", "*", (region,)),
        Use("iam:PassRole", "arn:aws:iam::1:role/a", (("iam:PassedToService", "vpc-flow-logs.amazonaws.com"), region)),
    ]


@pytest.mark.parametrize(
    ("resource", "general"),
    [
        ("arn:aws:s3:::lake/silver/orders/a/b.parquet", "arn:aws:s3:::lake/silver/*"),
        ("arn:aws:s3:::lake/gold/quality/day=1/x.json", "arn:aws:s3:::lake/gold/quality/*"),
        ("arn:aws:s3:::lake/ops/run_ledger/day=1/x", "arn:aws:s3:::lake/ops/run_ledger/*"),
        ("arn:aws:s3:::logs/applications/00app/jobs/1/x", "arn:aws:s3:::logs/applications/00app/*"),
        ("arn:aws:s3:::lake/silver", "arn:aws:s3:::lake/silver"),
        (f"{EMR}/jobruns/00run", f"{EMR}/jobruns/*"),
        (f"{GLUE}table/gold/fact_orders", f"{GLUE}table/gold/*"),
        (f"arn:aws:cloudwatch:{HERE}:alarm:sluice failures canary", f"arn:aws:cloudwatch:{HERE}:alarm:sluice *"),
        (f"arn:aws:sns:{HERE}:sluice-alerts-high:20957d54-3a0c", f"arn:aws:sns:{HERE}:sluice-alerts-high:*"),
        (f"arn:aws:sns:{HERE}:sluice-alerts-high", f"arn:aws:sns:{HERE}:sluice-alerts-high"),
        ("arn:aws:s3:::state/dev/terraform.tfstate", "arn:aws:s3:::state/dev/terraform.tfstate"),
        ("arn:aws:s3:::code/airflow/startup.sh", "arn:aws:s3:::code/airflow/startup.sh"),
        ("arn:aws:s3:::code/releases/0123456789ab/startup.sh", "arn:aws:s3:::code/releases/*"),
    ],
)
def test_use_is_noted_by_folder(resource: str, general: str) -> None:
    assert Use("s3:GetObject", resource).general.resource == general
