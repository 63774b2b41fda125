"""A session and an empty lake for a program that a person starts by hand."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from infra.local.aws import throw_away
from infra.setup import spark_conf
from tests import lakes
from tests import spark as test_spark


@contextmanager
def empty() -> Iterator[SparkSession]:
    """Starts an AWS stand-in and a session, makes the lake, and stops all at the end."""
    with tempfile.TemporaryDirectory() as logs, throw_away.server(Path(logs)) as aws:
        environment = aws.environment()
        os.environ.update(spark_conf.environment(environment))
        spark = test_spark.session(aws.s3)
        with lakes.empty(environment):
            yield spark
        spark.stop()
