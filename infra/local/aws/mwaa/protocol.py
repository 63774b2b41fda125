"""MWAA's protocol, read from botocore's own model of the service: routes, parameters, and what each may be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape
from werkzeug.wrappers import Request

from infra.local.aws.mwaa.errors import denied, invalid

_MODEL = ServiceModel(Loader().load_service_model("mwaa", "service-2"))
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/airflow/aws4_request")
_PATHS = re.compile(r"/(environments|restapi|clitoken|webtoken|metrics/environments)(/|$)")
_UNICODE = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d"}  # classes that Python's `re` lacks
_KINDS: dict[str, type] = {
    "structure": dict, "map": dict, "list": list, "string": str, "integer": int, "boolean": bool,
}  # fmt: skip
_SIZES = {"string": "length", "list": "length", "map": "length", "integer": "value"}


@dataclass(frozen=True)
class Call:
    """A valid request.

    Attributes:
        operation: its name in the model, such as `CreateEnvironment`.
        parameters: its input.
        region: whose service is asked.
    """

    operation: str
    parameters: dict[str, Any]
    region: str


def is_ours(request: Request) -> bool:
    """Whether a request is for MWAA. `/tags/` belongs to several services: who signs says which is meant."""
    return bool(_SCOPE.search(request.headers.get("Authorization", "")) or _PATHS.match(request.path))


def read(request: Request) -> Call:
    """The call that a request makes.

    Raises:
        ApiError: there is no such operation, it is not signed, or a parameter is not what the model says.
    """
    scope = _SCOPE.search(request.headers.get("Authorization", ""))
    if scope is None:
        raise denied("Missing Authentication Token")
    for operation, method, pattern in _routes():
        if request.method == method and (place := pattern.fullmatch(request.path)):
            shape = _MODEL.operation_model(operation).input_shape
            parameters = _parameters(request, shape, place.groupdict())
            if found := list(_problems(shape, parameters, "")):
                raise invalid(f"{len(found)} validation error detected: {'; '.join(found)}")
            return Call(operation, parameters, scope[1])
    raise invalid(f"{request.method} {request.path} is no operation of MWAA")


def members(operation: str) -> frozenset[str]:
    """Names of an operation's parameters."""
    return frozenset(_MODEL.operation_model(operation).input_shape.members)


def _routes() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    for operation in _MODEL.operation_names:
        http = _MODEL.operation_model(operation).http
        path = http["requestUri"].replace("{ResourceArn}", "(?P<ResourceArn>.+)")
        yield operation, http["method"], re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _parameters(request: Request, shape: Shape, place: dict[str, str]) -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except ValueError:
        raise invalid("The body is no JSON document") from None
    if not isinstance(body, dict):
        raise invalid("The body is no JSON object")
    given = {**{name: value for name, value in body.items() if name in shape.members and value is not None}, **place}
    for name, member in shape.members.items():
        if member.serialization.get("location") == "querystring" and name in request.args:
            values = request.args.getlist(name)
            given[name] = values if member.type_name == "list" else values[0]
            if member.type_name == "integer":
                given[name] = int(values[0]) if values[0].isdecimal() else values[0]
    return given


def _problems(shape: Any, value: Any, place: str) -> Iterator[str]:
    """What of a value the model forbids."""
    if getattr(shape, "is_document_type", False):
        return
    fits = isinstance(value, _KINDS[shape.type_name])
    if not fits:
        yield f"Value at '{place}' must be a {shape.type_name}"
        return
    yield from _limits(shape, value, place)
    if shape.type_name == "structure":
        for name in shape.required_members:
            if name not in value:
                yield f"Value at '{_below(place, name)}' failed to satisfy constraint: Member must not be null"
        for name, member in shape.members.items():
            if name in value:
                yield from _problems(member, value[name], _below(place, name))
    elif shape.type_name == "list":
        for number, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{place}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{place}.key")
            yield from _problems(shape.value, item, f"{place}.{key}")


def _limits(shape: Any, value: Any, place: str) -> Iterator[str]:
    limits = shape.metadata
    said = f"Value at '{place}' failed to satisfy constraint: Member must"
    if kind := _SIZES.get(shape.type_name):
        size = value if kind == "value" else len(value)
        if size < limits.get("min", size):
            yield f"{said} have {kind} greater than or equal to {limits['min']}"
        if size > limits.get("max", size):
            yield f"{said} have {kind} less than or equal to {limits['max']}"
    if shape.type_name != "string":
        return
    if (pattern := limits.get("pattern")) and not re.fullmatch(_readable(pattern), value):
        yield f"{said} satisfy regular expression pattern: {pattern}"
    if (allowed := limits.get("enum")) and value not in allowed:
        yield f"{said} satisfy enum value set: [{', '.join(allowed)}]"


def _readable(pattern: str) -> str:
    for unicode, python in _UNICODE.items():
        pattern = pattern.replace(unicode, python)
    return pattern


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
