"""An error as a few words for a log. The texts of Spark's errors end with a plan, and may quote a row."""

from __future__ import annotations

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from jobs.lake.errors import LakeError

LONGEST = 300  # characters


def in_a_line(error: Exception) -> str:
    """The text of our own errors and of the machine's; of any other error its class, and Spark's name for it."""
    if isinstance(error, (LakeError, OSError)):
        return str(error)[:LONGEST]
    if isinstance(error, Py4JJavaError):
        return str(error.java_exception.getClass().getName())
    condition = error.getCondition() if isinstance(error, PySparkException) else None
    return f"{type(error).__name__} {condition or ''}".strip()
