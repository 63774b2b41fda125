"""Lets in whoever Airflow lets in. Airflow does not look at who asks an app that a plugin mounts."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request, Response
from fastapi.responses import RedirectResponse


def allowed(user: Annotated[BaseUser, Depends(get_user)]) -> None:
    """Lets a request pass whose user may see DAGs.

    Airflow's own `get_user` knows the user by the cookie of its UI or by a token, whatever its auth manager is.

    Raises:
        HTTPException: 401 without a user, 403 for one who may see no DAG.
    """
    if not get_auth_manager().is_authorized_dag(method="GET", user=user):
        raise HTTPException(403, "Who may see all DAGs in Airflow may see this page; your role may not.")


def to_log_in(request: Request) -> Response:
    """Sends a browser to Airflow's log-in and back."""
    asked = request.scope["path"] + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"{up(request)}api/v2/auth/login?{urlencode({'next': asked})}", 303)


def up(request: Request) -> str:
    """The way from the page's address to Airflow's own: `../` for each folder that it lies in."""
    inner = str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))
    return "../" * inner.count("/")


def wants_html(request: Request) -> bool:
    """Whether a browser asks, and no program."""
    return "text/html" in request.headers.get("accept", "")
