"""The DAG by which a deployment tries a release: it names its release, and runs one job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jobs.lake.settings import deployment
from jobs.lake.tables import PLATFORM
from sluice_airflow.canary_dag import canary_dag

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag


@pytest.mark.parametrize(
    ("release", "tag"), [("s3://code/releases/0123456789ab", "release:0123456789ab"), ("", "release:unreleased")]
)
def test_tag_names_the_release_of_the_tree(release: str, tag: str) -> None:
    assert tag in canary_dag(PLATFORM, replace(deployment(), release=release), doc="x").tags


def test_job_comes_first_and_is_of_no_window(bag: DagBag) -> None:
    dag = bag.dags["canary"]
    job = dag.get_task("canary")
    assert (job.step, job.windowed, job.downstream_task_ids) == ("canary", False, {"tell"})
