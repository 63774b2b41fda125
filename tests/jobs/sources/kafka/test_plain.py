"""The plain client reads on until what Spark's source fails over lies behind, and no further."""

from __future__ import annotations

import pytest

from jobs.sources.kafka import plain
from jobs.sources.kafka.plain import Record

GOOD, BAD = 1_790_000_000_000, 1_790_000_000 * 10**9


@pytest.mark.parametrize(
    ("chunks", "read"),
    [
        ([[GOOD, BAD], [GOOD], [GOOD]], 2),
        ([[GOOD], [GOOD], [BAD], [GOOD], [GOOD]], 4),
        ([[BAD], [BAD], [GOOD], [BAD]], 3),
        ([[BAD], [], [BAD]], 2),
        ([[GOOD], [GOOD], []], 3),
    ],
)
def test_chunks_are_read_until_a_clean_one_follows_a_bad_one_or_none_is(chunks: list[list[int]], read: int) -> None:
    left = [[Record(0, 0, None, (), b"", created) for created in chunk] for chunk in chunks]

    plain.until_past(lambda: left.pop(0))

    assert len(chunks) - len(left) == read
