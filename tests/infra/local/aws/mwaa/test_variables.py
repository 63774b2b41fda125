"""The environment of Airflow's processes: what wins, and that nothing of this machine is in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.addresses import Addresses
from infra.local.aws.mwaa.errors import BrokenEnvironmentError
from infra.local.aws.mwaa.requirements import check
from infra.local.aws.mwaa.variables import PYTHON, of_airflow, of_container
from infra.package.release import NOTHING_FETCHED

HOME = Path("/state/mwaa/sluice")
REPOSITORY = Path(__file__).resolve().parents[5]


@pytest.fixture(autouse=True)
def _server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the server's own")
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", "the platform's own")
    monkeypatch.setenv("AIRFLOW__CORE__PARALLELISM", "99")


def variables(exported: dict[str, str] | None = None, options: dict[str, str] | None = None) -> dict[str, str]:
    container = of_container("sluice", "eu-west-1", {"AWS_ACCESS_KEY_ID": "of the role"}, HOME)
    return of_airflow(container, Addresses(HOME, 7777), HOME / "files" / "1", exported or {}, options or {})


def test_nothing_of_the_server_s_own_is_in_it() -> None:
    found = variables()
    assert not [name for name in found if name.startswith("SLUICE_")]
    assert found["AWS_ACCESS_KEY_ID"] == "of the role"
    assert found["AIRFLOW__CORE__PARALLELISM"] != "99"
    assert found["HOME"] == str(HOME)
    known = ("AIRFLOW", "AWS_", "PYTHON")
    assert {name for name in found if not name.startswith(known)} == {"PATH", "HOME", "LANG", "SPT_NOENV"}


def test_dags_and_plugins_are_those_of_the_bucket_and_airflow_is_reached_at_its_port_alone() -> None:
    found = variables()
    assert found["AIRFLOW__CORE__DAGS_FOLDER"] == "/state/mwaa/sluice/files/1/dags"
    assert found["AIRFLOW__CORE__PLUGINS_FOLDER"] == found["PYTHONPATH"] == "/state/mwaa/sluice/files/1/plugins"
    assert (found["AIRFLOW__API__HOST"], found["AIRFLOW__API__PORT"]) == ("127.0.0.1", "7777")


def test_option_wins_over_the_script_and_the_script_over_mwaa_s_opinion() -> None:
    name = "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"
    assert variables()[name] == "0.5"
    assert variables({name: "7"})[name] == "7"
    assert variables({name: "7"}, {"scheduler.scheduler_idle_sleep_time": "9"})[name] == "9"


def test_nobody_changes_what_mwaa_needs_itself() -> None:
    changed = variables(
        {"AIRFLOW__API__HOST": "elsewhere", "AIRFLOW_HOME": "/elsewhere"},
        {"core.dags_folder": "/elsewhere", "core.executor": "SequentialExecutor"},
    )
    assert changed == variables()


def test_requirements_of_a_release_are_met_by_airflow_s_environment(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    check(file, PYTHON.parents[1])  # there need not be one
    file.write_bytes(NOTHING_FETCHED + (REPOSITORY / "requirements.txt").read_bytes())
    check(file, PYTHON.parents[1])


@pytest.mark.parametrize(
    "line", ["--no-index\nnot-there==1.0", "--no-index\napache-airflow==2.10.3", "requests==2.0.0"]
)
def test_requirement_that_would_have_to_be_fetched_is_refused(line: str, tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"{line}\n")
    with pytest.raises(BrokenEnvironmentError, match=r"requirements\.txt is not satisfied by Airflow's environment"):
        check(file, PYTHON.parents[1])
