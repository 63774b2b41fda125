"""Errors of the MWAA API, and those that make an environment fail."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A call that is refused.

    Attributes:
        code: name of the exception in the service's model.
        status: HTTP status.
        body: members of the exception.
    """

    def __init__(self, code: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(f"{code}: {body}")
        self.code = code
        self.status = status
        self.body = body


class BrokenEnvironmentError(Exception):
    """An environment can't be made of what it was told. The message goes into its LastUpdate."""


def invalid(message: str) -> ApiError:
    """The request is not as MWAA takes it."""
    return ApiError("ValidationException", 400, {"message": message})


def not_found(name: str) -> ApiError:
    """There is no such environment."""
    return ApiError("ResourceNotFoundException", 404, {"message": f"Environment {name} not found."})


def denied(message: str) -> ApiError:
    """Nobody has signed the request."""
    return ApiError("AccessDeniedException", 403, {"Message": message})
