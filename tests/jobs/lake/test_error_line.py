"""What a log may repeat of an error."""

from __future__ import annotations

import pytest
from pyspark.errors import AnalysisException

from jobs.lake.error_line import LONGEST, in_a_line
from jobs.lake.errors import DataError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("bronze.x: column n is text"), "bronze.x: column n is text"),
        (DataError("x" * 1_000), "x" * LONGEST),
        (OSError("no space left"), "no space left"),
        (ValueError("Ann's order"), "ValueError"),
        (AnalysisException("cannot cast 'Ann'"), "AnalysisException"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_only_texts_of_our_own_are_repeated(error: Exception, line: str) -> None:
    assert in_a_line(error) == line
