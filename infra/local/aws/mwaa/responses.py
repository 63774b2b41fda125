"""The HTTP side of MWAA, which moto lacks: answers its calls, and passes all others on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request, Response

from infra.local.aws.mwaa import protocol, rest_api
from infra.local.aws.mwaa.environment import Environment
from infra.local.aws.mwaa.errors import ApiError, invalid, not_found
from infra.local.aws.mwaa.protocol import Call
from infra.local.aws.mwaa.service import Environments

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PAGE = 25
TAGS = 50  # at most, on one environment


class Mwaa:
    """WSGI middleware."""

    def __init__(self, application: WSGIApplication, environments: Environments) -> None:
        self._application = application
        self._environments = environments
        self._operations: dict[str, Callable[[Call], dict[str, Any]]] = {
            "CreateEnvironment": self._create,
            "UpdateEnvironment": self._update,
            "DeleteEnvironment": self._delete,
            "GetEnvironment": self._get,
            "ListEnvironments": self._list,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
            "InvokeRestApi": self._invoke,
        }

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        if not protocol.is_ours(request):
            return self._application(environ, start_response)
        try:
            call = protocol.read(request)
            if call.operation not in self._operations:
                raise invalid(f"The local MWAA has no {call.operation}")
            response = _json(self._operations[call.operation](call), 200)
        except ApiError as error:
            response = _json(error.body, error.status)
            response.headers["x-amzn-ErrorType"] = error.code
        return response(environ, start_response)

    def _create(self, call: Call) -> dict[str, Any]:
        return {"Arn": self._environments.create(call.region, call.parameters).arn}

    def _update(self, call: Call) -> dict[str, Any]:
        return {"Arn": self._environments.update(call.region, call.parameters).arn}

    def _delete(self, call: Call) -> dict[str, Any]:
        self._environments.delete(call.region, call.parameters["Name"])
        return {}

    def _get(self, call: Call) -> dict[str, Any]:
        return {"Environment": self._named(call).document()}

    def _list(self, call: Call) -> dict[str, Any]:
        names, token = self._environments.names(call.region), call.parameters.get("NextToken", "")
        most = call.parameters.get("MaxResults", PAGE)
        left = [name for name in names if name > token]
        return {"Environments": left[:most], **({"NextToken": left[most - 1]} if left[most:] else {})}

    def _tag(self, call: Call) -> dict[str, Any]:
        environment = self._of_arn(call)
        tags = call.parameters["Tags"]
        if len({**environment.tags, **tags}) > TAGS:
            raise invalid(f"An environment has {TAGS} tags at most")
        self._environments.tag(environment, tags, [])
        return {}

    def _untag(self, call: Call) -> dict[str, Any]:
        self._environments.tag(self._of_arn(call), {}, call.parameters["tagKeys"])
        return {}

    def _list_tags(self, call: Call) -> dict[str, Any]:
        return {"Tags": self._of_arn(call).tags}

    def _invoke(self, call: Call) -> dict[str, Any]:
        return rest_api.invoke(self._named(call), call.parameters)

    def _named(self, call: Call) -> Environment:
        return self._environments.find(call.region, call.parameters["Name"])

    def _of_arn(self, call: Call) -> Environment:
        arn: str = call.parameters["ResourceArn"]
        environment = self._environments.find(call.region, arn.rpartition("/")[2])
        if environment.arn != arn:
            raise not_found(arn)
        return environment


def _json(document: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(document), status, mimetype="application/json")
