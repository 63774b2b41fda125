"""Kafka's time of a message: milliseconds since 1970, UTC, or whatever the producer wrote instead.

Kafka checks it loosely or not at all, so it may be any 64-bit number. The units in which producers err lie a factor of
1,000 apart, and the times of ours less than that: a number is a time in one unit at most.
"""

from __future__ import annotations

from enum import StrEnum

EARLIEST = 10**11  # 3 March 1973, long before Kafka
LATEST = 4_102_444_800_000  # 1 January 2100, without it: placeholders such as 9999-12-31 lie behind it
NONE = (0, -1)  # what clients write for "no time"
# Spark's Kafka source counts in microseconds, in 64 bits: it fails for any time outside of these.
SPARK_HOLDS = range(-(2**63) // 1000 + 1, (2**63 - 1) // 1000 + 1)


class Fault(StrEnum):
    """What is wrong with Kafka's time of a message."""

    MISSING = "kafka_time_missing"
    SECONDS = "kafka_time_in_seconds"
    MICROSECONDS = "kafka_time_in_microseconds"
    NANOSECONDS = "kafka_time_in_nanoseconds"
    OUT_OF_RANGE = "kafka_time_out_of_range"


_UNITS = {Fault.SECONDS: (1000, 1), Fault.MICROSECONDS: (1, 1000), Fault.NANOSECONDS: (1, 1000**2)}


def fault(created: int) -> Fault | None:
    """What is wrong with a time; None for a time in milliseconds, from 1973 to 2099."""
    if EARLIEST <= created < LATEST:
        return None
    if created in NONE:
        return Fault.MISSING
    for unit, (times, by) in _UNITS.items():
        if EARLIEST <= created * times // by < LATEST:
            return unit
    return Fault.OUT_OF_RANGE
