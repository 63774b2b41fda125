"""Terraform's `settings` are all that the code reads from its environment, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from infra.provision.settings import TERRAFORM
from jobs.lake import settings as code

REPOSITORY = Path(__file__).resolve().parents[3]
# Of a laptop alone: there Airflow's API is asked by its address, and the DAGs are not a release's own tree.
NOT_ON_AWS = {"SLUICE_AIRFLOW_ADDRESS", "SLUICE_RELEASE"}
PREFIX = "SLUICE_DRIVER_"  # of the variables that drivers get


def read_by_the_code() -> set[str]:
    """Names that Airflow's side and jobs read; both by jobs/lake/settings.py, its only reader."""
    return set(re.findall(r'"(SLUICE_[A-Z_]+)"', Path(code.__file__).read_text()))


def made_by_terraform() -> set[str]:
    return set(re.findall(r"^ +(SLUICE_[A-Z_]+) +=", (TERRAFORM / "settings.tf").read_text(), re.M))


def test_settings_are_what_the_code_reads() -> None:
    assert len(read_by_the_code()) >= 10
    assert made_by_terraform() == read_by_the_code() - NOT_ON_AWS - {PREFIX}
    assert f'"{PREFIX}${{name}}" => value' in (TERRAFORM / "settings.tf").read_text()


def test_start_up_script_has_the_one_line_that_the_settings_replace() -> None:
    script = (REPOSITORY / "infra" / "mwaa" / "startup.sh").read_text()
    assert script.count("@SETTINGS@") == 1
    named = set(re.findall(r"^#   (SLUICE_[A-Z_]+) ", script, re.M))
    assert named == made_by_terraform(), "its header lists what Terraform sets"


def test_no_other_module_reads_settings_of_its_own() -> None:
    others = set()
    for folder in ("jobs", "plugins", "dags", "dq"):
        for file in (REPOSITORY / folder).rglob("*.py"):
            others |= set(re.findall(r'environ(?:\.get\(|\[)"(SLUICE_[A-Z_]+)"', file.read_text()))
    assert others <= read_by_the_code()
