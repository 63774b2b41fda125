"""What a request to a service other than S3 does, by IAM's names, with what AWS asks for besides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

from infra.local.addresses import ACCOUNT_ID
from infra.local.aws.access import deployer_uses, mwaa_uses
from infra.local.aws.access.use import UNKNOWN, Use

_PREFIX = {"monitoring": "cloudwatch"}  # where a service signs by another name than IAM's
# sns:PublishBatch is no action of IAM's.
_ACTION = {"sns:PublishBatch": "sns:Publish"}
_SUFFIX = re.compile(r"-\w{6}$")  # of a secret's ARN, drawn by Secrets Manager
_APPLICATION = r"/applications(?:/(?P<application>[^/]+))?"
_EMR = (
    ("POST", re.compile(r"/applications"), "CreateApplication"),
    ("GET", re.compile(r"/applications"), "ListApplications"),
    ("GET", re.compile(rf"{_APPLICATION}"), "GetApplication"),
    ("PATCH", re.compile(rf"{_APPLICATION}"), "UpdateApplication"),
    ("DELETE", re.compile(rf"{_APPLICATION}"), "DeleteApplication"),
    ("POST", re.compile(rf"{_APPLICATION}/start"), "StartApplication"),
    ("POST", re.compile(rf"{_APPLICATION}/stop"), "StopApplication"),
    ("POST", re.compile(rf"{_APPLICATION}/jobruns"), "StartJobRun"),
    ("GET", re.compile(rf"{_APPLICATION}/jobruns"), "ListJobRuns"),
    ("GET", re.compile(rf"{_APPLICATION}/jobruns/(?P<run>[^/]+)"), "GetJobRun"),
    ("DELETE", re.compile(rf"{_APPLICATION}/jobruns/(?P<run>[^/]+)"), "CancelJobRun"),
    ("GET", re.compile(rf"{_APPLICATION}/jobruns/(?P<run>[^/]+)/attempts"), "ListJobRunAttempts"),
    ("GET", re.compile(rf"{_APPLICATION}/jobruns/(?P<run>[^/]+)/dashboard"), "GetDashboardForJobRun"),
    ("POST", re.compile(r"/tags/(?P<arn>.+)"), "TagResource"),
    ("DELETE", re.compile(r"/tags/(?P<arn>.+)"), "UntagResource"),
    ("GET", re.compile(r"/tags/(?P<arn>.+)"), "ListTagsForResource"),
)


def uses(
    service: str, region: str, *, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
) -> list[Use]:
    """What a request does; nothing when it is in no form of AWS's.

    Args:
        service: that it is signed for.
        region: likewise.
        method: of HTTP.
        path: decoded.
        query: as it is.
        headers: by lower-case name.
        body: whole.
    """
    if service == "emr-serverless":
        return _emr(region, method, path, body)
    if service == "airflow":
        return mwaa_uses.uses(region, method, path, body)
    operation, asked = _asked(path, query, headers, body)
    if not operation:
        return []
    action = f"{_PREFIX.get(service, service)}:{operation}"
    of_service = _RESOURCES.get(service)
    resources = of_service(operation, asked, region) if of_service else [deployer_uses.resource(service, asked, region)]
    known = _known(service, region, asked)
    own = [Use(_ACTION.get(action, action), resource, known) for resource in resources]
    more = deployer_uses.besides(service, operation, asked, resources[-1])
    return [*own, *(use._replace(known=use.known + known) for use in more)]


def _known(service: str, region: str, asked: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What conditions may ask of a request."""
    if service == "ec2":
        return (("aws:RequestedRegion", region),)
    space = asked.get("Namespace") if service == "monitoring" else None
    return (("cloudwatch:namespace", str(space)),) if space else ()


def _asked(path: str, query: str, headers: Mapping[str, str], body: bytes) -> tuple[str, Mapping[str, Any]]:
    """The operation and its parameters, in the protocols JSON, CBOR and query; of CBOR the operation alone."""
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2], json.loads(body or b"{}")
    if "/operation/" in path:
        return path.rpartition("/")[2], {}
    form = {name: values[0] for name, values in parse_qs(query or body.decode(errors="replace")).items()}
    return form.get("Action", ""), form


def _emr(region: str, method: str, path: str, body: bytes) -> list[Use]:
    for verb, pattern, operation in _EMR:
        found = pattern.fullmatch(path.rstrip("/")) if verb == method else None
        if found is None:
            continue
        named = found.groupdict()
        base = f"arn:aws:emr-serverless:{region}:{ACCOUNT_ID}:"
        own = unquote(named.get("arn") or "") or base + path.partition("/attempts")[0].partition("/dashboard")[0]
        if operation != "StartJobRun":
            own = own.removesuffix("/jobruns")
            own_use = Use(f"emr-serverless:{operation}", "*" if own == f"{base}/applications" else own)
            tagged = operation == "CreateApplication" and json.loads(body or b"{}").get("tags")
            return [own_use, Use("emr-serverless:TagResource", UNKNOWN)] if tagged else [own_use]
        return _start(own.removesuffix("/jobruns"), json.loads(body or b"{}"))
    return []


def _start(application: str, asked: Mapping[str, Any]) -> list[Use]:
    """StartJobRun: it passes a role on, and tags are part of it."""
    found = [
        Use("emr-serverless:StartJobRun", application),
        Use(
            "iam:PassRole",
            str(asked.get("executionRoleArn")),
            (("iam:PassedToService", "emr-serverless.amazonaws.com"),),
        ),
    ]
    return [*found, Use("emr-serverless:TagResource", application)] if asked.get("tags") else found


def _secrets(operation: str, asked: Mapping[str, Any], region: str) -> list[str]:
    named = str(asked.get("SecretId") or asked.get("Name") or "*")
    if named.startswith("arn:"):
        return [_SUFFIX.sub("", named)]
    return [f"arn:aws:secretsmanager:{region}:{ACCOUNT_ID}:secret:{named}" if named != "*" else "*"]


def _glue(operation: str, asked: Mapping[str, Any], region: str) -> list[str]:
    """Glue asks for the catalog, the database and the table, each."""
    if arn := asked.get("ResourceArn"):
        return [str(arn)]
    base = f"arn:aws:glue:{region}:{ACCOUNT_ID}:"
    table = (asked.get("TableInput") or asked).get("Name")
    if operation.endswith("Database"):
        return [f"{base}catalog", f"{base}database/{(asked.get('DatabaseInput') or asked).get('Name')}"]
    if database := asked.get("DatabaseName"):
        return [f"{base}catalog", f"{base}database/{database}", f"{base}table/{database}/{table or '*'}"]
    return [f"{base}catalog"]


_RESOURCES: Mapping[str, Callable[[str, Mapping[str, Any], str], list[str]]] = {
    "secretsmanager": _secrets,
    "glue": _glue,
}
