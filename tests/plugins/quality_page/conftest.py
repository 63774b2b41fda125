"""The page with a lake in memory, asked as by somebody whom Airflow knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests import airflow_home

airflow_home.use()

if TYPE_CHECKING:
    from tests.plugins.quality_page.scene import S3InMemory


@dataclass
class Page:
    """The page below the address that Airflow gives it, and the lake that it reads."""

    client: Any
    s3: S3InMemory

    def html(self, path: str = "", status: int = 200) -> str:
        answer = self.client.get(f"/quality/{path}", headers={"accept": "text/html"})
        assert answer.status_code == status, answer.text
        return str(answer.text)

    def json(self, path: str, status: int = 200) -> Any:
        answer = self.client.get(f"/quality/{path}")
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def page() -> Iterator[Page]:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from quality_page import lake, login
    from quality_page.app import app
    from tests.plugins.quality_page import scene

    s3 = scene.lake()
    root = FastAPI()
    root.mount("/quality", app)
    source = lake.Lake(s3, "lake")
    app.dependency_overrides = {login.allowed: lambda: None, lake.of_environment: lambda: source}
    yield Page(TestClient(root), s3)
    app.dependency_overrides = {}
