"""The errors of the lake. Each kind needs another answer: retry, fix the data, or fix the configuration."""

from __future__ import annotations

import json
from typing import ClassVar


class LakeError(Exception):
    """Something failed inside Sluice; the message says what to do. Retried."""

    kind: ClassVar[str] = "system"
    exit_code: ClassVar[int] = 70  # EX_SOFTWARE of sysexits.h


class TransientError(LakeError):
    """A source or service is down, slow or throttling. Retried with backoff."""

    kind = "transient"
    exit_code = 75  # EX_TEMPFAIL


class TableBusyError(TransientError):
    """Another live writer holds the table's lease."""


class LeaseLostError(TransientError):
    """The table's lease was taken over while this job wrote."""


class ConfigurationError(LakeError):
    """A setting, secret or permission is missing or wrong. A person has to fix it; a retry does not help."""

    kind = "configuration"
    exit_code = 78  # EX_CONFIG


class DataError(LakeError):
    """The input breaks a rule. Never retried: the same input would fail again."""

    kind = "data"
    exit_code = 65  # EX_DATAERR


class SchemaContractError(DataError):
    """A batch, a source or a module breaks the contract: new nullable columns may come, and nothing else may change."""


class OffsetsLostError(DataError):
    """Kafka has deleted messages before they were read."""


class CheckpointLostError(ConfigurationError):
    """A stream's checkpoint is gone or contradicts the table. A person decides where the stream goes on."""


class GateError(DataError):
    """A gate found a critical failure, or could not judge.

    Attributes:
        brief: what an alert says in place of the message, which may hold what an engine said of data.
    """

    def __init__(self, message: str, *, brief: str = "") -> None:
        super().__init__(message)
        self.brief = brief


def told(error: BaseException) -> str:
    """What alerts and lineage may say of an error: of one that is not ours its name alone, as it may quote data."""
    known = isinstance(error, LakeError)
    return f"{type(error).__name__}: {getattr(error, 'brief', '') or error}"[:700] if known else type(error).__name__


def report(error: BaseException) -> tuple[int, str]:
    """The exit code, and the last line of stderr. The operator recognises the kind of failure by them.

    An error that is not ours counts as `system`. Its message may hold anything, so that an alert repeats none of it:
    `alert` is empty then.
    """
    known = error if isinstance(error, LakeError) else None
    body = {
        "kind": known.kind if known else LakeError.kind,
        "error": type(error).__name__,
        "message": str(error)[:2000],
        "alert": told(error) if known else "",
    }
    return (known.exit_code if known else LakeError.exit_code), f"SLUICE-ERROR {json.dumps(body)}"
