"""The start-up script exports what DAGs read, as MWAA runs it: sourced by bash, with `exit` taken from it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
SCRIPT = (REPOSITORY / "infra" / "mwaa" / "startup.sh").read_text()
SETTINGS = {
    "SLUICE_PROJECT": "sluice-dev", "SLUICE_LAKE_BUCKET": "lake", "SLUICE_CODE_BUCKET": "code",
    "SLUICE_LOGS_BUCKET": "logs",
    "SLUICE_EMR_APPLICATION_ID": "00app", "SLUICE_EMR_ARCHITECTURE": "ARM64",
    "SLUICE_EMR_ROLE_ARN": "arn:aws:iam::123456789012:role/job", "SLUICE_ALERT_TOPICS": "arn:aws:sns:x:alerts",
    "SLUICE_MWAA_ENVIRONMENT": "sluice-dev", "SLUICE_SCHEDULE_START": "2026-11-29",
}  # fmt: skip
OPTIONAL = {
    "SLUICE_SCHEDULE_END": "2026-12-31", "SLUICE_WORKER_WAIT_SECONDS": "5",
    "SLUICE_OPENLINEAGE_URL": "https://lineage.example.com",
}  # fmt: skip
DRIVER = {"SLUICE_DRIVER_KAFKA_SSL_CA_FILE": "s3://code/kafka authority.pem"}
NOT_ON_MWAA = {"SLUICE_AIRFLOW_ADDRESS", "SLUICE_RELEASE", "SLUICE_DRIVER_"}  # a laptop's; the tree's; a prefix
RUN = (
    "import json, os, dataclasses; from jobs.lake import settings;"
    "print(json.dumps([dict(os.environ), dataclasses.asdict(settings.deployment())], default=str))"
)


def run(tmp_path: Path, settings: dict[str, str]) -> tuple[dict[str, str], dict[str, object], str]:
    """What Airflow has in its environment afterwards, what DAGs make of it, and the script's log."""
    exports = "\n".join(f"export {name}='{value}'" for name, value in settings.items())
    filled = tmp_path / "startup.sh"
    filled.write_text(SCRIPT.replace("@SETTINGS@", exports))
    around = f'source "{filled}"\n{sys.executable} -c "{RUN}"'
    done = subprocess.run(
        ["bash", "-c", around], cwd=REPOSITORY, env={"PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    environment, deployment = json.loads(done.stdout)
    return environment, deployment, done.stderr


def test_every_setting_reaches_the_dags(tmp_path: Path) -> None:
    environment, deployment, said = run(tmp_path, {**SETTINGS, **OPTIONAL, **DRIVER})
    assert {name: environment.get(name) for name in SETTINGS | OPTIONAL | DRIVER} == SETTINGS | OPTIONAL | DRIVER
    assert said == ""
    assert (deployment["lake_bucket"], deployment["schedule_start"]) == ("lake", "2026-11-29")
    assert deployment["python_archive"] == "python-arm64.tar.gz"
    assert deployment["driver_variables"] == {
        "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
        "KAFKA_SSL_CA_FILE": "s3://code/kafka authority.pem",
    }  # fmt: skip
    assert [name for name in environment if name in ("name", "value")] == []


@pytest.mark.parametrize("missing", SETTINGS)
def test_missing_setting_is_named_and_the_others_are_kept(missing: str, tmp_path: Path) -> None:
    """MWAA starts in any case, and keeps nothing of a script that dies."""
    environment, _, said = run(tmp_path, {name: value for name, value in SETTINGS.items() if name != missing})
    assert said == f"ERROR: {missing} is not set: put it among the settings of the deployment\n"
    assert SETTINGS.keys() - environment.keys() == {missing}


def test_every_variable_that_the_code_reads_is_in_the_script_s_header() -> None:
    read = set(re.findall(r'"(SLUICE_\w+)"', (REPOSITORY / "jobs" / "lake" / "settings.py").read_text()))
    assert read - NOT_ON_MWAA == SETTINGS.keys() | OPTIONAL.keys()
    described = set(re.findall(r"^#   (SLUICE_\w+) ", SCRIPT, re.MULTILINE))
    assert described == SETTINGS.keys() | OPTIONAL.keys()


def test_place_of_the_settings_is_there_once_and_no_secret_is_asked_for() -> None:
    assert SCRIPT.count("@SETTINGS@") == 1
    assert not re.search(r"password|secret_|api_key", SCRIPT)
    assert not re.search(r"^\s*(set -|exit)", SCRIPT, re.MULTILINE), "MWAA would lose what was exported before"
