"""What an alert needs of AWS and of the deployment when it is sent. Clients give up soon: it holds up no task."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from sluice_airflow.lake_objects import LakeObjects

if TYPE_CHECKING:
    from jobs.lake.settings import Deployment

log = logging.getLogger(__name__)
CONNECT, READ, ATTEMPTS = 3, 5, 2  # patience in seconds, and tries


def deployment() -> Deployment:
    """The deployment's values in this process.

    The triggerer has the plugins on its path, and not the DAG folder, where `jobs` is.
    """
    try:
        from jobs.lake import settings
    except ImportError:
        from airflow.configuration import conf

        sys.path.append(conf.get("core", "dags_folder"))
        from jobs.lake import settings
    return settings.deployment()


def lake_objects(bucket: str) -> LakeObjects:
    """The lake's small objects."""
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=CONNECT, read_timeout=READ, retries={"total_max_attempts": ATTEMPTS})
    s3: Any = boto3.client("s3", config=patience)
    return LakeObjects(s3, bucket)


def count(figures: dict[str, float], **dimensions: str) -> None:
    """Sends figures to CloudWatch: `jobs.lake.state.metrics.METRICS` lists them. Nobody ever fails of it."""
    try:
        deployment()
        from jobs.lake.state import metrics

        metrics.send(figures, **dimensions)
    except Exception as error:  # a figure that is missing raises an alarm; a task that fails of it would be worse
        log.warning("Figures can't be sent: %s", type(error).__name__)
