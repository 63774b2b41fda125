"""What was measured: a day of the sample on a laptop, and how it grows with the orders of a day."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("measured.yaml")


@dataclass(frozen=True)
class Day:
    """A day of the pipeline, from `measured.yaml`.

    Attributes:
        orders: new or changed ones.
        seconds: of each step's job run with a driver of 1 vCPU, its start included.
        seconds_per_100k_orders: how much longer a step takes for 100,000 orders more.
        lake_mb: what the lake holds after its first day.
        bytes_per_order: what an order adds in bronze, silver and gold.
        bytes_per_job_run: what a job run adds to logs, records and results.
    """

    orders: int
    seconds: dict[str, float]
    seconds_per_100k_orders: dict[str, float]
    lake_mb: float
    bytes_per_order: float
    bytes_per_job_run: float


@cache
def sample() -> Day:
    """The day that was measured.

    Raises:
        ValueError: a step grows that has no seconds.
    """
    day = Day(**yaml.safe_load(FILE.read_text()))
    if unknown := day.seconds_per_100k_orders.keys() - day.seconds.keys():
        raise ValueError(f"{FILE.name}: no seconds of {', '.join(sorted(unknown))}")
    return day


def seconds(step: str, orders: float) -> float:
    """How long a step takes for so many orders; never less than for the sample."""
    day = sample()
    more = max(0.0, orders - day.orders) / 100_000
    return day.seconds[step] + more * day.seconds_per_100k_orders.get(step, 0.0)
