"""Figures for CloudWatch, in the project's namespace. A figure that can't be sent never stops a job."""

from __future__ import annotations

from collections.abc import Mapping

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from jobs.lake import settings

NAMESPACE = "Sluice"


def send(figures: Mapping[str, tuple[float, str]], **dimensions: str) -> None:
    """Sends figures of this moment.

    Args:
        figures: value and CloudWatch unit by metric name.
        dimensions: besides the project.
    """
    named = {"Project": settings.lake().project, **dimensions}
    data = [
        {
            "MetricName": name,
            "Value": float(value),
            "Unit": unit,
            "Dimensions": [{"Name": key, "Value": text} for key, text in named.items()],
        }
        for name, (value, unit) in figures.items()
    ]
    try:
        boto3.client("cloudwatch").put_metric_data(Namespace=NAMESPACE, MetricData=data)
    except (BotoCoreError, ClientError) as error:
        print(f"metrics could not be sent: {type(error).__name__}", flush=True)
