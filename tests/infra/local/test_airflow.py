from __future__ import annotations

from pathlib import Path

import pytest

from infra.local import airflow
from infra.local.addresses import REPOSITORY, Addresses
from infra.local.parts import Part
from infra.local.sources.ecb.history import newest

ADDRESSES = Addresses(Path("/state"), 18900)


def test_the_schedule_is_the_three_newest_days_of_rates() -> None:
    first, last = airflow.schedule()
    assert last == newest()
    assert (last - first).days == 2
    settings = airflow.settings(ADDRESSES)
    assert (settings["SLUICE_SCHEDULE_START"], settings["SLUICE_SCHEDULE_END"]) == (str(first), str(last))


def test_dags_are_imported_from_the_repositorys_root() -> None:
    settings = airflow.settings(ADDRESSES)
    assert settings["AIRFLOW__CORE__DAGS_FOLDER"] == str(REPOSITORY)
    assert settings["AIRFLOW__CORE__PLUGINS_FOLDER"] == str(REPOSITORY / "plugins")


def test_all_state_is_in_the_platforms_folder_and_all_addresses_are_its_own() -> None:
    settings = airflow.settings(ADDRESSES)
    assert settings["AIRFLOW_HOME"] == "/state/airflow"
    assert settings["AIRFLOW__LOGGING__BASE_LOG_FOLDER"].startswith("/state/")
    assert settings["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18900/execution/"


def test_keys_are_the_same_after_a_restart_and_others_elsewhere() -> None:
    elsewhere = airflow.settings(Addresses(Path("/other"), 18900))
    for name in ("AIRFLOW__API__SECRET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET"):
        assert airflow.settings(ADDRESSES)[name] == airflow.settings(ADDRESSES)[name]
        assert airflow.settings(ADDRESSES)[name] != elsewhere[name]


@pytest.mark.parametrize("part", airflow.parts(ADDRESSES, "s3://code/releases/1"), ids=lambda part: part.name)
def test_every_process_runs_with_the_release(part: Part) -> None:
    assert part.environment["SLUICE_RELEASE"] == "s3://code/releases/1"


def test_no_process_opens_a_log_server() -> None:
    for part in airflow.parts(ADDRESSES, ""):
        if part.name in ("airflow-scheduler", "airflow-triggerer"):
            assert "--skip-serve-logs" in part.command
