"""Snowflake on a laptop: fakesnow's server with databases on disk, a log-in, and Snowflake's encoding.

`python -m infra.local.sources.snowflake` serves the real connector (4.x, not 5.x):

    snowflake.connector.connect(host="127.0.0.1", port=…, protocol="http", account=…, user=…, password=…, …)

Databases are DuckDB files in `<home>/snowflake/`. Database SALES with schema PUBLIC exists from the start. Only CREATE
DATABASE makes others: a mistyped name must not become an empty database.

What a client gets from `fetch_arrow_batches()`, `fetch_arrow_all()` and `ResultBatch.to_arrow()`:

    NUMBER(p, 0)             int64; for any p, a value beyond 64 bits can't be stored here
    NUMBER(p <= 18, s > 0)   double, or with connect(arrow_number_to_decimal=True) decimal128(38, s)
    NUMBER(p > 18, s > 0)    the same from Snowflake; here decimal128(p, s) in both cases
    FLOAT, VARCHAR, BOOLEAN  double, string, bool
    DATE                     date32, from 0001-01-01 to 9999-12-31
    TIMESTAMP_NTZ            timestamp[ns], or timestamp[us] if a value of the batch is beyond 2262 or
                             force_microsecond_precision=True is passed; no nanoseconds are kept here
    TIMESTAMP_LTZ            the same with the session's zone, here always tz=Etc/UTC
    TIMESTAMP_TZ             the same instant with tz=Etc/UTC; the value's own offset is lost here
    no rows                  nothing from fetch_arrow_batches(); from fetch_arrow_all(force_return_table=True) the
                             columns, with NUMBER always as int64

RESULT_SCAN takes the id of a statement; LAST_QUERY_ID() is missing.

Other differences from the service: a result is one Arrow batch, SUM over NUMBER is a double,
INFORMATION_SCHEMA.COLUMNS has no DATETIME_PRECISION, CREATE DATABASE makes no schema PUBLIC, and nothing checks keys
and grants. CURRENT_WAREHOUSE(), COPY INTO a location, AT, streams and tasks are missing.
"""

from __future__ import annotations

import gzip
import importlib
import json
from hmac import compare_digest
from pathlib import Path
from typing import Any

import fakesnow.arrow
from fakesnow.instance import FakeSnow
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.local.addresses import Addresses
from infra.local.secrets import snowflake_credentials
from infra.local.sources.serving import health, serve
from infra.local.sources.snowflake_encoding import timestamp_to_struct, to_snowflake
from infra.local.sources.snowflake_functions import transform

# By name, as the package also has a function called `server`.
server: Any = importlib.import_module("fakesnow.server")
cursor: Any = importlib.import_module("fakesnow.cursor").FakeSnowflakeCursor

LOGIN_PATH = "/session/v1/login-request"
INCORRECT_LOGIN = "390100"  # connector 4.8 raises a DatabaseError with this errno, older ones with 250001

# Clients send these statements about sessions and warehouses, and fakesnow refuses them. It knows AUTOCOMMIT.
IGNORED_STATEMENTS = [
    r"\s*alter\s+session\s+(set|unset)\s+(?!autocommit)",
    r"\s*use\s+secondary\s+roles\b",
    r"\s*(create\s+(or\s+replace\s+)?|alter\s+|drop\s+)warehouse\b",
]


def open_databases(folder: Path, *, database: str, schema: str) -> FakeSnow:
    """The account with its databases, one file each. The named database is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    account = FakeSnow(db_path=folder, nop_regexes=IGNORED_STATEMENTS)
    for name in sorted({database, *(file.stem for file in folder.glob("*.db"))}):
        account.connect(name, schema if name == database else None).close()
    account.create_database_on_connect = False
    account.create_schema_on_connect = False
    return account


def application(addresses: Addresses) -> Starlette:
    """The stand-in as an ASGI application. It replaces the account that fakesnow's module holds."""
    credentials = snowflake_credentials(addresses)
    server.shared_fs = open_databases(
        addresses.home / "snowflake", database=credentials["database"], schema=credentials["schema"]
    )
    fakesnow.arrow.timestamp_to_sf_struct = timestamp_to_struct
    server.to_sf = to_snowflake
    cursor._transform = transform

    async def login(request: Request) -> Response:
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        given = json.loads(body)["data"]
        user = str(given.get("LOGIN_NAME", "")).upper() == credentials["username"].upper()
        password = compare_digest(str(given.get("PASSWORD", "")), credentials["password"])
        if not (user and password):
            return JSONResponse(
                {
                    "data": None,
                    "code": INCORRECT_LOGIN,
                    "message": "Incorrect username or password was specified.",
                    "success": False,
                }
            )
        response: Response = await server.login_request(request)
        return response

    others = [route for route in server.routes if route.path != LOGIN_PATH]
    return Starlette(routes=[health, Route(LOGIN_PATH, login, methods=["POST"]), *others])


if __name__ == "__main__":
    _addresses = Addresses.from_environment()
    serve(application(_addresses), _addresses.snowflake)
