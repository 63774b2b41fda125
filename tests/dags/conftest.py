"""The DAG bag as the DAG processor makes it: the repository root is the DAG folder and on `sys.path`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests import airflow_home

airflow_home.use()

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk import DAG


@pytest.fixture(scope="session")
def bag() -> DagBag:
    from airflow.dag_processing.dagbag import BundleDagBag

    began = time.monotonic()
    bag = BundleDagBag(str(airflow_home.REPOSITORY), bundle_path=airflow_home.REPOSITORY, bundle_name="repository")
    bag.seconds = time.monotonic() - began
    return bag


@pytest.fixture(scope="session")
def daily(bag: DagBag) -> DAG:
    return bag.dags["daily_lakehouse"]
