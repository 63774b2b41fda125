"""Salesforce's errors: a list with one code and message, and an HTTP status."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse


class ApiError(Exception):
    """An answer other than success: Salesforce's `errorCode` and `message`, and an HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


async def answer(_: Request, error: Exception) -> JSONResponse:
    """The answer to a request that raised an ApiError."""
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse([{"message": error.message, "errorCode": error.code}], error.status)
