"""The REST data API: queries and their pages, describe, limits."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.sources.salesforce.errors import ApiError
from infra.local.sources.salesforce.fields import ENTITY
from infra.local.sources.salesforce.org import Org, Page

DATA = "/services/data/v{version}"
SMALLEST_PAGE, LARGEST_PAGE = 200, 2000  # Salesforce moves other values of batchSize into these limits


def _page_size(request: Request, org: Org) -> int:
    asked = re.search(r"batchSize\s*=\s*(\d+)", request.headers.get("sforce-query-options", ""))
    if asked is None:
        return org.settings.page_size
    return min(max(int(asked[1]), SMALLEST_PAGE), LARGEST_PAGE, org.settings.page_size)


def _answer(request: Request, page: Page) -> Response:
    version = request.path_params["version"]
    url = f"/services/data/v{version}/sobjects/{ENTITY}"
    records = []
    for record in page.records:
        attributes = {"type": ENTITY, **({"url": f"{url}/{record['Id']}"} if "Id" in record else {})}
        records.append({"attributes": attributes, **record})
    body: dict[str, object] = {"totalSize": page.total, "done": page.next_locator is None, "records": records}
    if page.next_locator:
        body["nextRecordsUrl"] = f"/services/data/v{version}/query/{page.next_locator}"
    return JSONResponse(body)


def routes(org: Org) -> list[Route]:
    """The REST routes. `app` has checked the calls before."""

    async def query(request: Request) -> Response:
        soql = request.query_params.get("q")
        if not soql:
            raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
        org.queries.append(soql)
        include_deleted = "/queryAll" in request.url.path
        fields, records = org.store.query(soql, include_deleted=include_deleted)
        if not fields:
            return JSONResponse({"totalSize": records[0]["count"], "done": True, "records": []})
        return _answer(request, org.first_page(records, _page_size(request, org)))

    async def more(request: Request) -> Response:
        return _answer(request, org.page(request.path_params["locator"], _page_size(request, org)))

    async def objects(_: Request) -> Response:
        listed = {"name": ENTITY, "label": ENTITY, "queryable": True, "keyPrefix": "001"}
        return JSONResponse({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": [listed]})

    async def describe(request: Request) -> Response:
        name = request.path_params["name"]
        if name.lower() != ENTITY.lower():
            raise ApiError("NOT_FOUND", "The requested resource does not exist", 404)
        fields = [field.describe() for field in org.store.fields().values()]
        return JSONResponse({"name": ENTITY, "label": ENTITY, "queryable": True, "fields": fields})

    async def limits(_: Request) -> Response:
        left = org.settings.daily_limit - org.settings.calls_used
        return JSONResponse({"DailyApiRequests": {"Max": org.settings.daily_limit, "Remaining": left}})

    handlers = {
        "query": query,
        "query/": query,
        "queryAll": query,
        "queryAll/": query,
        "query/{locator}": more,
        "queryAll/{locator}": more,
        "sobjects": objects,
        "sobjects/": objects,
        "sobjects/{name}/describe": describe,
        "limits": limits,
        "limits/": limits,
    }
    return [Route(f"{DATA}/{path}", handler, methods=["GET"]) for path, handler in handlers.items()]
