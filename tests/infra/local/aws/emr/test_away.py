from __future__ import annotations

from pathlib import Path

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from infra.local.aws.emr.away import Away, mark


@pytest.mark.parametrize(
    ("path", "status"), [("/applications/00a/jobruns", 503), ("/tags/arn:x", 503), ("/", 200), ("/clusters", 200)]
)
def test_only_emr_serverless_goes_and_it_comes_back(path: str, status: int, tmp_path: Path) -> None:
    client = Client(Away(Response("answered"), mark(tmp_path)))
    assert client.get(path).status_code == 200
    mark(tmp_path).touch()
    assert client.get(path).status_code == status
    mark(tmp_path).unlink()
    assert client.get(path).status_code == 200
