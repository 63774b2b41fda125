"""The DAG by which a deployment tries a release: it names its release, and runs one job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from jobs.lake.settings import deployment
from jobs.lake.tables import PLATFORM
from sluice_airflow import canary_dag as canary_dag_module
from sluice_airflow.canary_dag import PLUGINS, LoadOperator, canary_dag

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
    assert dag.get_task("tell").upstream_task_ids == {"canary", "load"}


def test_every_module_of_the_plugins_is_loaded() -> None:
    wanted = {
        ".".join(file.relative_to(PLUGINS).with_suffix("").parts).removesuffix(".__init__")
        for file in PLUGINS.rglob("*.py")
    }
    assert LoadOperator(task_id="load").execute({}) == len(wanted) > 50


@pytest.mark.parametrize("file", ["page/__init__.py", "page/app.py", "plugin.py", "steps/deep/one.py"])
def test_module_that_can_not_be_loaded_fails_the_task(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = f"p{uuid4().hex[:8]}"  # of a name that no other test has imported
    for folder in (root, f"{root}/page", f"{root}/steps", f"{root}/steps/deep"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").touch()
    (tmp_path / root / file).write_text("raise NameError('planted')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(canary_dag_module, "PLUGINS", tmp_path)
    with pytest.raises(NameError, match="planted"):
        LoadOperator(task_id="load").execute({})
