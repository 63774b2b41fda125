"""Tests that wait for no clock."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
import tenacity.nap

from tests.plugins.sluice_airflow.emr.fake_emr import FakeEmr


@pytest.fixture
def emr(monkeypatch: pytest.MonkeyPatch) -> FakeEmr:
    """EMR Serverless in memory; who asks it again does so at once. There is no S3 with logs."""
    no_sleep = SimpleNamespace(sleep=lambda seconds: None, monotonic=time.monotonic)
    monkeypatch.setattr(tenacity.nap, "time", no_sleep)
    monkeypatch.setattr("sluice_airflow.emr.runs.time", no_sleep)
    monkeypatch.setattr("sluice_airflow.emr.operator.log_client", lambda operator: None)
    return FakeEmr()
