"""What a person or a test can do to the org under `/_control/`, without a log-in.

    GET    state            counts, fields, settings, planned failures, the last 50 queries
    POST   records          {"records": [{"Id": …, "SystemModstamp": …, …}]}: create, or change these fields
    POST   records/delete   {"ids": […], "at": time}: soft delete, seen by queryAll only
    POST   records/purge    {"ids": […]}: hard delete; without ids, of all
    POST   fields           {"drop": ["Industry"], "put": [{"name": "Tier__c", "type": "string"}]}
    POST   fail             {"kind": rate_limit | expired_session | unavailable | bulk_failure, "calls": 1,
                            "after": 0, "path": "/query"}; expired_session also ends the caller's session,
                            bulk_failure makes the next jobs end as Failed. Log-ins fail only when the
                            path names them (/services/Soap, /services/oauth2)
    DELETE fail             forget the planned failures
    PATCH  settings         {"page_size": 2000, "daily_limit": 100000, "calls_used": 0, "bulk_polls": 0}
    GET    notes/NAME, PUT  {"text": … or null}: a text kept with the data by whoever loaded it

A wrong document gets the answer 400 {"error": …} and changes nothing.
"""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.sources.salesforce.fields import Field
from infra.local.sources.salesforce.org import Org
from infra.local.sources.serving import Handler, checked


def routes(org: Org) -> list[Route]:
    """The control routes."""

    async def state(_: Request) -> Response:
        return JSONResponse(
            {
                **org.store.counts(),
                "fields": [asdict(field) for field in org.store.fields().values()],
                "settings": asdict(org.settings),
                "faults": org.faults.documents(),
                "queries": list(org.queries),
            }
        )

    async def upsert(request: Request) -> Response:
        return JSONResponse({"upserted": org.store.upsert((await request.json())["records"])})

    async def delete(request: Request) -> Response:
        asked = await request.json()
        return JSONResponse({"deleted": org.store.delete(asked["ids"], asked["at"])})

    async def purge(request: Request) -> Response:
        return JSONResponse({"purged": org.store.purge((await request.json()).get("ids"))})

    async def fields(request: Request) -> Response:
        asked = await request.json()
        put = [Field(field["name"], field["type"]) for field in asked.get("put", [])]
        org.store.change_fields(put=put, drop=asked.get("drop", []))
        return await state(request)

    async def settings(request: Request) -> Response:
        org.settings = org.settings.changed(await request.json())
        return JSONResponse(asdict(org.settings))

    async def note(request: Request) -> Response:
        name = request.path_params["name"]
        if request.method == "PUT":
            org.store.set_note(name, (await request.json())["text"])
        return JSONResponse({"text": org.store.note(name)})

    table: dict[str, tuple[Handler, list[str]]] = {
        "state": (state, ["GET"]),
        "records": (upsert, ["POST"]),
        "records/delete": (delete, ["POST"]),
        "records/purge": (purge, ["POST"]),
        "fields": (fields, ["POST"]),
        "fail": (org.faults.control, ["POST", "DELETE"]),
        "settings": (settings, ["PATCH"]),
        "notes/{name}": (note, ["GET", "PUT"]),
    }
    return [Route(f"/_control/{path}", checked(handler), methods=methods) for path, (handler, methods) in table.items()]
