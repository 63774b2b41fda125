from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.alerts.scene import Scene


@pytest.fixture
def scene(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """A deployment whose AWS may be slow: on a busy machine a request that was given up is told twice."""
    from jobs.alerts import publish
    from sluice_airflow.alerts import aws as of_alerts
    from tests.plugins.sluice_airflow.alerts.scene import Scene

    for module in (publish, of_alerts):
        monkeypatch.setattr(module, "READ", 60)
    made = Scene()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
