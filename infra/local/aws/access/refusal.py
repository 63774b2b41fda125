"""AWS's answer to a request that no policy allows, in the form of each protocol. It names role, action and resource."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

from infra.local.aws.access import caller
from infra.local.aws.access.use import Use

JSON_WITHOUT_TARGET = ("airflow", "emr-serverless")
JSON_400 = ("secretsmanager", "glue", "athena")  # the others answer 403


class Answer(NamedTuple):
    """What goes back to the client."""

    status: int
    headers: dict[str, str]
    body: bytes


def text(key: str, use: Use) -> str:
    """AWS's own words."""
    on = f" on resource: {use.resource}" if use.resource != "*" else ""
    return (
        f"User: {caller.arn(key)} is not authorized to perform: {use.action}{on} "
        f"because no identity-based policy allows the {use.action} action"
    )


def answer(key: str, service: str, use: Use, headers: Mapping[str, str]) -> Answer:
    """The answer to a request.

    Args:
        key: access key id of the caller.
        service: that the request is signed for.
        use: what no policy allows.
        headers: of the request, by lower-case name.
    """
    said = text(key, use)
    if service == "s3":
        body = f"<Error><Code>AccessDenied</Code><Message>{escape(said)}</Message><RequestId>local</RequestId></Error>"
        return _xml(body)
    if headers.get("x-amz-target") or service in JSON_WITHOUT_TARGET:
        name = "AccessDeniedException"
        kind = {"Content-Type": "application/json", "x-amzn-ErrorType": name}
        body = json.dumps({"__type": name, "message": said, "Message": said})
        return Answer(400 if service in JSON_400 else 403, kind, body.encode())
    code = "AuthorizationError" if service == "sns" else "AccessDenied"
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(said)}</Message></Error>"
    return _xml(f"<ErrorResponse>{error}<RequestId>local</RequestId></ErrorResponse>")


def _xml(body: str) -> Answer:
    return Answer(403, {"Content-Type": "application/xml"}, body.encode())
