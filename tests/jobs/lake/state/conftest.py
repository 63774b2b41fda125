"""An EMR Serverless application whose job runs are in the state that a test gives them."""

from __future__ import annotations

from typing import Any

import boto3
import pytest


@pytest.fixture
def job_runs(lake: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The state of each job run of an EMR Serverless application, by name."""
    known: dict[str, str] = {}

    class Emr:
        def get_paginator(self, _: str) -> Emr:
            return self

        def paginate(self, applicationId: str, states: list[str]) -> list[dict[str, Any]]:
            return [{"jobRuns": [{"name": name} for name, state in known.items() if state in states]}]

    real = boto3.client
    monkeypatch.setenv("SLUICE_EMR_APPLICATION_ID", "app")
    monkeypatch.setattr(boto3, "client", lambda name: Emr() if name == "emr-serverless" else real(name))
    return known
