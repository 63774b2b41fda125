"""Each number that can stand for Kafka's time of a message is a time, or has one thing wrong with it."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from jobs.sources.kafka.record_time import SPARK_HOLDS, Fault, fault

LONG = 2**63


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        (0, Fault.MISSING),
        (-1, Fault.MISSING),
        (1, Fault.OUT_OF_RANGE),
        (-2, Fault.OUT_OF_RANGE),
        (10**11 - 1, Fault.OUT_OF_RANGE),
        (10**11, None),
        (1_790_000_000, Fault.SECONDS),
        (1_790_000_000_000, None),
        (4_102_444_799_999, None),
        (4_102_444_800_000, Fault.OUT_OF_RANGE),
        (253_402_300_799_999, Fault.MICROSECONDS),  # the end of the year 9999, and 1978 in microseconds
        (1_790_000_000_000_000, Fault.MICROSECONDS),
        (1_790_000_000_000_000_000, Fault.NANOSECONDS),
        (-(10**16), Fault.OUT_OF_RANGE),
        (-1_790_000_000_000, Fault.OUT_OF_RANGE),
        (LONG - 1, Fault.OUT_OF_RANGE),
        (-LONG, Fault.OUT_OF_RANGE),
    ],
)
def test_number_has_the_fault_that_a_person_would_name(created: int, expected: Fault | None) -> None:
    assert fault(created) is expected


def test_moment_is_known_in_each_unit_and_mistaken_for_no_other() -> None:
    random, first, last = Random("moments"), datetime(1974, 1, 1, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC)
    units = {1: Fault.SECONDS, 10**3: None, 10**6: Fault.MICROSECONDS, 10**9: Fault.NANOSECONDS}
    for _ in range(2_000):
        seconds = random.randrange(int(first.timestamp()), int(last.timestamp()))
        assert {unit: fault(seconds * unit) for unit in units} == units


def test_spark_holds_what_fits_64_bits_as_microseconds() -> None:
    for created in (SPARK_HOLDS.start, SPARK_HOLDS.stop - 1):
        assert -LONG <= created * 1000 < LONG
    for created in (SPARK_HOLDS.start - 1, SPARK_HOLDS.stop):
        assert not -LONG <= created * 1000 < LONG
