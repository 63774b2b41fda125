"""Asking AWS again while it is throttled, broken or out of reach."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.parsers import ResponseParserError
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_delay, wait_exponential

SECONDS = 240.0  # less than the time that a task has on a worker, so that its retry still finds the job run
# How the codes of answers begin that another attempt may change, whatever their HTTP status.
_FLEETING = (
    "Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown", "ExpiredToken", "RequestTimeout",
    "InternalServer", "InternalFailure", "InternalError", "ServiceUnavailable",
)  # fmt: skip

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


def transient(error: BaseException) -> bool:
    """Whether the same request may be answered later: throttled, a 5xx, or no answer at all."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or status == 429 or code(error).startswith(_FLEETING)
    return isinstance(error, (BotoCoreError, ResponseParserError, OSError)) and not isinstance(
        error, ParamValidationError
    )


def code(error: ClientError) -> str:
    """The code of an error that AWS answered."""
    return str(error.response.get("Error", {}).get("Code", ""))


def patiently(call: Callable[[], Answer], *, seconds: float = SECONDS) -> Answer:
    """What the call answers; it is made again while its error is transient.

    Args:
        call: one request, which may be made twice.
        seconds: after them the last error is raised.
    """
    asking = Retrying(
        retry=retry_if_exception(transient),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.5, max=15),
        before_sleep=_say,
        reraise=True,
    )
    return asking(call)


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    pause = state.next_action.sleep if state.next_action else 0
    log.warning("AWS gives no answer, asking again in %.1f s: %s", pause, error)
