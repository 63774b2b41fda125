from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugins.conftest import LocalAws
    from tests.plugins.sluice_airflow.alerts.scene import Scene


@pytest.fixture
def scene(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Scene:
    from tests.plugins.sluice_airflow.alerts.scene import Scene

    made = Scene()
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made
