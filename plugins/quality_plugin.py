"""Puts the quality page into Airflow's menu, and on the page of each DAG.

Every Airflow process loads this file, and only the API server serves pages: so the app is imported when it is first
asked.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from airflow.plugins_manager import AirflowPlugin


class LazyApp:
    """An ASGI app that imports `quality_page.app` when it is first called."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Passes a request on."""
        await import_module("quality_page.app").app(scope, receive, send)


class QualityPlugin(AirflowPlugin):
    """Found by the plugins manager. Addresses are relative, as a proxy may serve Airflow below a path."""

    name = "sluice_quality"
    # RUF012 asks for ClassVar; the base class declares both as variables of an instance, which mypy holds against it.
    fastapi_apps = [{"app": LazyApp(), "url_prefix": "/quality", "name": "Data quality"}]  # noqa: RUF012 - see above
    external_views = [  # noqa: RUF012 - see above
        {"name": "Data quality", "href": "quality/", "url_route": "quality", "destination": "nav"},
        {"name": "Data quality", "href": "quality/?dag={DAG_ID}", "url_route": "dag_quality", "destination": "dag"},
    ]
