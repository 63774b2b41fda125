"""What is uploaded to MWAA works there: under Amazon's pins, from the built package alone."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from infra.package import content, release
from infra.setup import environments
from infra.setup.steps import VENV
from jobs.lake import tables

REPOSITORY = Path(__file__).resolve().parents[2]
DAGS = {schedule.dag_id for p in tables.PIPELINES for schedule in (p.schedule, p.streams, p.refresh) if schedule}
DAGS |= {upkeep.schedule.dag_id for upkeep in tables.UPKEEP}
BY_HAND = {"canary", "emergency_stop", "restore_table"}
# As MWAA's DAG processor and scheduler do it: parse the folder, load the plugins, write the DAGs and read them again.
LOAD = """
import json, sys
from importlib.metadata import distributions, version
from pathlib import Path
from airflow import plugins_manager
from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization

folder = Path(sys.argv[1])
bag = BundleDagBag(str(folder), bundle_path=folder, bundle_name="mwaa")
again = {name: DagSerialization.from_dict(DagSerialization.to_dict(dag)) for name, dag in bag.dags.items()}
from sluice_airflow.emr.trigger import EmrJobTrigger
apps = {app["url_prefix"]: app["app"] for app in plugins_manager.get_fastapi_plugins()[0]}
from fastapi import FastAPI
from fastapi.testclient import TestClient
root = FastAPI()
root.mount("/quality", apps["/quality"])
get = TestClient(root, follow_redirects=False).get
from quality_page.app import PAGES
ours = ("jobs", "dq", "dags", "sluice_airflow", "timetable_plugin", "bounded_timetable", "emr_trigger", "quality_page",
        "quality_plugin")
print(json.dumps({
    "page": [get("/quality/" + path, headers={"accept": "text/html"}).status_code for path in ("", "static/page.css")],
    "templates": [PAGES.get_template(name).name for name in PAGES.list_templates()],
    "version": version("apache-airflow"),
    "errors": {str(name): str(error) for name, error in bag.import_errors.items()},
    "dags": {name: {task.task_id: type(task).__name__ for task in dag.tasks} for name, dag in bag.dags.items()},
    "again": {name: dag.timetable.summary for name, dag in again.items()},
    "releases": sorted({task.release for dag in bag.dags.values() for task in dag.tasks if hasattr(task, "release")}),
    "minutes": sorted({task.execution_timeout_minutes for dag in bag.dags.values() for task in dag.tasks
                       if hasattr(task, "execution_timeout_minutes")}),
    "trigger": EmrJobTrigger(application_id="a", job_id="b", deadline=1.0).serialize()[0],
    "files": [str(m.__file__) for name, m in sys.modules.items() if name.partition(".")[0] in ours and m.__file__],
    "path": sys.path,
    "installed": {d.metadata["Name"].lower().replace("_", "-"): d.version for d in distributions()},
}))
"""


@pytest.fixture(scope="module")
def uploaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`dags/`, `plugins/` and `requirements.txt` as an MWAA environment has them, far from any checkout."""
    home = tmp_path_factory.mktemp("mwaa")
    found = content.read()
    for name, body in release.of_mwaa(found, content.name(found)).items():
        target = home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    with zipfile.ZipFile(home / "plugins.zip") as plugins:
        plugins.extractall(home / "plugins")
    return home


def loaded(python: Path, home: Path) -> dict[str, Any]:
    """What an Airflow makes of the package. It does not know the checkout, and its environment is out of date."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SLUICE_CODE_BUCKET": "code",
        "SLUICE_LOGS_BUCKET": "logs",
        "SLUICE_RELEASE": "s3://code/releases/of-another-deployment",
    }
    done = subprocess.run(
        [python, "-c", LOAD, home / "dags"], cwd=home, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def check(found: dict[str, Any], home: Path, version: str) -> None:
    """The package is whole, and came from itself alone, under exactly these pins."""
    assert found["version"] == version
    assert found["errors"] == {}
    assert found["dags"].keys() == found["again"].keys() == DAGS | BY_HAND
    assert all(found["dags"].values())
    named = (home / "dags" / "release.txt").read_text().strip()
    assert found["releases"] == [f"s3://code/releases/{named}"], "DAGs ask for the release that they are part of"
    assert len(found["minutes"]) > 3, "each step has the time limit of its row, and not all the same"
    assert found["trigger"] == "sluice_airflow.emr.trigger.EmrJobTrigger"
    assert found["page"] == [303, 200], "the quality page asks for a log-in; its style sheet does not"
    assert found["templates"]
    assert found["files"]
    assert [file for file in found["files"] if not file.startswith(str(home))] == []
    own = str(REPOSITORY / ".venv")
    assert [entry for entry in found["path"] if entry.startswith(str(REPOSITORY)) and not entry.startswith(own)] == []
    pinned = [line.split("==") for file in environments.pins(version) for line in file.read_text().splitlines()]
    wanted = {pin[0].lower().replace("_", "-"): pin[1] for pin in pinned if len(pin) == 2}
    installed = {name: own for name, own in found["installed"].items() if name in wanted}
    assert len(installed) > 100
    assert {name: own for name, own in installed.items() if own != wanted[name]} == {}


def test_dags_load_from_the_package_alone_under_the_pins_that_are_installed(uploaded: Path) -> None:
    found = loaded(REPOSITORY / ".venv" / "airflow" / "bin" / "python", uploaded)
    check(found, uploaded, environments.AIRFLOW_VERSION)


def test_requirements_ask_for_nothing_that_the_image_lacks(uploaded: Path) -> None:
    """Amazon's image has the provider with aiobotocore. A private network reaches no index."""
    asked = [VENV / "uv" / "bin" / "uv", "pip", "install", "--dry-run", "--python", VENV / "airflow", "-r"]
    done = subprocess.run([*asked, uploaded / "requirements.txt"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Would make no changes" in done.stderr
    (uploaded / "more.txt").write_text((uploaded / "requirements.txt").read_text() + "apache-airflow-providers-kafka\n")
    lacking = subprocess.run([*asked, uploaded / "more.txt"], capture_output=True, text=True)
    assert lacking.returncode
    assert "apache-airflow-providers-" in lacking.stderr


@pytest.mark.slow
@pytest.mark.parametrize("without", ["dags/jobs/lake/tables.py", "plugins/sluice_airflow/scheduled_dag.py"])
def test_package_that_lacks_a_file_is_noticed(uploaded: Path, without: str) -> None:
    file = uploaded / without
    kept = file.read_bytes()
    file.unlink()
    try:
        found = loaded(REPOSITORY / ".venv" / "airflow" / "bin" / "python", uploaded)
        with pytest.raises(AssertionError):
            check(found, uploaded, environments.AIRFLOW_VERSION)
    finally:
        file.write_bytes(kept)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("version", ["3.3.1"])
def test_dags_load_from_the_package_alone_under_other_pins_of_mwaa(
    version: str, uploaded: Path, tmp_path: Path
) -> None:
    environments.airflow(tmp_path / "airflow", version)  # 160 packages: from uv's cache, or from the network
    check(loaded(tmp_path / "airflow" / "bin" / "python", uploaded), uploaded, version)
