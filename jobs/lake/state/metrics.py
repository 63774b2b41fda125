"""Figures for CloudWatch, in the project's namespace. A figure that can't be sent never stops a job.

`METRICS` is what there is: the alarms of the deployment use these names and dimensions, and docs/operations.md lists
them; a test holds the two equal. Standard library only until it sends, so that Airflow's side can use it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.lake import settings

NAMESPACE = "Sluice"


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        name: in CloudWatch.
        unit: CloudWatch's.
        dimension: besides `Project`; empty for none.
        meaning: what it counts, and when it is sent.
        alarm: what the deployment's alarm looks for; empty when there is none.
    """

    name: str
    unit: str
    dimension: str
    meaning: str
    alarm: str = ""


METRICS = (
    Metric("TasksFailed", "Count", "Dag", "tasks that failed and are not retried", "over 1 % of all tasks"),
    Metric("TasksSucceeded", "Count", "Dag", "tasks that succeeded"),
    Metric("JobSeconds", "Seconds", "Dag", "how long a job run ran, once it has ended", "p99"),
    Metric("QueueSeconds", "Seconds", "Dag", "how long it waited before that", "maximum"),
    Metric("VcpuHours", "None", "Dag", "vCPU-hours that it is billed for", "cost: sum of a day"),
    Metric("MemoryGbHours", "None", "Dag", "GB-hours of memory that it is billed for", "cost: sum of a day"),
    Metric("GateFailed", "Count", "Pipeline", "1 when the gate refuses, 0 when it passes", "1"),
    Metric("RowsQuarantined", "Count", "Table", "rows that a silver step kept out", "sum of a day"),
    Metric("StalenessSeconds", "Seconds", "Table", "age of its newest commit, every 5 minutes", "over 1 h"),
    Metric("StreamUp", "Count", "Table", "1 when the stream does well, 0 when not, every 5 minutes", "0, or none"),
    Metric("Lag", "Count", "Table", "messages in Kafka that are in no table yet, every 10 s", "maximum"),
    Metric("MessagesRead", "Count", "Table", "messages that the stream read, every 10 s"),
    Metric("MessagesDeadLettered", "Count", "Table", "of these, dead letters", "over 5 in 5 minutes"),
    Metric("EventsPerSecond", "Count/Second", "Table", "messages a second in the last minute, every 10 s"),
    Metric("BatchSeconds", "Seconds", "Table", "the slowest batch of the last 10 s"),
    Metric("AlertsNotSent", "Count", "", "alerts that SNS did not take; the task's log has them", "1"),
)
BY_NAME = {metric.name: metric for metric in METRICS}


def send(figures: Mapping[str, float], **dimensions: str) -> None:
    """Sends figures of this moment.

    Args:
        figures: values by metric name.
        dimensions: besides the project.

    Raises:
        ValueError: `METRICS` has no such metric, or gives it another dimension: no alarm would see it.
    """
    for name in figures:
        if name not in BY_NAME or [*dimensions] != [*filter(None, [BY_NAME[name].dimension])]:
            raise ValueError(f"METRICS has no {name} with the dimensions {[*dimensions]}: add it there")
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    named = {"Project": settings.project(), **dimensions}
    data = [
        {
            "MetricName": name,
            "Value": float(value),
            "Unit": BY_NAME[name].unit,
            "Dimensions": [{"Name": key, "Value": text} for key, text in named.items()],
        }
        for name, value in figures.items()
    ]
    patience = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        boto3.client("cloudwatch", config=patience).put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        print(f"metrics could not be sent: {type(error).__name__}", flush=True)
