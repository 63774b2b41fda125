"""InvokeRestApi: asks an environment's Airflow, and answers as MWAA does."""

from __future__ import annotations

from typing import Any

import requests

from infra.local.aws.mwaa.environment import Environment
from infra.local.aws.mwaa.errors import ApiError, invalid

SECONDS = 30.0  # MWAA gives up after 10; two busy cores need more
LARGEST = 6 * 1024 * 1024  # bytes of an answer


def invoke(environment: Environment, call: dict[str, Any]) -> dict[str, Any]:
    """Passes a call on to `/api/v2`.

    Raises:
        ApiError: Airflow refuses it, fails, does not answer, or answers with too much.
    """
    path, query = call["Path"], call.get("QueryParameters") or {}
    if not path.startswith("/"):
        raise invalid("Path must begin with a slash")
    if not isinstance(query, dict):
        raise invalid("QueryParameters must be an object")
    url = f"{environment.address}/api/v2{path}"
    try:
        answer = requests.request(call["Method"], url, params=query, json=call.get("Body"), timeout=SECONDS)
    except requests.RequestException as error:
        raise _failed("RestApiServerException", 503, {"detail": f"The web server does not answer: {error}"}) from error
    if len(answer.content) > LARGEST:
        raise _failed("RestApiServerException", 502, {"detail": f"The answer has more than {LARGEST} bytes"})
    if answer.status_code >= requests.codes.server_error:
        raise _failed("RestApiServerException", answer.status_code, _document(answer))
    if answer.status_code >= requests.codes.bad_request:
        raise _failed("RestApiClientException", answer.status_code, _document(answer))
    return {"RestApiStatusCode": answer.status_code, "RestApiResponse": _document(answer)}


def _failed(code: str, status: int, document: Any) -> ApiError:
    return ApiError(code, 400, {"RestApiStatusCode": status, "RestApiResponse": document})


def _document(answer: requests.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return answer.text
