"""The environment, read in one place."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from jobs.lake import release, settings
from jobs.lake.errors import ConfigurationError

REPOSITORY = Path(__file__).resolve().parents[3]


def test_missing_lake_bucket_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLUICE_LAKE_BUCKET", raising=False)

    with pytest.raises(ConfigurationError, match="SLUICE_LAKE_BUCKET is not set"):
        settings.lake()


def test_table_lies_in_the_folder_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_LAKE_BUCKET", "bucket")

    assert settings.lake().uri("silver.orders") == "s3://bucket/silver/orders"


def test_address_of_a_source_is_its_own_unless_the_environment_replaces_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FX_RATES_URL", raising=False)
    assert settings.replacement("FX_RATES_URL") is None
    monkeypatch.setenv("FX_RATES_URL", "")
    assert settings.replacement("FX_RATES_URL") is None

    monkeypatch.setenv("FX_RATES_URL", "http://127.0.0.1:1/feed.zip")
    assert settings.replacement("FX_RATES_URL") == "http://127.0.0.1:1/feed.zip"


def test_nothing_but_settings_reads_the_environment() -> None:
    readers = [
        str(file.relative_to(REPOSITORY))
        for folder in ("jobs", "dq")
        for file in (REPOSITORY / folder).rglob("*.py")
        if re.search(r"os\.(environ|getenv)", file.read_text())
    ]

    assert readers == ["jobs/lake/settings.py"]


def test_delta_rs_gets_the_s3_endpoint_before_the_general_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://general")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:2")
    assert settings.storage_options() == {"AWS_ENDPOINT_URL": "http://127.0.0.1:2", "AWS_ALLOW_HTTP": "true"}

    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    assert settings.storage_options() == {"AWS_ENDPOINT_URL": "https://general", "AWS_ALLOW_HTTP": "false"}

    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert settings.storage_options() == {}


def test_dags_can_read_the_registry_and_settings_with_the_standard_library_alone() -> None:
    code = "from jobs.lake import settings, tables; settings.deployment(); assert tables.every()"

    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=REPOSITORY, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of a deployment."""
    for name in [name for name in os.environ if name.startswith(("SLUICE_", "AWS_"))]:
        monkeypatch.delenv(name)
    return monkeypatch


def test_tree_of_a_release_asks_for_its_own_release_whatever_the_environment_says(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("SLUICE_CODE_BUCKET", "code")
    clean.setenv("SLUICE_RELEASE", "s3://code/releases/another/")
    assert settings.deployment().release == "s3://code/releases/another", "a checkout is told what was uploaded of it"
    clean.setattr(release, "of_tree", lambda: "0123456789ab")
    assert settings.deployment().release == "s3://code/releases/0123456789ab"
    clean.delenv("SLUICE_CODE_BUCKET")
    assert settings.deployment().release == "", "so that the operator names what is missing"


def test_schedules_have_no_start_until_one_is_given(clean: pytest.MonkeyPatch) -> None:
    assert settings.deployment().schedule_start is None
    clean.setenv("SLUICE_SCHEDULE_START", "2026-11-29")
    assert settings.deployment().schedule_start == date(2026, 11, 29)


def test_region_and_replaced_addresses_are_for_every_driver(clean: pytest.MonkeyPatch) -> None:
    assert settings.deployment().driver_variables == {}
    clean.setenv("AWS_REGION", "eu-west-1")
    clean.setenv("SLUICE_DRIVER_FX_RATES_URL", "https://mirror/feed.zip")
    clean.setenv("FX_RATES_URL", "of this process alone")
    assert settings.deployment().driver_variables == {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "FX_RATES_URL": "https://mirror/feed.zip",
    }


def test_archive_is_of_the_application_s_architecture(clean: pytest.MonkeyPatch) -> None:
    assert settings.deployment().python_archive == "python-x86_64.tar.gz"
    clean.setenv("SLUICE_EMR_ARCHITECTURE", "ARM64")
    assert settings.deployment().python_archive == "python-arm64.tar.gz"
    clean.setenv("SLUICE_EMR_ARCHITECTURE", "arm")
    with pytest.raises(ConfigurationError, match="SLUICE_EMR_ARCHITECTURE: no architecture 'arm'"):
        settings.deployment()
