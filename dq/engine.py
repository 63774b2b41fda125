"""Asks Great Expectations about a frame: computes what all rules need at once, then has it judge each rule.

`Batch.validate` can do the one or the other: to say by how many rows a rule fails, it also looks for examples, with a
Spark job for each rule that holds. What it says of a rule, and how it counts, is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.registry import get_expectation_impl
from great_expectations.validator.validation_graph import ExpectationValidationGraph, ValidationGraph
from pyspark.sql import DataFrame

from dq.suite import Rule

FORM = {"result_format": "BASIC"}
EXAMPLES = ".unexpected_values"  # how the metrics end that are not computed
NUMBERS = ("observed_value", "element_count", "unexpected_count", "unexpected_percent", "missing_count")


@dataclass(frozen=True)
class Outcome:
    """What Great Expectations says of a rule.

    Attributes:
        success: it holds.
        numbers: counts and aggregates, named as in its results.
        error: text of an engine error.
    """

    success: bool
    numbers: dict[str, Any] = field(default_factory=dict)
    error: str | None = None


def outcomes(frame: DataFrame, rules: Mapping[int, Rule]) -> dict[int, Outcome]:
    """The outcome of each rule: two Spark jobs, one of them Great Expectations' own row count, for all of them."""
    if not rules:
        return {}
    context, definition = _lake()
    validator = context.get_validator(batch_request=definition.build_batch_request({"dataframe": frame}))
    found: dict[int, Outcome] = {}
    graphs: dict[int, ExpectationValidationGraph] = {}
    known: dict[Any, Any] = {}
    for index, rule in rules.items():
        try:
            graphs[index] = _needed(validator, rule, known)
        except Exception as error:  # a rule with an error closes the gate, whatever its severity
            found[index] = Outcome(False, error=str(error))
    edges = [edge for each in graphs.values() for edge in each.graph.edges]
    engine, calculator = validator.execution_engine, validator.metrics_calculator
    metrics, aborted = calculator.resolve_validation_graph(ValidationGraph(engine, edges=edges), dict(FORM))
    for index, graph in graphs.items():
        raised = graph.get_exception_info(aborted)
        found[index] = _failed(raised) if raised else _judged(graph, {**metrics, **known}, engine)
    return found


def _needed(validator: Any, rule: Rule, known: dict[Any, Any]) -> ExpectationValidationGraph:
    """The metrics that a rule needs, with those that they are made of; `known` gets those that are not computed."""
    given = get_expectation_impl(rule.type)(**rule.kwargs).configuration
    (configuration,) = validator.process_expectations_for_validation([given])  # puts in what `$PARAMETER` stands for
    configuration.kwargs["batch_id"] = validator.active_batch_id
    expectation = configuration.to_domain_obj()
    needs = expectation.get_validation_dependencies(validator.execution_engine, dict(FORM)).get_metric_configurations()
    known |= {metric.id: [] for metric in needs if metric.metric_name.endswith(EXAMPLES)}
    computed = [metric for metric in needs if metric.id not in known]
    graph = validator.metrics_calculator.build_metric_dependency_graph(computed, dict(FORM))
    return ExpectationValidationGraph(configuration, graph)


def _judged(graph: ExpectationValidationGraph, metrics: dict[Any, Any], engine: Any) -> Outcome:
    try:
        result = graph.configuration.to_domain_obj().metrics_validate(metrics, dict(FORM), engine)
    except Exception as error:  # as above
        return Outcome(False, error=str(error))
    return Outcome(bool(result.success), {key: result.result[key] for key in NUMBERS if key in (result.result or {})})


def _failed(raised: Mapping[str, Any]) -> Outcome:
    return Outcome(False, error="; ".join(sorted({str(each["exception_message"]) for each in raised.values()})))


@cache
def _lake() -> tuple[Any, Any]:
    """The context, and a batch definition that takes any frame."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    source = context.data_sources.add_or_update_spark("lake", persist=False)
    return context, source.add_dataframe_asset("frame").add_batch_definition_whole_dataframe("whole")
