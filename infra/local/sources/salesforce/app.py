"""All routes of the org, and the check that every API call must pass."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response

from infra.local.addresses import Addresses
from infra.local.secrets import salesforce_credentials
from infra.local.sources.salesforce import bulk, control, login, rest
from infra.local.sources.salesforce.errors import ApiError, answer
from infra.local.sources.salesforce.org import Org
from infra.local.sources.salesforce.store import Store
from infra.local.sources.serving import health


def application(addresses: Addresses) -> Starlette:
    """The stand-in as an ASGI application."""
    store = Store(addresses.home / "salesforce" / "org.sqlite")
    org = Org(store, salesforce_credentials(addresses))

    async def admit(request: Request, call_next: RequestResponseEndpoint) -> Response:
        if not request.url.path.startswith("/services/data/"):
            return await call_next(request)
        try:
            org.admit(request.url.path, request.headers.get("authorization", ""))
        except ApiError as error:
            return await answer(request, error)
        response = await call_next(request)
        settings = org.settings
        response.headers["Sforce-Limit-Info"] = f"api-usage={settings.calls_used}/{settings.daily_limit}"
        return response

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        store.close()

    return Starlette(
        routes=[health, *login.routes(org), *rest.routes(org), *bulk.routes(org), *control.routes(org)],
        middleware=[Middleware(BaseHTTPMiddleware, dispatch=admit)],
        exception_handlers={ApiError: answer},
        lifespan=lifespan,
    )
