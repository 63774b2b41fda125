"""Twenty random turns of silver and of gold; 200 by hand: `python -m tests.faults.silver_turns 200 SEED`."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from tests.faults import gold_turns, silver_turns

TURNS = 20


@pytest.mark.timeout(900)
def test_silver_is_what_bronze_gives_whatever_happens(spark: SparkSession, lake: str) -> None:
    silver_turns.play(spark, TURNS, seed=TURNS)


@pytest.mark.timeout(900)
def test_gold_is_what_its_inputs_give_whatever_happens(spark: SparkSession, lake: str) -> None:
    gold_turns.play(spark, TURNS, seed=TURNS)
