"""Who may see the page: Airflow decides, with the cookie of its own log-in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import airflow_home

airflow_home.use()


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The page in an Airflow that asks for a log-in, and whose lake is empty."""
    from airflow.api_fastapi.app import init_auth_manager, purge_cached_app
    from airflow.models.revoked_token import RevokedToken
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from quality_page import lake
    from quality_page.app import app
    from tests.plugins.quality_page.scene import S3InMemory

    monkeypatch.setenv("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS", "False")
    monkeypatch.setattr(RevokedToken, "is_revoked", staticmethod(lambda *_, **__: False))  # needs a database
    purge_cached_app()
    root = FastAPI()
    init_auth_manager(root)
    root.mount("/quality", app)
    app.dependency_overrides = {lake.of_environment: lambda: lake.Lake(S3InMemory(), "lake")}
    yield TestClient(root, follow_redirects=False)
    app.dependency_overrides = {}
    purge_cached_app()


def token(role: str) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return str(get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="ann", role=role)))


PATHS = (
    "",
    "tables/silver.orders",
    "tables/silver.orders/summary.json",
    "results/day=2026-11-29/orders/20261129_000000.json",
)


@pytest.mark.parametrize("path", PATHS)
def test_without_a_log_in_nothing_is_shown(client: Any, path: str) -> None:
    browser = client.get(f"/quality/{path}", headers={"accept": "text/html"})
    up = "../" * (path.count("/") + 1)
    assert browser.status_code == 303
    assert browser.headers["location"].startswith(f"{up}api/v2/auth/login?next=%2Fquality%2F")
    program = client.get(f"/quality/{path}")
    assert (program.status_code, program.json()) == (401, {"detail": "Not authenticated"})


def test_token_that_airflow_did_not_sign_is_refused(client: Any) -> None:
    assert client.get("/quality/", headers={"authorization": "Bearer x.y.z"}).status_code == 403
    assert client.get("/quality/", cookies={"_token": "x.y.z"}).status_code == 403


def test_cookie_of_airflows_log_in_opens_the_page(client: Any) -> None:
    answer = client.get("/quality/", cookies={"_token": token("VIEWER")}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert "<h1>Data quality</h1>" in answer.text


def test_user_who_may_see_no_dag_is_refused(client: Any) -> None:
    answer = client.get("/quality/", cookies={"_token": token("")}, headers={"accept": "text/html"})
    assert answer.status_code == 403
    assert "<h1>Not allowed</h1>" in answer.text


def test_every_address_but_the_style_sheet_and_the_script_asks_who_it_is() -> None:
    from fastapi.routing import APIRoute

    from quality_page import login
    from quality_page.app import app

    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(PATHS)
    for route in routes:
        first = route.dependant.dependencies[0].call
        assert first is login.allowed, f"{route.path} reads the lake before it knows who asks"
    assert [route.path for route in app.routes if route not in routes] == ["/static"]
