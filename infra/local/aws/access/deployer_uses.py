"""What the calls of a deployment use: resources by the parameter that names them, tags, and roles that are passed on.

Whoever makes something with tags needs the right to tag it as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from infra.local.addresses import ACCOUNT_ID
from infra.local.aws.access.use import UNKNOWN, Use

# By service: parameters, of which the first one that a request has names the resource, and what its ARN is made of.
# `{}` is the parameter as it is. What is not here has no resource level, or is asked for all.
_NAMED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "athena": (
        ("WorkGroup", "athena:{region}:{account}:workgroup/{}"),
        ("Name", "athena:{region}:{account}:workgroup/{}"),
        ("ResourceARN", "{}"),
        ("NamedQueryId", UNKNOWN),
        ("QueryExecutionId", UNKNOWN),
    ),
    "cloudtrail": (
        ("TrailName", "cloudtrail:{region}:{account}:trail/{}"),
        ("Name", "cloudtrail:{region}:{account}:trail/{}"),
        ("ResourceIdList", "{}"),
    ),
    "iam": (
        ("RoleName", "iam::{account}:role/{}"),
        ("PolicyArn", "{}"),
        ("PolicyName", "iam::{account}:policy/{}"),
        ("OpenIDConnectProviderArn", "{}"),
    ),
    "logs": (("logGroupName", "logs:{region}:{account}:log-group:{}"), ("resourceArn", "{}")),
    "monitoring": (
        ("AlarmName", "cloudwatch:{region}:{account}:alarm:{}"),
        ("AlarmNames.member.1", "cloudwatch:{region}:{account}:alarm:{}"),
        ("DashboardName", "cloudwatch::{account}:dashboard/{}"),
        ("DashboardNames.member.1", "cloudwatch::{account}:dashboard/{}"),
        ("ResourceARN", "{}"),
    ),
    "sns": (
        ("TopicArn", "{}"),
        ("TargetArn", "{}"),
        ("ResourceArn", "{}"),
        ("SubscriptionArn", "{}"),
        ("Name", "sns:{region}:{account}:{}"),
    ),
    "sqs": (("QueueName", "sqs:{region}:{account}:{}"), ("QueueUrl", "sqs:{region}:{account}:{}")),
}
_TAGS = ("tags", "tagslist", "tagspecification")
_TAGGING = {  # by service, where it is not TagResource
    "cloudtrail": "cloudtrail:AddTags",
    "ec2": "ec2:CreateTags",
    "monitoring": "cloudwatch:TagResource",
    "sqs": "sqs:TagQueue",
}
_OF_IAM = {"CreateRole": "iam:TagRole", "CreatePolicy": "iam:TagPolicy"}


def resource(service: str, asked: Mapping[str, Any], region: str) -> str:
    """The ARN that a request is about; `*` where there is none, `UNKNOWN` where the request does not tell it."""
    for parameter, form in _NAMED.get(service, ()):
        value = asked.get(parameter)
        if not value:
            continue
        if form == UNKNOWN:
            return UNKNOWN
        named = str(value[0] if isinstance(value, list) else value)
        if named.startswith("arn:"):
            return named
        named = named.rpartition("/")[2] if parameter == "QueueUrl" else named
        return "arn:aws:" + form.format(named, region=region, account=ACCOUNT_ID)
    return "*"


def besides(service: str, operation: str, asked: Mapping[str, Any], about: str) -> Iterator[Use]:
    """What AWS asks for in addition to the call's own action.

    Args:
        service: that the request is signed for.
        operation: as AWS names it.
        asked: its parameters.
        about: the resource of the call itself.
    """
    if _makes(operation) and any(name.partition(".")[0].lower() in _TAGS for name in asked):
        yield Use(_OF_IAM.get(operation) or _TAGGING.get(service, f"{service}:TagResource"), about)
    if operation == "CreateFlowLogs":
        role = str(asked.get("DeliverLogsPermissionArn"))
        yield Use("iam:PassRole", role, (("iam:PassedToService", "vpc-flow-logs.amazonaws.com"),))


def _makes(operation: str) -> bool:
    return operation.startswith(("Create", "Allocate", "PutMetricAlarm"))
