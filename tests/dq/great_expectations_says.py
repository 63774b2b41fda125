"""What Great Expectations says by its public way, `Batch.validate`: the gate's own is held against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import great_expectations as gx
from great_expectations.expectations.registry import get_expectation_impl
from pyspark.sql import DataFrame

from dq.suite import Rule


def of(frame: DataFrame, rules: Sequence[Rule], form: str) -> list[Any]:
    """Its result for each rule, in their order, in a result format such as BASIC or COMPLETE."""
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_spark("tests", persist=False).add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(batch_parameters={"dataframe": frame})
    expectations = [get_expectation_impl(rule.type)(**rule.kwargs, meta={"rule": n}) for n, rule in enumerate(rules)]
    outcome = batch.validate(gx.ExpectationSuite(name="rules", expectations=expectations), result_format=form)
    found = {result.expectation_config.meta["rule"]: result for result in outcome.results}
    return [found[number] for number in range(len(rules))]
