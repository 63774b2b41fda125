"""The alarms of the deployment look at figures that the code sends, and every figure with an alarm has one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.provision.settings import TERRAFORM
from jobs.alerts.severity import SEVERITIES
from jobs.lake.state.metrics import BY_NAME, METRICS, NAMESPACE

MODULE = TERRAFORM / "modules" / "observability"
ALARMS: list[dict[str, Any]] = json.loads((MODULE / "alarms.json").read_text())
DIMENSIONS = {
    "dags": "Dag",
    "pipelines": "Pipeline",
    "silver_tables": "Table",
    "streamed_tables": "Table",
    "watched_tables": "Table",
    "": "",
}
# What METRICS says of an alarm, as the figures of the alarm: threshold, comparison, seconds.
SAID = {
    "over 1 % of all tasks": (1, "GreaterThanThreshold", 86400),
    "p99": (None, "GreaterThanThreshold", 86400),
    "maximum": (None, "GreaterThanThreshold", None),
    "cost: sum of a day": (None, "GreaterThanThreshold", 86400),
    "1": (1, "GreaterThanOrEqualToThreshold", 300),
    "sum of a day": (None, "GreaterThanThreshold", 86400),
    "over 1 h": (3600, "GreaterThanThreshold", 300),
    "0, or none": (1, "LessThanThreshold", 900),
    "over 5 in 5 minutes": (5, "GreaterThanThreshold", 300),
}


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm["name"])
def test_alarm_looks_at_figures_that_are_sent_with_its_dimension(alarm: dict[str, Any]) -> None:
    for name in alarm["metrics"]:
        assert BY_NAME[name].dimension == DIMENSIONS[alarm["over"]], name
    assert alarm["severity"] in SEVERITIES


@pytest.mark.parametrize("metric", [m for m in METRICS if m.alarm], ids=lambda metric: metric.name)
def test_figure_with_an_alarm_has_it_as_it_is_said(metric: Any) -> None:
    found = [alarm for alarm in ALARMS if metric.name in alarm["metrics"]]
    assert len(found) == 1
    threshold, comparison, period = SAID[metric.alarm]
    assert found[0]["comparison"] == comparison
    assert threshold is None or found[0]["threshold"] == threshold
    assert period is None or found[0]["period"] == period
    statistic = {"p99": "p99", "maximum": "Maximum", "sum of a day": "Sum", "cost: sum of a day": "Sum"}
    assert found[0]["statistic"] == statistic.get(metric.alarm, found[0]["statistic"])


def test_stream_that_nobody_looks_at_counts_as_down() -> None:
    (down,) = [alarm for alarm in ALARMS if alarm["metrics"] == ["StreamUp"]]
    assert down["missing"] == "breaching"


def test_names_are_unique_and_the_namespace_is_the_codes() -> None:
    assert len({alarm["name"] for alarm in ALARMS}) == len(ALARMS) > 0
    assert f'namespace  = "{NAMESPACE}"' in (MODULE / "main.tf").read_text()


def test_dashboards_show_figures_that_are_sent_with_their_dimension() -> None:
    import re

    shown = re.findall(r'by = "(\w+)", metric = "(\w+)"', (MODULE / "dashboards.tf").read_text())
    assert shown
    for dimension, name in shown:
        assert BY_NAME[name].dimension == dimension, name
    assert {name for _, name in shown} | {"AlertsNotSent"} == {metric.name for metric in METRICS}
